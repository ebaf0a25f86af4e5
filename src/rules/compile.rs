//! From the text of a rule file to a [`Mapping`].

use std::sync::Arc;

use regex::RegexSet;
use serde_json::Value;

use super::{
    expr::Expr,
    extend::Files,
    fields::{Field, Fields},
    keys,
    load::{Element, Loader, did_you_mean},
    mapping::{Items, Makes, Mapping, Variant},
    node::{At, Kind, Node},
    plan::Plan,
    read::{is_operator, operators, or_leave},
    scene::Missing,
    tally::Site,
    when::When,
};
use crate::load_error::LoadError;
use crate::{
    digest::{hex, sha256},
    domain::{
        event::MappingVersion,
        words::{EventType, Severity},
    },
    value::text::text,
};

/// Compiles the text of a rule file, or what was stored of a mapping.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn compile(provider: &str, file: &str, text: &str) -> Result<Mapping, Vec<LoadError>> {
    compile_files(provider, &Files::stored(file, text))
}

/// Compiles a rule file and what it extends.
///
/// # Errors
/// Everything that is wrong with them.
pub(super) fn compile_files(provider: &str, files: &Files) -> Result<Mapping, Vec<LoadError>> {
    let node = files.read()?;
    let mut loader = Loader::new(files);
    let read = loader.mapping(&node);
    for fault in keys::faults(&node) {
        if let keys::Fault::Clock(at) = fault {
            let detail = "a clock in `event_key`: `received` differs with each send, so that no recovery would ever meet its problem; take what names the problem";
            loader.wrong::<()>(at, detail);
        }
    }
    let own = files.name(At::default());
    let Some(Head { title, missing, lets, variants }) = read.filter(|_| loader.errors.is_empty())
    else {
        loader.errors.sort_by_key(|error| (error.file != *own, error.line, error.column));
        return Err(loader.errors);
    };
    let text = files.text();
    let (mut lets, mut variants) = (lets, variants);
    let plan = Plan::of(&mut lets, &mut variants);
    let version = hex(&sha256(text.as_bytes())[..8]);
    Ok(Mapping {
        version: Arc::new(MappingVersion { provider: provider.to_owned(), version }),
        file: own.to_string(),
        title,
        text,
        missing,
        lets,
        variants,
        live: Arc::new(plan.tally()),
        plan: Arc::new(plan),
        is_scripted: false,
    })
}

/// What a rule file says.
struct Head {
    title: String,
    missing: Option<Missing>,
    lets: Vec<Expr>,
    variants: Vec<Variant>,
}

impl Loader<'_> {
    fn mapping(&mut self, node: &Node) -> Option<Head> {
        let table =
            self.table(node, "a mapping", &["title", "extend", "missing", "let", "events"])?;
        let title = match table.get("title") {
            Some(title) => self.text(title, "`title`").unwrap_or_default().to_owned(),
            None => {
                return self.wrong(node.at, "`title` is missing: what people call the provider");
            }
        };
        let missing = table.get("missing").map(|patterns| self.patterns(patterns));
        let lets = table.get("let").map_or_else(Vec::new, |lets| self.lets(lets));
        let Some(events) = table.get("events") else {
            return self.wrong(node.at, "`events` is missing: the variants, tried in order");
        };
        let at = events.at;
        let Kind::List(events) = &events.kind else {
            return self.wrong(
                events.at,
                format!("`events` is a list of variants, not {}", events.describe()),
            );
        };
        if events.is_empty() {
            return self.wrong(at, "`events` is empty: it needs at least one variant");
        }
        let variants: Vec<Option<Variant>> =
            events.iter().map(|variant| self.variant(variant)).collect();
        let variants: Vec<Variant> = variants.into_iter().collect::<Option<_>>()?;
        for (at, variant) in variants.iter().enumerate() {
            if variants[..at].iter().any(|before| before.name == variant.name) {
                self.wrong::<()>(
                    events[at].at,
                    format!(
                        "a variant above is called `{}` too: names tell them apart",
                        variant.name
                    ),
                );
            }
        }
        Some(Head { title, missing: or_leave(missing)?, lets, variants })
    }

    fn patterns(&mut self, node: &Node) -> Option<Missing> {
        let texts: Vec<Option<String>> = node
            .as_list()
            .iter()
            .map(|node| self.pattern(node).map(|pattern| pattern.as_str().to_owned()))
            .collect();
        let texts: Vec<String> = texts.into_iter().collect::<Option<_>>()?;
        match RegexSet::new(texts) {
            Ok(set) => Some(Missing::of(set)),
            Err(error) => self.wrong(node.at, error.to_string()),
        }
    }

    /// The variables at the top of a file. A table of plain words there is an anchor's home and no variable.
    fn lets(&mut self, node: &Node) -> Vec<Expr> {
        let mut lets = Vec::new();
        for (key, value) in self.entries(node, "`let`").unwrap_or_default() {
            let is_words = matches!(&value.kind, Kind::Table(entries) if !entries.iter().any(|(key, _)| is_operator(&key.text)));
            if is_words {
                let hint = match &value.kind {
                    Kind::Table(entries) => {
                        entries.first().map(|(key, _)| did_you_mean(&key.text, operators()))
                    }
                    Kind::Scalar(_) | Kind::List(_) => None,
                };
                self.words.push((key.text.clone(), hint.unwrap_or_default()));
                continue;
            }
            self.is_new_name(&key.text, key.at);
            lets.push(self.value(value).unwrap_or(Expr::Constant(Value::Null)));
            self.shared.push(key.text.clone());
        }
        lets
    }

    fn is_new_name(&mut self, name: &str, at: At) {
        if self.shared.iter().chain(&self.own).any(|known| known == name) {
            self.wrong::<()>(at, format!("there is a variable `{name}` already"));
        }
        if !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
            self.wrong::<()>(
                at,
                format!("`{name}` is no name of a variable: letters, digits and `_`"),
            );
        }
    }

    fn variant(&mut self, node: &Node) -> Option<Variant> {
        let table =
            self.table(node, "a variant", &["name", "when", "let", "each", "set", "ignore"])?;
        let common = self.shared.len();
        let name = match table.get("name") {
            Some(name) => self.text(name, "`name`"),
            None => self.wrong(
                node.at,
                "`name` is missing: what explanations and errors call this variant",
            ),
        };
        let each = table.get("each").map(|each| self.each(each));
        // Without `each` the payload is the only item, so that variants may share their fields.
        self.element = Element::Item;
        let (shared, own) = match table.get("let") {
            Some(lets) => self
                .variant_lets(lets, if each.is_some() { Element::Item } else { Element::Nested }),
            None => (Vec::new(), Vec::new()),
        };
        self.element = if each.is_some() { Element::Unknown } else { Element::Nested };
        let when = table.get("when").map(|when| self.when(when));
        self.element = Element::Item;
        let makes = match (table.get("set"), table.get("ignore")) {
            (Some(set), None) => self.fields(set).map(|fields| (fields, or_leave(each))),
            (None, Some(reason)) => {
                let reason = self.text(reason, "`ignore`").map(ToOwned::to_owned);
                self.leave_variant(common);
                let when = or_leave(when)?.unwrap_or(When { any: Vec::new() });
                let makes = Makes::Nothing(reason?);
                return Some(Variant {
                    name: name?.into(),
                    line: node.at.line,
                    site: Site::default(),
                    when,
                    shared,
                    makes,
                });
            }
            (Some(_), Some(reason)) => {
                self.wrong(reason.at, "a variant has `set` or `ignore`, not both")
            }
            (None, None) => self.wrong(
                node.at,
                "this variant makes nothing: it needs `set` (the fields of its events) or `ignore` (why it is no event)",
            ),
        };
        self.leave_variant(common);
        let (fields, each) = makes?;
        let when = or_leave(when)?.unwrap_or(When { any: Vec::new() });
        let makes = Makes::Events(Box::new(Items { each: each?, own, fields, heads: Vec::new() }));
        let (line, site) = (node.at.line, Site::default());
        Some(Variant { name: name?.into(), line, site, when, shared, makes })
    }

    fn leave_variant(&mut self, common: usize) {
        self.shared.truncate(common);
        self.own.clear();
        self.element = Element::Unknown;
    }

    /// The variables of a variant: of the payload, and of each item where they depend on it.
    fn variant_lets(&mut self, node: &Node, element: Element) -> (Vec<Expr>, Vec<Expr>) {
        let (mut shared, mut own) = (Vec::new(), Vec::new());
        for (key, value) in self.entries(node, "`let`").unwrap_or_default() {
            self.is_new_name(&key.text, key.at);
            self.element = element;
            self.uses_item = false;
            let expr = self.value(value).unwrap_or(Expr::Constant(Value::Null));
            if self.uses_item {
                own.push(expr);
                self.own.push(key.text.clone());
            } else {
                shared.push(expr);
                self.shared.push(key.text.clone());
            }
        }
        (shared, own)
    }

    fn fields(&mut self, node: &Node) -> Option<Fields> {
        let mut fields = Fields::default();
        for (key, value) in self.entries(node, "`set`")? {
            match key.text.as_str() {
                "severity" => self.check_words(
                    value,
                    &Severity::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>(),
                ),
                "event_type" => self.check_words(
                    value,
                    &EventType::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>(),
                ),
                _ => {}
            }
            let expr = self.value(value);
            let Some(slot) = fields.slot(&key.text) else {
                let hint = did_you_mean(&key.text, Fields::NAMES.into_iter());
                self.wrong::<()>(
                    key.at,
                    format!(
                        "events have no field `{}`; they have {}{hint}",
                        key.text,
                        Fields::NAMES.join(", ")
                    ),
                );
                continue;
            };
            *slot =
                expr.map(|expr| Field { expr, file: self.files.name(key.at), line: key.at.line });
        }
        let key = node.get("event_key").map(|key| &key.kind);
        if matches!(key, None | Some(Kind::Scalar(Value::Null))) {
            return self.wrong(
                node.at,
                "`event_key` is required: without it nothing tells one problem from another",
            );
        }
        Some(fields)
    }

    /// Complains about every constant that a field could become and that is none of its words.
    fn check_words(&mut self, node: &Node, words: &[&str]) {
        match &node.kind {
            Kind::Scalar(Value::Null) | Kind::List(_) => {}
            Kind::Scalar(value) => {
                let found = text(value);
                let is_constant = !found.starts_with(['$', '@']) && !found.contains("{{");
                if is_constant && !words.contains(&found.to_ascii_uppercase().as_str()) {
                    let hint = did_you_mean(&found, words.iter().copied());
                    self.wrong::<()>(
                        node.at,
                        format!(
                            "`{found}` is none of the words for this field; they are {}{hint}",
                            words.join(", ")
                        ),
                    );
                }
            }
            Kind::Table(entries) => {
                let get = |name: &str| {
                    entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
                };
                if let Some(Kind::Table(becomes)) = get("map").map(|map| &map.kind) {
                    for (_, becomes) in becomes {
                        self.check_words(becomes, words);
                    }
                } else if get("then").is_none()
                    && let Some(from) = get("from")
                {
                    for from in from.as_list() {
                        self.check_words(from, words);
                    }
                }
                for case in get("case").map_or(&[][..], |cases| cases.as_list()) {
                    if let Kind::Table(entries) = &case.kind {
                        let uses = entries.iter().filter(|(key, _)| key.text == "use");
                        for (_, value) in uses {
                            self.check_words(value, words);
                        }
                    }
                }
                if let Some(otherwise) = get("else") {
                    self.check_words(otherwise, words);
                }
            }
        }
    }
}
