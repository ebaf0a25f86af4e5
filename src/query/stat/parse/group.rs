//! Groups, as they are written.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Reader, keys, name, no_such};
use crate::query::{
    Comparison, Kind, Operator, QueryError,
    parse::{Members, Written},
    stat::{
        bucket::Bucket,
        check::{Check, How},
        format::Format,
        gather::{Aim, Gather, GroupField, ObjectPart, TimePart},
        group::{Group, GroupKey, KeyPart},
        zone::zone,
    },
    time,
};

/// The operators of a group.
pub const GATHERS: [&str; 11] = [
    "count",
    "sum",
    "average",
    "max",
    "min",
    "first",
    "last",
    "push",
    "add_to_set",
    "merge_objects",
    "percentile",
];

/// The members of a key.
const KEY: &[&str] = &["k", "key", "n", "name", "date_format", "bucket", "time_zone"];

/// The members of a field, without those for its name.
const FIELD: &[&str] = &["o", "operator", "k", "key", "fields", "conditions", "p"];

impl Reader<'_> {
    pub(super) fn group(&self, value: &Value, pointer: &str) -> Result<Group, QueryError> {
        let members = Members::of(value, &["keys", "fields"], pointer)?;
        let each = members.list("keys")?.iter().enumerate();
        let group_keys =
            each.map(|(at, key)| self.key(key, &format!("{}/{at}", members.at("keys"))));
        let group_keys = group_keys.collect::<Result<Vec<_>, _>>()?;
        let each = members.list("fields")?.iter().enumerate();
        let fields = each.map(|(at, field)| {
            let pointer = format!("{}/{at}", members.at("fields"));
            let known: Vec<&str> = [FIELD, &["n", "name"]].concat();
            let members = Members::of(field, &known, &pointer)?;
            let (text, at) = members.either_text(["n", "name"], "a field needs a name")?;
            self.field(&members, name(text, &at)?)
        });
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        Group { keys: group_keys, fields, pointer: pointer.to_owned() }.checked()
    }

    /// A field that is called `name`; its members are those of a field, its name aside.
    pub(in crate::query) fn named_field(
        &self,
        called: &str,
        value: &Value,
        pointer: &str,
    ) -> Result<GroupField, QueryError> {
        let members = Members::of(value, FIELD, pointer)?;
        self.field(&members, name(called, pointer)?)
    }

    pub(in crate::query) fn key(
        &self,
        value: &Value,
        pointer: &str,
    ) -> Result<GroupKey, QueryError> {
        let members = Members::of(value, KEY, pointer)?;
        let (key, key_at) = members.either_text(["k", "key"], "a key needs a path in `key`")?;
        let (text, name_at) = members.either_text(["n", "name"], "a key needs a name")?;
        let zone = zone(&members)?;
        let part = match (members.text("date_format")?, members.text("bucket")?) {
            (None, None) if members.get("time_zone").is_some() => {
                let detail = "`time_zone` belongs to `bucket` or `date_format`";
                return Err(members.mistake("time_zone", detail));
            }
            (None, None) => KeyPart::Whole,
            (Some(format), None) => match Format::read(format, zone) {
                Ok(format) => KeyPart::Told(format),
                Err(detail) => return Err(members.mistake("date_format", detail)),
            },
            (None, Some(step)) => match Bucket::read(step, zone) {
                Some(bucket) => KeyPart::Step(bucket),
                None => {
                    let detail = format!(
                        "`{step}` is no step of time: a number and one of s m h d w, which parts a day evenly if \
                         it is shorter, such as 15m, 1h, 1d, 1w"
                    );
                    return Err(members.mistake("bucket", detail));
                }
            },
            (Some(_), Some(_)) => {
                let detail = "`bucket` and `date_format` exclude each other";
                return Err(members.mistake("bucket", detail));
            }
        };
        Ok(GroupKey { name: name(text, &name_at)?, path: keys(key, &key_at)?, part })
    }

    fn field(&self, members: &Members<'_>, name: String) -> Result<GroupField, QueryError> {
        let what = "a field needs an operator, e.g. `count`";
        let (word, word_at) = members.either_text(["o", "operator"], what)?;
        let operator = gather(word, &word_at, members)?;
        if operator != Gather::Count
            && members.get("p").is_some()
            && !matches!(operator, Gather::Percentile(_))
        {
            return Err(members.mistake("p", "`p` belongs to `percentile`"));
        }
        let aim = self.aim(operator, word, members)?;
        let conditions = self.checks(members)?;
        let takes_conditions = matches!(operator, Gather::Count | Gather::Sum | Gather::Average);
        if !conditions.is_empty() && !takes_conditions {
            let detail = format!("`{word}` takes no conditions; count, sum and average do");
            return Err(members.mistake("conditions", detail));
        }
        Ok(GroupField { name, operator, aim, conditions, pointer: members.pointer().to_owned() })
    }

    fn aim(&self, operator: Gather, word: &str, members: &Members<'_>) -> Result<Aim, QueryError> {
        let parts = members.list("fields")?;
        if !parts.is_empty() {
            if operator != Gather::Push {
                return Err(members.mistake("fields", "`fields` belong to `push`"));
            }
            let each = parts.iter().enumerate();
            let parts = each.map(|(at, part)| {
                self.object_part(part, &format!("{}/{at}", members.at("fields")))
            });
            return Ok(Aim::Parts(parts.collect::<Result<_, _>>()?));
        }
        match members.either(["k", "key"])? {
            (Some(Value::String(key)), at) if !key.is_empty() => Ok(Aim::Of(keys(key, &at)?)),
            (None | Some(Value::Null), _) if operator == Gather::Count => Ok(Aim::Rows),
            (_, at) => {
                let detail = format!("`{word}` needs a key: the path to what it gathers");
                Err(QueryError::new(at, detail))
            }
        }
    }

    fn object_part(&self, value: &Value, pointer: &str) -> Result<ObjectPart, QueryError> {
        let members = Members::of(value, &["k", "key", "n", "name"], pointer)?;
        let (key, key_at) = members.either_text(["k", "key"], "a part needs a path in `key`")?;
        let (text, name_at) = members.either_text(["n", "name"], "a part needs a name")?;
        let path = keys(key, &key_at)?;
        let time = match self.kind(&path) {
            Kind::Time => TimePart::Seconds,
            _ => TimePart::Plain,
        };
        Ok(ObjectPart { name: name(text, &name_at)?, path, time })
    }

    fn checks(&self, members: &Members<'_>) -> Result<Vec<Check>, QueryError> {
        let each = members.list("conditions")?.iter().enumerate().map(|(at, value)| {
            let pointer = format!("{}/{at}", members.at("conditions"));
            let Written { key, key_at, operator, operand, operand_at } =
                Written::read(value, &pointer)?;
            let how = match operator {
                Operator::Eq => How::Same,
                Operator::Not => How::Other,
                Operator::Gt => How::Is(Comparison::Greater),
                Operator::Gte => How::Is(Comparison::GreaterOrEqual),
                Operator::Lt => How::Is(Comparison::Less),
                Operator::Lte => How::Is(Comparison::LessOrEqual),
                _ => {
                    let detail = "conditions of a field know eq, not, gt, gte, lt and lte";
                    return Err(QueryError::new(format!("{pointer}/o"), detail));
                }
            };
            if operand.is_null() {
                let detail = "conditions of a field need a value that is not null";
                return Err(QueryError::new(operand_at, detail));
            }
            let path = keys(key, &key_at)?;
            let value = match (self.kind(&path), operand) {
                // A time is held against a time.
                (Kind::Time, Value::String(text)) => {
                    let Some(time) = time::lenient(&text, self.asking.now) else {
                        let detail = format!("`{text}` is no time, such as 2026-01-02T03:04:05Z");
                        return Err(QueryError::new(operand_at, detail));
                    };
                    Value::from(crate::clock::rfc3339(time))
                }
                (_, operand) => operand,
            };
            Ok(Check { path, how, value })
        });
        each.collect()
    }
}

fn gather(word: &str, at: &str, members: &Members<'_>) -> Result<Gather, QueryError> {
    Ok(match word {
        "count" => Gather::Count,
        "sum" => Gather::Sum,
        "average" => Gather::Average,
        "max" => Gather::Max,
        "min" => Gather::Min,
        "first" => Gather::First,
        "last" => Gather::Last,
        "push" => Gather::Push,
        "add_to_set" => Gather::AddToSet,
        "merge_objects" => Gather::MergeObjects,
        "percentile" => match members.get("p").and_then(Value::as_f64) {
            Some(of) if (0.0..=100.0).contains(&of) => Gather::Percentile(of),
            _ => return Err(members.mistake("p", "`percentile` needs `p`, a number from 0 to 100")),
        },
        other => return Err(no_such("operator", other, &GATHERS, at)),
    })
}

impl Group {
    /// The group itself, where it makes something, and each part under a name of its own.
    pub(in crate::query) fn checked(self) -> Result<Self, QueryError> {
        if self.keys.is_empty() && self.fields.is_empty() {
            let detail = "a group needs keys or fields";
            return Err(QueryError::new(self.pointer, detail));
        }
        let keys = self.keys.iter().map(|key| &key.name);
        let mut known = BTreeSet::new();
        for name in keys.chain(self.fields.iter().map(|field| &field.name)) {
            if !known.insert(name) {
                let detail = format!("two keys or fields are called `{name}`");
                return Err(QueryError::new(self.pointer, detail));
            }
        }
        Ok(self)
    }
}
