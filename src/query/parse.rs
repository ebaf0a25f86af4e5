//! From JSON to a [`Query`], or to the place of the first mistake.

mod filter;
mod members;
mod names;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(super) use self::{
    filter::{Asking, Written, located},
    members::{MAX_PARTS, Members, whole},
    names::unknown,
};
use super::{
    Catalogue, Condition, Count, Cursor, Direction, Filter, MAX_ROWS, Operator, Order, Page, Query,
    QueryError, Shape, Sort, Unwind,
};
use crate::clock::Timestamp;

/// The members of a query.
const QUERY: &[&str] =
    &["filter", "filter_or", "sort", "page", "minimal", "count_only", "only", "keyword", "unwind"];

pub(super) fn query(value: &Value, asking: &Asking) -> Result<Query, QueryError> {
    if value.is_null() {
        return Ok(Query::default());
    }
    let members = Members::of(value, QUERY, "/query")?;
    let sort = order(&members, asking.catalogue)?;
    let page = page(&members, &sort)?;
    let filter = filter(&members, asking, asking.catalogue.keyword)?;
    let shape = shape(&members, asking.catalogue)?;
    let unwind = unwind(&members, asking)?;
    if unwind.is_some() && matches!(page.from, Cursor::After(_)) {
        let detail =
            "this cursor is of a list without `unwind`: ask on as the page before was asked";
        return Err(QueryError::new("/query/page/cursor", detail));
    }
    Ok(Query { filter, sort, page, shape, unwind })
}

/// The conditions of a query; the keyword looks at these fields.
pub(super) fn filter(
    members: &Members<'_>,
    asking: &Asking,
    keyword: &[&str],
) -> Result<Filter, QueryError> {
    let conditions = |name| asking.conditions(members.list(name)?, &members.at(name));
    Ok(Filter {
        all: conditions("filter")?,
        any: conditions("filter_or")?,
        keyword: asking.keyword(members, keyword)?,
    })
}

/// The condition that a parameter beside the query makes.
pub(super) fn parameter(
    name: &str,
    value: Value,
    catalogue: &'static Catalogue,
) -> Result<Condition, QueryError> {
    let pointer = format!("/{name}");
    let operator = if value.is_array() { Operator::In } else { Operator::Eq };
    // No parameter is a time, so none is counted from now.
    Asking::of(catalogue, Timestamp::UNIX_EPOCH).condition(Written {
        key: name,
        key_at: pointer.clone(),
        operator,
        operand: value,
        operand_at: pointer,
    })
}

fn unwind(members: &Members<'_>, asking: &Asking) -> Result<Option<Unwind>, QueryError> {
    let Some(value) = members.get("unwind") else { return Ok(None) };
    let members = Members::of(value, &["path", "filter"], &members.at("unwind"))?;
    let Some(path) = members.text("path")? else {
        return Err(members.mistake("path", "`path` is missing: the list whose elements make rows"));
    };
    let (field, path) = located(path, asking.catalogue, &members.at("path"))?;
    let filter = asking.conditions(members.list("filter")?, &members.at("filter"))?;
    Ok(Some(Unwind { field, path, filter }))
}

/// One key of an order, as it is written.
pub(super) fn sort_key(value: &Value, pointer: &str) -> Result<(String, Direction), QueryError> {
    let members = Members::of(value, &["key", "desc"], pointer)?;
    let Some(key) = members.text("key")? else {
        return Err(members.mistake("key", "an order needs a key: the field to sort by"));
    };
    let direction =
        if members.flag("desc")? { Direction::Descending } else { Direction::Ascending };
    Ok((key.to_owned(), direction))
}

/// The order: a list of keys, or the single object of the first version of the original.
fn order(members: &Members<'_>, catalogue: &'static Catalogue) -> Result<Vec<Sort>, QueryError> {
    let single;
    let keys = match members.get("sort") {
        Some(Value::Object(key)) if key.is_empty() => return Ok(Vec::new()),
        Some(key @ Value::Object(_)) => {
            single = [key.clone()];
            &single[..]
        }
        _ => members.list("sort")?,
    };
    let mut order = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let pointer = format!("{}/{at}", members.at("sort"));
        let (key, direction) = sort_key(key, &pointer)?;
        let name = catalogue.resolved(&key).split('.').next().unwrap_or_default();
        if let (None, Some(id)) = (catalogue.field(name), catalogue.field(catalogue.id)) {
            // The original lets an unknown key pass, and everything ties: as below a text, where nothing is.
            order.push(Sort { field: id, path: vec![name.to_owned()], direction });
            continue;
        }
        let (field, path) = located(&key, catalogue, &format!("{pointer}/key"))?;
        order.push(Sort { field, path, direction });
    }
    match order.as_slice() {
        // Newest first by name is newest first by nature, in which pages go on after a given row.
        [Sort { field, path, direction: Direction::Descending }]
            if path.is_empty() && natural(catalogue.order) == Some(field.name) =>
        {
            Ok(Vec::new())
        }
        _ => Ok(order),
    }
}

/// The time by which records come newest first where nothing else is asked for.
fn natural(order: Order) -> Option<&'static str> {
    match order {
        Order::NewestFirst => Some("created_at"),
        Order::LatestFirst => Some("occurred_at"),
        Order::By(_) => None,
    }
}

fn page(members: &Members<'_>, sort: &[Sort]) -> Result<Page, QueryError> {
    let Some(value) = members.get("page") else { return Ok(Page::default()) };
    let members = Members::of(value, &["start", "limit", "cursor", "total"], &members.at("page"))?;
    let limit = members.number("limit")?.unwrap_or(0);
    let start = members.number("start")?.unwrap_or(1);
    let cursor = match members.text("cursor")? {
        None => None,
        Some(text) => Some(cursor(text, sort, &members.at("cursor"))?),
    };
    let count = match members.get("total").map(Value::as_str) {
        None => Count::default(),
        Some(Some("exact")) => Count::Exact,
        Some(Some("capped")) => Count::Capped,
        Some(Some("none")) => Count::None,
        Some(_) => return Err(members.mistake("total", "`total` is exact, capped or none")),
    };
    // As in the original, a start without a limit means nothing.
    let skipped = if limit == 0 { 0 } else { start.saturating_sub(1) };
    let limit = match u32::try_from(limit) {
        Ok(0) | Err(_) => MAX_ROWS,
        Ok(limit) => limit.min(MAX_ROWS),
    };
    Ok(Page { limit, from: cursor.unwrap_or(Cursor::Skip(skipped)), count })
}

fn cursor(text: &str, sort: &[Sort], pointer: &str) -> Result<Cursor, QueryError> {
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
    if members.flag("count_only")? {
        return Ok(Shape::Count);
    }
    if members.flag("minimal")? {
        return Ok(Shape::Minimal);
    }
    let mut paths = Vec::new();
    for (at, path) in members.list("only")?.iter().enumerate() {
        let pointer = format!("{}/{at}", members.at("only"));
        let Value::String(path) = path else {
            return Err(QueryError::new(pointer, "the name of a field is a text"));
        };
        let (_, _) = located(path, catalogue, &pointer)?;
        paths.push(catalogue.resolved(path).to_owned());
    }
    if paths.is_empty() { Ok(Shape::Whole) } else { Ok(Shape::Only(paths)) }
}
