//! What happens by itself: a ticker that tests can step.

pub mod alarm;
pub mod audit_feed;
mod audit_retain;
mod audit_verify;
pub mod deliver;
pub mod ping;
pub mod reload;
mod retain;
pub mod self_check;
mod spool;
mod strangers;
mod watch;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub use self::{
    audit_verify::read_to_the_end,
    deliver::{Courier, deliver},
    ping::ping_for_ever,
    reload::{reload, reload_recorded},
    retain::retain,
    spool::Note,
    strangers::{OTHERS, Stranger, Strangers, Wanted, write_all},
    watch::watch,
};
use crate::{
    clock::Clock,
    domain::{audit::SealKey, office_hours::OfficeHours},
    ingest::Intake,
};

/// How often the ticker ticks.
const EVERY: Duration = Duration::from_secs(60);

/// How often the audit trail is verified.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long after a start that is done first.
const SETTLED: Duration = Duration::from_secs(15 * 60);

/// What jobs need.
#[derive(Clone)]
pub struct Jobs {
    /// The journey, for what Alertmill itself has to say.
    pub intake: Arc<Intake>,
    /// What time it is.
    pub clock: Clock,
    /// Where the store's file is.
    pub data: PathBuf,
    /// What sends messages.
    pub courier: Arc<Courier>,
    /// When people are at work; at all times where nobody said.
    pub office_hours: Option<OfficeHours>,
    /// Who was turned away, until that is in the audit trail.
    pub strangers: Arc<Strangers>,
    /// What proves how the chains of the audit trail stand.
    pub seal: SealKey,
    /// How long audit records are kept; for ever if it is no time at all.
    pub audit_retention: Duration,
}

impl Jobs {
    /// Ticks for ever.
    pub async fn run(self) {
        tokio::join!(self.seconds(), self.minutes(), self.days(), deliver::run(&self));
    }

    /// Does each second what is due.
    async fn seconds(&self) {
        let mut ticks = tokio::time::interval(alarm::EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.second().await;
        }
    }

    /// Does once what is due each second: timers, and what the audit trail feeds.
    pub async fn second(&self) {
        if let Err(error) = alarm::alarm(&self.intake, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "what is due could not be looked for");
        }
        if let Err(error) = audit_feed::feed(self, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "the audit trail could not be fed");
        }
    }

    /// Does each minute and each hour what is due then.
    async fn minutes(&self) {
        let mut ticks = tokio::time::interval(EVERY);
        for minute in 0_u64.. {
            ticks.tick().await;
            self.tick().await;
            // Not at once: a start has enough to do.
            if minute % 60 == 5 {
                self.hour().await;
            }
        }
    }

    /// Does each day what is due then, for as long as it takes.
    async fn days(&self) {
        tokio::time::sleep(SETTLED).await;
        let mut ticks = tokio::time::interval(DAY);
        loop {
            ticks.tick().await;
            self.day().await;
        }
    }

    /// Does once what is due each hour.
    pub async fn hour(&self) {
        if let Err(error) = retain(self, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "what is old could not be removed");
        }
        if let Err(error) = audit_retain::audit_retain(self, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "what is old of the audit trail could not be removed");
        }
    }

    /// Does once what is due each day.
    pub async fn day(&self) {
        if let Err(error) = audit_verify::audit_verify(self, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "the audit trail could not be verified");
        }
    }

    /// Does once what is due.
    pub async fn tick(&self) {
        if let Err(error) = strangers::write(self, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "who was turned away could not be recorded");
        }
        if let Err(error) = reload::catch_up(self, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "which rules are live could not be recorded");
        }
        if let Err(error) = spool::take_in(self, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "what commands did could not be recorded");
        }
        if let Err(error) = self_check::check(self, self.clock.now()).await {
            tracing::warn!(%error, cause = ?error.cause, "the self-check could not be done");
        }
    }
}
