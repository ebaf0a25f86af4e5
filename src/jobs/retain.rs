//! Removing what is old: each project's own ages, in small units of work with pauses between, so that who writes waits for
//! one of them at most.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::Jobs;
use crate::{
    clock::{Stopwatch, Timestamp, rfc3339},
    domain::{
        audit::{Actor, ActorKind, AuditEntry, Entity},
        project::Project,
        retention::{Age, Retention},
        scope::{Home, Scope},
    },
    error::{Error, Result},
    id::Id,
    metrics::KindLabels,
    store::{Mark, Old, Sweep, Tx},
};

/// How many rows one unit of work looks at.
const ROWS: u32 = 200;

/// How long one run may take for one project; what is left is for the next.
const PATIENCE: Duration = Duration::from_secs(60);

/// After how long a session that is over is forgotten.
const FORGOTTEN: TimeDelta = TimeDelta::hours(24);

/// The longest pause between two units of work.
const PAUSE: Duration = Duration::from_millis(100);

/// Removes what is old, in all projects.
///
/// # Errors
/// Where the store cannot be asked or changed; what was removed by then stays so.
pub async fn retain(jobs: &Jobs, now: Timestamp) -> Result<()> {
    let store = &jobs.intake.store;
    let all = store.read(|tx| tx.retentions(&Scope::EVERYTHING)).await?;
    for (home, retention) in all {
        let removed = match sweep_project(jobs, &home, retention, now).await {
            Ok(removed) => removed,
            Err(error) => {
                tell_failed(jobs, &home, &error, now).await;
                return Err(error);
            }
        };
        if removed.iter().any(|(_, count)| *count > 0) {
            tell(jobs, (home, retention), &removed, now).await?;
        }
    }
    while store.write(|tx| tx.trim_happenings(ROWS * 10)).await? > 0 {
        tokio::task::yield_now().await;
    }
    // What was given to whoever logged in, a day after it was over.
    while store.write(move |tx| tx.forget_held(now - FORGOTTEN, ROWS)).await? > 0 {
        tokio::task::yield_now().await;
    }
    forget_entries(jobs, now).await
}

/// What is removed, what it is called, and from which age on. A delivery goes once both its body and its events may be gone.
fn ages(retention: Retention) -> impl Iterator<Item = (Old, &'static str, Age)> {
    let Retention { events, payloads, resolved_alerts } = retention;
    // Before that age most still have events, and would be looked at in vain each hour.
    let deliveries = payloads.map(|age| events.map_or(age, |events| events.max(age)));
    [
        (Old::Events, "events", events),
        (Old::Alerts, "resolved_alerts", resolved_alerts),
        (Old::Payloads, "payloads", payloads),
        (Old::Deliveries, "deliveries", deliveries),
    ]
    .into_iter()
    .filter_map(|(old, name, age)| Some((old, name, age?)))
}

/// How long what was decided for events that no alert has is kept.
const DECIDED: TimeDelta = TimeDelta::days(30);

/// Removes what was decided for events that no alert has, once it is old.
async fn forget_entries(jobs: &Jobs, now: Timestamp) -> Result<()> {
    loop {
        let removed =
            jobs.intake.store.write(move |tx| tx.forget_entries(now - DECIDED, ROWS)).await?;
        if removed < ROWS as usize {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn sweep_project(
    jobs: &Jobs,
    home: &Home,
    retention: Retention,
    now: Timestamp,
) -> Result<Vec<(&'static str, u64)>> {
    let watch = Stopwatch::start();
    let mut removed = Vec::new();
    for (old, name, age) in ages(retention) {
        let (mut count, mut from) = (0, Some(Mark::default()));
        while let Some(mark) = from.filter(|_| watch.elapsed() < PATIENCE) {
            let sweep = Sweep {
                project: home.project_id.clone(),
                old,
                before: now - age.span(),
                from: mark,
                most: ROWS,
            };
            let took = Stopwatch::start();
            let swept = jobs.intake.store.write(move |tx| tx.sweep(&sweep)).await?;
            count += swept.removed;
            from = swept.next;
            // As long a pause as it took, so that at most half of the writer's time goes into this.
            tokio::time::sleep(took.elapsed().min(PAUSE)).await;
        }
        jobs.intake.metrics.removed.get_or_create(&KindLabels { kind: name }).inc_by(count);
        removed.push((name, count));
    }
    if let Some(age) = retention.resolved_alerts {
        let old = (&home.project_id, now - age.span());
        removed.push(("messages", sweep_messages(jobs, old, &watch).await?));
    }
    Ok(removed)
}

/// Removes some of what is old of a project: how many, and the number to go on from.
type Remove = fn(&mut dyn Tx, &Id<Project>, Timestamp, (i64, u32)) -> Result<(u64, Option<i64>)>;

/// Removes messages that are as old as alerts may get, and what nobody tells any more; how many messages.
async fn sweep_messages(
    jobs: &Jobs,
    old: (&Id<Project>, Timestamp),
    watch: &Stopwatch,
) -> Result<u64> {
    let messages: Remove = |tx, project, before, from| tx.remove_messages(project, before, from);
    let notices: Remove = |tx, project, before, from| tx.remove_notices(project, before, from);
    let count = sweep_all(jobs, old, messages, watch).await?;
    sweep_all(jobs, old, notices, watch).await?;
    jobs.intake.metrics.removed.get_or_create(&KindLabels { kind: "messages" }).inc_by(count);
    Ok(count)
}

async fn sweep_all(
    jobs: &Jobs,
    (project, before): (&Id<Project>, Timestamp),
    remove: Remove,
    watch: &Stopwatch,
) -> Result<u64> {
    let (mut count, mut from) = (0, Some(0));
    while let Some(after) = from.filter(|_| watch.elapsed() < PATIENCE) {
        let (project, took) = (project.clone(), Stopwatch::start());
        let swept = move |tx: &mut dyn Tx| remove(tx, &project, before, (after, ROWS));
        let (removed, next) = jobs.intake.store.write(swept).await?;
        count += removed;
        from = next;
        tokio::time::sleep(took.elapsed().min(PAUSE)).await;
    }
    Ok(count)
}

/// Says in the log and in the audit trail what was removed.
async fn tell(
    jobs: &Jobs,
    (home, retention): (Home, Retention),
    removed: &[(&'static str, u64)],
    now: Timestamp,
) -> Result<()> {
    let counts: Map<String, Value> =
        removed.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
    let counts = Value::Object(counts);
    tracing::info!(project = %home.project_id, removed = %counts, "removed what was old");
    let actor = Actor::unnamed(ActorKind::Timer, "retention");
    let entry = AuditEntry::new(now, actor, "project.retain")
        .changed(None, Some(counts))
        .saying(json!({ "older_than": limits(retention, now) }));
    let mint = jobs.clock.mint().clone();
    let record = move |tx: &mut dyn Tx| {
        let project = tx.project(&Scope::EVERYTHING, &home.project_id)?;
        let entity = Entity::new("project", &home.project_id);
        let entry = entry.on(entity.called(project.map(|project| project.name)));
        tx.add_audit(&home.domain_id, entry, &mint).map(|_| ())
    };
    jobs.intake.store.write(record).await
}

/// Says in the audit trail that a run ended before its time, if it can be said.
async fn tell_failed(jobs: &Jobs, home: &Home, error: &Error, now: Timestamp) {
    let actor = Actor::unnamed(ActorKind::Timer, "retention");
    let entry = AuditEntry::new(now, actor, "project.retain")
        .on(Entity::new("project", &home.project_id))
        .refused(error);
    let (domain_id, mint) = (home.domain_id.clone(), jobs.clock.mint().clone());
    let record = move |tx: &mut dyn Tx| tx.add_audit(&domain_id, entry, &mint).map(|_| ());
    if let Err(error) = jobs.intake.store.write(record).await {
        tracing::warn!(%error, cause = ?error.cause, "that a retention run failed could not be recorded");
    }
}

/// From when on what was removed had to go.
fn limits(retention: Retention, now: Timestamp) -> Map<String, Value> {
    let limit = |age: Age| json!(rfc3339(now - age.span()));
    ages(retention).map(|(_, name, age)| (name.to_owned(), limit(age))).collect()
}
