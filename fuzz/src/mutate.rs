//! Changes to what is posted: what senders do to payloads over the years, and what nobody would do.

use serde_json::{Map, Value, json};

use super::{
    dice::Dice,
    shelf::{Post, Shelf},
};

/// Bodies do not grow longer than this.
pub const LONGEST: usize = 256 << 10;

/// Values do not grow beyond about so many bytes before they are written out and cut: copies of copies would take
/// all memory from a case of a few bytes.
const BULKIEST: usize = 8 * LONGEST;

/// Texts that have been somebody's undoing.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    "NaN",
    "99999999999999999999",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "10000-01-01T00:00:00Z",
    "2023-03-26 02:30:00",
    "12:00:00 on 2026.01.31",
    "2026-01-01T00:00:00+99:99",
    "Wed, 31 Feb 2026 25:61:61 +9999",
    "1700000000.123456789",
    "1767225600000000000",
    "a:b,c=d,e,:,=,,",
    "[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}}]",
    "{\"a\":{\"b\":[1]}}",
    "{EVENT.ID}",
    "*UNKNOWN*",
    "%s{{ $.a }}${b}",
    "https://\u{0}@[::1]:99999/\\..",
    "\u{feff}\u{202e}İ\u{df}ŉ\u{1f469}\u{200d}\u{1f4bb}",
    "\u{10ffff}\u{fffd}",
    "'; DROP TABLE event; --",
    "<a b=\"c\">&amp;&#0;</a>",
];

/// Content types that somebody's body may be said to be.
const TYPES: &[&str] = &[
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain; charset=iso-8859-1",
    "text/plain; charset=utf-16",
    "application/xml",
    "application/soap+xml; charset=\"utf-8\"",
    "application/x-ndjson",
    "application/cloudevents+json",
    ";;=\"",
];

/// Pieces of bodies that are no JSON.
const PIECES: &[&str] = &[
    "{\"a\":",
    "[[[[[[[[",
    "]]]]}}}}",
    "&a=1&a=2",
    "%7B%22",
    "%ff%",
    "payload=",
    "<a><b>",
    "</a>",
    "<![CDATA[",
    "]]>",
    "<!-- ",
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
    "<!DOCTYPE a [<!ENTITY b \"cc\">]>",
    "&b;",
    "&#x110000;",
    "\r\n--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n",
    "\r\n--x--\r\n",
    "// ",
    "/* ",
    ",}",
    "\n\n",
    ": ",
    "\\u0000",
    "\\ud800",
    "1e400",
    "-0.0",
];

/// A post that begins as one of `plugin` and is changed by `dice`.
pub fn post(dice: &mut Dice<'_>, shelf: &Shelf, plugin: &str) -> Post {
    let mut post = dice.of(&shelf.posts[plugin]).clone();
    match dice.below(16) {
        // The case itself is the body, which is what lets a fuzzer find its own way into a format.
        0 => post.body = dice.rest().to_vec(),
        1..=3 => bytes(dice, shelf, &mut post.body),
        _ => match serde_json::from_slice(&post.body) {
            Ok(mut body) => {
                value(dice, shelf, &mut body);
                post.body = body.to_string().into_bytes();
                if dice.one_in(16) {
                    bytes(dice, shelf, &mut post.body);
                }
            }
            Err(_) => bytes(dice, shelf, &mut post.body),
        },
    }
    post.body.truncate(LONGEST);
    if dice.one_in(4) {
        around(dice, shelf, &mut post);
    }
    post
}

/// Changes what stands around a body.
fn around(dice: &mut Dice<'_>, shelf: &Shelf, post: &mut Post) {
    for _ in 0..=dice.below(3) {
        match dice.below(6) {
            0 => drop(post.headers.insert("content-type".into(), (*dice.of(TYPES)).into())),
            1 => post.now = dice.number().cast_signed() / 4_000,
            2 => drop(post.headers.insert(dice.of(&shelf.names).clone(), text(dice, shelf))),
            3 => drop(post.query.insert(dice.of(&shelf.words).clone(), text(dice, shelf))),
            4 => post.secrets = vec![text(dice, shelf), "whsec_c2VjcmV0".into()],
            _ => {
                let name = post.headers.keys().nth(dice.below(post.headers.len())).cloned();
                if let Some(text) = name.and_then(|name| post.headers.get_mut(&name)) {
                    let mut bytes = std::mem::take(text).into_bytes();
                    self::bytes(dice, shelf, &mut bytes);
                    *text = String::from_utf8_lossy(&bytes).into_owned();
                }
            }
        }
    }
}

/// Changes a few places of a value.
pub fn value(dice: &mut Dice<'_>, shelf: &Shelf, value: &mut Value) {
    for _ in 0..=dice.below(4) {
        // The whole is changed seldom: then nothing of it is left.
        let least = usize::from(nodes(value) > 1 && !dice.one_in(32));
        let mut place = least + dice.below(nodes(value) - least);
        if let Some(node) = nth(value, &mut place) {
            change(dice, shelf, node);
        }
    }
    if dice.one_in(1000) {
        swell(dice, value);
    }
}

/// How many values there are in a value, itself included.
pub fn nodes(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(nodes).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// About how many bytes a value has when it is written out.
fn bulk(value: &Value) -> usize {
    match value {
        Value::Array(items) => 2 + items.iter().map(bulk).sum::<usize>(),
        Value::Object(fields) => {
            2 + fields.iter().map(|(name, field)| name.len() + 4 + bulk(field)).sum::<usize>()
        }
        Value::String(text) => 2 + text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

/// How deep a value is.
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn nth<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Object(fields) => fields.values_mut().find_map(|field| nth(field, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Changes one value, without regard to what it should be.
fn change(dice: &mut Dice<'_>, shelf: &Shelf, node: &mut Value) {
    match dice.below(14) {
        0 | 1 => *node = leaf(dice, shelf),
        2 => *node = other_type(node.take()),
        3 | 4 => remove(dice, node),
        5 => add(dice, shelf, node),
        6 => rename(dice, shelf, node),
        7 => nest(dice, node),
        8 => widen(dice, node),
        9 => *node = Value::String(node.to_string()),
        10 => *node = part_of(dice.of(&shelf.values), dice.number()).clone(),
        11 => {
            let text = text(dice, shelf);
            *node = Value::String(long(dice, &text));
        }
        12 => {
            if let Value::String(text) = node {
                *node = serde_json::from_str(text).unwrap_or(Value::Null);
            }
        }
        _ => {
            if let Value::String(text) = node {
                let mut bytes = std::mem::take(text).into_bytes();
                self::bytes(dice, shelf, &mut bytes);
                *text = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
    }
}

/// A text that somebody looks for, or that nobody does.
fn text(dice: &mut Dice<'_>, shelf: &Shelf) -> String {
    if dice.one_in(3) { (*dice.of(TEXTS)).to_owned() } else { dice.of(&shelf.words).clone() }
}

fn leaf(dice: &mut Dice<'_>, shelf: &Shelf) -> Value {
    match dice.below(9) {
        0 => Value::Null,
        1 => json!(dice.one_in(2)),
        2 => json!(dice.number()),
        3 => json!(dice.number().cast_signed()),
        4 => json!(f64::from_bits(dice.number())),
        5 => json!(dice.of(&[0.1, -0.0, 1e17, 1e300, 5e-324, 1.7e9, 1.7e12, 253_402_300_800.0])),
        6 => json!([]),
        7 => json!({}),
        _ => Value::String(text(dice, shelf)),
    }
}

fn other_type(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let named =
                items.into_iter().zip(0..).map(|(item, at): (_, u32)| (at.to_string(), item));
            Value::Object(named.collect())
        }
        Value::Object(fields) => Value::Array(fields.into_iter().map(|(_, field)| field).collect()),
        Value::Number(number) => Value::String(number.to_string()),
        Value::String(text) => match text.parse::<f64>() {
            Ok(number) => json!(number),
            Err(_) => json!([text]),
        },
        Value::Bool(truth) => json!(truth.to_string()),
        Value::Null => json!({ "value": null }),
    }
}

fn remove(dice: &mut Dice<'_>, node: &mut Value) {
    match node {
        Value::Array(items) if !items.is_empty() => {
            items.remove(dice.below(items.len()));
        }
        Value::Object(fields) => {
            let name = fields.keys().nth(dice.below(fields.len())).cloned();
            name.map(|name| fields.remove(&name));
        }
        _ => *node = Value::Null,
    }
}

fn add(dice: &mut Dice<'_>, shelf: &Shelf, node: &mut Value) {
    let new = leaf(dice, shelf);
    match node {
        Value::Array(items) => items.insert(dice.below(items.len() + 1), new),
        Value::Object(fields) => drop(fields.insert(dice.of(&shelf.words).clone(), new)),
        other => *other = json!([other.take(), new]),
    }
}

fn rename(dice: &mut Dice<'_>, shelf: &Shelf, node: &mut Value) {
    let Value::Object(fields) = node else { return };
    let name = fields.keys().nth(dice.below(fields.len())).cloned();
    if let Some(field) = name.and_then(|name| fields.remove(&name)) {
        fields.insert(text(dice, shelf), field);
    }
}

fn nest(dice: &mut Dice<'_>, node: &mut Value) {
    let levels = *dice.of(&[1, 2, 5, 60, 100, 120, 126, 127, 128, 129, 400]);
    let is_list = dice.one_in(2);
    for _ in 0..levels {
        let inner = node.take();
        *node = if is_list { json!([inner]) } else { json!({ "a": inner }) };
    }
}

fn widen(dice: &mut Dice<'_>, node: &mut Value) {
    let times = *dice.of(&[2, 3, 10, 60]);
    match node {
        Value::Array(items)
            if items.iter().map(nodes).sum::<usize>() < 500
                && items.iter().map(bulk).sum::<usize>() * times < BULKIEST =>
        {
            *items = items.iter().cycle().take(items.len() * times).cloned().collect();
        }
        Value::Object(fields) if fields.len() < 100 => {
            let copied: Map<String, Value> = fields
                .iter()
                .map(|(name, field)| (format!("{name}{times}"), field.clone()))
                .collect();
            fields.extend(copied);
        }
        Value::String(text) => *text = long(dice, text),
        _ => {}
    }
}

/// A text, many times over.
fn long(dice: &mut Dice<'_>, text: &str) -> String {
    let length = *dice.of(&[1, 64, 65, 101, 199, 201, 300, 4_000]);
    text.repeat(1 + length / text.len().max(1))
}

/// A value somewhere in another.
fn part_of(value: &Value, choice: u64) -> &Value {
    let below: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => return value,
    };
    let parts = below.len() as u64 + 1;
    match usize::try_from(choice % parts).ok().and_then(|at| below.get(at)) {
        Some(part) => part_of(part, choice / parts),
        None => value,
    }
}

/// Makes texts long and lists wide at once: what is copied into each event then grows with the square of the body.
fn swell(dice: &mut Dice<'_>, value: &mut Value) {
    let length = *dice.of(&[2_000, 20_000, 60_000]);
    let copies = *dice.of(&[100, 500, 2_000]);
    let text = "long ".repeat(length / 5);
    for _ in 0..=dice.below(3) {
        if bulk(value) > BULKIEST {
            return;
        }
        let place = dice.below(nodes(value));
        if let Some(node) = nth(value, &mut place.clone()) {
            match node {
                Value::Array(items) if items.len() < 100 => {
                    let most = BULKIEST / items.iter().map(bulk).sum::<usize>().max(1);
                    let copies = copies.min(most.max(1));
                    *items = items.iter().cycle().take(items.len() * copies).cloned().collect();
                }
                Value::String(short) if short.len() < 1_000 => short.push_str(&text),
                Value::Object(fields) if fields.len() < 100 => {
                    fields.values_mut().filter(|field| field.is_string()).for_each(|field| {
                        *field = Value::String(text.clone());
                    });
                }
                _ => {}
            }
        }
    }
}

/// Changes a few places of a body, whatever it is.
pub fn bytes(dice: &mut Dice<'_>, shelf: &Shelf, body: &mut Vec<u8>) {
    for _ in 0..=dice.below(5) {
        let at = dice.below(body.len() + 1);
        let end = (at + dice.below(40)).min(body.len());
        match dice.below(9) {
            0 => body.truncate(at),
            1 => drop(body.drain(at..end)),
            2 => {
                let again = body[at..end].to_vec();
                body.splice(at..at, again);
            }
            3 => insert(body, at, dice.of(PIECES).as_bytes()),
            4 => insert(body, at, text(dice, shelf).as_bytes()),
            5 => insert(body, at, &dice.number().to_be_bytes()[..=end % 8]),
            6 => {
                let piece = dice.of(PIECES).repeat(*dice.of(&[2, 30, 70, 130, 1_500]));
                insert(body, at, piece.as_bytes());
            }
            7 => insert(body, 0, b"\xef\xbb\xbf"),
            _ => {
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
        }
    }
}

fn insert(body: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if body.len() + piece.len() <= LONGEST {
        body.splice(at..at, piece.iter().copied());
    }
}
