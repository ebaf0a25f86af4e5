//! Random histories: rows added in any order of time, changed, removed and undone, the store closed and opened again.

use proptest::{prelude::*, sample::select, test_runner::TestCaseError};

use super::*;

/// What happens to the store.
#[derive(Clone, Debug)]
enum Step {
    /// Some changes in one commit, which fails or not.
    Commit(Vec<Change>, bool),
    /// The store is closed and opened again.
    Reopen,
}

#[derive(Clone, Debug)]
enum Change {
    Event {
        project: usize,
        minutes: i64,
        provider: Option<&'static str>,
        severity: Severity,
        way: EventType,
    },
    Alert {
        project: usize,
        minutes: i64,
        severity: Severity,
        state: AlertState,
    },
    /// The alert of this number, counted around, becomes this.
    Changed {
        number: usize,
        project: usize,
        severity: Severity,
        state: AlertState,
    },
    Joined {
        number: usize,
        severity: Severity,
    },
    Deleted {
        number: usize,
    },
    /// The event of this number, counted around, is removed.
    Removed {
        number: usize,
    },
    /// Changes that are undone.
    Undone(Vec<Change>),
}

fn minutes() -> impl Strategy<Value = i64> {
    // Mostly within a few quarters of an hour, so that rows meet in them and ranges cut them.
    prop_oneof![4 => 0_i64..20, 2 => 0_i64..180, 1 => 0_i64..3000, 1 => -100_000_i64..100_000]
}

fn severity() -> impl Strategy<Value = Severity> {
    select(Severity::ALL)
}

fn lasting() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (0_usize..3, minutes(), select(&[None, Some(""), Some("a"), Some("b")][..]), severity(), select(EventType::ALL))
            .prop_map(|(project, minutes, provider, severity, way)| Change::Event { project, minutes, provider, severity, way }),
        3 => (0_usize..3, minutes(), severity(), select(AlertState::ALL))
            .prop_map(|(project, minutes, severity, state)| Change::Alert { project, minutes, severity, state }),
        1 => (any::<usize>(), 0_usize..3, severity(), select(AlertState::ALL))
            .prop_map(|(number, project, severity, state)| Change::Changed { number, project, severity, state }),
        1 => (any::<usize>(), severity()).prop_map(|(number, severity)| Change::Joined { number, severity }),
        1 => any::<usize>().prop_map(|number| Change::Deleted { number }),
        1 => any::<usize>().prop_map(|number| Change::Removed { number }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let undone = prop::collection::vec(lasting(), 1..5).prop_map(Change::Undone);
    prop_oneof![8 => lasting(), 1 => undone]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (prop::collection::vec(change(), 3..12), any::<bool>(), any::<bool>())
            .prop_map(|(changes, a, b)| Step::Commit(changes, a && b)),
        1 => Just(Step::Reopen),
    ]
}

/// A condition that tallies can answer, of events and alerts alike.
fn condition() -> impl Strategy<Value = Value> {
    let word = |key: &'static str, values: &'static [&'static str]| {
        (select(values), select(&["eq", "not", "contain"][..]))
            .prop_map(move |(value, operator)| json!({ "k": key, "v": value, "o": operator }))
    };
    let time = (minutes(), 0_i64..60_000, select(&["gt", "gte", "lt", "lte", "eq"][..]));
    prop_oneof![
        word("project_id", &["p1", "p2", "p3", "p4"]),
        word("workspace_id", &["w1", "w2"]),
        word("domain_id", &["d1", "d2"]),
        word("webhook_id", &["h1", "h3"]),
        word("provider", &["", "a", "b", "c"]),
        word("severity", &["CRITICAL", "ERROR", "NONE", "no such word"]),
        Just(json!({ "k": "provider", "v": null, "o": "eq" })),
        Just(json!({ "k": "provider", "v": ["a", null], "o": "not_in" })),
        time.prop_map(|(minutes, millis, operator)| {
            let time = rfc3339(from_millis(START + minutes * 60_000 + millis));
            json!({ "k": "created_at", "v": time, "o": operator })
        }),
    ]
}

fn scope() -> impl Strategy<Value = Scope> {
    let some = |ids: &[&str]| Scope {
        projects: Reach::Only(ids.iter().map(|id| (*id).into()).collect()),
        ..Scope::EVERYTHING
    };
    select(vec![
        Scope::EVERYTHING,
        some(&["p1"]),
        some(&["p1", "p3"]),
        some(&[]),
        Scope { domains: Reach::one("d1".into()), ..Scope::EVERYTHING },
    ])
}

impl Mill {
    fn alert(
        &self,
        project: usize,
        created_at: Timestamp,
        state: AlertState,
        severity: Severity,
    ) -> Alert {
        let number = self.number();
        Alert {
            standing: Standing {
                alert_id: format!("alert-{number}").into(),
                state,
                severity,
                urgency: if severity >= Severity::Error { Urgency::High } else { Urgency::Low },
                event_count: 1,
                last_event_at: created_at,
                updated_at: created_at,
                marks: crate::domain::care::Marks::default(),
            },
            alert_number: 0,
            event_key: format!("key-{number}"),
            title: None,
            description: None,
            rule: None,
            image_url: None,
            resources: Vec::new(),
            provider: [None, Some("a".to_owned())][number as usize % 2].clone(),
            account: None,
            additional_info: BTreeMap::new(),
            assignee: None,
            responder: None,
            triggered_by: String::new(),
            webhook_id: (!number.is_multiple_of(3)).then(|| format!("h{}", project + 1).into()),
            home: home(project),
            created_at,
            acknowledged_at: None,
            ending: None,
            care: crate::domain::care::Care::default(),
        }
    }

    fn some_alert(tx: &Work, number: usize) -> Option<Alert> {
        let rows =
            tx.number("SELECT count(*) FROM alert WHERE deleted_at IS NULL", []).unwrap().unwrap();
        let id = tx.one(
            "SELECT alert_id FROM alert WHERE deleted_at IS NULL LIMIT 1 OFFSET ?1",
            [i64::try_from(number).unwrap_or(0) % rows.max(1)],
            |row| Ok(row.get::<_, String>(0)?),
        );
        tx.alert(&Scope::EVERYTHING, &id.unwrap()?.into()).unwrap()
    }

    fn apply(&self, tx: &mut Work, change: &Change) {
        match change {
            Change::Event { project, minutes, provider, severity, way } => {
                let mut event = self.event(*project, *minutes);
                event.draft.provider = provider.map(str::to_owned);
                (event.draft.severity, event.draft.event_type) = (*severity, *way);
                tx.add_event(&event).unwrap();
            }
            Change::Alert { project, minutes, severity, state } => {
                tx.add_alert(&self.alert(*project, at(*minutes), *state, *severity)).unwrap();
            }
            Change::Changed { number, project, severity, state } => {
                let Some(mut alert) = Self::some_alert(tx, *number) else { return };
                alert.home = Home { project_id: home(*project).project_id, ..alert.home };
                (alert.standing.severity, alert.standing.state) = (*severity, *state);
                tx.put_alert(&alert).unwrap();
            }
            Change::Joined { number, severity } => self.join(tx, *number, *severity),
            Change::Deleted { number } => {
                let Some(alert) = Self::some_alert(tx, *number) else { return };
                tx.delete_alert(alert.alert_id(), at(0)).unwrap();
            }
            Change::Removed { number } => {
                let most = tx.number("SELECT max(event) FROM event", []).unwrap().unwrap_or(1);
                let row = i64::try_from(*number).unwrap_or(0) % most + 1;
                tx.tally_removed(Kind::Event, &[row]).unwrap();
                tx.put("DELETE FROM event WHERE event = ?1", [row]).unwrap();
            }
            Change::Undone(changes) => {
                let mark = tx.live().unwrap().borrow().mark();
                tx.command("SAVEPOINT part").unwrap();
                for change in changes {
                    self.apply(tx, change);
                }
                tx.command("ROLLBACK TO part").unwrap();
                tx.undo_to(mark);
                tx.command("RELEASE part").unwrap();
            }
        }
    }

    /// An event joins an alert, or ends it.
    fn join(&self, tx: &mut Work, number: usize, severity: Severity) {
        let Some(alert) = Self::some_alert(tx, number).filter(|it| it.standing.state.is_open())
        else {
            return;
        };
        let mut event = self.event(0, 0);
        event.home = alert.home.clone();
        event.draft.event_key = alert.event_key.clone();
        let mut standing = Standing { severity, urgency: Urgency::High, ..alert.standing.clone() };
        if number.is_multiple_of(2) {
            return tx.join_alert(&event, &standing).unwrap();
        }
        standing.state = AlertState::Resolved;
        let reason = String::new();
        let ending =
            crate::domain::alert::Ending { resolved_at: at(0), recovered_at: None, reason };
        tx.end_alert(&event, &standing, &ending).unwrap();
    }
}

fn check(mill: &Mill, conditions: &[Value], scope: &Scope) -> Result<(), TestCaseError> {
    mill.assert_verified();
    for kind in [Kind::Event, Kind::Alert] {
        for some in [&conditions[..1], conditions, &[]] {
            let (told, counted) = mill.totals(kind, scope, &json!(some));
            prop_assert_eq!(told, Some(counted), "{:?} {:?}", kind, some);
        }
        let query = asked(kind, &json!(conditions));
        let asked = Asked { kind, scope, filter: &query.filter };
        for step in [None, Some(Level::Quarter), Some(Level::Hour), Some(Level::Day)] {
            let fields: &[&str] = match kind {
                Kind::Event => &["project_id", "provider", "event_type"],
                Kind::Alert => &["state", "webhook_id", "severity", "urgency"],
            };
            let told = mill.told(&asked, By { fields, step });
            prop_assert_eq!(told, Some(counted(mill, &asked, (fields, step))));
        }
        check_stats(mill, kind, scope, conditions)?;
    }
    Ok(())
}

/// Statistics that tallies can answer.
fn stats(kind: Kind) -> Vec<Value> {
    let count = json!([{ "name": "n", "operator": "count" }]);
    let grouped =
        |keys: Value| json!({ "aggregate": [{ "group": { "keys": keys, "fields": count } }] });
    let own = match kind {
        Kind::Event => json!([{ "key": "event_type", "name": "own" }]),
        Kind::Alert => {
            json!([{ "key": "state", "name": "own" }, { "key": "urgency", "name": "urgency" }])
        }
    };
    let criticals = json!({ "name": "bad", "operator": "count",
        "conditions": [{ "k": "severity", "v": "CRITICAL", "o": "eq" }] });
    vec![
        json!({ "distinct": "severity" }),
        json!({ "distinct": "provider" }),
        json!({ "aggregate": [{ "count": { "name": "n" } }] }),
        grouped(own),
        grouped(
            json!([{ "key": "webhook_id", "name": "w" }, { "key": "workspace_id", "name": "s" }]),
        ),
        grouped(json!([{ "key": "created_at", "name": "day", "date_format": "%Y-%m-%d" }])),
        grouped(
            json!([{ "key": "created_at", "name": "month", "date_format": "%Y-%m" }, { "key": "severity", "name": "s" }]),
        ),
        grouped(
            json!([{ "key": "created_at", "name": "t", "bucket": "1h" }, { "key": "provider", "name": "p" }]),
        ),
        grouped(
            json!([{ "key": "created_at", "name": "t", "bucket": "1d", "time_zone": "Asia/Kathmandu" }]),
        ),
        grouped(json!([{ "key": "created_at", "name": "t", "bucket": "15m" }])),
        json!({ "aggregate": [{ "group": { "keys": [{ "key": "project_id", "name": "p" }], "fields": [criticals] } }] }),
    ]
}

/// Statistics say the same of tallies as of rows.
fn check_stats(
    mill: &Mill,
    kind: Kind,
    scope: &Scope,
    conditions: &[Value],
) -> Result<(), TestCaseError> {
    for mut asked in stats(kind) {
        asked["filter"] = json!(conditions);
        let catalogue = match kind {
            Kind::Event => &query::EVENTS,
            Kind::Alert => &query::ALERTS,
        };
        let stat = Stat::parse(&asked, catalogue, at(0)).unwrap();
        prop_assert!(stat.coarse().is_some(), "{}", asked);
        let mut running = stat.start();
        let fields = stat.fields();
        let scan = crate::store::Scan { filter: &stat.filter, fields: &fields, sort: &[] };
        let mut take = |record| {
            running.take(record, 1).unwrap();
            Ok(ControlFlow::Continue(()))
        };
        let told = match kind {
            Kind::Event => {
                mill.reader.visit_events(scope, &scan, &mut take).unwrap();
                mill.reader.event_stat(scope, &stat).unwrap()
            }
            Kind::Alert => {
                mill.reader.visit_alerts(scope, &scan, &mut take).unwrap();
                mill.reader.alert_stat(scope, &stat).unwrap()
            }
        };
        let sorted = |rows: Vec<Value>| {
            let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
            rows.sort_unstable();
            rows
        };
        prop_assert_eq!(sorted(told), sorted(running.finish().unwrap()), "{}", asked);
    }
    Ok(())
}

/// What the rows say of a filter, by fields and step.
fn counted(
    mill: &Mill,
    asked: &Asked<'_>,
    (fields, step): (&[&'static str], Option<Level>),
) -> BTreeMap<String, u64> {
    let mut all: std::collections::BTreeSet<&'static str> = fields.iter().copied().collect();
    all.insert("created_at");
    let scan = crate::store::Scan { filter: asked.filter, fields: &all, sort: &[] };
    let mut sums = BTreeMap::new();
    let mut take = |mut record: Value| {
        let members = record.as_object_mut().unwrap();
        let time = members.remove("created_at").unwrap();
        let time: Timestamp = time.as_str().unwrap().parse().unwrap();
        let millis = step.map(|step| step.quarters() * super::super::QUARTER);
        let begins = millis.map(|it| time.timestamp_millis().div_euclid(it) * it);
        *sums.entry(json!([record, begins]).to_string()).or_default() += 1;
        Ok(ControlFlow::Continue(()))
    };
    match asked.kind {
        Kind::Event => mill.reader.visit_events(asked.scope, &scan, &mut take),
        Kind::Alert => mill.reader.visit_alerts(asked.scope, &scan, &mut take),
    }
    .unwrap();
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn tallies_equal_the_rows_whatever_happens_to_them(
        steps in prop::collection::vec(step(), 4..12),
        conditions in prop::collection::vec(condition(), 1..4),
        scope in scope(),
    ) {
        let mut mill = Mill::new();
        for step in steps {
            match step {
                Step::Commit(changes, fails) => {
                    let done = mill.commit(|tx| {
                        for change in changes {
                            mill.apply(tx, &change);
                        }
                        // What was written of tallies already is undone too.
                        let written = if fails { tx.write_tallies() } else { Ok(()) };
                        written.and(if fails { Err(Error::internal("as meant")) } else { Ok(()) })
                    });
                    prop_assert_eq!(done.is_err(), fails, "{:?}", done);
                }
                Step::Reopen => mill = mill.reopened(),
            }
        }
        check(&mill, &conditions, &scope)?;
    }
}
