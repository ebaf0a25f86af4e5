//! Saying outside that Alertmill is alive, for whoever raises an alarm once nothing is heard of it.
//!
//! It says so only while it does its work: the store takes a write, and no timer is overdue. What only looks alive would
//! keep the alarm from being raised.

use std::time::Duration;

use chrono::TimeDelta;

use super::Jobs;
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    outbound::{AllowPrivate, Outbound, PATIENCE},
};

/// How long a timer may be overdue.
const OVERDUE: TimeDelta = TimeDelta::minutes(1);

/// Says that all is well, again and again.
pub async fn ping_for_ever(jobs: Jobs, url: String, every: Duration) {
    let every = every.max(Duration::from_secs(1));
    // The operator says where to, so it may be anywhere.
    let outbound = Outbound::new(AllowPrivate::Yes).patient(PATIENCE.min(every));
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = ping(&jobs, (&outbound, &url), jobs.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "could not say outside that all is well");
        }
    }
}

/// Says once that all is well, if it is.
///
/// # Errors
/// Where it is not, or nobody took it.
pub async fn ping(jobs: &Jobs, (outbound, url): (&Outbound, &str), now: Timestamp) -> Result<()> {
    let store = &jobs.intake.store;
    store.write(|_| Ok(())).await?;
    let late = store.read(move |tx| tx.due_timers(now - OVERDUE, 1)).await?;
    if let Some(timer) = late.first() {
        let detail = format!("what was due at {} is not done yet", timer.due_at);
        return Err(Error::unavailable(detail, 1));
    }
    match outbound.get(url).await {
        Ok(status) if (200..300).contains(&status) => Ok(()),
        Ok(status) => Err(Error::unavailable(format!("`--ping-url` answered {status}"), 1)),
        Err(fault) => Err(Error::unavailable(format!("`--ping-url`: {fault}"), 1)),
    }
}
