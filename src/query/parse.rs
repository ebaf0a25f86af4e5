//! From JSON to a [`Query`], or to the place of the first mistake.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Catalogue, Condition, Count, Cursor, Direction, Field, Filter, Kind, MAX_ROWS, Operator, Order,
    Page, Query, QueryError, Shape, Sort,
};

/// The most conditions, keys of an order and words of a keyword that one query has.
const MAX_PARTS: usize = 100;

/// The members of a query.
const QUERY: &[&str] =
    &["filter", "filter_or", "sort", "page", "minimal", "count_only", "only", "keyword"];

/// The members of a condition, both spellings.
const CONDITION: &[&str] = &["k", "key", "v", "value", "o", "operator"];

/// The members of an object by their names in snake case.
type Members<'a> = BTreeMap<String, &'a Value>;

pub(super) fn query(value: &Value, catalogue: &'static Catalogue) -> Result<Query, QueryError> {
    if value.is_null() {
        return Ok(Query::default());
    }
    let members = members_of(value, QUERY, "/query")?;
    let sort = order(&members, catalogue)?;
    let page = page(&members, &sort)?;
    let filter = Filter {
        all: conditions(&members, "filter", catalogue)?,
        any: conditions(&members, "filter_or", catalogue)?,
        keyword: keyword(&members, catalogue)?,
    };
    Ok(Query { filter, sort, page, shape: shape(&members, catalogue)? })
}

/// The condition that a parameter beside the query makes.
pub(super) fn parameter(
    name: &str,
    value: Value,
    catalogue: &'static Catalogue,
) -> Result<Condition, QueryError> {
    let pointer = format!("/{name}");
    let operator = if value.is_array() { Operator::In } else { Operator::Eq };
    condition(name, (operator, value), catalogue, (&pointer, &pointer))
}

fn conditions(
    members: &Members<'_>,
    name: &str,
    catalogue: &'static Catalogue,
) -> Result<Vec<Condition>, QueryError> {
    let list = list(members, name)?;
    let each = list.iter().enumerate().map(|(at, value)| {
        let pointer = format!("/query/{name}/{at}");
        let members = members_of(value, CONDITION, &pointer)?;
        let (key, key_at) = either(&members, ["k", "key"], &pointer)?;
        let (word, word_at) = either(&members, ["o", "operator"], &pointer)?;
        let (operand, operand_at) = either(&members, ["v", "value"], &pointer)?;
        let Some(Value::String(key)) = key.filter(|key| **key != "") else {
            return Err(QueryError::new(key_at, "a condition needs a key: the field it is about"));
        };
        let Some(Value::String(word)) = word else {
            return Err(QueryError::new(word_at, "a condition needs an operator, e.g. `eq`"));
        };
        let operator = Operator::named(word, &word_at)?;
        let operand = operand.cloned().unwrap_or_default();
        condition(key, (operator, operand), catalogue, (&key_at, &operand_at))
    });
    each.collect()
}

fn condition(
    key: &str,
    (operator, operand): (Operator, Value),
    catalogue: &'static Catalogue,
    (key_at, operand_at): (&str, &str),
) -> Result<Condition, QueryError> {
    let (field, path) = located(key, catalogue, key_at)?;
    let kind = if path.is_empty() { field.kind } else { Kind::Object };
    Ok(Condition { field, path, test: operator.applied(operand, kind, operand_at)? })
}

/// The field that `key` begins with, and the way on below it.
fn located(
    key: &str,
    catalogue: &'static Catalogue,
    pointer: &str,
) -> Result<(&'static Field, Vec<String>), QueryError> {
    let mut segments = catalogue.resolved(key).split('.').map(str::to_owned);
    let name = segments.next().unwrap_or_default();
    let Some(field) = catalogue.field(&name) else {
        let names = catalogue.fields.iter().map(|field| field.name);
        return Err(QueryError::new(pointer, unknown("field", &name, names)));
    };
    if field.kind == Kind::Shown {
        let detail = format!("`{name}` is shown but cannot be searched or sorted by yet");
        return Err(QueryError::new(pointer, detail));
    }
    Ok((field, segments.collect()))
}

/// Each word in each of the fields that a keyword looks at.
fn keyword(
    members: &Members<'_>,
    catalogue: &'static Catalogue,
) -> Result<Vec<Condition>, QueryError> {
    let pointer = "/query/keyword";
    let words = match members.get("keyword") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(words)) => words,
        Some(_) => return Err(QueryError::new(pointer, "a keyword is a text")),
    };
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.len() > MAX_PARTS {
        return Err(QueryError::new(pointer, format!("at most {MAX_PARTS} words")));
    }
    let places = words.iter().flat_map(|word| catalogue.keyword.iter().map(move |at| (word, at)));
    let each = places.map(|(word, field)| {
        let contains = (Operator::Contain, Value::from(*word));
        condition(field, contains, catalogue, (pointer, pointer))
    });
    each.collect()
}

/// The order: a list of keys, or the single object of the first version of the original.
fn order(members: &Members<'_>, catalogue: &'static Catalogue) -> Result<Vec<Sort>, QueryError> {
    let single;
    let keys = match members.get("sort") {
        Some(Value::Object(key)) if key.is_empty() => return Ok(Vec::new()),
        Some(key @ Value::Object(_)) => {
            single = [(*key).clone()];
            &single[..]
        }
        _ => list(members, "sort")?,
    };
    let mut order = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let pointer = format!("/query/sort/{at}");
        let members = members_of(key, &["key", "desc"], &pointer)?;
        let Some(Value::String(key)) = members.get("key").filter(|key| **key != "") else {
            let detail = "an order needs a key: the field to sort by";
            return Err(QueryError::new(format!("{pointer}/key"), detail));
        };
        let direction = match members.get("desc") {
            None | Some(Value::Null | Value::Bool(false)) => Direction::Ascending,
            Some(Value::Bool(true)) => Direction::Descending,
            Some(_) => {
                let detail = "`desc` is true or false";
                return Err(QueryError::new(format!("{pointer}/desc"), detail));
            }
        };
        let name = catalogue.resolved(key).split('.').next().unwrap_or_default();
        if let (None, Some(id)) = (catalogue.field(name), catalogue.field(catalogue.id)) {
            // The original lets an unknown key pass, and everything ties: as below a text, where nothing is.
            order.push(Sort { field: id, path: vec![key.clone()], direction });
            continue;
        }
        let (field, path) = located(key, catalogue, &format!("{pointer}/key"))?;
        order.push(Sort { field, path, direction });
    }
    match order.as_slice() {
        // Newest first by name is newest first by nature, in which pages go on after a given row.
        [Sort { field, path, direction: Direction::Descending }]
            if catalogue.order == Order::NewestFirst
                && field.name == "created_at"
                && path.is_empty() =>
        {
            Ok(Vec::new())
        }
        _ => Ok(order),
    }
}

fn page(members: &Members<'_>, sort: &[Sort]) -> Result<Page, QueryError> {
    let pointer = "/query/page";
    let value = match members.get("page") {
        None | Some(Value::Null) => return Ok(Page::default()),
        Some(value) => value,
    };
    let members = members_of(value, &["start", "limit", "cursor", "total"], pointer)?;
    let limit = number(&members, "limit")?.unwrap_or(0);
    let start = number(&members, "start")?.unwrap_or(1);
    let cursor = match members.get("cursor") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(cursor(text, sort)?),
        Some(_) => return Err(QueryError::new("/query/page/cursor", "a cursor is a text")),
    };
    let count = match members.get("total").map(|total| total.as_str()) {
        None => Count::default(),
        Some(Some("exact")) => Count::Exact,
        Some(Some("capped")) => Count::Capped,
        Some(Some("none")) => Count::None,
        Some(_) => {
            let detail = "`total` is exact, capped or none";
            return Err(QueryError::new("/query/page/total", detail));
        }
    };
    // As in the original, a start without a limit means nothing.
    let skipped = if limit == 0 { 0 } else { start.saturating_sub(1) };
    let limit = match u32::try_from(limit) {
        Ok(0) | Err(_) => MAX_ROWS,
        Ok(limit) => limit.min(MAX_ROWS),
    };
    Ok(Page { limit, from: cursor.unwrap_or(Cursor::Skip(skipped)), count })
}

fn cursor(text: &str, sort: &[Sort]) -> Result<Cursor, QueryError> {
    let pointer = "/query/page/cursor";
    let Some(cursor) = Cursor::read(text) else {
        let detail = "this is no cursor: give `next_cursor` of the page before, as it is";
        return Err(QueryError::new(pointer, detail));
    };
    if matches!(cursor, Cursor::After(_)) && !sort.is_empty() {
        let detail = "this cursor is of a list without `sort`: ask on as the page before was asked";
        return Err(QueryError::new(pointer, detail));
    }
    Ok(cursor)
}

fn shape(members: &Members<'_>, catalogue: &'static Catalogue) -> Result<Shape, QueryError> {
    if flag(members, "count_only")? {
        return Ok(Shape::Count);
    }
    if flag(members, "minimal")? {
        return Ok(Shape::Minimal);
    }
    let mut paths = Vec::new();
    for (at, path) in list(members, "only")?.iter().enumerate() {
        let pointer = format!("/query/only/{at}");
        let Value::String(path) = path else {
            return Err(QueryError::new(pointer, "the name of a field is a text"));
        };
        let name = path.split('.').next().unwrap_or_default();
        if catalogue.field(name).is_none() {
            let names = catalogue.fields.iter().map(|field| field.name);
            return Err(QueryError::new(pointer, unknown("field", name, names)));
        }
        paths.push(path.clone());
    }
    if paths.is_empty() { Ok(Shape::Whole) } else { Ok(Shape::Only(paths)) }
}

/// The members of an object under their names in snake case; unknown ones and double ones are mistakes.
fn members_of<'a>(
    value: &'a Value,
    known: &[&str],
    pointer: &str,
) -> Result<Members<'a>, QueryError> {
    let Value::Object(object) = value else {
        return Err(QueryError::new(pointer, "this must be an object"));
    };
    named(object, known, pointer)
}

fn named<'a>(
    object: &'a Map<String, Value>,
    known: &[&str],
    pointer: &str,
) -> Result<Members<'a>, QueryError> {
    let mut members = Members::new();
    for (name, value) in object {
        let snake = snake_case(name);
        let at = format!("{pointer}/{name}");
        if !known.contains(&snake.as_str()) {
            return Err(QueryError::new(at, unknown("member", name, known.iter().copied())));
        }
        if members.insert(snake, value).is_some() {
            return Err(QueryError::new(at, format!("`{name}` is given twice")));
        }
    }
    Ok(members)
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// A member that has two names, and where it is or should be.
fn either<'a>(
    members: &Members<'a>,
    [short, long]: [&str; 2],
    pointer: &str,
) -> Result<(Option<&'a Value>, String), QueryError> {
    match (members.get(short), members.get(long)) {
        (Some(_), Some(_)) => {
            let detail = format!("`{short}` and `{long}` are the same: give one of them");
            Err(QueryError::new(format!("{pointer}/{long}"), detail))
        }
        (None, Some(value)) => Ok((Some(value), format!("{pointer}/{long}"))),
        (value, None) => Ok((value.copied(), format!("{pointer}/{short}"))),
    }
}

fn list<'a>(members: &Members<'a>, name: &str) -> Result<&'a [Value], QueryError> {
    let pointer = format!("/query/{name}");
    match members.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if items.len() > MAX_PARTS => {
            Err(QueryError::new(pointer, format!("at most {MAX_PARTS} of them")))
        }
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(QueryError::new(pointer, format!("`{name}` is a list"))),
    }
}

fn flag(members: &Members<'_>, name: &str) -> Result<bool, QueryError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => {
            Err(QueryError::new(format!("/query/{name}"), format!("`{name}` is true or false")))
        }
    }
}

/// A whole number from zero; it may come as text.
fn number(members: &Members<'_>, name: &str) -> Result<Option<u64>, QueryError> {
    let read = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => whole(number),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    // The store counts rows in 64 bits with a sign.
    match read.filter(|rows| i64::try_from(*rows).is_ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(QueryError::new(
            format!("/query/page/{name}"),
            format!("`{name}` is a whole number from zero"),
        )),
    }
}

fn whole(number: &serde_json::Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        // Clients that know only floating-point numbers write 10 as 10.0.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        (float.fract() == 0.0 && (0.0..9e15).contains(&float)).then_some(float as u64)
    })
}

/// What is said of a name that is none of the known ones.
pub(super) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    if let Some(near) = closest(name, known.clone()) {
        return format!("unknown {what} `{name}`; did you mean `{near}`?");
    }
    let all: Vec<_> = known.collect();
    format!("unknown {what} `{name}`; there are {}", all.join(", "))
}

/// The word of `known` that `word` is likely a slip of.
fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(64).collect();
    let slips = known.map(|candidate| (distance(&word, candidate), candidate));
    let (slips, candidate) = slips.min_by_key(|(slips, _)| *slips)?;
    (slips * 3 <= word.len().max(3)).then_some(candidate)
}

/// How many letters must be put in, left out or changed to make one word of the other (Levenshtein).
fn distance(word: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (line, letter) in other.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, mine) in word.iter().enumerate() {
            let changed = diagonal + usize::from(*mine != letter);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[word.len()]
}
