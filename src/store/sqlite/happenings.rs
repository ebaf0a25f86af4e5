//! What was committed lately: events by their integer keys, and changes of alerts by theirs.
//!
//! One writer gives the keys and commits its rows in their order, and no key is given twice (`given` remembers those of
//! rows that were removed). So a pair of keys says exactly what has been read, whatever is committed meanwhile.

use rusqlite::{Connection, Row, params};

use super::{
    alerts::{self, alert},
    events::{self, event},
    live::Next,
    rows::{Columns, millis, reach},
    work::Work,
};
use crate::{
    bus::Place,
    clock::Timestamp,
    domain::{
        alert::{Alert, Standing},
        event::Event,
        happening::{Happening, What},
        scope::{Reach, Scope},
        words::AlertState,
    },
    error::{Error, Result},
    store::{Between, EachHappened, Happened, Happenings},
};

/// How many rows of each log are looked at in one go at most, whoever's they are.
const LOOKED_AT: i64 = 10_000;

/// A change of an alert, as it is written down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    what: What,
    at: Timestamp,
    before: Option<AlertState>,
    after: Option<AlertState>,
}

impl Change {
    /// An alert is there that was not.
    pub(super) fn opened(alert: &Alert) -> Self {
        let Standing { state, updated_at, .. } = alert.standing;
        Self { what: What::Opened, at: updated_at, before: None, after: Some(state) }
    }

    /// An alert stands otherwise, or something else of it changed.
    pub(super) fn between(before: &Standing, after: &Standing) -> Self {
        let (at, before, after) = (after.updated_at, before.state, after.state);
        Self { what: What::between(before, after), at, before: Some(before), after: Some(after) }
    }

    /// An event joined; `None` where it merely repeats what was known.
    pub(super) fn joined(before: &Standing, after: &Standing) -> Option<Self> {
        let same = |standing: &Standing| (standing.state, standing.severity, standing.urgency);
        (same(before) != same(after)).then(|| Self::between(before, after))
    }

    /// An alert is gone.
    pub(super) fn deleted(before: &Standing, at: Timestamp) -> Self {
        Self { what: What::Deleted, at, before: Some(before.state), after: None }
    }
}

impl Next {
    /// What comes after all keys that were ever given.
    pub(super) fn load(connection: &Connection) -> Result<Self> {
        let next = |table: &str| -> Result<i64> {
            let sql = format!(
                "SELECT max(coalesce((SELECT max({table}) FROM {table}), 0), (SELECT {table} FROM given)) + 1"
            );
            Ok(connection.query_row(&sql, [], |row| row.get(0))?)
        };
        Ok(Self {
            delivery: next("delivery")?,
            event: next("event")?,
            alert: next("alert")?,
            happening: next("happening")?,
        })
    }

    /// Where the logs end before what comes next.
    pub(super) fn place(self) -> Place {
        Place { event: self.event - 1, happening: self.happening - 1 }
    }
}

impl Work {
    /// Writes a change of an alert down. What changes once more in the same commit without turning is told already, since
    /// whoever hears of it reads the alert as it is by then.
    pub(super) fn add_happening(&self, alert: i64, change: Change) -> Result<()> {
        let Change { what, at, before, after } = change;
        let mut next = self.live()?.borrow().next();
        let told = (alert, next.event);
        if what == What::Changed && before == after && self.live()?.borrow().last_told == Some(told)
        {
            return Ok(());
        }
        self.put(
            "INSERT INTO happening (happening, at, alert, event, what, before, after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                next.happening,
                millis(at),
                alert,
                next.event,
                code_of(what),
                before.map(letter),
                after.map(letter)
            ],
        )?;
        next.happening += 1;
        let mut live = self.live()?.borrow_mut();
        live.set_next(next);
        live.last_told = Some(told);
        Ok(())
    }

    /// The integer keys of the projects in `scope`, as the JSON list that `json_each` takes; `None` for all.
    pub(super) fn projects_within(&self, scope: &Scope) -> Result<Option<String>> {
        if scope.domains == Reach::All
            && scope.workspaces == Reach::All
            && scope.projects == Reach::All
        {
            return Ok(None);
        }
        let rows = self.many(
            "SELECT p.project FROM project p JOIN workspace w USING (workspace) JOIN domain d USING (domain)
             WHERE (?1 IS NULL OR d.domain_id IN (SELECT value FROM json_each(?1)))
               AND (?2 IS NULL OR w.workspace_id IN (SELECT value FROM json_each(?2)))
               AND (?3 IS NULL OR p.project_id IN (SELECT value FROM json_each(?3)))",
            params![reach(&scope.domains)?, reach(&scope.workspaces)?, reach(&scope.projects)?],
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        super::rows::json(&rows).map(Some)
    }
}

impl Happenings for Work {
    fn happened(&self, scope: &Scope, stretch: Between, each: EachHappened<'_>) -> Result<Place> {
        let Between { after, upto } = stretch;
        let end = Place {
            event: upto.event.min(after.event.saturating_add(LOOKED_AT)).max(after.event),
            happening: upto
                .happening
                .min(after.happening.saturating_add(LOOKED_AT))
                .max(after.happening),
        };
        let projects = self.projects_within(scope)?;
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT e.event, {} FROM event e {} WHERE e.event > ?1 AND e.event <= ?2
               AND (?3 IS NULL OR e.project IN (SELECT value FROM json_each(?3)))
             ORDER BY e.event",
            events::COLUMNS,
            events::HOME
        ))?;
        let mut arrived = statement.query(params![after.event, end.event, projects])?;
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT h.happening, h.event, h.what, h.at, h.before, h.after, {}
             FROM happening h CROSS JOIN alert a ON a.alert = h.alert CROSS JOIN standing t ON t.alert = a.alert {}
             WHERE h.happening > ?1 AND h.happening <= ?2
               AND (?3 IS NULL OR a.project IN (SELECT value FROM json_each(?3)))
             ORDER BY h.happening",
            alerts::COLUMNS,
            alerts::HOME
        ))?;
        let mut changed = statement.query(params![after.happening, end.happening, projects])?;
        let mut next_event = arrived.next()?.map(arrival).transpose()?;
        let mut next_change = changed.next()?.map(change).transpose()?;
        let mut reached = after;
        loop {
            let change_is_first = match (&next_event, &next_change) {
                (None, None) => return Ok(end),
                (None, Some(_)) => true,
                (Some(_), None) => false,
                // An alert opens before the event that opens it is written.
                (Some((row, _)), Some((_, before, _))) => before <= row,
            };
            let told = if change_is_first {
                let Some((row, _, happening)) = next_change.take() else { return Ok(reached) };
                reached.happening = row;
                next_change = changed.next()?.map(change).transpose()?;
                each(Happened::Alert(Box::new(happening)), reached)?
            } else {
                let Some((row, event)) = next_event.take() else { return Ok(reached) };
                reached.event = row;
                next_event = arrived.next()?.map(arrival).transpose()?;
                each(Happened::Event(Box::new(event)), reached)?
            };
            if told.is_break() {
                return Ok(reached);
            }
        }
    }

    fn forgotten(&self, scope: &Scope) -> Result<Place> {
        let found = self.one(
            "SELECT coalesce(max(event), 0), coalesce(max(happening), 0) FROM forgotten
             WHERE ?1 IS NULL OR project IN (SELECT value FROM json_each(?1))",
            params![self.projects_within(scope)?],
            |row| Ok(Place { event: row.get(0)?, happening: row.get(1)? }),
        )?;
        Ok(found.unwrap_or_default())
    }
}

/// An event, after its integer key.
fn arrival(row: &Row<'_>) -> Result<(i64, Event)> {
    let mut columns = Columns::of(row);
    Ok((columns.get()?, event(&mut columns)?))
}

/// A change of an alert, after its integer key and that of the event before which it happened.
fn change(row: &Row<'_>) -> Result<(i64, i64, Happening)> {
    let mut columns = Columns::of(row);
    let (happening, before_event) = (columns.get()?, columns.get()?);
    let what = what_of(&columns.text()?)?;
    let at = columns.time()?;
    let before = columns.get::<Option<String>>()?.map(|code| state_of(&code)).transpose()?;
    let after = columns.get::<Option<String>>()?.map(|code| state_of(&code)).transpose()?;
    let alert = alert(&mut columns)?;
    Ok((happening, before_event, Happening { what, at, before, after, alert }))
}

const fn code_of(what: What) -> &'static str {
    match what {
        What::Opened => "O",
        What::Changed => "C",
        What::Resolved => "R",
        What::Deleted => "D",
    }
}

fn what_of(code: &str) -> Result<What> {
    let found = What::ALL.iter().copied().find(|what| code_of(*what) == code);
    found.ok_or_else(|| Error::internal(format!("`{code}` is no change of an alert")))
}

/// The first letter of a state, which no other state has.
fn letter(state: AlertState) -> &'static str {
    &state.as_str()[..1]
}

fn state_of(code: &str) -> Result<AlertState> {
    let found = AlertState::ALL.iter().copied().find(|state| letter(*state) == code);
    found.ok_or_else(|| Error::internal(format!("`{code}` is no state of an alert")))
}
