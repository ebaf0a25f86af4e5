//! Which records are meant, as a person types it: `--filter 'severity=CRITICAL' --since 2h`.

use clap::Args;
use serde_json::{Map, Value, json};

use super::Failure;
use crate::query::{Catalogue, Kind, Order};

/// What `--help` says of `--filter`.
const FILTERS: &str = "Only those of which this holds; may be repeated, and then all must hold.

FIELD is a field as `--output json` shows it, or a path below one (`additional_info.cluster`, `raw_data.labels.job`).

  severity=CRITICAL           it is that
  severity!=INFO              it is not that
  severity=ERROR,CRITICAL     it is one of these; also with !=, ~ and !~
  additional_info.cpu>=90     it compares so; also >, <= and <
  title~disk                  it contains that, in whatever case
  title!~test                 it does not contain that
  title=~'^disk .* full$'     it matches that expression
  alert_id=null               there is none

Put the whole in single quotes, since a shell has its own mind about <, >, ! and blanks. A value in double quotes is taken \
as it is, commas, numbers and `null` included: 'title=\"a, b\"'.";

/// The same of audit records.
pub(super) const OF_AUDITS: &str = "Only those of which this holds; may be repeated, and then all must hold.

FIELD is a field as `alertmill audit list --json` shows it, or a path below `before`, `after` or `details`.

  entity_type=webhook         it is that
  outcome!=SUCCESS            it is not that
  action=user.create,user.delete   it is one of these; also with !=, ~ and !~
  sequence>=1000              it compares so; also >, <= and <
  user_agent~curl             it contains that, in whatever case
  reason!~password            it does not contain that
  action=~'\\.(create|delete)$'  it matches that expression
  is_success=false            it was refused
  after.state=DISABLED        it is so now
  entity_name=null            there is none

Put the whole in single quotes, since a shell has its own mind about <, >, ! and blanks. A value in double quotes is taken \
as it is, commas, numbers and `null` included: 'entity_name=\"a, b\"'.";

/// Which records are meant.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Question {
    /// Only those of which this holds, e.g. `severity=CRITICAL`; may be repeated.
    #[arg(long, value_name = "FIELD=VALUE", long_help = FILTERS)]
    filter: Vec<String>,
    /// Only those that are not older: a span such as `30m`, `2h` or `1d`, or a time such as `2026-01-01`.
    #[arg(long, value_name = "SPAN|TIME")]
    since: Option<String>,
    /// Only those that are older: a span such as `1h`, or a time such as `2026-01-02T12:00:00Z`.
    #[arg(long, value_name = "SPAN|TIME")]
    until: Option<String>,
    /// Only those that say this somewhere.
    #[arg(long, value_name = "TEXT")]
    keyword: Option<String>,
    /// Only these fields, or paths such as `additional_info.cluster`, with commas between them.
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
    pub(super) columns: Vec<String>,
}

impl Question {
    /// The query that it makes.
    ///
    /// # Errors
    /// Where a filter or a time cannot be read.
    pub(super) fn query(&self, catalogue: &Catalogue) -> Result<Map<String, Value>, Failure> {
        let read = self.filter.iter().map(|text| condition(text, catalogue));
        let mut conditions = read.collect::<Result<Vec<Value>, Failure>>()?;
        // The time that lists of it are in the order of.
        let time = match catalogue.order {
            Order::LatestFirst => "occurred_at",
            Order::NewestFirst | Order::By(_) => "created_at",
        };
        let since = self.since.as_deref().map(|text| bound("--since", text, "gte"));
        let until = self.until.as_deref().map(|text| bound("--until", text, "lt"));
        for bound in [since, until].into_iter().flatten() {
            let (value, operator) = bound?;
            conditions.push(json!({ "k": time, "v": value, "o": operator }));
        }
        let mut query = Map::new();
        if !conditions.is_empty() {
            query.insert("filter".to_owned(), conditions.into());
        }
        if let Some(keyword) = &self.keyword {
            query.insert("keyword".to_owned(), keyword.as_str().into());
        }
        Ok(query)
    }
}

/// The operators as they are typed, longer ones first, with their names for one value and for several.
const OPERATORS: [(&str, &str, Option<&str>); 9] = [
    ("=~", "regex", None),
    ("!~", "not_contain", Some("not_contain_in")),
    ("!=", "not", Some("not_in")),
    (">=", "gte", None),
    ("<=", "lte", None),
    ("=", "eq", Some("in")),
    ("~", "contain", Some("contain_in")),
    (">", "gt", None),
    ("<", "lt", None),
];

/// The condition that is typed as `text`.
pub(super) fn condition(text: &str, catalogue: &Catalogue) -> Result<Value, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "`{text}` is no filter; expected a field, one of = != >= <= > < ~ !~ =~, and a value, as in \
             `severity=CRITICAL`."
        ))
    };
    let at = text.find(['=', '!', '<', '>', '~']).ok_or_else(wrong)?;
    let (field, rest) = text.split_at(at);
    let field = field.trim();
    let found = OPERATORS.iter().find(|(symbol, ..)| rest.starts_with(symbol));
    let (symbol, one, several) = *found.filter(|_| !field.is_empty()).ok_or_else(wrong)?;
    let given = rest[symbol.len()..].trim();
    let kind = field.split('.').next().and_then(|name| catalogue.field(name)).map(|it| it.kind);
    let is_text = one.contains("contain") || one == "regex";
    let typed = |text: &str| value(text, kind.filter(|_| !is_text));
    let parts = parts(given);
    let (operator, value) = match several {
        Some(several) if parts.len() > 1 => {
            (several, parts.iter().map(|part| typed(part)).collect())
        }
        Some(_) | None => (one, typed(given)),
    };
    Ok(json!({ "k": field, "v": value, "o": operator }))
}

/// The parts between commas; a comma in double quotes is none.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '"' if !escaped => quoted = !quoted,
            ',' if !quoted => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
        escaped = quoted && letter == '\\' && !escaped;
    }
    parts.push(text[from..].trim());
    parts
}

/// A value as it was typed: a text, or below fields that hold anything also a number or a truth.
fn value(text: &str, kind: Option<Kind>) -> Value {
    let read: Option<Value> = serde_json::from_str(text).ok();
    match (read, kind) {
        (Some(Value::String(quoted)), _) => Value::String(quoted),
        (Some(Value::Null), Some(_)) => Value::Null,
        (Some(scalar @ (Value::Number(_) | Value::Bool(_))), Some(kind)) if !holds_text(kind) => {
            scalar
        }
        _ => Value::String(text.to_owned()),
    }
}

const fn holds_text(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Texts | Kind::Time)
}

/// That a record came before or after a moment. A span is counted by the server's clock.
fn bound(flag: &str, text: &str, operator: &str) -> Result<(String, String), Failure> {
    let text = text.trim();
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd', 'w']);
    let is_span = text.len() == digits.len() + 1 && !digits.is_empty();
    if is_span && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok((format!("now-{text}"), format!("timediff_{operator}")));
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) && text.contains('-') {
        return Ok((text.to_owned(), operator.to_owned()));
    }
    Err(Failure::usage(format!(
        "`{flag} {text}` is no moment; expected a span such as 30m, 2h, 1d or 1w, or a time such as 2026-01-01 or \
         2026-01-01T12:00:00Z."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{EVENTS, Query};

    fn read(text: &str) -> Value {
        condition(text, &EVENTS).unwrap_or_else(|failure| panic!("{failure}"))
    }

    #[test]
    fn filters_are_read_as_they_are_typed() {
        for (text, k, o, v) in [
            ("severity=CRITICAL", "severity", "eq", json!("CRITICAL")),
            ("severity != INFO", "severity", "not", json!("INFO")),
            ("severity=ERROR,CRITICAL", "severity", "in", json!(["ERROR", "CRITICAL"])),
            ("title!=a,b", "title", "not_in", json!(["a", "b"])),
            ("title=\"a, b\"", "title", "eq", json!("a, b")),
            ("title=\"a, \\\"b\",c", "title", "in", json!(["a, \"b", "c"])),
            ("title=5", "title", "eq", json!("5")),
            ("item>=5", "item", "gte", json!(5)),
            ("additional_info.cpu>90.5", "additional_info.cpu", "gt", json!(90.5)),
            ("additional_info.up=true", "additional_info.up", "eq", json!(true)),
            ("additional_info.id=\"90\"", "additional_info.id", "eq", json!("90")),
            ("raw_data.n<7", "raw_data.n", "lt", json!(7)),
            ("alert_id=null", "alert_id", "eq", Value::Null),
            ("created_at<=2026-01-01", "created_at", "lte", json!("2026-01-01")),
            ("title~50%", "title", "contain", json!("50%")),
            ("title~7", "title", "contain", json!("7")),
            ("title!~a,b", "title", "not_contain_in", json!(["a", "b"])),
            ("title=~^a,b=c$", "title", "regex", json!("^a,b=c$")),
            ("title=", "title", "eq", json!("")),
        ] {
            assert_eq!(read(text), json!({ "k": k, "v": v, "o": o }), "{text}");
            let query = json!({ "filter": [read(text)] });
            let now = crate::clock::from_millis(0);
            let checked = Query::parse(&query, &EVENTS, now);
            assert!(checked.is_ok(), "{text}: {checked:?}");
        }
        for wrong in ["severity", "=x", "", "!severity", "severity!x"] {
            assert!(condition(wrong, &EVENTS).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_spans_or_moments() {
        let bounded = |text| bound("--since", text, "gte");
        assert_eq!(bounded("2h").unwrap(), ("now-2h".to_owned(), "timediff_gte".to_owned()));
        assert_eq!(bounded("2026-01-01").unwrap(), ("2026-01-01".to_owned(), "gte".to_owned()));
        for wrong in ["yesterday", "h", "2x", "", "20"] {
            assert!(bounded(wrong).is_err(), "{wrong}");
        }
    }
}
