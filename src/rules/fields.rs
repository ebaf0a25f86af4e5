//! The fields of an event: how a mapping's `set` becomes a [`Draft`].

use std::{borrow::Cow, collections::BTreeMap, fmt::Display, str::FromStr, sync::Arc};

use serde_json::Value;

use super::{
    expr::{Expr, Want, into_text, size},
    scene::Scene,
};
use crate::{
    clock::Timestamp,
    domain::{
        event::{Draft, MapError, Origin},
        receipt::Unreadable,
        words::{Cause, EventType, Severity},
    },
    value::{
        text::{flatten_below, folded, is_blank, text},
        time,
    },
};

/// How many levels a value of `additional_info` has: a body may have 128, a mapping may put it deeper still, and what is
/// kept must be readable inside of what holds it.
const DEPTH: usize = 64;

/// The right-hand side of one field, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// How its value is found.
    pub(super) expr: Expr,
    /// The rule file: the mapping's own, or one that it extends.
    pub(super) file: Arc<str>,
    /// The line of the rule file, from one.
    pub(super) line: u32,
}

/// What `set` says, field by field.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// What the firing and the recovery of one problem have in common. Required.
    pub(super) event_key: Option<Field>,
    /// Which way it goes; ALERT where nothing is said.
    pub(super) event_type: Option<Field>,
    /// How bad it is; NONE where nothing is said.
    pub(super) severity: Option<Field>,
    /// What a person reads first.
    pub(super) title: Option<Field>,
    /// What a person reads next.
    pub(super) description: Option<Field>,
    /// The rule or check of the sender that spoke.
    pub(super) rule: Option<Field>,
    /// A picture that shows it.
    pub(super) image_url: Option<Field>,
    /// What it is about.
    pub(super) resources: Option<Field>,
    /// Whose resources they are.
    pub(super) provider: Option<Field>,
    /// Which account of that provider.
    pub(super) account: Option<Field>,
    /// Whatever else the sender said.
    pub(super) additional_info: Option<Field>,
    /// When it happened, by the sender's clock.
    pub(super) occurred_at: Option<Field>,
}

/// Reads the fields of one item.
pub(super) struct FieldReader<'a> {
    /// What they are read from.
    pub(super) scene: Scene<'a>,
    /// The rule file.
    pub(super) file: &'a str,
    /// The item's place in the payload, from zero.
    pub(super) item: u32,
    /// What is known of each field so far, where it was asked for.
    pub(super) origins: BTreeMap<&'static str, Origin>,
}

impl Fields {
    /// The names of all fields, in their order.
    pub(super) const NAMES: [&'static str; 12] = [
        "event_key",
        "event_type",
        "severity",
        "title",
        "description",
        "rule",
        "image_url",
        "resources",
        "provider",
        "account",
        "additional_info",
        "occurred_at",
    ];

    /// The field of that name, to be filled in.
    pub(super) fn slot(&mut self, name: &str) -> Option<&mut Option<Field>> {
        self.all_mut().into_iter().find(|(known, _)| *known == name).map(|(_, slot)| slot)
    }

    /// All fields by name, in their order.
    pub(super) fn all_mut(&mut self) -> [(&'static str, &mut Option<Field>); 12] {
        let Self {
            event_key,
            event_type,
            severity,
            title,
            description,
            rule,
            image_url,
            resources,
            provider,
            account,
            additional_info,
            occurred_at,
        } = self;
        [
            ("event_key", event_key),
            ("event_type", event_type),
            ("severity", severity),
            ("title", title),
            ("description", description),
            ("rule", rule),
            ("image_url", image_url),
            ("resources", resources),
            ("provider", provider),
            ("account", account),
            ("additional_info", additional_info),
            ("occurred_at", occurred_at),
        ]
    }

    /// The event that these fields make of an item.
    pub(super) fn read<'a>(&'a self, reader: &mut FieldReader<'a>) -> Result<Draft, MapError> {
        let Self {
            event_key,
            event_type,
            severity,
            title,
            description,
            rule,
            image_url,
            resources,
            provider,
            account,
            additional_info,
            occurred_at,
        } = self;
        Ok(Draft {
            event_key: reader.key(event_key.as_ref())?,
            event_type: reader.word(
                "event_type",
                event_type.as_ref(),
                EventType::ALL,
                EventType::Alert,
            )?,
            severity: reader.severity(severity.as_ref())?,
            title: reader.text("title", title.as_ref()),
            description: reader.text("description", description.as_ref()),
            rule: reader.text("rule", rule.as_ref()),
            image_url: reader.text("image_url", image_url.as_ref()),
            resources: reader.texts("resources", resources.as_ref()),
            provider: Some(reader.text("provider", provider.as_ref()).unwrap_or_default()),
            account: Some(reader.text("account", account.as_ref()).unwrap_or_default()),
            additional_info: reader.object("additional_info", additional_info.as_ref()),
            occurred_at: reader.time("occurred_at", occurred_at.as_ref()),
        })
    }
}

impl<'a> FieldReader<'a> {
    /// The value of a field, whose origin is noted where it was asked for.
    fn value(
        &mut self,
        name: &'static str,
        field: &'a Field,
        want: Want,
    ) -> Option<Cow<'a, Value>> {
        let value = field.expr.eval(&self.scene, want);
        self.note(name, field, value.is_some());
        value
    }

    /// Notes where a field's value came from, where that was asked for.
    fn note(&mut self, name: &'static str, field: &Field, is_there: bool) {
        let Some(trace) = self.scene.trace else { return };
        let remembered = trace.take();
        if is_there {
            let origin = Origin {
                file: field.file.to_string(),
                line: field.line,
                path: remembered.path,
                steps: remembered.steps,
                defaulted: remembered.defaulted,
            };
            self.origins.insert(name, origin);
        }
    }

    /// Notes that a field has its default.
    fn note_default(&mut self, name: &'static str, field: Option<&Field>, step: &dyn Display) {
        if self.scene.trace.is_some() {
            let origin = Origin {
                file: self.file_of(field).to_owned(),
                line: field.map_or(0, |field| field.line),
                path: None,
                steps: vec![step.to_string()],
                defaulted: true,
            };
            self.origins.insert(name, origin);
        }
    }

    /// The rule file that a field stands in.
    fn file_of<'f>(&'f self, field: Option<&'f Field>) -> &'f str {
        field.map_or(self.file, |field| &field.file)
    }

    fn text(&mut self, name: &'static str, field: Option<&'a Field>) -> Option<String> {
        let value = self.value(name, field?, Want::One)?;
        let text = into_text(value).into_owned();
        self.scene.spend(text.len());
        Some(text)
    }

    fn key(&mut self, field: Option<&'a Field>) -> Result<String, MapError> {
        let key = self.text("event_key", field).filter(|key| !key.trim().is_empty());
        key.ok_or_else(|| {
            if self.scene.trace.is_none() {
                return self.unplaced(Cause::NoKey);
            }
            let mut paths = Vec::new();
            if let Some(field) = field {
                field.expr.paths(&mut paths);
            }
            let paths: Vec<String> = paths.into_iter().map(|path| self.placed(path)).collect();
            let reason = format!("`event_key` is missing: nothing is at {}", paths.join(", "));
            self.unreadable(Cause::NoKey, reason, field, Some(paths.join(", ")))
        })
    }

    fn word<W: FromStr + Display>(
        &mut self,
        name: &'static str,
        field: Option<&'a Field>,
        all: &[W],
        default: W,
    ) -> Result<W, MapError> {
        let Some(value) = field.and_then(|field| self.value(name, field, Want::One)) else {
            self.note_default(name, field, &format_args!("nothing said, so {default}"));
            return Ok(default);
        };
        let found = text(&value);
        found.parse().or_else(|_| found.trim().to_ascii_uppercase().parse()).map_err(|_| {
            if self.scene.trace.is_none() {
                return self.unplaced(Cause::BadItem);
            }
            let expected: Vec<String> = all.iter().map(ToString::to_string).collect();
            let found: String = found.chars().take(100).collect();
            let reason = format!("`{name}` is `{found}`, which is none of {}", expected.join(", "));
            let path = self.origins.get(name).and_then(|origin| origin.path.clone());
            self.unreadable(Cause::BadItem, reason, field, path)
        })
    }

    /// How bad it is: in the webhook's own words, or as the mapping says. Words that the webhook gave are not asked for
    /// a second time.
    fn severity(&mut self, field: Option<&'a Field>) -> Result<Severity, MapError> {
        let name = "severity";
        let own = &self.scene.input.overrides.severity_map;
        if own.is_empty() {
            return self.word(name, field, Severity::ALL, Severity::None);
        }
        self.scene.run.is_overridden.set(false);
        let said = field.and_then(|field| self.value(name, field, Want::One));
        let said = said.map_or(Cow::Borrowed(Severity::None.as_str()), into_text);
        let means = own.get(&*folded(said.trim()));
        let Some(means) = means.filter(|_| !self.scene.run.is_overridden.get()) else {
            return self.word(name, field, Severity::ALL, Severity::None);
        };
        if self.scene.trace.is_some() {
            let origin = self.origins.entry(name).or_default();
            self.file.clone_into(&mut origin.file);
            origin.line = field.map_or(0, |field| field.line);
            origin.steps.push(format!("webhook's severity map {said} to {means}"));
        }
        Ok(*means)
    }

    fn texts(&mut self, name: &'static str, field: Option<&'a Field>) -> Vec<String> {
        let Some(value) = field.and_then(|field| self.value(name, field, Want::All)) else {
            return Vec::new();
        };
        self.scene.spend(size(&value));
        match value.as_ref() {
            Value::Array(items) => items
                .iter()
                .filter(|item| !is_blank(item))
                .map(|item| text(item).into_owned())
                .collect(),
            one => vec![text(one).into_owned()],
        }
    }

    fn object(&mut self, name: &'static str, field: Option<&'a Field>) -> BTreeMap<String, Value> {
        let mut found = Vec::new();
        if let Some(field) = field {
            field.expr.pour(&self.scene, &mut found);
            for (_, value) in &mut found {
                flatten_below(value, DEPTH);
            }
            self.note(name, field, !found.is_empty());
        }
        let own = &self.scene.input.overrides.additional_info;
        if own.is_empty() {
            return found.into_iter().collect();
        }
        if self.scene.trace.is_some() {
            let names: Vec<&str> = own.keys().map(String::as_str).collect();
            let origin = self.origins.entry(name).or_default();
            self.file.clone_into(&mut origin.file);
            origin.line = field.map_or(0, |field| field.line);
            origin.steps.push(format!("webhook's additional_info: {}", names.join(", ")));
        }
        for (name, value) in own {
            self.scene.spend(name.len() + size(value));
            found.push((name.clone(), value.clone()));
        }
        found.into_iter().collect()
    }

    fn time(&mut self, name: &'static str, field: Option<&'a Field>) -> Option<Timestamp> {
        let field = field?;
        let value = self.value(name, field, Want::One);
        if let Some(time) =
            value.as_ref().and_then(|value| time::auto(value, self.scene.input.zone))
        {
            return Some(time);
        }
        if self.scene.trace.is_some() {
            let step = match value {
                Some(value) => format!("`{}` is no time, so when it was received", text(&value)),
                None => "nothing said, so when it was received".to_owned(),
            };
            self.note_default(name, Some(field), &step);
        }
        Some(self.scene.input.received_at)
    }

    /// An error that is told again with its place, which only a trace knows.
    fn unplaced(&self, cause: Cause) -> MapError {
        let unreadable =
            Unreadable { cause, reason: String::new(), file: None, line: None, path: None };
        MapError { item: Some(self.item), unreadable }
    }

    /// A path as written, with the place of the item for `@`.
    fn placed(&self, path: String) -> String {
        match (self.scene.trace, path.strip_prefix('@')) {
            (Some(trace), Some(rest)) => format!("{}{rest}", trace.element_at.borrow()),
            _ => path,
        }
    }

    fn unreadable(
        &self,
        cause: Cause,
        reason: String,
        field: Option<&Field>,
        path: Option<String>,
    ) -> MapError {
        let unreadable = Unreadable {
            cause,
            reason,
            file: Some(self.file_of(field).to_owned()),
            line: field.map(|field| field.line),
            path,
        };
        MapError { item: Some(self.item), unreadable }
    }
}
