//! The steps of `then`, from what stands in a rule file.

use regex::Regex;
use serde_json::Value;

use super::{
    load::{Element, Loader, did_you_mean},
    node::{Kind, Node},
    ops::Step,
    read::or_leave,
    template::Filter,
};

use crate::value::time;

impl Loader<'_> {
    /// A step: a word, or a table with one word and what it needs.
    pub(super) fn step(&mut self, node: &Node) -> Option<Step> {
        match &node.kind {
            Kind::Scalar(Value::String(name)) => self.bare_step(name, node),
            Kind::Table(entries) if entries.len() == 1 => {
                let (key, with) = entries.first()?;
                self.step_with(&key.text, with, node)
            }
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => self.wrong(
                node.at,
                "a step is a word such as `trim`, or a table with one such as `split: \",\"`",
            ),
        }
    }

    fn bare_step(&mut self, name: &str, node: &Node) -> Option<Step> {
        if let Some((_, filter)) = Filter::ALL.into_iter().find(|(known, _)| *known == name) {
            return Some(Step::Filter(filter));
        }
        match name {
            "unique" => Some(Step::Unique),
            "number" => Some(Step::Number),
            "json" => Some(Step::Json),
            "pairs" => Some(Step::Pairs),
            "time" => Some(Step::Time(None)),
            "join" => Some(Step::Join(", ".to_owned(), None)),
            "split" => Some(Step::Split(",".to_owned())),
            known if Step::NAMES.contains(&known) => self.wrong(
                node.at,
                format!("`{known}` says too little alone: write `- {}`", example(known)),
            ),
            other => self.unknown_step(other, node),
        }
    }

    fn step_with(&mut self, name: &str, with: &Node, node: &Node) -> Option<Step> {
        match name {
            "regex" => self.regex_step(with),
            "replace" => {
                let table = self.table(with, "`replace`", &["pattern", "with"])?;
                let (Some(pattern), Some(by)) = (table.get("pattern"), table.get("with")) else {
                    return self.wrong(
                        with.at,
                        "`replace` has `pattern` and `with`; `with: ''` takes away what matches",
                    );
                };
                Some(Step::Replace(self.pattern(pattern)?, self.text(by, "`with`")?.to_owned()))
            }
            "split" => Some(Step::Split(self.separator(with)?)),
            "join" => self.join_step(with),
            "each" => Some(Step::Each(Box::new(self.for_element(with)?))),
            "index" => match &with.kind {
                Kind::Scalar(Value::Number(number)) if number.is_i64() => {
                    Some(Step::Index(number.as_i64()?))
                }
                Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => self
                    .wrong(with.at, format!("`index` is a whole number, not {}", with.describe())),
            },
            "time" => {
                let format = self.text(with, "`time`")?;
                if format == "auto" {
                    return Some(Step::Time(None));
                }
                match time::format_fault(format) {
                    None => Some(Step::Time(Some(format.to_owned()))),
                    Some(fault) => {
                        self.wrong(with.at, format!("`{format}` is no format of a time: {fault}"))
                    }
                }
            }
            "default" => Some(Step::Default(Box::new(self.otherwise(with)?))),
            known if Step::NAMES.contains(&known) => {
                self.wrong(node.at, format!("`{known}` stands alone, as `- {known}`"))
            }
            other => self.unknown_step(other, node),
        }
    }

    fn unknown_step(&mut self, name: &str, node: &Node) -> Option<Step> {
        let hint = did_you_mean(name, Step::NAMES.into_iter());
        self.wrong(
            node.at,
            format!("`{name}` is no step; there are {}{hint}", Step::NAMES.join(", ")),
        )
    }

    /// `regex: pattern`, or `regex: {pattern, group}`: the first group where there is one, else all of it.
    fn regex_step(&mut self, node: &Node) -> Option<Step> {
        if let Kind::Scalar(_) = &node.kind {
            let pattern = self.pattern(node)?;
            let group = usize::from(pattern.captures_len() > 1);
            return Some(Step::Regex(pattern, group));
        }
        let table = self.table(node, "`regex`", &["pattern", "group"])?;
        let Some(pattern) = table.get("pattern") else {
            return self.wrong(node.at, "`regex` has a `pattern`");
        };
        let pattern = self.pattern(pattern)?;
        let group = match table.get("group") {
            Some(group) => self.group(&pattern, group)?,
            None => usize::from(pattern.captures_len() > 1),
        };
        Some(Step::Regex(pattern, group))
    }

    fn group(&mut self, pattern: &Regex, node: &Node) -> Option<usize> {
        let group = match &node.kind {
            Kind::Scalar(Value::Number(number)) => {
                number.as_u64().and_then(|number| usize::try_from(number).ok())
            }
            Kind::Scalar(Value::String(name)) => {
                pattern.capture_names().position(|known| known == Some(name.as_str()))
            }
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => None,
        };
        group.filter(|group| *group < pattern.captures_len()).or_else(|| {
            let most = pattern.captures_len() - 1;
            self.wrong(
                node.at,
                format!("the pattern has groups 0 to {most}, not {}", node.describe()),
            )
        })
    }

    fn join_step(&mut self, node: &Node) -> Option<Step> {
        if let Kind::Scalar(_) = &node.kind {
            return Some(Step::Join(self.text(node, "`join`")?.to_owned(), None));
        }
        let table = self.table(node, "`join`", &["with", "each"])?;
        let with = table.get("with").map(|with| self.text(with, "`with`").map(ToOwned::to_owned));
        let each = table.get("each").map(|each| self.for_element(each));
        let with = or_leave(with)?.unwrap_or_else(|| ", ".to_owned());
        Some(Step::Join(with, or_leave(each)?.map(Box::new)))
    }

    fn separator(&mut self, node: &Node) -> Option<String> {
        let by = self.text(node, "`split`")?;
        if by.is_empty() {
            return self.wrong(node.at, "`split` needs a separator");
        }
        Some(by.to_owned())
    }

    /// A value in which `@` is an element of a list.
    fn for_element(&mut self, node: &Node) -> Option<super::expr::Expr> {
        let around = std::mem::replace(&mut self.element, Element::Nested);
        let value = self.value(node);
        self.element = around;
        value
    }
}

/// A step that needs to be told something, as it may be written.
fn example(step: &str) -> &'static str {
    match step {
        "regex" => r"regex: '^\[(\w+)\]'",
        "replace" => "replace: {pattern: '^x', with: ''}",
        "each" => "each: '@.name'",
        "index" => "index: 0",
        "default" => "default: a value",
        _ => "step: value",
    }
}
