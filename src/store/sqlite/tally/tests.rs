//! Tallies equal the rows, whatever happens to these.

mod random;

use std::{cell::RefCell, collections::BTreeMap, ops::ControlFlow, path::Path};

use rusqlite::params_from_iter;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    super::{connect, sql, work::Work},
    Asked, By, Kind, Level,
};
use crate::{
    clock::{Timestamp, from_millis, rfc3339},
    domain::{
        alert::{Alert, Standing},
        event::{Draft, Event},
        scope::{Home, Reach, Scope},
        words::{AlertState, EventType, Severity, Urgency, Why},
    },
    error::{Error, Result},
    query::{self, Query, Stat},
    store::{Alerts as _, Durability, Events as _},
};

/// A store whose rows are added one by one.
struct Mill {
    directory: TempDir,
    writer: RefCell<Work>,
    reader: Work,
    added: RefCell<u32>,
}

/// Where everything here begins: the middle of a quarter of an hour.
const START: i64 = 1_767_268_800_000 + 7 * 60_000 + 123;

const PROJECTS: [(&str, &str, &str); 3] =
    [("d1", "w1", "p1"), ("d1", "w1", "p2"), ("d2", "w2", "p3")];

fn open(directory: &Path) -> (Work, Work) {
    let file = directory.join("a.db");
    let connection = connect::writer(&file, Durability::Normal).unwrap();
    connect::migrate(&connection, &crate::domain::audit::SealKey::default()).unwrap();
    let writer = Work::writer(connection, crate::domain::audit::SealKey::default()).unwrap();
    (writer, Work::reader(connect::reader(&file).unwrap()))
}

impl Mill {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (writer, reader) = open(directory.path());
        writer
            .connection
            .execute_batch(
                "INSERT INTO domain VALUES (1, 'd1', 'one', 0), (2, 'd2', 'two', 0);
                 INSERT INTO workspace VALUES (1, 'w1', 1, 'one', 0, 0), (2, 'w2', 2, 'two', 0, 0);
                 INSERT INTO project (project, project_id, workspace, name, created_at) VALUES
                   (1, 'p1', 1, '1', 0), (2, 'p2', 1, '2', 0), (3, 'p3', 2, '3', 0);
                 INSERT INTO webhook (webhook, webhook_id, project, name, state, plugin, created_at) VALUES
                   (1, 'h1', 1, '1', 'ENABLED', 'x', 0), (2, 'h2', 2, '2', 'ENABLED', 'x', 0),
                   (3, 'h3', 3, '3', 'ENABLED', 'x', 0);
                 INSERT INTO delivery (delivery, delivery_id, webhook, state, items, dead, first_event, events, remote, received_at)
                   VALUES (1, 'r1', 1, 'applied', 3, 0, 1, 3, '', 0);",
            )
            .unwrap();
        Self { directory, writer: RefCell::new(writer), reader, added: RefCell::new(0) }
    }

    fn reopened(self) -> Self {
        let Self { directory, writer, reader, added } = self;
        drop((writer, reader));
        let (writer, reader) = open(directory.path());
        Self { directory, writer: RefCell::new(writer), reader, added }
    }

    /// Does `work` in one commit; where it fails, nothing of it is done.
    fn commit(&self, work: impl FnOnce(&mut Work) -> Result<()>) -> Result<()> {
        let mut writer = self.writer.borrow_mut();
        writer.command("BEGIN IMMEDIATE").unwrap();
        let done = work(&mut writer).and_then(|()| writer.finish());
        if done.is_err() {
            writer.command("ROLLBACK").unwrap();
            writer.forget_commit();
        } else {
            writer.live().unwrap().borrow_mut().settled();
        }
        done
    }

    fn number(&self) -> u32 {
        *self.added.borrow_mut() += 1;
        *self.added.borrow()
    }

    fn event(&self, project: usize, minutes: i64) -> Event {
        let number = self.number();
        let mut draft = Draft::new(format!("key-{number}"));
        draft.provider = Some("somebody".to_owned());
        Event {
            event_id: format!("event-{number}").into(),
            alert_id: None,
            webhook_id: format!("h{}", project + 1).into(),
            delivery_id: "r1".into(),
            item: 0,
            home: home(project),
            draft,
            reading: None,
            why: Why::NewKey,
            created_at: at(minutes),
        }
    }

    /// What tallies say of a filter, and what the rows say.
    fn totals(&self, kind: Kind, scope: &Scope, filter: &Value) -> (Option<u64>, u64) {
        let query = asked(kind, filter);
        self.reader.command("BEGIN").unwrap();
        let told =
            self.reader.tallied_total(&Asked { kind, scope, filter: &query.filter }).unwrap();
        let (sql, values) = sql::compose(&query, scope, table(kind)).count().unwrap();
        let counted = self.reader.number(&sql, params_from_iter(values)).unwrap().unwrap();
        self.reader.command("COMMIT").unwrap();
        (told, counted.unsigned_abs())
    }

    /// What tallies say of a filter, by fields and step; as texts.
    fn told(&self, asked: &Asked<'_>, by: By<'_>) -> Option<BTreeMap<String, u64>> {
        let mut sums = BTreeMap::new();
        self.reader.command("BEGIN").unwrap();
        let told = self.reader.tallied(asked, by, &mut |sum| {
            let key = json!([Value::Object(sum.fields.clone()), sum.begins]).to_string();
            *sums.entry(key).or_default() += sum.rows;
            Ok(ControlFlow::Continue(()))
        });
        self.reader.command("COMMIT").unwrap();
        told.unwrap().then_some(sums)
    }

    #[track_caller]
    fn assert_verified(&self) {
        self.reader.command("BEGIN").unwrap();
        let found = self.reader.verify_tallies().unwrap();
        self.reader.command("COMMIT").unwrap();
        assert!(found.is_empty(), "{found:#?}");
    }
}

fn home(project: usize) -> Home {
    let (domain, workspace, project) = PROJECTS[project];
    Home { domain_id: domain.into(), workspace_id: workspace.into(), project_id: project.into() }
}

fn at(minutes: i64) -> Timestamp {
    from_millis(START + minutes * 60_000)
}

fn asked(kind: Kind, filter: &Value) -> Query {
    let catalogue = match kind {
        Kind::Event => &query::EVENTS,
        Kind::Alert => &query::ALERTS,
    };
    let asked = json!({ "filter": filter, "page": { "total": "exact" } });
    Query::parse(&asked, catalogue, at(0)).unwrap()
}

fn table(kind: Kind) -> &'static sql::Table {
    match kind {
        Kind::Event => &sql::EVENTS,
        Kind::Alert => &sql::ALERTS,
    }
}

#[test]
fn a_quarter_that_many_events_share_is_one_row() {
    let mill = Mill::new();
    mill.commit(|tx| (0..50).try_for_each(|_| tx.add_event(&mill.event(0, 0)))).unwrap();
    let rows = mill.reader.number("SELECT count(*) FROM tally_quarter", []).unwrap();
    assert_eq!(rows, Some(1));
    assert_eq!(mill.totals(Kind::Event, &Scope::EVERYTHING, &json!([])), (Some(50), 50));
    mill.assert_verified();
}

#[test]
fn what_was_never_counted_is_counted_when_the_store_is_opened() {
    let mill = Mill::new();
    for minutes in [0, 20, 300, 5000, 90_000, -70_000, 400_000] {
        mill.commit(|tx| tx.add_event(&mill.event(1, minutes))).unwrap();
    }
    mill.writer.borrow().connection.execute_batch(
        "DELETE FROM tally_mark; DELETE FROM tally_quarter; UPDATE tally_combo SET severity = 'INFO';",
    ).unwrap();
    let mill = mill.reopened();
    mill.assert_verified();
    assert_eq!(mill.totals(Kind::Event, &Scope::EVERYTHING, &json!([])), (Some(7), 7));
}

#[test]
fn differences_are_told_in_words() {
    let mill = Mill::new();
    for minutes in [0, 1, 20, 3000] {
        mill.commit(|tx| tx.add_event(&mill.event(1, minutes))).unwrap();
    }
    let break_it = |sql: &str| mill.writer.borrow().connection.execute(sql, []).unwrap();
    break_it("UPDATE event SET severity = 'CRITICAL' WHERE event_id = 'event-1'");
    break_it("DELETE FROM event WHERE event_id = 'event-3'");
    break_it("DELETE FROM tally_coarse WHERE level = 2");
    mill.reader.command("BEGIN").unwrap();
    insta::assert_snapshot!(mill.reader.verify_tallies().unwrap().join("\n"), @r"
    quarter of an hour from 2026-01-01T12:00:00.000Z: 2 tallied, 1 there, of events of type ALERT, severity NONE, provider `somebody`, of project 2, webhook 2
    quarter of an hour from 2026-01-01T12:15:00.000Z: 1 tallied, 0 there, of events of type ALERT, severity NONE, provider `somebody`, of project 2, webhook 2
    1 rows are of no combination that is known
    day from 2026-01-01T00:00:00.000Z: 0 tallied, 3 there, of events of type ALERT, severity NONE, provider `somebody`, of project 2, webhook 2
    1 tallies by day are due, 0 are there
    ");
}

#[test]
fn what_tallies_do_not_tell_apart_is_left_to_the_rows() {
    let mill = Mill::new();
    mill.commit(|tx| tx.add_event(&mill.event(0, 0))).unwrap();
    for filter in [
        json!([{ "k": "title", "v": "x", "o": "contain" }]),
        json!([{ "k": "created_at", "v": "2026-01-01", "o": "not" }]),
        json!([{ "k": "additional_info.a", "v": 1, "o": "eq" }]),
    ] {
        assert_eq!(mill.totals(Kind::Event, &Scope::EVERYTHING, &filter).0, None, "{filter}");
    }
}

#[test]
fn providers_beyond_those_told_apart_are_left_to_the_rows_where_they_are_asked_about() {
    let mill = Mill::new();
    let mut event = mill.event(0, 0);
    mill.commit(|tx| {
        for number in 0..70 {
            event.event_id = format!("e{number}").into();
            event.draft.provider = Some(format!("provider {number}"));
            tx.add_event(&event)?;
        }
        tx.add_event(&mill.event(1, 0))
    })
    .unwrap();
    let everything = &Scope::EVERYTHING;
    let of = |provider: &str| json!({ "k": "provider", "v": provider, "o": "eq" });
    assert_eq!(mill.totals(Kind::Event, everything, &json!([])), (Some(71), 71));
    assert_eq!(mill.totals(Kind::Event, everything, &json!([of("provider 3")])), (None, 1));
    let other_project = json!([of("somebody"), { "k": "project_id", "v": "p2", "o": "eq" }]);
    assert_eq!(mill.totals(Kind::Event, everything, &other_project), (Some(1), 1));
    mill.assert_verified();
}

#[test]
fn a_total_of_a_page_is_exact_without_counting_rows() {
    let mill = Mill::new();
    mill.commit(|tx| (0..30).try_for_each(|minute| tx.add_event(&mill.event(0, minute)))).unwrap();
    // Rows that only a count would miss.
    mill.writer.borrow().connection.execute("DELETE FROM event WHERE event > 10", []).unwrap();
    let query = asked(Kind::Event, &json!([{ "k": "project_id", "v": "p1", "o": "eq" }]));
    mill.reader.command("BEGIN").unwrap();
    let found = mill.reader.events(&Scope::EVERYTHING, &query).unwrap();
    assert_eq!((found.rows.len(), found.total), (10, crate::store::Total::Exact(30)));
}
