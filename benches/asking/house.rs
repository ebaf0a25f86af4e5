//! The store that is asked: 100 projects, one of which has half of the events, 1 000 webhooks, 100 000 keys, 20 000
//! resources, 30 days. Of a thousand keys that are busy at a time, each repeats about ten times before it recovers.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
    sync::Arc,
};

use alertmill::{
    clock::{Stopwatch, Timestamp, from_millis},
    domain::{
        alert::{Alert, Ending, Standing},
        delivery::Delivery,
        event::{Draft, Event},
        project::{AlertPolicy, Domain, Project, ProjectAlertConfig, Workspace},
        scope::Home,
        webhook::{Webhook, WebhookOptions},
        words::{DeliveryState, EventType, RecoveryMode, Severity, WebhookState, Why},
    },
    error::Result,
    id::{Id, Mint},
    metrics::Metrics,
    store::{Durability, Filing, Options, Payload, Size, Store, Tx},
};
use tokio::task::JoinSet;

pub(crate) const PROJECTS: u64 = 100;
pub(crate) const WEBHOOKS: u64 = 1_000;
const KEYS: u64 = 100_000;
const RESOURCES: u64 = 20_000;
const SPAN: i64 = 30 * 24 * 3600 * 1000;
/// When the newest event of a store came.
pub(crate) const END: i64 = 1_767_225_600_000;
/// How many events a delivery has.
const ITEMS: u64 = 10;
/// How many deliveries a unit of work has.
const DELIVERIES: u64 = 100;

const WHAT: [&str; 20] = [
    "CPU",
    "Memory",
    "Disk",
    "Latency",
    "Error rate",
    "Queue",
    "Replication",
    "Certificate",
    "Backup",
    "Temperature",
    "Swap",
    "Inodes",
    "Load",
    "Packet loss",
    "Throughput",
    "Connections",
    "Threads",
    "Garbage collection",
    "Lag",
    "Quota",
];
const HOW: [&str; 10] = [
    "is high",
    "is critical",
    "exceeded its limit",
    "is degraded",
    "did not recover",
    "is flapping",
    "is unknown",
    "keeps growing",
    "fell below its floor",
    "is stale",
];
const WHERE: [&str; 10] = [
    "checkout",
    "billing",
    "search",
    "frontend",
    "warehouse",
    "ledger",
    "mailer",
    "gateway",
    "catalogue",
    "identity",
];

/// A store with so many events.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) events: u64,
}

/// The place of a project.
pub(crate) fn home(project: u64) -> Home {
    Home {
        domain_id: "default".into(),
        workspace_id: format!("workspace-{}", project % 10).as_str().into(),
        project_id: format!("project-{project:03}").as_str().into(),
    }
}

/// The webhook of this number; its project has every hundredth.
pub(crate) fn webhook(number: u64) -> String {
    format!("webhook-{number:04}")
}

/// The project of a key: one has half of them.
fn project_of(key: u64) -> u64 {
    if key.is_multiple_of(2) { 0 } else { 1 + (key / 2) % (PROJECTS - 1) }
}

fn mixed(number: u64) -> u64 {
    let mixed = (number ^ (number >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8
}

/// The key of an event: one of a hundred is of the one key that never rests.
fn key_of(event: u64) -> u64 {
    let chance = mixed(event);
    if chance.is_multiple_of(100) { 7 } else { (event / 1_000 * 100 + chance % 1_000) % KEYS }
}

/// The event of this number, of a store with so many.
fn event(number: u64, events: u64, mint: &Mint) -> Event {
    let chance = mixed(number.wrapping_mul(31));
    let key = key_of(number);
    let project = project_of(key);
    #[expect(clippy::cast_possible_wrap, reason = "far below")]
    let created_at = from_millis(END - SPAN + (SPAN as u64 / events.max(1) * number) as i64);
    let resource = key % RESOURCES;
    let form = key as usize;
    let severity = Severity::ALL[chance as usize % Severity::ALL.len()];
    Event {
        event_id: mint.id(created_at),
        alert_id: None,
        webhook_id: webhook(project + 100 * (key / 200 % 10)).as_str().into(),
        delivery_id: "none".into(),
        item: 0,
        home: home(project),
        draft: Draft {
            event_type: if chance.is_multiple_of(10) {
                EventType::Recovery
            } else {
                EventType::Alert
            },
            severity,
            title: Some(format!(
                "{} of {} {} at {}",
                WHAT[form % 20],
                WHERE[form / 20 % 10],
                HOW[form / 200 % 10],
                chance % 100_000
            )),
            description: Some(format!(
                "Measured {} over five minutes, the limit is {}",
                chance % 997,
                key % 100
            )),
            rule: Some(format!("rule-{}", key % 500)),
            resources: vec![format!("host-{resource:05}")],
            provider: Some(["prometheus", "aws", "zabbix"][key as usize % 3].to_owned()),
            account: Some(format!("account-{}", project % 7)),
            additional_info: BTreeMap::from([
                ("cluster".to_owned(), format!("cluster-{}", key % 40).into()),
                ("region".to_owned(), ["eu-west-1", "us-east-1"][key as usize % 2].into()),
            ]),
            ..Draft::new(format!("key-{key:06}"))
        },
        reading: None,
        why: Why::NewKey,
        created_at,
    }
}

/// Keeps an event and does to alerts what follows from it; what the journey does, without reading a payload.
fn keep(tx: &mut dyn Tx, mut event: Event, mint: &Mint) -> Result<()> {
    let now = event.created_at;
    let open = tx.open_alert(&event.home.project_id, &event.draft.event_key)?;
    let is_recovery = event.draft.event_type == EventType::Recovery;
    match open {
        Some(standing) => {
            event.alert_id = Some(standing.alert_id.clone());
            let standing: Standing = standing.joined_by(&event, now);
            if is_recovery {
                let ending =
                    Ending { resolved_at: now, recovered_at: None, reason: "recovered".to_owned() };
                tx.end_alert(&event, &standing.resolved(now), &ending)?;
            } else {
                tx.join_alert(&event, &standing)?;
            }
        }
        None if is_recovery => {}
        None => {
            let alert = Alert::opened_by(&event, mint);
            event.alert_id = Some(alert.alert_id().clone());
            tx.add_alert(&alert)?;
        }
    }
    tx.add_event(&event)
}

/// Keeps a delivery of these events.
fn deliver(tx: &mut dyn Tx, events: Vec<Event>, mint: &Mint) -> Result<()> {
    let Some(first) = events.first() else { return Ok(()) };
    let delivery_id: Id<Delivery> = mint.id(first.created_at);
    let count = u32::try_from(events.len()).unwrap_or_default();
    tx.add_delivery(&Filing {
        delivery_id: &delivery_id,
        webhook_id: &first.webhook_id,
        state: DeliveryState::Applied,
        ignored: None,
        items: count,
        dead: 0,
        events: count,
        sender: None,
        payload: &Payload::pack(&BTreeMap::new(), &BTreeMap::new(), b"{\"alerts\": []}")?,
        remote: "127.0.0.1",
        received_at: first.created_at,
    })?;
    for (item, mut event) in (0..).zip(events) {
        event.delivery_id = delivery_id.clone();
        event.item = item;
        keep(tx, event, mint)?;
    }
    Ok(())
}

fn furnish(tx: &mut dyn Tx) -> Result<()> {
    let created_at = from_millis(END - SPAN);
    let name = String::new;
    tx.put_domain(&Domain { domain_id: "default".into(), name: name(), created_at })?;
    for workspace in 0..10 {
        let Home { domain_id, workspace_id, .. } = home(workspace);
        tx.put_workspace(&Workspace { workspace_id, domain_id, name: name(), created_at })?;
    }
    for project in 0..PROJECTS {
        let home = home(project);
        let tags = BTreeMap::new();
        tx.put_project(&Project { home: home.clone(), name: name(), tags, created_at })?;
        let policy = AlertPolicy::new(RecoveryMode::Auto);
        tx.put_alert_config(&ProjectAlertConfig { home, policy, created_at })?;
    }
    for number in 0..WEBHOOKS {
        tx.put_webhook(&Webhook {
            webhook_id: webhook(number).as_str().into(),
            name: webhook(number),
            state: WebhookState::Enabled,
            access_keys: Vec::new(),
            plugin: "alertmanager".to_owned(),
            options: WebhookOptions::default(),
            home: home(number % PROJECTS),
            tags: BTreeMap::new(),
            created_at,
        })?;
    }
    Ok(())
}

impl House {
    /// The store with so many events in `directory`, built if it is not there.
    pub(crate) async fn open(directory: &Path, events: u64) -> io::Result<Self> {
        let file = directory.join(format!("asking-{events}.db"));
        let ready = file.with_extension("ready");
        if !ready.exists() {
            for ending in ["db", "db-wal", "db-shm"] {
                let _ = std::fs::remove_file(file.with_extension(ending));
            }
        }
        let durability = if ready.exists() { Durability::Full } else { Durability::Normal };
        let options = Options { durability, ..Options::default() };
        let open = |options: &Options| {
            Store::open(&file, options, Arc::new(Metrics::default())).map_err(io::Error::other)
        };
        let mut store = open(&options)?;
        if !ready.exists() {
            let watch = Stopwatch::start();
            store.write(furnish).await.map_err(io::Error::other)?;
            build(&store, events).await.map_err(io::Error::other)?;
            store.close();
            let took = watch.elapsed().as_secs_f64();
            #[expect(clippy::print_stdout, reason = "it is a program that prints")]
            {
                println!(
                    "built {events} events in {took:.0} s, {:.1} us an event",
                    took * 1e6 / events as f64
                );
            }
            std::fs::write(ready, "")?;
            store = open(&Options::default())?;
        }
        Ok(Self { store, events })
    }

    /// Takes in so many events, one a delivery, from many senders at once.
    pub(crate) async fn take_in(&self, from: u64, count: u64) -> Result<()> {
        let mut senders: JoinSet<Result<()>> = JoinSet::new();
        for sender in 0..64 {
            let (store, events) = (self.store.clone(), self.events);
            senders.spawn(async move {
                let mint = Mint::unpredictable();
                for number in (sender..count).step_by(64) {
                    let mint = mint.clone();
                    let work = move |tx: &mut dyn Tx| {
                        let event = event(from + number, events, &mint);
                        deliver(tx, vec![event], &mint)
                    };
                    store.write_repeatable(Size { bytes: 1000, events: 1 }, work).await?;
                }
                Ok(())
            });
        }
        while let Some(done) = senders.join_next().await {
            done.map_err(alertmill::error::Error::internal)??;
        }
        Ok(())
    }
}

async fn build(store: &Store, events: u64) -> Result<()> {
    let mint = Mint::repeatable();
    let unit = ITEMS * DELIVERIES;
    for first in (0..events).step_by(unit as usize) {
        let mint = mint.clone();
        let work = move |tx: &mut dyn Tx| {
            for delivery in (first..events.min(first + unit)).step_by(ITEMS as usize) {
                let numbers = delivery..events.min(delivery + ITEMS);
                let mut by_hook: HashMap<Id<Webhook>, Vec<Event>> = HashMap::new();
                for event in numbers.map(|number| event(number, events, &mint)) {
                    by_hook.entry(event.webhook_id.clone()).or_default().push(event);
                }
                let mut posted: Vec<Vec<Event>> = by_hook.into_values().collect();
                posted.sort_by_key(|events| events.first().map(|event| event.created_at));
                for events in posted {
                    deliver(tx, events, &mint)?;
                }
            }
            Ok(())
        };
        store.write_repeatable(Size { bytes: 1 << 20, events: unit as usize }, work).await?;
    }
    Ok(())
}

/// When an event in the middle of the store came.
pub(crate) fn middle() -> Timestamp {
    from_millis(END - SPAN / 2)
}
