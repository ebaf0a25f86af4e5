//! Records of the audit trail, on the way into a webhook: the same second and third stage as of what is posted, but only what
//! becomes events is kept, and it is kept together with how far the webhook was fed, so that each record counts once.

use std::sync::Arc;

use serde_json::Value;

use super::{Intake, Interpreted, interpret, report::own_delivery, settle, settling};
use crate::{
    clock::Timestamp,
    domain::{webhook::Webhook, words::Cause},
    error::Result,
    store::Size,
};

/// What a webhook is fed at once.
#[derive(Clone, Debug)]
pub struct Portion {
    /// The number of the last record that is done with then.
    pub up_to: u64,
    /// Those records that may become events, as its mapping sees them.
    pub records: Vec<Value>,
}

/// Feeds a webhook; how many records became events.
///
/// # Errors
/// Where its plugin is not installed, alerting is off in its project, or the store cannot take it now; nothing of the
/// portion is done then.
pub async fn feed(
    intake: &Intake,
    webhook: &Arc<Webhook>,
    portion: Portion,
    now: Timestamp,
) -> Result<usize> {
    let reader = intake.reader(webhook)?;
    let Portion { up_to, records } = portion;
    let (mut size, mut taken) = (Size::default(), Vec::new());
    for record in records {
        let delivery = own_delivery(intake, &webhook.webhook_id, (&record, now));
        let read_by = (&*reader.plugin, &**webhook);
        let interpreted = interpret(&reader.books.rulebook, read_by, &delivery, Ok(record));
        if says_nothing(&interpreted) {
            continue;
        }
        let (more, settling) = settling(intake, webhook, (&delivery, None), interpreted)?;
        size.bytes += more.bytes;
        size.events += more.events;
        taken.push(settling);
    }
    let webhook_id = webhook.webhook_id.clone();
    let settled = intake.store.write_repeatable(size, move |tx| {
        let mut receipts = Vec::with_capacity(taken.len());
        for settling in &mut taken {
            receipts.push(settle::settle(tx, settling)?);
        }
        tx.put_fed(&webhook_id, up_to)?;
        Ok(receipts)
    });
    let receipts = settled.await?;
    for receipt in &receipts {
        intake.count(receipt);
    }
    Ok(receipts.len())
}

/// Whether a record becomes no event. One that no variant takes is nothing to mend: a mapping need not name what it does
/// not want.
fn says_nothing(interpreted: &Interpreted) -> bool {
    interpreted
        .items
        .iter()
        .all(|item| item.as_ref().is_err_and(|error| error.unreadable.cause == Cause::NoVariant))
}
