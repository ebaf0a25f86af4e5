//! What a tick costs while many alerts are open and escalated, and how late anything is.
//!
//! `cargo bench --bench ticks -- [--alerts 100000] [--seconds 120]` opens so many alerts, spread evenly over the ten
//! minutes that each step of their policy waits, and then lets second after second pass on a clock that obeys. Each tick
//! is measured in real time; it must take well under a second, or the next one would be late. At the end the server is
//! stopped for a while, so that every alert is due at once.
#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![expect(clippy::cast_precision_loss, reason = "no figure here has more digits than a float")]

use std::{error::Error, path::Path};

use alertmill::{
    app::{App, Opened, store_file},
    care::{self, Hand, Opening},
    clock::{Clock, Stopwatch, Timestamp, from_millis},
    config::Config,
    domain::{
        alert::{Alert, Standing},
        care::{Care, Marks},
        channel::Place,
        escalation::{EscalationPolicy, EscalationRule},
        event_rule::Routing,
        notice::NotificationLevel,
        project::Project,
        scope::Home,
        timer::TimerKind,
        words::{AlertState, Severity, Urgency},
    },
    id::{Id, Mint},
    store::Tx,
};
use chrono::TimeDelta;
use clap::Parser;

/// When the first alert opens.
const START: i64 = 1_767_225_600_000;

/// How long each step waits, in minutes.
const MINUTES: u32 = 10;

/// How many alerts are opened in one unit of work.
const TOGETHER: u64 = 500;

/// The statement that each tick begins with, as the store has it.
const DUE: &str =
    "SELECT kind, subject, due_at FROM timer WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2";

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

/// What the command line asks for.
struct Effort {
    alerts: u64,
    seconds: u32,
}

fn effort() -> Effort {
    let mut effort = Effort { alerts: 100_000, seconds: 120 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok());
        match argument.as_str() {
            "--alerts" => effort.alerts = number().unwrap_or(effort.alerts),
            "--seconds" => {
                effort.seconds =
                    number().and_then(|it| it.try_into().ok()).unwrap_or(effort.seconds);
            }
            _ => {}
        }
    }
    effort
}

fn home() -> Home {
    Home {
        domain_id: "default".into(),
        workspace_id: "default".into(),
        project_id: "default".into(),
    }
}

fn policy() -> EscalationPolicy {
    let rule = |notification_level| EscalationRule {
        notification_level,
        escalate_minutes: MINUTES,
        targets: Vec::new(),
    };
    let place = Place::Workspace("default".into(), "default".into());
    EscalationPolicy {
        escalation_policy_id: "ep-bench".into(),
        name: "Bench".to_owned(),
        is_default: false,
        rules: [NotificationLevel::Lv1, NotificationLevel::Lv2, NotificationLevel::Lv3]
            .map(rule)
            .to_vec(),
        repeat_count: 1000,
        ..EscalationPolicy::default_of(place, from_millis(START))
    }
}

fn alert(number: u64, mint: &Mint, now: Timestamp) -> Alert {
    Alert {
        standing: Standing {
            alert_id: mint.id(now),
            state: AlertState::Triggered,
            severity: Severity::Critical,
            urgency: Urgency::High,
            event_count: 1,
            last_event_at: now,
            updated_at: now,
            marks: Marks::default(),
        },
        alert_number: 0,
        event_key: format!("key-{number}"),
        title: Some(format!("Disk of host-{number} is full")),
        description: Some("Less than one percent is left.".to_owned()),
        rule: Some("disk".to_owned()),
        image_url: None,
        resources: vec![format!("host-{number}")],
        provider: Some(String::new()),
        account: Some(String::new()),
        additional_info: [("cluster".to_owned(), "eu1".into())].into(),
        assignee: None,
        responder: None,
        triggered_by: "webhook-1".to_owned(),
        webhook_id: None,
        home: home(),
        created_at: now,
        acknowledged_at: None,
        ending: None,
        care: Care::default(),
    }
}

/// Opens one alert as an event would.
fn open(
    tx: &mut dyn Tx,
    number: u64,
    (mint, now): (&Mint, Timestamp),
) -> alertmill::error::Result<()> {
    let project: Id<Project> = "default".into();
    let setup = care::setup(tx, &project)?;
    let mut alert = alert(number, mint, now);
    let (routing, hand) = (Routing::default(), Hand { mint, now, actor: "webhook:webhook-1" });
    let opening = Opening {
        alert: &mut alert,
        event: None,
        routing: &routing,
        setup: &setup,
        hand,
        steps: Vec::new(),
    };
    care::open(tx, opening)
}

/// Opens all alerts, spread evenly over the time that a step waits.
async fn fill(app: &App, alerts: u64) -> Outcome<()> {
    let chosen = policy();
    app.store
        .write(move |tx| {
            tx.put_escalation_policy(&chosen)?;
            tx.choose_policy(&"default".into(), Some(&chosen.escalation_policy_id))
        })
        .await?;
    let apart = i64::from(MINUTES) * 60_000 / i64::try_from(alerts)?.max(1);
    let mut first = 0;
    while first < alerts {
        let (last, mint) = ((first + TOGETHER).min(alerts), app.clock.mint().clone());
        let work = move |tx: &mut dyn Tx| {
            for number in first..last {
                let at = from_millis(START + i64::try_from(number).unwrap_or_default() * apart);
                open(tx, number, (&mint, at))?;
            }
            Ok(())
        };
        app.store.write(work).await?;
        first = last;
    }
    Ok(())
}

/// What a tick did and how long it took.
struct Tick {
    told: usize,
    millis: f64,
}

async fn tick(app: &App) -> Outcome<Tick> {
    let now = app.clock.now();
    let due = app.store.read(move |tx| tx.due_timers(now, u32::MAX)).await?;
    let told = due.iter().filter(|timer| timer.kind == TimerKind::Escalate).count();
    let watch = Stopwatch::start();
    app.jobs().second().await;
    Ok(Tick { told, millis: watch.elapsed().as_secs_f64() * 1000.0 })
}

fn report(name: &str, ticks: &mut [Tick]) {
    ticks.sort_by(|a, b| a.millis.total_cmp(&b.millis));
    let told: usize = ticks.iter().map(|tick| tick.told).sum();
    let at =
        |share: usize| ticks.get((ticks.len() * share / 100).min(ticks.len().saturating_sub(1)));
    let of = |share: usize| at(share).map_or(0.0, |tick| tick.millis);
    let each = ticks.iter().map(|tick| tick.millis).sum::<f64>() / (told as f64).max(1.0);
    println!(
        "{name}: {} ticks, {told} steps told; a tick takes p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms ({:.3} ms a step)",
        ticks.len(),
        of(50),
        of(99),
        of(100),
        each
    );
    println!(
        "  so nothing is later than {:.2} s: a second until the tick, and the tick itself",
        1.0 + of(100) / 1000.0
    );
}

fn plan(data: &Path) -> Outcome<()> {
    let store = rusqlite::Connection::open(store_file(data))?;
    let mut statement = store.prepare(&format!("EXPLAIN QUERY PLAN {DUE}"))?;
    let rows = statement.query_map([0, 200], |row| row.get::<_, String>(3))?;
    for row in rows {
        println!("query plan: {}", row?);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let effort = effort();
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let config = Flags::parse_from(["ticks", "--data", &data.display().to_string()]).config;
    let clock = Clock::manual(from_millis(START));
    let Opened { app, .. } = App::open(config, clock).await?;
    let watch = Stopwatch::start();
    fill(&app, effort.alerts).await?;
    println!("{} alerts opened in {:.1} s", effort.alerts, watch.elapsed().as_secs_f64());
    plan(&data)?;
    // Up to the very moment at which the first alert is due.
    app.clock.advance(TimeDelta::minutes(MINUTES.into()) - TimeDelta::seconds(1));
    let mut ticks = Vec::new();
    for _ in 0..effort.seconds {
        app.clock.advance(TimeDelta::seconds(1));
        ticks.push(tick(&app).await?);
    }
    report("evenly spread", &mut ticks);
    app.clock.advance(TimeDelta::minutes(i64::from(MINUTES) * 2));
    report("all at once, after a stop", &mut [tick(&app).await?]);
    report("nothing due", &mut [tick(&app).await?]);
    app.close();
    Ok(())
}
