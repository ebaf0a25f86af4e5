//! Whether Alertmill itself is well: a disk that fills up, deliveries that pile up because nobody mends their rules,
//! messages that were given up, or rules that were refused, become alerts in the project `system`, like anybody else's.

use chrono::TimeDelta;

use super::Jobs;
use crate::{
    clock::Timestamp,
    domain::{
        event::Draft,
        project::{Project, SYSTEM_PROJECT},
        words::{EventType, Severity},
    },
    error::{Error, Result},
    id::Id,
    ingest::report,
    load_error::LoadError,
};

/// Below this share of free space, in percent, the disk is nearly full.
const LOW_PERCENT: u64 = 5;

/// From this number of deliveries on that are not understood, they pile up.
const PILE: u32 = 100;

/// How long ago a message may have been given up to count.
const LATELY: TimeDelta = TimeDelta::hours(1);

/// How long what comes and goes must have been well before its alert is resolved.
const LINGERS: TimeDelta = TimeDelta::minutes(5);

/// How many mistakes are told in an alert.
const TOLD: usize = 10;

/// What was looked at, and what is wrong with it, if anything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key of its events.
    pub event_key: &'static str,
    /// How bad it is; `None` where it is well.
    pub severity: Option<Severity>,
    /// What a person reads first.
    pub title: String,
    /// What to do.
    pub advice: String,
    /// How long its alert stays once it is well again, so that what comes and goes makes one alert.
    pub lingers: TimeDelta,
}

/// Looks at everything, and reports what changed since the last look.
///
/// # Errors
/// Where the store cannot be asked, or cannot take a report.
pub async fn check(jobs: &Jobs, now: Timestamp) -> Result<()> {
    let disk = rustix::fs::statvfs(&jobs.data).map_err(Error::internal)?;
    let dead = jobs.intake.store.read(|tx| tx.dead_deliveries(None, PILE)).await?;
    let given_up = jobs.intake.store.read(move |tx| tx.dead_messages(now - LATELY, PILE)).await?;
    check_rules(jobs, now).await?;
    for finding in [space(disk.f_bavail, disk.f_blocks), pile(dead), unsent(given_up)] {
        tell(jobs, finding, now).await?;
    }
    Ok(())
}

/// Looks at what became of the last reload, and reports if that is news.
///
/// # Errors
/// Where the store cannot be asked, or cannot take a report.
pub async fn check_rules(jobs: &Jobs, now: Timestamp) -> Result<()> {
    let standing = jobs.intake.shelves.standing();
    let mistakes = standing.refused.as_ref().map(|refusal| refusal.mistakes.as_slice());
    tell(jobs, rules(mistakes.unwrap_or_default()), now).await
}

/// Whether the rules and plugins that should be live are, or were refused for mistakes.
pub fn rules(mistakes: &[LoadError]) -> Finding {
    let told: Vec<String> = mistakes.iter().take(TOLD).map(LoadError::sentence).collect();
    Finding {
        event_key: "alertmill:rules",
        severity: (!mistakes.is_empty()).then_some(Severity::Warning),
        title: "Changed rules or plugins were refused; those from before are live still".to_owned(),
        advice: format!("Mend them: {}", told.join("\n")),
        lingers: TimeDelta::zero(),
    }
}

/// Whether the disk has room: `free` of `all` blocks.
pub fn space(free: u64, all: u64) -> Finding {
    let percent = free.saturating_mul(100).checked_div(all).unwrap_or(100);
    let severity = match percent {
        0..=1 => Some(Severity::Critical),
        2..LOW_PERCENT => Some(Severity::Warning),
        _ => None,
    };
    Finding {
        event_key: "alertmill:disk",
        severity,
        title: format!("The disk of Alertmill's data has {percent} % left"),
        advice: "When it is full, deliveries are answered 503 and senders must send again. Make room on it."
            .to_owned(),
        lingers: LINGERS,
    }
}

/// Whether deliveries that are not understood pile up.
pub fn pile(dead: u64) -> Finding {
    Finding {
        event_key: "alertmill:dead-deliveries",
        severity: (dead >= u64::from(PILE)).then_some(Severity::Warning),
        title: format!("{dead} or more deliveries are not understood"),
        advice: "See `alertmill delivery list --state dead`, mend the rule that each one names, then redrive them."
            .to_owned(),
        lingers: LINGERS,
    }
}

/// Whether people were not told what they should have been.
pub fn unsent(given_up: u64) -> Finding {
    Finding {
        event_key: "alertmill:dead-messages",
        severity: (given_up > 0).then_some(Severity::Error),
        title: format!("Messages about alerts did not arrive: {given_up} given up within an hour"),
        advice: "See `alertmill message list --state dead`, which says why; mend the channel, then send them again with `alertmill message redrive`."
            .to_owned(),
        lingers: LINGERS,
    }
}

/// That nothing is wrong with the audit trail, as far as the server itself can tell. What is wrong is told by its record,
/// under the same key.
pub(super) fn whole_trail() -> Finding {
    Finding {
        event_key: "alertmill:audit-trail",
        severity: None,
        title: "The audit trail is whole".to_owned(),
        advice: "All of it is as it was written.".to_owned(),
        lingers: TimeDelta::zero(),
    }
}

/// Reports a finding where it is news: worse than the open alert says, or over.
pub(super) async fn tell(jobs: &Jobs, finding: Finding, now: Timestamp) -> Result<()> {
    let key = finding.event_key;
    let open = jobs
        .intake
        .store
        .read(move |tx| tx.open_alert(&Id::<Project>::from(SYSTEM_PROJECT), key))
        .await?;
    let (event_type, severity) = match (finding.severity, &open) {
        (Some(severity), Some(open)) if open.severity >= severity => return Ok(()),
        (None, None) => return Ok(()),
        (Some(severity), _) => (EventType::Alert, severity),
        (None, Some(open)) if now - open.updated_at < finding.lingers => return Ok(()),
        (None, Some(_)) => (EventType::Recovery, Severity::Info),
    };
    let draft = Draft {
        event_type,
        severity,
        title: Some(finding.title),
        description: Some(finding.advice),
        occurred_at: Some(now),
        ..Draft::new(key)
    };
    report(&jobs.intake, draft, now).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_well_until_it_is_nearly_full() {
        assert_eq!(space(50, 100).severity, None);
        assert_eq!(space(5, 100).severity, None);
        assert_eq!(space(4, 100).severity, Some(Severity::Warning));
        assert_eq!(space(1, 100).severity, Some(Severity::Critical));
        assert_eq!(space(0, 0).severity, None);
    }

    #[test]
    fn one_message_that_was_given_up_is_told() {
        assert_eq!(unsent(0).severity, None);
        assert_eq!(unsent(1).severity, Some(Severity::Error));
    }

    #[test]
    fn a_few_dead_deliveries_are_no_pile() {
        assert_eq!(pile(99).severity, None);
        assert_eq!(pile(100).severity, Some(Severity::Warning));
    }
}
