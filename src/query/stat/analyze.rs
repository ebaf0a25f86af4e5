//! Analyses: statistics by a plainer request, which says what it wants and not by which stages.

use chrono::{Months, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::{
    RowSort, Slice, Stage, Stat, Work,
    format::Format,
    gather::{Aim, Gather, GroupField, ObjectPart, TimePart},
    group::{Group, GroupKey, KeyPart},
    parse::{
        Reader, keys, keyword_fields, name,
        project::{COMPUTES, computed},
        required, slice, sort,
    },
    path::Path,
    project::{Computed, Project, ProjectField},
    zone::{instant, zone},
};
use crate::{
    clock::{Timestamp, rfc3339},
    error::Code,
    query::{
        Catalogue, Comparison, Condition, Field, Kind, QueryError, Test,
        parse::{Asking, Members, filter},
    },
};

/// The members of an analysis.
const ANALYSIS: &[&str] = &[
    "fields",
    "group_by",
    "field_group",
    "select",
    "filter",
    "filter_or",
    "keyword",
    "sort",
    "page",
    "start",
    "end",
    "granularity",
    "date_field",
    "date_field_format",
    "time_zone",
];

/// What a caller wants to know of many records, by groups and by time.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The statistic that answers it.
    pub stat: Stat,
    page: Option<Slice>,
}

impl Analysis {
    /// Reads the `query` object of a request for an analysis of the resource of `catalogue`. Times are counted from
    /// `now`.
    pub fn parse(
        value: &Value,
        catalogue: &'static Catalogue,
        now: Timestamp,
    ) -> Result<Self, QueryError> {
        analysis(value, &Asking::of(catalogue, now))
    }

    /// The same, with one more condition: a parameter of the request beside its query.
    pub fn narrowed(
        self,
        parameter: &str,
        value: Value,
        catalogue: &'static Catalogue,
    ) -> Result<Self, QueryError> {
        Ok(Self { stat: self.stat.narrowed(parameter, value, catalogue)?, page: self.page })
    }

    /// The rows that are answered, and whether there are more after them, where a page is asked for.
    pub fn paged(&self, mut rows: Vec<Value>) -> (Vec<Value>, Option<bool>) {
        let Some(Slice { limit, .. }) = self.page else { return (rows, None) };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        (rows, Some(more))
    }
}

fn analysis(value: &Value, asking: &Asking) -> Result<Analysis, QueryError> {
    let members = Members::of(value, ANALYSIS, "/query")?;
    let mut filter = filter(&members, asking, &keyword_fields(asking))?;
    let zone = zone(&members)?;
    let date = date_field(&members, asking)?;
    filter.all.extend(period(&members, date, zone)?);
    let reader = Reader::new(asking);
    let group = group(&members, &reader, (date, zone))?;
    let select = select(&members)?;
    let mut stages = Vec::new();
    let fields = group.fields.clone();
    let pivoted = pivot(&members, &group)?;
    stages.push(Stage::Group(Box::new(group)));
    let is_pivoted = pivoted.is_some();
    stages.extend(pivoted.into_iter().flatten());
    let order = match members.get("sort") {
        None => None,
        Some(Value::Array(keys)) if keys.is_empty() => None,
        Some(keys) => Some(sort(keys, &members.at("sort"))?),
    };
    let order = order.map(|order| Stage::Sort(by_totals(order, &fields, is_pivoted)));
    let page = slice(&members)?;
    match (order, select) {
        // An order by what is selected follows the selection; one by anything else comes before.
        (Some(Stage::Sort(keys)), Some(select)) => {
            let is_selected = |key: &RowSort| {
                select.fields.iter().any(|field| key.path.first() == Some(&field.name))
            };
            let is_after = keys.iter().all(is_selected);
            let pair = [Stage::Sort(keys), Stage::Project(select)];
            stages.extend(pair);
            if is_after {
                let last = stages.len() - 1;
                stages.swap(last - 1, last);
            }
        }
        (order, select) => stages.extend(order.into_iter().chain(select.map(Stage::Project))),
    }
    if let Some(Slice { skipped, limit }) = page {
        stages.push(Stage::Skip(skipped));
        // One more tells whether there are more.
        stages.push(Stage::Limit(limit.saturating_add(1)));
    }
    let stat =
        Stat { filter, catalogue: asking.catalogue, work: Work::Aggregate(stages), page: None };
    Ok(Analysis { stat, page })
}

/// The field that says when a record was: the one that is named, or the one that says when it came.
fn date_field(members: &Members<'_>, asking: &Asking) -> Result<&'static Field, QueryError> {
    let given = members.text("date_field")?;
    let wanted = given.unwrap_or("created_at");
    let times = asking.catalogue.fields.iter().filter(|field| field.kind == Kind::Time);
    let found = times.clone().find(|field| field.name == wanted);
    found.ok_or_else(|| {
        let names: Vec<&str> = times.map(|field| field.name).collect();
        let detail = format!("`{wanted}` is no time; there are {}", names.join(", "));
        members.mistake("date_field", detail)
    })
}

/// The conditions that `start` and `end` make.
fn period(
    members: &Members<'_>,
    date: &'static Field,
    zone: Tz,
) -> Result<Vec<Condition>, QueryError> {
    let read = |name| match members.text(name)? {
        None => Ok(None),
        Some(text) => match unit(text) {
            Some(days) => Ok(Some(days)),
            None => {
                let detail =
                    format!("`{text}` is no year, month or day such as 2024, 2024-05, 2024-05-15");
                Err(members.mistake(name, detail))
            }
        },
    };
    let (start, end) = (read("start")?, read("end")?);
    if start.zip(end).is_some_and(|((start, _), (_, end))| start >= end) {
        return Err(members.mistake("end", "`end` must not be before `start`"));
    }
    let bound = |how, day: NaiveDate| {
        let time = instant(zone, day.and_time(NaiveTime::MIN));
        let test = Test::Compares(how, Value::from(rfc3339(time)));
        Condition { field: date, path: Vec::new(), test }
    };
    let start = start.map(|(start, _)| bound(Comparison::GreaterOrEqual, start));
    let end = end.map(|(_, end)| bound(Comparison::Less, end));
    Ok(start.into_iter().chain(end).collect())
}

/// The first day of a year, month or day, and the first day after it.
fn unit(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let mut parts = text.split('-');
    let mut number = |digits: usize| match parts.next() {
        None => Some(None),
        Some(part) if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) => {
            part.parse::<u32>().ok().map(Some)
        }
        Some(_) => None,
    };
    let (year, month, day) = (number(4)??, number(2)?, number(2)?);
    if parts.next().is_some() {
        return None;
    }
    let year = i32::try_from(year).ok()?;
    let first = NaiveDate::from_ymd_opt(year, month.unwrap_or(1), day.unwrap_or(1))?;
    let after = match (month, day) {
        (_, Some(_)) => first.succ_opt(),
        (Some(_), None) => first.checked_add_months(Months::new(1)),
        (None, None) => first.checked_add_months(Months::new(12)),
    };
    Some((first, after?))
}

fn group(
    members: &Members<'_>,
    reader: &Reader<'_>,
    (date, zone): (&Field, Tz),
) -> Result<Group, QueryError> {
    let Some(Value::Object(named)) = members.get("fields").filter(|fields| !is_empty(fields))
    else {
        return Err(match members.get("fields") {
            Some(other) if !is_empty(other) => {
                members.mistake("fields", "`fields` is an object: a name and an operator each")
            }
            _ => required("fields", "`fields` is required: what is wanted of each group"),
        });
    };
    if named.len() > crate::query::parse::MAX_PARTS {
        return Err(members.mistake("fields", "at most 100 of them"));
    }
    let fields = named.iter().map(|(called, field)| {
        reader.named_field(called, field, &format!("{}/{called}", members.at("fields")))
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let mut group_keys = Vec::new();
    for (at, key) in members.list("group_by")?.iter().enumerate() {
        let pointer = format!("{}/{at}", members.at("group_by"));
        group_keys.push(match key {
            Value::String(text) => {
                let last = text.rsplit('.').next().unwrap_or_default();
                let path = keys(text, &pointer)?;
                GroupKey { name: name(last, &pointer)?, path, part: KeyPart::Whole }
            }
            other => reader.key(other, &pointer)?,
        });
    }
    if let Some(word) = members.text("granularity")? {
        let custom = members.text("date_field_format")?;
        let format = match word.to_ascii_uppercase().as_str() {
            "DAILY" => custom.unwrap_or("%Y-%m-%d"),
            "MONTHLY" => "%Y-%m",
            "YEARLY" => "%Y",
            _ => {
                let detail = format!("`{word}` is no granularity: DAILY, MONTHLY or YEARLY");
                return Err(members.mistake("granularity", detail));
            }
        };
        let format = Format::read(format, zone)
            .map_err(|detail| members.mistake("date_field_format", detail))?;
        let (name, path) = ("date".to_owned(), Path::read(date.name));
        group_keys.push(GroupKey { name, path, part: KeyPart::Told(format) });
    }
    Group { keys: group_keys, fields, pointer: "/query".to_owned() }.checked()
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// What is beside each value of a metric that became a list, and the stages that make it one.
fn pivot(members: &Members<'_>, group: &Group) -> Result<Option<Vec<Stage>>, QueryError> {
    let mut inner = Vec::new();
    for (at, name) in members.list("field_group")?.iter().enumerate() {
        let known = group.keys.iter().find(|key| name.as_str() == Some(key.name.as_str()));
        let Some(key) = known else {
            let names: Vec<&str> = group.keys.iter().map(|key| key.name.as_str()).collect();
            let detail = format!("{name} is not grouped by; there are {}", names.join(", "));
            return Err(QueryError::new(format!("{}/{at}", members.at("field_group")), detail));
        };
        inner.push(key.name.clone());
    }
    if inner.is_empty() {
        return Ok(None);
    }
    let part = |name: &str, path: &str| ObjectPart {
        name: name.to_owned(),
        path: Path(vec![path.to_owned()]),
        time: TimePart::Plain,
    };
    let mut fields = Vec::new();
    for field in &group.fields {
        let pointer = field.pointer.clone();
        let beside = inner.iter().map(|name| part(name, name));
        let parts = std::iter::once(part("value", &field.name)).chain(beside).collect();
        fields.push(GroupField {
            name: field.name.clone(),
            operator: Gather::Push,
            aim: Aim::Parts(parts),
            conditions: Vec::new(),
            pointer: pointer.clone(),
        });
        if let Some(operator) = total(field.operator) {
            fields.push(GroupField {
                name: total_of(&field.name),
                operator,
                aim: Aim::Of(Path(vec![field.name.clone()])),
                conditions: Vec::new(),
                pointer,
            });
        }
    }
    let outer = group.keys.iter().filter(|key| !inner.contains(&key.name)).map(|key| GroupKey {
        name: key.name.clone(),
        path: Path(vec![key.name.clone()]),
        part: KeyPart::Whole,
    });
    let outer = Group { keys: outer.collect(), fields, pointer: "/query/field_group".to_owned() };
    let order = inner
        .into_iter()
        .map(|name| RowSort { path: vec![name], direction: crate::query::Direction::Ascending });
    Ok(Some(vec![Stage::Sort(order.collect()), Stage::Group(Box::new(outer.checked()?))]))
}

/// How the values of a metric make its total, if they do.
const fn total(operator: Gather) -> Option<Gather> {
    match operator {
        Gather::Count | Gather::Sum => Some(Gather::Sum),
        Gather::Average | Gather::Max | Gather::Min => Some(operator),
        _ => None,
    }
}

fn total_of(metric: &str) -> String {
    format!("_total_{metric}")
}

/// The order, in which a metric that became a list stands where its total does.
fn by_totals(mut order: Vec<RowSort>, fields: &[GroupField], is_pivoted: bool) -> Vec<RowSort> {
    for key in order.iter_mut().filter(|_| is_pivoted) {
        let is_metric = |field: &&GroupField| key.path == [field.name.as_str()];
        if fields.iter().find(is_metric).is_some_and(|field| total(field.operator).is_some()) {
            key.path = vec![total_of(&key.path[0])];
        }
    }
    order
}

/// The projection that `select` makes.
fn select(members: &Members<'_>) -> Result<Option<Project>, QueryError> {
    let selected = match members.get("select") {
        None => return Ok(None),
        Some(Value::Object(selected)) if selected.is_empty() => return Ok(None),
        Some(Value::Object(selected)) => selected,
        Some(_) => {
            return Err(members.mistake("select", "`select` is an object: a name and a path each"));
        }
    };
    let fields = selected.iter().map(|(called, value)| {
        let pointer = format!("{}/{called}", members.at("select"));
        let value = match value {
            Value::String(path) if !path.is_empty() => Computed::Of(keys(path, &pointer)?),
            Value::Object(_) => {
                let members =
                    Members::of(value, &["o", "operator", "k", "key", "fields"], &pointer)?;
                let (word, at) =
                    members.either_text(["o", "operator"], "an operator is missing")?;
                if !COMPUTES.contains(&word) {
                    let detail =
                        format!("`{word}` is no operator; there are {}", COMPUTES.join(", "));
                    return Err(QueryError { code: Code::InvalidParameter, pointer: at, detail });
                }
                computed(&members, (word, &at), 0)?
            }
            _ => return Err(QueryError::new(pointer, "this is a path or an operator")),
        };
        Ok(ProjectField { name: name(called, &pointer)?, value, pointer })
    });
    let fields = fields.collect::<Result<Vec<_>, QueryError>>()?;
    Ok(Some(Project { fields, keys: Vec::new() }))
}
