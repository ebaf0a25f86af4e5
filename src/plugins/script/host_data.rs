//! What scripts may call to read data in other forms than JSON, and times.

use std::str::FromStr;

use chrono_tz::Tz;
use csv::ReaderBuilder;
use rquickjs::{Ctx, Exception, Object, Result, Value, function::Opt};
use serde_json::{Map, Value as Json, json};

use super::host::{ITEMS, bounded, to_js, too_many};
use crate::{
    clock::{Timestamp, rfc3339},
    plugins::decode,
    value::time,
};

/// XML as JSON, as `body: xml` reads it; `lists` are elements that are lists even where there is one.
pub(super) fn xml(ctx: Ctx<'_>, text: String, lists: Opt<Vec<String>>) -> Result<Value<'_>> {
    let lists = lists.0.unwrap_or_default().into_iter().collect();
    match decode::xml(lists, bounded(&ctx, &text)?) {
        Ok(value) => to_js(&ctx, &value),
        Err(fault) => Err(Exception::throw_syntax(&ctx, &fault.reason)),
    }
}

/// Tables in text: objects by the names of the first row, or lists where `{header: false}`.
pub(super) fn csv<'js>(
    ctx: Ctx<'js>,
    text: String,
    options: Opt<Object<'js>>,
) -> Result<Value<'js>> {
    let (mut separator, mut has_header) = (b',', true);
    if let Some(options) = options.0 {
        let named: Option<String> = options.get("separator")?;
        if let Some(named) = named {
            let [byte] = named.as_bytes() else {
                return Err(Exception::throw_range(&ctx, "`separator` is a single character"));
            };
            separator = *byte;
        }
        has_header = options.get::<_, Option<bool>>("header")?.unwrap_or(true);
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(has_header)
        .flexible(true)
        .from_reader(bounded(&ctx, &text)?.as_bytes());
    let wrong = |fault: csv::Error| Exception::throw_syntax(&ctx, &format!("no table: {fault}"));
    let names = if has_header { reader.headers().map_err(wrong)?.clone() } else { <_>::default() };
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(wrong)?;
        if rows.len() == ITEMS {
            return Err(too_many(&ctx));
        }
        rows.push(if has_header {
            let cells = names.iter().zip(row.iter());
            Json::Object(cells.map(|(name, cell)| (name.to_owned(), json!(cell))).collect())
        } else {
            row.iter().map(Json::from).collect()
        });
    }
    to_js(&ctx, &Json::Array(rows))
}

/// The lines `key: value` of a text as an object; the first line with a key counts. `separator` is `:` unless said.
pub(super) fn key_values(ctx: Ctx<'_>, text: String, separator: Opt<String>) -> Result<Value<'_>> {
    let separator = separator.0.unwrap_or_else(|| ":".to_owned());
    if separator.is_empty() {
        return Err(Exception::throw_range(&ctx, "the separator is empty"));
    }
    let mut object = Map::new();
    for line in bounded(&ctx, &text)?.lines() {
        let Some((key, value)) = line.split_once(&separator) else { continue };
        let (key, value) = (key.trim(), value.trim());
        if !key.is_empty() && !object.contains_key(key) {
            object.insert(key.to_owned(), Json::from(value));
        }
    }
    to_js(&ctx, &Json::Object(object))
}

/// A time, however it is spelled, in RFC 3339; null where it is none. One without a zone is in `zone`, or UTC.
pub(super) fn time<'js>(
    ctx: Ctx<'js>,
    value: Value<'js>,
    zone: Opt<String>,
) -> Result<Option<String>> {
    Ok(point(&ctx, &value, zone)?.map(rfc3339))
}

/// The same as milliseconds since 1970, to compute with.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of believable times are exact")]
pub(super) fn millis<'js>(
    ctx: Ctx<'js>,
    value: Value<'js>,
    zone: Opt<String>,
) -> Result<Option<f64>> {
    Ok(point(&ctx, &value, zone)?.map(|time| time.timestamp_millis() as f64))
}

fn point<'js>(ctx: &Ctx<'js>, value: &Value<'js>, zone: Opt<String>) -> Result<Option<Timestamp>> {
    let zone = match zone.0 {
        None => Tz::UTC,
        Some(name) => Tz::from_str(&name).map_err(|_| {
            let reason = format!("`{name:.60}` is no time zone; expected one such as `Asia/Seoul`");
            Exception::throw_range(ctx, &reason)
        })?,
    };
    let value = match (value.as_string(), value.as_number()) {
        (Some(text), _) => Json::from(text.to_string()?),
        (None, Some(number)) => Json::from(number),
        (None, None) => return Ok(None),
    };
    Ok(time::auto(&value, zone))
}
