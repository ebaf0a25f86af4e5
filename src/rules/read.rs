//! From what stands in a rule file to compiled values, steps and conditions.

use serde_json::Value;

use super::{
    expr::{Arm, Chain, Expr, Lookup, Otherwise, Row},
    load::{Element, Loader, did_you_mean},
    node::{At, Key, Kind, Node},
    ops::Step,
    scene::{Slot, Source},
    tally::Site,
    template::{Filter, Part, Template},
    when::{Condition, Subject, Test, Type, When, Word},
};
use crate::value::{
    path::{Path, Root},
    text::{folded, text},
};

/// The words that make a table a value.
pub(super) const OPERATORS: [&str; 11] = [
    "from", "case", "header", "query", "received", "hash", "json", "object", "pairs", "list",
    "fields",
];

/// The word that makes a table a value by merging.
pub(super) const MERGE: &str = "merge";

impl Loader<'_> {
    /// A value.
    pub(super) fn value(&mut self, node: &Node) -> Option<Expr> {
        match &node.kind {
            Kind::Scalar(Value::String(text)) => self.text_value(text, node.at),
            Kind::Scalar(value) => Some(Expr::Constant(value.clone())),
            Kind::List(_) => self.wrong(
                node.at,
                "a list needs to be told what it is: put it under `from` (the first that is there) or `list` (all of them)",
            ),
            Kind::Table(entries) => {
                let operator = entries.iter().find(|(key, _)| is_operator(&key.text));
                let Some((operator, _)) = operator else {
                    let hint = entries.first().map(|(key, _)| did_you_mean(&key.text, operators())).unwrap_or_default();
                    let found = entries.first().map(|(key, _)| format!("; `{}` is none", key.text)).unwrap_or_default();
                    let all: Vec<&str> = operators().collect();
                    return self.wrong(node.at, format!("a table needs an operator to be a value: one of {}{found}{hint}", all.join(", ")));
                };
                let mut others = entries.iter().filter(|(key, _)| is_operator(&key.text)).skip(1);
                if let Some((second, _)) = others.next() {
                    return self.wrong(
                        second.at,
                        format!("`{}` and `{}` are two values in one table: put both into a list under `from`, or take one away", operator.text, second.text),
                    );
                }
                self.operation(operator, node)
            }
        }
    }

    fn text_value(&mut self, text: &str, at: At) -> Option<Expr> {
        if text.contains("{{") {
            return self.template(text, at).map(Expr::Template);
        }
        if text.starts_with(['$', '@']) {
            return self.source(text, at).map(Expr::Path);
        }
        Some(Expr::Constant(Value::String(text.to_owned())))
    }

    fn operation(&mut self, operator: &Key, node: &Node) -> Option<Expr> {
        let operator = operator.text.as_str();
        if let Kind::Table(entries) = &node.kind
            && !matches!(operator, "from" | "case")
            && let Some((key, _)) =
                entries.iter().find(|(key, _)| matches!(key.text.as_str(), "then" | "map" | "else"))
        {
            return self.wrong(
                key.at,
                format!("`{operator}` knows no `{}`; `from` does: write `{operator}: …` under `from`, and `{}` beside that", key.text, key.text),
            );
        }
        match operator {
            "from" => return self.chain(node),
            "case" => return self.case(node),
            _ => {}
        }
        let table = self.table(node, &format!("`{operator}`"), &[operator])?;
        let of = table.get(operator)?;
        Some(match operator {
            "header" => Expr::Header(self.text(of, "the name of a header")?.to_ascii_lowercase()),
            "query" => Expr::Query(self.text(of, "the name of a parameter")?.to_owned()),
            "received" => match self.text(of, "`received`")? {
                "at" => Expr::ReceivedAt,
                other => return self.wrong(of.at, format!("`received` knows `at`, not `{other}`")),
            },
            "hash" => Expr::Hash(self.values(of)?),
            "json" => Expr::Json(Box::new(self.value(of)?)),
            "object" => Expr::Object(Box::new(self.value(of)?)),
            "pairs" => Expr::Pairs(Box::new(self.value(of)?)),
            "list" => Expr::List(self.values(of)?),
            MERGE => Expr::Merge(self.values(of)?),
            "fields" => {
                let entries = self.entries(of, "`fields`")?;
                let fields =
                    entries.iter().map(|(key, node)| Some((key.text.clone(), self.value(node)?)));
                Expr::Fields(fields.collect::<Option<_>>()?)
            }
            other => return self.wrong(node.at, format!("`{other}` is not known")),
        })
    }

    /// A list of values, or one; all are read, so that all mistakes are found.
    fn values(&mut self, node: &Node) -> Option<Vec<Expr>> {
        let values: Vec<Option<Expr>> =
            node.as_list().iter().map(|node| self.value(node)).collect();
        if values.is_empty() {
            return self.wrong(node.at, "an empty list gives nothing");
        }
        values.into_iter().collect()
    }

    fn chain(&mut self, node: &Node) -> Option<Expr> {
        let table = self.table(node, "a value", &["from", "then", "map", "else"])?;
        let from = self.values(table.get("from")?);
        let then: Vec<Option<Step>> = match table.get("then") {
            Some(steps) => steps.as_list().iter().map(|step| self.step(step)).collect(),
            None => Vec::new(),
        };
        let map = table.get("map").map(|words| self.lookup(words));
        let otherwise = table.get("else").map(|value| self.otherwise(value));
        Some(Expr::Chain(Box::new(Chain {
            from: from?,
            then: then.into_iter().collect::<Option<_>>()?,
            map: or_leave(map)?,
            otherwise: or_leave(otherwise)?,
        })))
    }

    fn lookup(&mut self, node: &Node) -> Option<Lookup> {
        let mut rows: Vec<Row> = Vec::new();
        for (key, becomes) in self.entries(node, "`map`")? {
            let word: Box<str> = folded(&key.text).into();
            if rows.iter().any(|known| known.word == word) {
                self.wrong::<()>(
                    key.at,
                    format!("`{}` stands twice: lookups ignore letter case", key.text),
                );
            }
            let site = Site::at_line(key.at.line);
            rows.push(Row { word, becomes: self.value(becomes)?, site });
        }
        rows.sort_by(|a, b| a.word.cmp(&b.word));
        Some(Lookup { rows, site: Site::at_line(node.at.line), is_of_severity: false })
    }

    /// What stands in where nothing came out.
    pub(super) fn otherwise(&mut self, node: &Node) -> Option<Otherwise> {
        Some(Otherwise { gives: self.value(node)?, site: Site::at_line(node.at.line) })
    }

    fn case(&mut self, node: &Node) -> Option<Expr> {
        let table = self.table(node, "a value", &["case", "else"])?;
        let mut cases = Vec::new();
        for case in table.get("case")?.as_list() {
            let at = case.at;
            let site = Site::at_line(case.at.line);
            let case = self.table(case, "a case", &["when", "use"])?;
            let (Some(when), Some(value)) = (case.get("when"), case.get("use")) else {
                return self.wrong(at, "a case has `when` and `use`");
            };
            cases.push(Arm { when: self.when(when)?, gives: self.value(value)?, site });
        }
        let otherwise = or_leave(table.get("else").map(|value| self.otherwise(value)))?;
        Some(Expr::Case(cases, otherwise.map(Box::new)))
    }

    /// A path whose root is known here.
    fn source(&mut self, text: &str, at: At) -> Option<Source> {
        let path = match Path::parse(text) {
            Ok(path) => path,
            Err(error) => return self.wrong_in(at, text, error.to_string()),
        };
        let slot = match path.root() {
            Root::Payload => Slot::Payload,
            Root::Element if self.element == Element::Unknown => {
                return self.wrong_in(at, text, "`@` is not known here: `when` decides over a payload, before its items; use `$`");
            }
            Root::Element => {
                self.uses_item |= self.element == Element::Item;
                Slot::Element
            }
            Root::Variable(name) => self.variable(name, at)?,
        };
        Some(Source { slot, path, line: at.line, head: None })
    }

    fn variable(&mut self, name: &str, at: At) -> Option<Slot> {
        if let Some(slot) = self.own.iter().position(|known| known == name) {
            if self.element == Element::Unknown {
                return self.wrong_in(
                    at,
                    &format!("${name}"),
                    format!(
                        "`${name}` comes from an item, and `when` decides before there are items"
                    ),
                );
            }
            self.uses_item = true;
            return Some(Slot::Own(slot));
        }
        if let Some(slot) = self.shared.iter().position(|known| known == name) {
            return Some(Slot::Shared(slot));
        }
        if let Some((_, hint)) = self.words.iter().find(|(known, _)| known == name) {
            let detail = format!(
                "`{name}` of `let` is a table of words without an operator, and no variable{hint}"
            );
            return self.wrong_in(at, &format!("${name}"), detail);
        }
        let known: Vec<&str> = self.own.iter().chain(&self.shared).map(String::as_str).collect();
        let hint = did_you_mean(name, known.into_iter());
        let detail = format!(
            "`${name}` is no variable of `let`; fields of the payload begin with `$.`{hint}"
        );
        self.wrong_in(at, &format!("${name}"), detail)
    }

    /// The items of a variant.
    pub(super) fn each(&mut self, node: &Node) -> Option<Source> {
        let text = self.text(node, "`each`")?;
        self.source(text, node.at)
    }

    fn template(&mut self, text: &str, at: At) -> Option<Template> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, hole)) = rest.split_once("{{") {
            let Some((inside, after)) = hole.split_once("}}") else {
                return self.wrong_in(at, &rest[before.len()..], "`{{` is never closed by `}}`");
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(self.hole(inside, at)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Some(Template { parts })
    }

    fn hole(&mut self, inside: &str, at: At) -> Option<Part> {
        let mut words = inside.split('|').map(str::trim);
        let source = self.source(words.next().unwrap_or_default(), at)?;
        let mut filters = Vec::new();
        for word in words {
            let known = Filter::ALL.into_iter().find(|(name, _)| *name == word);
            let Some((_, filter)) = known else {
                let hint = did_you_mean(word, Filter::ALL.iter().map(|(name, _)| *name));
                return self.wrong_in(
                    at,
                    word,
                    format!("`{word}` is no filter; there are `lower`, `upper` and `trim`{hint}"),
                );
            };
            filters.push(filter);
        }
        Some(Part::Hole(source, filters))
    }

    /// A condition.
    pub(super) fn when(&mut self, node: &Node) -> Option<When> {
        let tables: Vec<Option<Vec<Condition>>> =
            node.as_list().iter().map(|table| self.conditions(table)).collect();
        Some(When { any: tables.into_iter().collect::<Option<_>>()? })
    }

    fn conditions(&mut self, node: &Node) -> Option<Vec<Condition>> {
        let mut all = Vec::new();
        for (key, test) in self.entries(node, "a condition, such as `$.alerts: {type: array}`,")? {
            let subject = if let Some(name) = key.text.strip_prefix("header.") {
                Some(Subject::Header(name.to_ascii_lowercase()))
            } else if let Some(name) = key.text.strip_prefix("query.") {
                Some(Subject::Query(name.to_owned()))
            } else {
                self.source(&key.text, key.at).map(Subject::Path)
            };
            let test = self.test(test);
            all.push(Condition { subject: subject?, test: test? });
        }
        Some(all)
    }

    fn test(&mut self, node: &Node) -> Option<Test> {
        let Kind::Table(_) = &node.kind else {
            let words: Vec<Option<Word>> =
                node.as_list().iter().map(|word| self.word(word)).collect();
            return Some(Test::Same(words.into_iter().collect::<Option<_>>()?));
        };
        let table = self.table(node, "a test", &["exists", "regex", "type", "not"])?;
        let mut tests = Vec::new();
        if let Some(wanted) = table.get("exists") {
            tests.push(Test::Exists(self.truth(wanted, "`exists`")?));
        }
        if let Some(pattern) = table.get("regex") {
            tests.push(Test::Matches(self.pattern(pattern)?));
        }
        if let Some(name) = table.get("type") {
            tests.push(Test::Is(self.type_of(name)?));
        }
        if let Some(test) = table.get("not") {
            tests.push(Test::Not(Box::new(self.test(test)?)));
        }
        match tests.len() {
            0 => self.wrong(node.at, "a test says `exists`, `regex`, `type` or `not`"),
            1 => tests.pop(),
            _ => Some(Test::All(tests)),
        }
    }

    fn type_of(&mut self, node: &Node) -> Option<Type> {
        // `type: null` says what it means, though YAML takes it for nothing.
        if let Kind::Scalar(Value::Null) = &node.kind {
            return Some(Type::Null);
        }
        let name = self.text(node, "`type`")?;
        let found = Type::ALL.into_iter().find(|known| known.name() == name);
        found.or_else(|| {
            let hint = did_you_mean(name, Type::ALL.into_iter().map(Type::name));
            let all: Vec<&str> = Type::ALL.into_iter().map(Type::name).collect();
            self.wrong(
                node.at,
                format!("`{name}` is no type of JSON; there are {}{hint}", all.join(", ")),
            )
        })
    }

    fn word(&mut self, node: &Node) -> Option<Word> {
        match &node.kind {
            Kind::Scalar(Value::Null) => {
                self.wrong(node.at, "test for null with `exists: false` or `type: null`")
            }
            Kind::Scalar(value) => {
                let written = text(value).into_owned();
                Some(Word { folded: folded(&written).into_owned(), written })
            }
            Kind::List(_) | Kind::Table(_) => {
                self.wrong(node.at, format!("a word was expected, not {}", node.describe()))
            }
        }
    }
}

/// All words that make a table a value.
pub(super) fn operators() -> impl Iterator<Item = &'static str> {
    OPERATORS.into_iter().chain([MERGE])
}

/// Whether a key makes its table a value.
pub(super) fn is_operator(key: &str) -> bool {
    OPERATORS.contains(&key) || key == MERGE
}

/// `None` where something was there and wrong.
#[expect(clippy::option_option, reason = "absent, wrong and right are three things")]
pub(super) fn or_leave<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(None) => None,
        Some(right) => Some(right),
    }
}
