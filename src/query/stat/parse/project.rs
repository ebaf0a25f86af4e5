//! Projections, as they are written.

use serde_json::Value;

use super::{Reader, keys, name, no_such};
use crate::query::{
    QueryError,
    parse::Members,
    stat::{
        path::Path,
        project::{Computed, Project, ProjectField, Reckoning},
    },
};

/// The operators of a projection.
pub const COMPUTES: [&str; 8] =
    ["size", "sum", "object_to_array", "array_to_object", "add", "subtract", "multiply", "divide"];

/// How deep operators may stand in operators.
const DEEPEST: usize = 20;

impl Reader<'_> {
    /// The projection, and the names of the keys that its rows still have.
    pub(super) fn project(
        &self,
        value: &Value,
        pointer: &str,
    ) -> Result<(Project, Vec<String>), QueryError> {
        let members = Members::of(value, &["fields", "exclude_keys"], pointer)?;
        let each = members.list("fields")?.iter().enumerate();
        let fields =
            each.map(|(at, field)| project_field(field, &format!("{}/{at}", members.at("fields"))));
        let fields = fields.collect::<Result<Vec<_>, QueryError>>()?;
        if fields.is_empty() {
            return Err(members.mistake("fields", "`project` needs fields"));
        }
        let kept = if members.flag("exclude_keys")? { Vec::new() } else { self.keys().to_vec() };
        let paths = kept.iter().map(|key| Path(vec![key.clone()]));
        Ok((Project { fields, keys: paths.collect() }, kept))
    }
}

fn project_field(value: &Value, pointer: &str) -> Result<ProjectField, QueryError> {
    const FIELD: &[&str] = &["n", "name", "k", "key", "o", "operator", "fields"];

    let members = Members::of(value, FIELD, pointer)?;
    let (text, name_at) = members.either_text(["n", "name"], "a field needs a name")?;
    let name = name(text, &name_at)?;
    let value = match members.either(["o", "operator"])? {
        (None | Some(Value::Null), _) => {
            if !members.list("fields")?.is_empty() {
                return Err(members.mistake("fields", "`fields` belong to an operator"));
            }
            Computed::Of(path(&members)?.unwrap_or_else(|| Path(vec![name.clone()])))
        }
        (Some(Value::String(word)), at) => computed(&members, (word, &at), 0)?,
        (Some(_), at) => return Err(QueryError::new(at, "an operator is a word")),
    };
    Ok(ProjectField { name, value, pointer: pointer.to_owned() })
}

fn path(members: &Members<'_>) -> Result<Option<Path>, QueryError> {
    match members.either(["k", "key"])? {
        (None | Some(Value::Null), _) => Ok(None),
        (Some(Value::String(key)), at) if !key.is_empty() => keys(key, &at).map(Some),
        (Some(_), at) => Err(QueryError::new(at, "a key is a text")),
    }
}

/// What the operator `word` makes of its `key` or its `fields`.
pub(in crate::query) fn computed(
    members: &Members<'_>,
    (word, word_at): (&str, &str),
    depth: usize,
) -> Result<Computed, QueryError> {
    let reckoning = match word {
        "add" => Reckoning::Add,
        "subtract" => Reckoning::Subtract,
        "multiply" => Reckoning::Multiply,
        "divide" => Reckoning::Divide,
        _ => {
            let of: fn(Path) -> Computed = match word {
                "size" => Computed::Size,
                "sum" => Computed::Sum,
                "object_to_array" => Computed::ObjectToArray,
                "array_to_object" => Computed::ArrayToObject,
                other => return Err(no_such("operator", other, &COMPUTES, word_at)),
            };
            let what = || members.mistake("key", format!("`{word}` needs a key"));
            return Ok(of(path(members)?.ok_or_else(what)?));
        }
    };
    let fields = members.list("fields")?;
    let takes_two = matches!(reckoning, Reckoning::Subtract | Reckoning::Divide);
    if fields.is_empty() || (takes_two && fields.len() != 2) {
        let wanted = if takes_two { "two" } else { "some" };
        let detail = format!("`{word}` takes {wanted} `fields`: paths, numbers or operators");
        return Err(members.mistake("fields", detail));
    }
    let each = fields.iter().enumerate();
    let parts =
        each.map(|(at, part)| operand(part, &format!("{}/{at}", members.at("fields")), depth + 1));
    Ok(Computed::Reckoned(reckoning, parts.collect::<Result<_, _>>()?))
}

fn operand(value: &Value, pointer: &str, depth: usize) -> Result<Computed, QueryError> {
    if depth > DEEPEST {
        let detail = format!("operators stand at most {DEEPEST} deep in operators");
        return Err(QueryError::new(pointer, detail));
    }
    match value {
        Value::String(key) if !key.is_empty() => Ok(Computed::Of(keys(key, pointer)?)),
        Value::Number(number) => Ok(Computed::Number(number.clone())),
        Value::Object(_) => {
            let known = ["o", "operator", "k", "key", "fields"];
            let members = Members::of(value, &known, pointer)?;
            let (word, at) = members.either_text(["o", "operator"], "an operator is missing")?;
            computed(&members, (word, &at), depth)
        }
        _ => Err(QueryError::new(pointer, "this is a path, a number or an operator with `fields`")),
    }
}
