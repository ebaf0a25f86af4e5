//! What can be asked of the audit log: the documented filters, each checked, none ignored.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{dates, words};
use crate::{
    clock::{Timestamp, rfc3339},
    domain::{audit::Trail, project::Domain},
    error::{Code, Error, Result},
    export::Format,
    id::Id,
};

/// How many entries a page has where nothing is said.
const PAGE: u32 = 40;

/// How many entries a page has at most.
const MOST: u32 = 1000;

/// How many days a file holds at most.
const DAYS: i64 = 30;

/// Asks for the audit log.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AskLog {
    /// Only what happened then or later: `2022-1-1` or `2022-01-01T09:45:32`, in UTC unless an offset follows.
    start: Option<String>,
    /// Only what happened before: written as `start`.
    end: Option<String>,
    /// Only what was done in this way: `Create`, `Update`, `Delete` or `Login`.
    action: Option<String>,
    /// Only what was done by such: `User` or `Application`; `Webhook`, `Timer`, `Command` and others that are no people
    /// too.
    source_type: Option<String>,
    /// Only what was done by the one with this identifier.
    source_id: Option<String>,
    /// Only what was done by the one of this name.
    source_name: Option<String>,
    /// Only what was done to such: `Project`, `Department`, `User`, `Group`, `Login`, `Settings`, `Applications` and what
    /// else there is.
    entity_type: Option<String>,
    /// Only what was done to the one with this identifier.
    entity_id: Option<String>,
    /// How many entries at most: of a page 40 by default and 1000 at most, of a file all by default.
    #[schemars(range(min = 1))]
    limit: Option<u32>,
    /// How many entries to leave out before. Entries that arrive meanwhile move those behind them: a `cursor` holds.
    offset: Option<u32>,
    /// What the header `X-Next-Cursor` of the page before said.
    cursor: Option<String>,
    /// `true` for what succeeded, `false` for what failed; both by default.
    success: Option<String>,
    /// `true` for a file of at most 30 days: of the last ones where neither `start` nor `end` is given.
    download: Option<String>,
    /// What the file is, `csv` or `json`; by default what `Accept` names, else `csv`.
    format: Option<String>,
    /// Whose log; must be named by who reaches several domains.
    domain_id: Option<String>,
}

/// What was asked for, checked.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// What must hold of the records, in the filter language.
    pub(super) conditions: Vec<Value>,
    /// How much of them, and as what.
    pub(super) part: Part,
    /// Whose they are, if that was said.
    pub(super) domain_id: Option<Id<Domain>>,
}

/// How much is answered, and as what.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// A page.
    Page {
        /// Which one, in the filter language.
        page: Value,
    },
    /// All, as a file.
    File {
        /// Of this format.
        format: Format,
        /// With so many entries at most.
        most: Option<u32>,
    },
}

impl AskLog {
    /// What it asks for at `now`. `actions` are those there are; `accept` is what the caller takes.
    ///
    /// # Errors
    /// Where a value is none that the filter takes.
    pub(super) fn read(
        self,
        now: Timestamp,
        accept: Option<&str>,
        actions: &[&'static str],
    ) -> Result<Wanted> {
        let (start, end) =
            (date("start", self.start.as_deref())?, date("end", self.end.as_deref())?);
        let downloads = truth("download", self.download.as_deref())?.unwrap_or(false);
        if let (Some(start), Some(end)) = (start, end)
            && start > end
        {
            return Err(wrong("start", "it begins after its `end`".to_owned()));
        }
        let (start, part) = if downloads {
            let format = self.file_format(accept)?;
            (Some(span(start, end, now)?), Part::File { format, most: self.file_limit()? })
        } else {
            (start, Part::Page { page: self.page()? })
        };
        let mut conditions = vec![equal("trail", Trail::Own.as_str())];
        let bounds = [(start, "gte"), (end, "lt")];
        conditions.extend(bounds.into_iter().filter_map(|(bound, operator)| {
            Some(json!({ "k": "occurred_at", "v": rfc3339(bound?), "o": operator }))
        }));
        conditions.extend(self.filters(actions)?);
        Ok(Wanted { conditions, part, domain_id: self.domain_id.map(Id::from) })
    }

    fn filters(&self, actions: &[&'static str]) -> Result<Vec<Value>> {
        let mut conditions = Vec::new();
        if let Some(action) = &self.action {
            conditions.push(words::Deed::named(action)?.condition(actions));
        }
        if let Some(source) = &self.source_type {
            conditions.push(json!({ "k": "actor_type", "v": words::sources(source)?, "o": "in" }));
        }
        if let Some(entity) = &self.entity_type {
            conditions.extend(words::entities(entity)?);
        }
        let same = [
            ("actor_id", &self.source_id),
            ("actor_name", &self.source_name),
            ("entity_id", &self.entity_id),
        ];
        for (field, value) in same {
            conditions.extend(value.as_deref().map(|value| equal(field, value)));
        }
        if let Some(success) = truth("success", self.success.as_deref())? {
            conditions.push(equal("is_success", if success { "true" } else { "false" }));
        }
        Ok(conditions)
    }

    /// The page, in the filter language.
    fn page(&self) -> Result<Value> {
        if self.format.is_some() {
            return Err(wrong(
                "format",
                "a page is JSON; a `format` goes with `download=true`".to_owned(),
            ));
        }
        let limit = self.limit.unwrap_or(PAGE);
        if !(1..=MOST).contains(&limit) {
            return Err(wrong("limit", format!("expected 1 to {MOST}")));
        }
        let mut page = json!({ "limit": limit, "total": "none" });
        match (&self.cursor, self.offset) {
            (Some(_), Some(_)) => {
                let detail = "a `cursor` says where to go on; leave `offset` out".to_owned();
                return Err(wrong("offset", detail));
            }
            (Some(cursor), None) => page["cursor"] = cursor.as_str().into(),
            // The filter language counts rows from one.
            (None, Some(offset)) => page["start"] = (u64::from(offset) + 1).into(),
            (None, None) => {}
        }
        Ok(page)
    }

    fn file_limit(&self) -> Result<Option<u32>> {
        for (name, is_given) in
            [("offset", self.offset.is_some()), ("cursor", self.cursor.is_some())]
        {
            if is_given {
                let detail = "a file begins at its first entry; choose others by `start` and `end`";
                return Err(wrong(name, detail.to_owned()));
            }
        }
        match self.limit {
            Some(0) => Err(wrong("limit", "expected 1 or more".to_owned())),
            limit => Ok(limit),
        }
    }

    fn file_format(&self, accept: Option<&str>) -> Result<Format> {
        match self.format.as_deref() {
            Some("csv") => Ok(Format::Csv),
            Some("json") => Ok(Format::List),
            Some(other) => {
                Err(wrong("format", format!("`{other}` is no format; expected csv or json")))
            }
            None => Ok(match accept.and_then(Format::accepted) {
                Some(Format::Json) => Format::List,
                Some(Format::Csv | Format::Ndjson | Format::List) | None => Format::Csv,
            }),
        }
    }
}

/// Where a file of at most 30 days begins.
fn span(start: Option<Timestamp>, end: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
    let most = TimeDelta::days(DAYS);
    let until = end.unwrap_or(now);
    let first = until.checked_sub_signed(most).unwrap_or(until);
    match start {
        None => Ok(first),
        Some(start) if start >= first => Ok(start),
        Some(_) => {
            let place = if end.is_some() { "start" } else { "end" };
            let detail = format!(
                "a file holds {DAYS} days at most: let `start` and `end` be no further apart, and take the rest after"
            );
            Err(wrong(place, detail))
        }
    }
}

fn date(name: &str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    let read = dates::read(text);
    read.map(Some).ok_or_else(|| {
        // In an address a plus stands for a blank.
        let hint = if text.rsplit_once(' ').is_some_and(|(_, zone)| zone.contains(':')) {
            "; in an address the `+` of an offset is written `%2B`"
        } else {
            ""
        };
        wrong(name, format!("`{text}` is no date; expected {}{hint}", dates::EXPECTED))
    })
}

fn truth(name: &str, text: Option<&str>) -> Result<Option<bool>> {
    match text {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(wrong(name, format!("`{other}` is neither true nor false"))),
    }
}

fn wrong(name: &str, detail: String) -> Error {
    Error::at(Code::InvalidParameter, format!("/{name}"), detail)
}

fn equal(field: &str, value: &str) -> Value {
    json!({ "k": field, "v": value, "o": "eq" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{AUDITS, Query};

    const ACTIONS: [&str; 3] = ["webhook.create", "webhook.update", "webhook.delete"];

    fn now() -> Timestamp {
        dates::read("2026-03-01").unwrap()
    }

    fn read(address: &str) -> Result<Wanted> {
        let asked: AskLog = serde_urlencoded::from_str(address).unwrap();
        asked.read(now(), None, &ACTIONS)
    }

    #[test]
    fn every_filter_becomes_a_condition_that_the_query_takes() {
        let wanted = read(
            "start=2022-1-1&end=2022-2-1T0:0:0&action=Create&source_type=User&source_id=user-1&source_name=amy\
             &entity_type=App&entity_id=application-1&success=false&limit=5&offset=10",
        )
        .unwrap();
        assert_eq!(wanted.conditions.len(), 11);
        let Part::Page { page } = wanted.part else { panic!("a page") };
        assert_eq!(page, json!({ "limit": 5, "start": 11, "total": "none" }));
        let asked = json!({ "filter": wanted.conditions, "page": page });
        Query::parse(&asked, &AUDITS, now()).unwrap();
    }

    #[test]
    fn a_value_that_no_filter_takes_is_told_with_its_place() {
        for (address, pointer) in [
            ("start=tomorrow", "/start"),
            ("end=2022-13-1", "/end"),
            ("start=2022-2-1&end=2022-1-1", "/start"),
            ("action=create", "/action"),
            ("action=", "/action"),
            ("source_type=user", "/source_type"),
            ("entity_type=Webhooks", "/entity_type"),
            ("success=yes", "/success"),
            ("download=1", "/download"),
            ("limit=0", "/limit"),
            ("limit=1001", "/limit"),
            ("cursor=x&offset=1", "/offset"),
            ("format=csv", "/format"),
            ("download=true&format=xml", "/format"),
            ("download=true&offset=1", "/offset"),
            ("download=true&cursor=x", "/cursor"),
            ("download=true&limit=0", "/limit"),
            ("download=true&start=2026-1-1", "/end"),
            ("download=true&start=2026-1-1&end=2026-2-1", "/start"),
        ] {
            let error = read(address).unwrap_err();
            assert_eq!(error.mistakes[0].pointer, pointer, "{address}");
        }
    }

    #[test]
    fn a_file_holds_the_last_thirty_days_unless_others_are_named() {
        for (address, start) in [
            ("download=true", "2026-01-30T00:00:00.000Z"),
            ("download=true&end=2026-2-1", "2026-01-02T00:00:00.000Z"),
            ("download=true&start=2026-1-1&end=2026-1-31", "2026-01-01T00:00:00.000Z"),
            ("download=true&start=2026-2-1", "2026-02-01T00:00:00.000Z"),
        ] {
            let wanted = read(address).unwrap();
            assert_eq!(wanted.conditions[1]["v"], start, "{address}");
            assert!(matches!(wanted.part, Part::File { format: Format::Csv, most: None }));
        }
    }
}
