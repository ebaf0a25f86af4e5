//! Whatever the plan, the page is the same: held against the plain statement, on a store of a group, some blocks and a
//! tail.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{
    clock::from_millis,
    domain::{
        alert::{Alert, Ending},
        event::{Draft, Event},
        project::{Domain, Project, Workspace},
        scope::{Home, Reach},
        webhook::{Webhook, WebhookOptions},
        words::{DeliveryState, Severity, WebhookState, Why},
    },
    id::Mint,
    query::{ALERTS, EVENTS},
    store::{
        Alerts, Deliveries, Durability, Events, Filing, Payload, Projects, Webhooks,
        sqlite::connect,
    },
};

const EVENTS_THERE: u64 = 20_000;

struct House {
    work: Work,
    _directory: TempDir,
}

fn home(project: u64) -> Home {
    Home {
        domain_id: format!("domain-{}", project / 4).as_str().into(),
        workspace_id: format!("workspace-{}", project / 2).as_str().into(),
        project_id: format!("project-{project}").as_str().into(),
    }
}

fn chance(number: u64) -> u64 {
    let mixed = (number ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

fn event(number: u64, mint: &Mint) -> Event {
    let chance = chance(number);
    let key = chance % 40;
    let project = key % 6;
    // Mostly in order, often several at once, some brought in from long ago.
    let time =
        if chance.is_multiple_of(13) { chance % 900_000 } else { 1_000_000 + number / 3 * 7_000 };
    let created_at = from_millis(i64::try_from(time).unwrap());
    let id = if chance.is_multiple_of(17) {
        format!("Imported-{number}").as_str().into()
    } else {
        mint.id(created_at)
    };
    let title = match chance % 5 {
        0 => None,
        1 => Some(format!("Disk of İstanbul at {}", chance % 1000)),
        2 => Some(format!("CPU high on web-{}", chance % 70)),
        3 => Some("Straße ΣΑΣ".to_owned()),
        _ => Some(format!("error {number}")),
    };
    let resources = (0..chance % 3).map(|at| format!("host-{}", (chance >> at) % 30)).collect();
    let draft = Draft {
        title,
        resources,
        severity: Severity::ALL[usize::try_from(chance % 6).unwrap()],
        ..Draft::new(format!("key-{key}"))
    };
    Event {
        event_id: id,
        alert_id: None,
        webhook_id: format!("webhook-{}", project + 6 * (chance % 2)).as_str().into(),
        delivery_id: "receipt-1".into(),
        item: 0,
        home: home(project),
        draft,
        reading: None,
        why: Why::NewKey,
        created_at,
    }
}

fn furnish(work: &mut Work) {
    let created_at = from_millis(0);
    for project in 0..6 {
        let Home { domain_id, workspace_id, .. } = home(project);
        let name = String::new;
        let domain = Domain { domain_id: domain_id.clone(), name: name(), created_at };
        work.put_domain(&domain).unwrap();
        work.put_workspace(&Workspace { workspace_id, domain_id, name: name(), created_at })
            .unwrap();
        let (home, tags) = (home(project), BTreeMap::new());
        work.put_project(&Project { home, name: name(), tags, created_at }).unwrap();
    }
    for number in 0..12 {
        let webhook = Webhook {
            webhook_id: format!("webhook-{number}").as_str().into(),
            name: format!("{number}"),
            state: WebhookState::Enabled,
            access_keys: Vec::new(),
            plugin: "x".to_owned(),
            options: WebhookOptions::default(),
            home: home(number % 6),
            tags: BTreeMap::new(),
            created_at,
        };
        work.put_webhook(&webhook).unwrap();
    }
    let filing = Filing {
        delivery_id: &"receipt-1".into(),
        webhook_id: &"webhook-1".into(),
        state: DeliveryState::Applied,
        ignored: None,
        items: 1,
        dead: 0,
        events: 1,
        sender: None,
        payload: &Payload::pack(&BTreeMap::new(), &BTreeMap::new(), b"{}").unwrap(),
        remote: "",
        received_at: created_at,
    };
    work.add_delivery(&filing).unwrap();
}

impl House {
    fn new(events: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let connection =
            connect::writer(&directory.path().join("a.db"), Durability::Normal).unwrap();
        connect::migrate(&connection, &crate::domain::audit::SealKey::default()).unwrap();
        let mut house = Self {
            work: Work::writer(connection, crate::domain::audit::SealKey::default()).unwrap(),
            _directory: directory,
        };
        house.commit(furnish);
        house.commit(|work| {
            let mint = Mint::repeatable();
            let mut alert = None;
            for number in 0..events {
                let mut event = event(number, &mint);
                if number % 4 == 0 {
                    let opened = Alert::opened_by(&event, &mint);
                    let reason = String::new();
                    let at = event.created_at;
                    let ending = Ending { resolved_at: at, recovered_at: None, reason };
                    work.add_alert(&opened.clone().ended(ending, at)).unwrap();
                    alert = Some(opened);
                }
                let same =
                    |it: &&Alert| it.event_key == event.draft.event_key && it.home == event.home;
                event.alert_id = alert.as_ref().filter(same).map(|alert| alert.alert_id().clone());
                work.add_event(&event).unwrap();
            }
        });
        house
    }

    fn commit(&mut self, part: impl FnOnce(&mut Work)) {
        self.work.command("BEGIN IMMEDIATE").unwrap();
        part(&mut self.work);
        self.work.finish().unwrap();
        self.work.live().unwrap().borrow_mut().settled();
    }

    fn all(&self, asked: &Asked<'_>) -> Vec<Keyset> {
        let mut query = asked.query.clone();
        (query.page.from, query.page.limit) = (Cursor::Skip(0), 1_000_000);
        self.work.walk(asked, &sql::compose(&query, asked.scope, asked.table)).unwrap()
    }
}

fn table(of: Of) -> &'static Table {
    match of {
        Of::Events => &sql::EVENTS,
        Of::Alerts => &sql::ALERTS,
    }
}

/// Pages from the start on, and one from somewhere in the middle, are those of the plain statement.
fn agree(house: &House, of: Of, asked: &Value, (scope, limit, deep): (&Scope, u32, usize)) {
    let catalogue = match of {
        Of::Events => &EVENTS,
        Of::Alerts => &ALERTS,
    };
    let mut query = Query::parse(asked, catalogue, from_millis(0)).unwrap();
    query.page.limit = limit;
    query.page.count = Count::Exact;
    let all = house.all(&Asked { query: &query, scope, table: table(of), of });
    let page = |query: &Query| {
        let asked = Asked { query, scope, table: table(of), of };
        let plan = house.work.plan(&asked).unwrap();
        let composed = sql::compose(query, scope, asked.table);
        let total = house.work.counted(&asked, &plan, &composed).unwrap();
        if let Some(total) = total {
            assert_eq!(total, Total::Exact(all.len() as u64), "{plan:?}");
        }
        (house.work.page(&asked, &plan, &composed).unwrap(), plan)
    };
    let size = limit as usize + 1;
    let mut begins = vec![0];
    begins.extend((1..4).map(|at| at * limit as usize));
    begins.push(deep % all.len().max(1));
    for begin in begins.into_iter().filter(|begin| *begin <= all.len()) {
        let rest = &all[begin..(begin + size).min(all.len())];
        if let Some(last) = begin.checked_sub(1) {
            query.page.from = Cursor::After(all[last]);
            let (found, plan) = page(&query);
            assert_eq!(found, rest, "after {begin} of {}: {plan:?}", all.len());
        }
        query.page.from = Cursor::Skip(begin as u64);
        let (found, plan) = page(&query);
        assert_eq!(found, rest, "from {begin} of {}: {plan:?}", all.len());
    }
}

fn scope() -> impl Strategy<Value = Scope> {
    let projects = prop::collection::btree_set(0_u64..7, 0..4).prop_map(|some| Scope {
        projects: Reach::Only(some.into_iter().map(|project| home(project).project_id).collect()),
        ..Scope::EVERYTHING
    });
    let domain = |number: u64| Scope {
        domains: Reach::one(format!("domain-{number}").as_str().into()),
        ..Scope::EVERYTHING
    };
    let workspace = |number: u64| Scope {
        workspaces: Reach::one(format!("workspace-{number}").as_str().into()),
        ..Scope::EVERYTHING
    };
    prop_oneof![
        2 => Just(Scope::EVERYTHING),
        3 => projects,
        1 => (0_u64..3).prop_map(domain),
        1 => (0_u64..4).prop_map(workspace),
    ]
}

const WORDS: [&str; 22] = [
    "disk",
    "CPU",
    "i\u{307}stanbul",
    "İstanbul",
    "straße",
    "σας",
    "web-6",
    "error 1234",
    "999",
    "at 77",
    "ab",
    "0000",
    "7000",
    "imported-17",
    "IMPORTED",
    "event-0",
    "alert-0000",
    "nt-0000",
    "cafe",
    "400",
    "nowhere",
    "1234",
];

fn condition() -> impl Strategy<Value = Value> {
    let named = |key: &'static str, stem: &'static str, most: u64| {
        let name = (0..most).prop_map(move |number| format!("{stem}-{number}"));
        let some = prop::collection::vec(name.clone(), 0..4);
        prop_oneof![
            name.prop_map(move |name| json!({ "k": key, "v": name, "o": "eq" })),
            some.prop_map(move |names| json!({ "k": key, "v": names, "o": "in" })),
        ]
    };
    let time = (prop::sample::select(vec!["gt", "gte", "lt", "lte"]), 0_i64..50_000_000);
    let word = prop::sample::select(WORDS.to_vec());
    prop_oneof![
        named("project_id", "project", 7),
        named("webhook_id", "webhook", 13),
        named("event_key", "key", 42),
        named("resource", "host", 32),
        named("workspace_id", "workspace", 4),
        time.prop_map(|(word, time)| {
            json!({ "k": "created_at", "v": crate::clock::rfc3339(from_millis(time)), "o": word })
        }),
        prop::sample::select(vec!["CRITICAL", "INFO"])
            .prop_map(|word| json!({ "k": "severity", "v": word, "o": "eq" })),
        word.prop_map(|word| json!({ "k": "title", "v": word, "o": "contain" })),
    ]
}

fn asked() -> impl Strategy<Value = Value> {
    let some = |most| prop::collection::vec(condition(), 0..most);
    let keyword = prop::option::weighted(0.3, prop::sample::select(WORDS.to_vec()));
    (some(3), some(2), keyword)
        .prop_map(|(all, any, word)| json!({ "filter": all, "filter_or": any, "keyword": word }))
}

thread_local! { static HOUSE: House = House::new(EVENTS_THERE); }

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_plan_finds_the_pages_of_the_plain_statement(
        asked in asked(), scope in scope(), limit in 1_u32..60, deep in 0_usize..20_000,
    ) {
        HOUSE.with(|house| {
            for of in [Of::Events, Of::Alerts] {
                agree(house, of, &asked, (&scope, limit, deep));
            }
        });
    }
}

#[test]
fn paging_shows_every_row_once_though_rows_come_in_between() {
    let mut house = House::new(700);
    let several = Scope {
        projects: Reach::Only((0..3).map(|project| home(project).project_id).collect()),
        ..Scope::EVERYTHING
    };
    let mut number = 100_000;
    for (asked, scope) in [
        (json!({ "filter": [{ "k": "resource", "v": "host-3", "o": "eq" }] }), &Scope::EVERYTHING),
        (json!({ "filter": [{ "k": "event_key", "v": "key-3", "o": "eq" }] }), &Scope::EVERYTHING),
        (json!({ "keyword": "disk" }), &several),
        (json!({}), &several),
    ] {
        let mut query = Query::parse(&asked, &EVENTS, from_millis(0)).unwrap();
        query.page.limit = 3;
        let table = &sql::EVENTS;
        let before = house.all(&Asked { query: &query, scope, table, of: Of::Events });
        let mut shown = Vec::new();
        loop {
            let found = house.work.events(scope, &query).unwrap();
            shown.extend(found.rows.into_iter().map(|event| event.event_id));
            house.commit(|work| {
                let mint = Mint::unpredictable();
                for _ in 0..40 {
                    work.add_event(&event(number, &mint)).unwrap();
                    number += 13;
                }
            });
            let Some(next) = found.next_cursor else { break };
            query.page.from = Cursor::read(&next).unwrap();
        }
        let distinct: std::collections::BTreeSet<_> = shown.iter().collect();
        assert_eq!(distinct.len(), shown.len(), "{asked}");
        // Those brought in from long ago may come on top.
        assert!(shown.len() >= before.len(), "{asked}: {} of {}", shown.len(), before.len());
    }
}

#[test]
fn what_was_undone_is_not_found_and_what_was_there_before_is() {
    let mut house = House::new(300);
    let mint = Mint::unpredictable();
    house.work.command("BEGIN IMMEDIATE").unwrap();
    house.work.add_event(&event(1, &mint)).unwrap();
    house.work.command("ROLLBACK").unwrap();
    house.work.forget_commit();
    house.commit(|work| {
        for number in 1000..1300 {
            work.add_event(&event(number, &mint)).unwrap();
        }
    });
    let asked = json!({ "keyword": "istanbul straße" });
    agree(&house, Of::Events, &asked, (&Scope::EVERYTHING, 20, 50));
    // A store from before there was a place to note it.
    for table in ["sought", "sought_block", "sought_group"] {
        house.work.connection.execute(&format!("DELETE FROM {table}"), []).unwrap();
    }
    house.work.find_all().unwrap();
    let resource = json!({ "filter": [{ "k": "resource", "v": "host-3", "o": "eq" }] });
    agree(&house, Of::Events, &resource, (&Scope::EVERYTHING, 20, 50));
    assert_eq!(house.work.first_open_block(Of::Events).unwrap(), 2);
}

#[test]
fn an_alert_is_found_by_its_new_title() {
    let mut house = House::new(1100);
    let query =
        Query::parse(&json!({ "page": { "limit": 300 } }), &ALERTS, from_millis(0)).unwrap();
    let mut alert = house.work.alerts(&Scope::EVERYTHING, &query).unwrap().rows.pop().unwrap();
    alert.title = Some("Quite another title".to_owned());
    house.commit(|work| work.put_alert(&alert).unwrap());
    let query = Query::parse(&json!({ "keyword": "another" }), &ALERTS, from_millis(0)).unwrap();
    let found = house.work.alerts(&Scope::EVERYTHING, &query).unwrap();
    assert_eq!(found.rows.len(), 1);
    assert_eq!(found.rows[0].alert_id(), alert.alert_id());
}

#[test]
fn every_strand_is_read_in_the_order_of_its_index() {
    let house = House::new(10);
    let scope = Scope {
        projects: Reach::Only((0..3).map(|project| home(project).project_id).collect()),
        ..Scope::EVERYTHING
    };
    for (of, asked) in [
        (Of::Events, json!({})),
        (Of::Alerts, json!({})),
        (Of::Events, json!({ "filter": [{ "k": "webhook_id", "v": "webhook-1", "o": "eq" }] })),
        (Of::Alerts, json!({ "filter": [{ "k": "webhook_id", "v": "webhook-1", "o": "eq" }] })),
        (Of::Events, json!({ "filter": [{ "k": "event_key", "v": "key-1", "o": "eq" }] })),
        (Of::Events, json!({ "filter": [{ "k": "severity", "v": "INFO", "o": "eq" }] })),
        (Of::Alerts, json!({ "filter": [{ "k": "state", "v": "TRIGGERED", "o": "eq" }] })),
    ] {
        for scope in [&scope, &Scope::EVERYTHING] {
            let catalogue = if of == Of::Events { &EVENTS } else { &ALERTS };
            let query = Query::parse(&asked, catalogue, from_millis(0)).unwrap();
            let asked = Asked { query: &query, scope, table: table(of), of };
            let Plan::Strands(strands) = house.work.plan(&asked).unwrap() else { panic!() };
            for statement in strands.statement(table(of)).split("; ") {
                let sql = format!("EXPLAIN QUERY PLAN {statement}");
                let mut statement = house.work.connection.prepare(&sql).unwrap();
                let mut rows = statement.raw_query();
                let mut plan = String::new();
                while let Some(row) = rows.next().unwrap() {
                    plan.push_str(&row.get::<_, String>(3).unwrap());
                    plan.push('\n');
                }
                assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
                assert!(plan.starts_with("SEARCH"), "{sql}\n{plan}");
                assert!(plan.lines().next().unwrap().contains("created_at"), "{sql}\n{plan}");
            }
        }
    }
}
