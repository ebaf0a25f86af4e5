//! From lines of JSON to records, every mistake with its place.

use chrono::DateTime;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::Objection;
use crate::clock::{Timestamp, to_millis};

/// A line that was read, with its number from one.
pub(super) type Line<T> = (u64, Result<T, Objection>);

/// The records in `body`, one a line; empty lines are passed over.
pub(super) fn read<R: DeserializeOwned, T>(body: &[u8], make: impl Fn(R) -> T) -> Vec<Line<T>> {
    let lines = (1..).zip(body.split(|byte| *byte == b'\n'));
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    lines.map(|(number, line)| (number, record(line).map(&make))).collect()
}

fn record<R: DeserializeOwned>(line: &[u8]) -> Result<R, Objection> {
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(Objection::new("", "a line holds one JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(line);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|cause| {
        let pointer = pointer(cause.path());
        let reason = cause.inner().to_string();
        // It is one line; which one is said beside.
        let reason = reason.split(" at line ").next().unwrap_or_default();
        match missing(reason) {
            Some(field) => {
                Objection::new(&format!("{pointer}/{field}"), format!("`{field}` is required"))
            }
            None => Objection::new(&pointer, reason),
        }
    })?;
    reader
        .end()
        .map_err(|_| Objection::new("", "a line holds one JSON object and nothing after it"))?;
    Ok(read)
}

fn missing(reason: &str) -> Option<&str> {
    reason.strip_prefix("missing field `")?.split('`').next()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let steps = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            Some(key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Unknown => None,
    });
    steps.fold(String::new(), |pointer, step| pointer + "/" + &step)
}

/// A time, to the millisecond.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = DateTime::parse_from_rfc3339(&text).map_err(|_| {
            let wanted = format!("`{text}` is no time such as 2026-01-02T03:04:05.678Z");
            serde::de::Error::custom(wanted)
        })?;
        Ok(Self(to_millis(read.to_utc())))
    }
}

/// What is there, even if it is null.
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Named {
        name: String,
    }

    #[test]
    fn a_line_that_is_wrong_says_where_and_stops_no_other() {
        let body = b"{\"name\":\"a\"}\n\n{\"name\":1}\n{}\n{\"name\":\"b\"} {}\n[1]\n{\"name\"\n{\"name\":\"c\",\"more\":2}";
        let lines = read(body, |named: Named| named.name);
        let told: Vec<String> = lines
            .into_iter()
            .map(|(line, read)| match read {
                Ok(name) => format!("{line} {name}"),
                Err(Objection { pointer, detail }) => format!("{line} {pointer}: {detail}"),
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"));
        assert!(read(b"", |value: Value| value).is_empty());
    }
}
