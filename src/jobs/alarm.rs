//! What is due: timers, each second, in small units of work.

use std::time::Duration;

use chrono::TimeDelta;

use crate::{
    api::by_itself, clock::Timestamp, domain::timer::Timer, error::Result, id::Mint,
    ingest::Intake, store::Tx,
};

/// How often what is due is looked for.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// How many timers share a unit of work.
const TOGETHER: u32 = 200;

/// How many units of work one tick does at most; what is left is for the next.
const ROUNDS: usize = 5_000;

/// After how long a timer that failed is tried again.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// Does all that is due at `now`; how much that was. A timer that fails is tried again a minute later, and holds up no
/// other.
pub async fn alarm(intake: &Intake, now: Timestamp) -> Result<usize> {
    let mut done = 0;
    for _ in 0..ROUNDS {
        // Looked for on a reader first: mostly nothing is due, and then nobody who writes waits.
        let due = intake.store.read(move |tx| tx.due_timers(now, TOGETHER)).await?;
        if due.is_empty() {
            return Ok(done);
        }
        let (mint, found) = (intake.mint.clone(), due.len());
        let failed = intake.store.write(move |tx| ring(tx, &due, (&mint, now))).await?;
        done += found - failed;
    }
    Ok(done)
}

/// Does what these timers say, as far as they are still set; how many failed.
fn ring(tx: &mut dyn Tx, due: &[Timer], (mint, now): (&Mint, Timestamp)) -> Result<usize> {
    let mut failed = 0;
    for timer in due {
        let done = tx.attempt(&mut |tx| {
            // It may have been moved or removed meanwhile, also by one before it.
            if tx.timer(timer.kind, &timer.subject)? != Some(timer.due_at) {
                return Ok(());
            }
            tx.set_timer(timer.kind, &timer.subject, None)?;
            by_itself::due(tx, timer, (mint, now))
        });
        if let Err(error) = done {
            failed += 1;
            tx.set_timer(timer.kind, &timer.subject, Some(now + AGAIN))?;
            tracing::error!(timer = timer.kind.as_str(), subject = timer.subject, %error, cause = ?error.cause, "what is due could not be done");
        }
    }
    Ok(failed)
}
