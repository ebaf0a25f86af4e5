//! The journey without its edges: what one delivery leaves in the store.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Answer, Intake, Shelves, ingest};
use crate::{
    clock::{Clock, from_millis},
    digest::sha256,
    domain::{
        channel::Place,
        delivery::{Delivery, PresentedKey},
        people::Contact,
        project::{AlertPolicy, Domain, Project, ProjectAlertConfig, Workspace},
        receipt::Receipt,
        scope::{Home, Scope},
        webhook::{Webhook, WebhookOptions},
        words::{
            AlertState, DeliveryState, NotificationUrgency, Outcome, RecoveryMode, WebhookState,
        },
    },
    error::{Code, Error, Result},
    metrics::Metrics,
    store::{Options, Size, Store},
};

struct Bench {
    intake: Intake,
    clock: Clock,
    directory: tempfile::TempDir,
}

fn home() -> Home {
    Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "p".into() }
}

fn webhook() -> Webhook {
    Webhook {
        webhook_id: "webhook-1".into(),
        name: "prod".to_owned(),
        state: WebhookState::Enabled,
        access_keys: Vec::new(),
        plugin: "alertmanager".to_owned(),
        options: WebhookOptions::default(),
        home: home(),
        tags: BTreeMap::new(),
        created_at: from_millis(0),
    }
}

impl Bench {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(from_millis(1_767_225_600_000));
        let store = open(directory.path());
        let now = clock.now();
        store
            .write(move |tx| {
                let Home { domain_id, workspace_id, .. } = home();
                tx.put_domain(&Domain {
                    domain_id: domain_id.clone(),
                    name: "d".into(),
                    created_at: now,
                })?;
                tx.put_workspace(&Workspace {
                    workspace_id,
                    domain_id,
                    name: "w".into(),
                    created_at: now,
                })?;
                tx.put_project(&Project {
                    home: home(),
                    name: "p".into(),
                    tags: BTreeMap::new(),
                    created_at: now,
                })?;
                tx.put_alert_config(&ProjectAlertConfig {
                    home: home(),
                    policy: AlertPolicy::new(RecoveryMode::Auto),
                    created_at: now,
                })?;
                tx.put_webhook(&webhook())
            })
            .await
            .unwrap();
        Self { intake: intake(store, &clock), clock, directory }
    }

    fn reopen(self) -> Self {
        self.intake.store.close();
        let intake = intake(open(self.directory.path()), &self.clock);
        Self { intake, ..self }
    }

    async fn deliver(&self, body: &str) -> Receipt {
        let delivery = Delivery {
            delivery_id: self.clock.mint().id(self.clock.now()),
            webhook_id: "webhook-1".into(),
            presented: PresentedKey(sha256(b"")),
            headers: BTreeMap::new(),
            query: BTreeMap::new(),
            body: body.as_bytes().to_vec(),
            remote: "127.0.0.1".to_owned(),
            received_at: self.clock.now(),
        };
        match ingest(&self.intake, Arc::new(webhook()), delivery).await.unwrap() {
            Answer::Receipt(receipt) => receipt,
            Answer::Handshake(handshake) => panic!("{handshake:?}"),
        }
    }
}

fn open(directory: &std::path::Path) -> Store {
    Store::open(&directory.join("a.db"), &Options::default(), Arc::new(Metrics::default())).unwrap()
}

fn intake(store: Store, clock: &Clock) -> Intake {
    let (shelves, books) = Shelves::open(None, None, clock.now()).unwrap();
    Intake {
        store,
        books: ArcSwap::from_pointee(books),
        shelves,
        mint: clock.mint().clone(),
        metrics: Arc::new(Metrics::default()),
        outbound: None,
    }
}

fn alertmanager(alerts: &[(&str, &str)]) -> String {
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|(status, fingerprint)| {
            json!({
                "status": status, "fingerprint": fingerprint,
                "labels": { "alertname": "HighLatency", "severity": "critical" }, "annotations": {},
                "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:05:00Z",
            })
        })
        .collect();
    json!({ "version": "4", "status": "firing", "alerts": alerts }).to_string()
}

fn what(receipt: &Receipt) -> Vec<Outcome> {
    receipt.items.iter().map(|item| item.what).collect()
}

#[tokio::test]
async fn a_firing_opens_a_repeat_joins_and_the_recovery_resolves_after_a_restart() {
    let bench = Bench::new().await;
    let first = bench.deliver(&alertmanager(&[("firing", "a"), ("firing", "b")])).await;
    assert_eq!(what(&first), [Outcome::Opened, Outcome::Opened], "{first:?}");
    bench.clock.advance(TimeDelta::minutes(11));
    let second = bench.deliver(&alertmanager(&[("firing", "a")])).await;
    assert_eq!(what(&second), [Outcome::Joined]);

    let bench = bench.reopen();
    let third = bench.deliver(&alertmanager(&[("resolved", "a")])).await;
    assert_eq!(what(&third), [Outcome::Resolved]);
    let id = third.items[0].alert_id.clone().unwrap();
    let alert = bench
        .intake
        .store
        .read(move |tx| tx.alert(&Scope::EVERYTHING, &id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((alert.alert_number, alert.standing.event_count), (1, 3));
    assert_eq!(alert.standing.state, AlertState::Resolved);
    let requests = bench.intake.store.snapshots().requests.get(&"webhook-1".into()).unwrap();
    assert_eq!((requests.total, requests.error), (3, 0));
}

#[tokio::test]
async fn a_job_that_fails_or_panics_leaves_nothing_behind_in_memory_or_file() {
    let bench = Bench::new().await;
    bench.deliver(&alertmanager(&[("firing", "a")])).await;
    let fail = |tx: &mut dyn crate::store::Tx| -> Result<()> {
        let id = tx.open_alert(&"p".into(), "a")?.unwrap().alert_id;
        let alert = tx.alert(&Scope::EVERYTHING, &id)?.unwrap();
        let mut other = alert.clone();
        other.event_key = "other".to_owned();
        other.standing.alert_id = "alert-other".into();
        other.alert_number = 0;
        tx.add_alert(&other)?;
        tx.delete_alert(&id, from_millis(0))?;
        Err(Error::new(Code::InvalidParameter, "on purpose"))
    };
    let failed = bench.intake.store.write(fail).await.unwrap_err();
    assert_eq!(failed.code, Code::InvalidParameter);
    let panicked = bench
        .intake
        .store
        .write(move |tx| -> Result<()> {
            let _ = fail(tx);
            panic!("on purpose")
        })
        .await
        .unwrap_err();
    assert_eq!(panicked.code, Code::Internal);
    let receipt = bench.deliver(&alertmanager(&[("firing", "a"), ("firing", "other")])).await;
    assert_eq!(what(&receipt), [Outcome::Joined, Outcome::Opened]);
    let id = receipt.items[1].alert_id.clone().unwrap();
    let read = move |tx: &dyn crate::store::Tx| tx.alert(&Scope::EVERYTHING, &id);
    let second = bench.intake.store.read(read).await.unwrap().unwrap();
    assert_eq!(second.alert_number, 2, "numbers have no gaps");
}

#[tokio::test]
async fn a_broken_sender_gives_one_alert_which_ends_with_the_next_good_delivery() {
    let bench = Bench::new().await;
    let broken = bench.deliver("{").await;
    assert_eq!((broken.state, what(&broken)), (DeliveryState::Dead, vec![Outcome::Dead]));
    let again = bench.deliver("{").await;
    assert_eq!(broken.items[0].alert_id, again.items[0].alert_id);
    let id = broken.items[0].alert_id.clone().unwrap();
    let read = |id: crate::id::Id<crate::domain::alert::Alert>| {
        move |tx: &dyn crate::store::Tx| tx.alert(&Scope::EVERYTHING, &id)
    };
    let alert = bench.intake.store.read(read(id.clone())).await.unwrap().unwrap();
    assert_eq!((alert.standing.state, alert.standing.event_count), (AlertState::Error, 2));
    bench.deliver(&alertmanager(&[("firing", "a")])).await;
    let alert = bench.intake.store.read(read(id)).await.unwrap().unwrap();
    assert_eq!(alert.standing.state, AlertState::Resolved);
}

#[tokio::test]
async fn a_unit_that_fails_after_it_wrote_takes_no_neighbour_with_it() {
    let bench = Bench::new().await;
    bench.deliver(&alertmanager(&[("firing", "a")])).await;
    let spoil = || {
        bench.intake.store.write_repeatable(Size::default(), |tx| -> Result<()> {
            let id = tx.open_alert(&"p".into(), "a")?.unwrap().alert_id;
            tx.delete_alert(&id, from_millis(0))?;
            Err(Error::new(Code::InvalidParameter, "on purpose"))
        })
    };
    let (again, other) = (alertmanager(&[("firing", "a")]), alertmanager(&[("firing", "b")]));
    let (first, failed, second, failed_again, third) = tokio::join!(
        bench.deliver(&again),
        spoil(),
        bench.deliver(&again),
        spoil(),
        bench.deliver(&other),
    );
    assert_eq!(failed.unwrap_err().code, Code::InvalidParameter);
    assert_eq!(failed_again.unwrap_err().code, Code::InvalidParameter);
    assert_eq!([what(&first), what(&second)], [[Outcome::Joined], [Outcome::Joined]]);
    assert_eq!(what(&third), [Outcome::Opened]);
    let id = first.items[0].alert_id.clone().unwrap();
    let read = move |tx: &dyn crate::store::Tx| tx.alert(&Scope::EVERYTHING, &id);
    let alert = bench.intake.store.read(read).await.unwrap().unwrap();
    assert_eq!(alert.standing.event_count, 3, "what is done again counts once");
}

#[tokio::test]
async fn an_alert_that_reaches_nobody_costs_one_row_which_says_so() {
    let bench = Bench::new().await;
    let opened = bench.deliver(&alertmanager(&[("firing", "a")])).await;
    let id = opened.items[0].alert_id.clone().unwrap();
    let read = move |tx: &dyn crate::store::Tx| {
        let everything = &Scope::EVERYTHING;
        Ok((tx.entries(everything, &id, (0, 10))?, tx.notices(everything, None, (0, 10))?))
    };
    let (entries, notices) = bench.intake.store.read(read.clone()).await.unwrap();
    assert!(notices.is_empty(), "{notices:?}");
    assert!(entries.iter().all(|(row, _)| *row == entries[0].0), "one row holds all: {entries:?}");
    let told = entries.last().map(|(_, entry)| entry.step.sentence());
    assert_eq!(told.as_deref(), Some("OPENED (level ALL, step 1): told nobody"));
    bench.deliver(&alertmanager(&[("resolved", "a")])).await;
    let (entries, notices) = bench.intake.store.read(read).await.unwrap();
    assert!(notices.is_empty(), "{notices:?}");
    let told: Vec<String> = entries.iter().rev().map(|(_, entry)| entry.step.sentence()).collect();
    assert_eq!(told[0], "RESOLVED (level ALL, step 1): told nobody");
    assert_eq!(entries[entries.len() - 1].0, entries[entries.len() - 2].0, "{told:?}");
}

#[tokio::test]
async fn what_changes_in_a_project_makes_only_its_own_setup_anew() {
    let bench = Bench::new().await;
    let store = &bench.intake.store;
    let other = Home { project_id: "q".into(), ..home() };
    let project = other.clone();
    store
        .write(move |tx| {
            let created_at = from_millis(0);
            let name = "q".to_owned();
            let home = project.clone();
            tx.put_project(&Project { home, name, tags: BTreeMap::new(), created_at })?;
            let policy = AlertPolicy::new(RecoveryMode::Auto);
            tx.put_alert_config(&ProjectAlertConfig { home: project, policy, created_at })
        })
        .await
        .unwrap();
    let setups = |id: &str| store.snapshots().setups.get(&id.into()).unwrap();
    let before = [setups("p"), setups("q")];
    let contact = Contact {
        contact_id: "contact-1".into(),
        user_id: "amy".to_owned(),
        channel_id: "channel-1".into(),
        urgency: NotificationUrgency::All,
        place: Place::Project(other),
        created_at: from_millis(0),
    };
    store.write(move |tx| tx.put_contact(&contact)).await.unwrap();
    assert!(Arc::ptr_eq(&before[0], &setups("p")), "the other project's stays");
    assert!(!Arc::ptr_eq(&before[1], &setups("q")), "its own is made anew");
    assert_eq!(setups("q").people.contacts.len(), 1);
}
