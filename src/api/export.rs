//! `event.export`, `alert.export` and `audit.export`: all records that a query asks for, a stretch at a time, so that neither memory nor
//! a snapshot is held while a slow reader reads.

use std::{collections::BTreeSet, ops::ControlFlow};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

mod audits;

pub use self::audits::{AUDIT_COLUMNS, ExportAudits, Tenant, tenant};
use super::{Call, alert::ListAlerts, event::ListEvents};
use crate::{
    domain::scope::Scope,
    error::{Code, Error, Result},
    query::{ALERTS, AUDITS, Catalogue, Direction, EVENTS, Keyset, Query, Shape, Sort},
    store::{Rows, Stretch, Tx, Way},
};

/// Fields that can be searched but are not shown by themselves.
pub(super) const SEARCHED_ONLY: [&str; 1] = ["alert_number_str"];

/// How many rows a stretch has at most.
const ROWS: u32 = 1000;

/// The columns of a table of events where none are asked for.
pub const EVENT_COLUMNS: &[&str] = &[
    "event_id",
    "created_at",
    "occurred_at",
    "event_type",
    "severity",
    "title",
    "description",
    "event_key",
    "rule",
    "resources",
    "provider",
    "account",
    "additional_info",
    "alert_id",
    "webhook_id",
    "project_id",
    "workspace_id",
    "domain_id",
];

/// The columns of a table of alerts where none are asked for.
pub const ALERT_COLUMNS: &[&str] = &[
    "alert_number",
    "alert_id",
    "state",
    "severity",
    "urgency",
    "title",
    "description",
    "event_key",
    "event_count",
    "created_at",
    "updated_at",
    "last_event_at",
    "acknowledged_at",
    "resolved_at",
    "resolved_reason",
    "assignee",
    "responder",
    "resources.name",
    "provider",
    "account",
    "additional_info",
    "triggered_by",
    "webhook_id",
    "project_id",
    "workspace_id",
    "domain_id",
];

/// What is to be taken out: checked, and only followed from here on.
#[derive(Clone, Debug)]
pub struct Plan {
    of: Rows,
    scope: Scope,
    query: Query,
    fields: BTreeSet<&'static str>,
    way: Way,
    most: Option<u64>,
    columns: Vec<String>,
}

/// How far an export has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    newest: Option<i64>,
    after: Option<Keyset>,
    rows: u64,
}

impl Plan {
    /// Reads what is asked for: the parameters of a list, and `columns`, a list or a text with commas.
    pub fn new(of: Rows, call: &Call, mut asked: Map<String, Value>) -> Result<Self> {
        let columns = asked.remove("columns").map(columns).transpose()?;
        let most = most(&mut asked)?;
        if let Some(columns) = &columns {
            show_only(&mut asked, columns)?;
        }
        let (query, catalogue, standard) = match of {
            Rows::Events => (list::<ListEvents>(asked)?.checked(call.now)?, &EVENTS, EVENT_COLUMNS),
            Rows::Alerts => (list::<ListAlerts>(asked)?.checked(call.now)?, &ALERTS, ALERT_COLUMNS),
            Rows::Audits => (list::<ExportAudits>(asked)?.checked(call)?, &AUDITS, AUDIT_COLUMNS),
        };
        if query.shape == Shape::Count {
            let detail = "an export has records; ask the list how many there are";
            return Err(Error::at(Code::Query, "/query/count_only", detail));
        }
        if query.unwind.is_some() {
            let detail = "an export has one row for each record; ask the list to unwind";
            return Err(Error::at(Code::Query, "/query/unwind", detail));
        }
        let (way, fields) = (way(&query.sort, of)?, fields(&query.shape, catalogue));
        let columns = columns.unwrap_or_else(|| shown(&query.shape, catalogue, standard));
        let scope = call.caller.scope.clone();
        Ok(Self { of, scope, query, fields, way, most, columns })
    }

    /// The same plan for one domain alone.
    #[must_use]
    pub fn of_tenant(self, tenant: &Tenant) -> Self {
        Self { scope: tenant.scope(), ..self }
    }

    /// The columns of a table of it.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether each record is asked for as a whole.
    pub fn is_whole(&self) -> bool {
        self.query.shape == Shape::Whole
    }

    /// The same plan, read for a table: nothing is read that has no column.
    #[must_use]
    pub fn for_table(mut self) -> Self {
        let catalogue = self.catalogue();
        let first = |path: &String| path.split('.').next().map(str::to_owned);
        let wanted: BTreeSet<String> = self.columns.iter().filter_map(first).collect();
        self.fields = names(catalogue).filter(|name| wanted.contains(*name)).collect();
        self.query.shape = Shape::Whole;
        self
    }

    fn catalogue(&self) -> &'static Catalogue {
        match self.of {
            Rows::Events => &EVENTS,
            Rows::Alerts => &ALERTS,
            Rows::Audits => &AUDITS,
        }
    }

    /// Gives `each` of the next records, until it breaks off or the stretch is read; whether there may be more.
    pub fn go_on(
        &self,
        tx: &dyn Tx,
        progress: &mut Progress,
        each: &mut dyn FnMut(&Value) -> Result<ControlFlow<()>>,
    ) -> Result<bool> {
        let newest = match progress.newest {
            Some(newest) => newest,
            None => *progress.newest.insert(tx.newest_row(self.of)?),
        };
        let left = self.most.map_or(u64::MAX, |most| most.saturating_sub(progress.rows));
        let rows = u32::try_from(left).unwrap_or(ROWS).min(ROWS);
        if rows == 0 {
            return Ok(false);
        }
        let stretch = Stretch {
            filter: &self.query.filter,
            fields: &self.fields,
            way: self.way,
            after: progress.after,
            newest,
            rows,
        };
        let (mut read, mut broken) = (0, false);
        tx.stretch(self.of, &self.scope, &stretch, &mut |place, record| {
            let flow = each(&self.query.shape.of(record, self.catalogue()))?;
            progress.after = Some(place);
            progress.rows += 1;
            read += 1;
            broken = flow.is_break();
            Ok(flow)
        })?;
        Ok(broken || read == rows)
    }
}

fn list<T: DeserializeOwned>(asked: Map<String, Value>) -> Result<T> {
    serde_path_to_error::deserialize(Value::Object(asked)).map_err(|cause| {
        let place = cause.path().to_string().replace('.', "/");
        let pointer = if place == "/" { String::new() } else { format!("/{place}") };
        Error::at(Code::InvalidParameter, pointer, cause.inner().to_string())
    })
}

fn columns(given: Value) -> Result<Vec<String>> {
    let wrong = || {
        let detail = "`columns` is a list of fields and paths, or a text with commas between them";
        Error::at(Code::InvalidParameterType, "/columns", detail)
    };
    let columns: Vec<String> = match given {
        Value::String(text) => text.split(',').map(|path| path.trim().to_owned()).collect(),
        Value::Array(list) => {
            let texts = list.into_iter().map(|path| path.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(wrong)?
        }
        _ => return Err(wrong()),
    };
    if columns.is_empty() { Err(wrong()) } else { Ok(columns) }
}

/// Takes the most rows out of the page, of which an export knows nothing else.
fn most(asked: &mut Map<String, Value>) -> Result<Option<u64>> {
    let page = asked.get_mut("query").and_then(|query| query.as_object_mut()?.remove("page"));
    let Some(Value::Object(mut page)) = page.filter(|page| !page.is_null()) else {
        return Ok(None);
    };
    let most = match page.remove("limit") {
        None | Some(Value::Null) => None,
        Some(limit) => Some(limit.as_u64().ok_or_else(|| {
            let detail = "`limit` is a whole number, the most rows of the export";
            Error::at(Code::Query, "/query/page/limit", detail)
        })?),
    };
    if let Some(other) = page.keys().next() {
        let detail = "an export begins at its first row and goes to its last: of a page it takes `limit` alone";
        return Err(Error::at(Code::Query, format!("/query/page/{other}"), detail));
    }
    Ok(most.filter(|most| *most > 0))
}

/// Has the query show the columns and nothing else.
fn show_only(asked: &mut Map<String, Value>, columns: &[String]) -> Result<()> {
    let query = asked.entry("query").or_insert_with(|| Value::Object(Map::new()));
    if query.is_null() {
        *query = Value::Object(Map::new());
    }
    let Some(query) = query.as_object_mut() else { return Ok(()) };
    if query.contains_key("only") {
        let detail = "`columns` and `query.only` say the same; give one of them";
        return Err(Error::at(Code::InvalidParameter, "/columns", detail));
    }
    query.insert("only".to_owned(), columns.to_vec().into());
    Ok(())
}

/// Which way rows are read. Any other order would have to be made of all rows at once.
fn way(sort: &[Sort], of: Rows) -> Result<Way> {
    let time = match of {
        Rows::Events | Rows::Alerts => "created_at",
        Rows::Audits => "occurred_at",
    };
    match sort {
        [] => Ok(Way::NewestFirst),
        [one] if one.field.name == time && one.path.is_empty() => match one.direction {
            Direction::Ascending => Ok(Way::OldestFirst),
            Direction::Descending => Ok(Way::NewestFirst),
        },
        _ => {
            let detail = format!(
                "an export is read in stretches in the order of time, so it is sorted by `{time}` alone, either way; \
                 another order would have to hold all rows at once"
            );
            Err(Error::at(Code::Query, "/query/sort", detail))
        }
    }
}

fn names(catalogue: &'static Catalogue) -> impl Iterator<Item = &'static str> {
    let names = catalogue.fields.iter().map(|field| field.name);
    names.filter(|name| !SEARCHED_ONLY.contains(name))
}

/// The fields that must be read for what is shown.
fn fields(shape: &Shape, catalogue: &'static Catalogue) -> BTreeSet<&'static str> {
    let all = names(catalogue);
    match shape {
        Shape::Whole | Shape::Count => all.collect(),
        Shape::Minimal => all.filter(|name| catalogue.minimal.contains(name)).collect(),
        Shape::Only(paths) => {
            let is_meant = |name: &str| {
                name == catalogue.id
                    || paths.iter().any(|path| path.split('.').next() == Some(name))
            };
            all.filter(|name| is_meant(name)).collect()
        }
    }
}

/// The columns of a table where none are named.
fn shown(shape: &Shape, catalogue: &Catalogue, standard: &[&str]) -> Vec<String> {
    let owned = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect();
    match shape {
        Shape::Whole | Shape::Count => owned(standard),
        Shape::Minimal => owned(catalogue.minimal),
        Shape::Only(paths) if paths.iter().any(|path| path == catalogue.id) => paths.clone(),
        Shape::Only(paths) => {
            std::iter::once(catalogue.id.to_owned()).chain(paths.iter().cloned()).collect()
        }
    }
}
