//! Which webhooks are fed with the audit trail, and what events tell of the state of things.

use rusqlite::params;
use serde_json::Value;

use super::{
    events::{COLUMNS, HOME, event},
    rows::{Columns, millis, number},
    work::Work,
};
use crate::{
    digest::sha256,
    domain::{
        event::{Event, STATE_AT, STATE_OF},
        webhook::Webhook,
    },
    error::Result,
    id::Id,
    store::{Feed, Feeds},
};

impl Feeds for Work {
    fn hungry(&self) -> Result<Vec<Feed>> {
        self.many(
            "SELECT w.webhook_id, d.domain_id, f.sequence
             FROM audit_feed f CROSS JOIN webhook w ON w.webhook = f.webhook
             CROSS JOIN project p ON p.project = w.project CROSS JOIN workspace s ON s.workspace = p.workspace
             CROSS JOIN domain d ON d.domain = s.domain
             CROSS JOIN audit_chain c ON c.domain = d.domain AND c.trail = 'OWN' AND f.sequence < c.sequence
             WHERE w.deleted_at IS NULL AND w.state = 'ENABLED'
             ORDER BY f.webhook",
            [],
            |row| {
                let mut columns = Columns::of(row);
                Ok(Feed {
                    webhook_id: columns.id()?,
                    domain_id: columns.id()?,
                    sequence: columns.count()?,
                })
            },
        )
    }

    fn put_fed(&mut self, webhook: &Id<Webhook>, sequence: u64) -> Result<()> {
        self.put(
            "INSERT INTO audit_feed (webhook, sequence) VALUES (?1, ?2)
             ON CONFLICT (webhook) DO UPDATE SET sequence = excluded.sequence",
            params![self.webhook_row(webhook)?, number(sequence)],
        )?;
        Ok(())
    }

    fn told_before(&self, told: &Event) -> Result<Option<Event>> {
        let Some(thing) = thing(told) else { return Ok(None) };
        let before = self.number(
            "SELECT event FROM told_state
             WHERE project = ?1 AND thing = ?2 AND (at, event) < (?3, ?4) ORDER BY at DESC, event DESC LIMIT 1",
            params![
                self.project_row(&told.home.project_id)?,
                thing.as_slice(),
                at(told),
                self.event_row(&told.event_id)?
            ],
        )?;
        let Some(before) = before else { return Ok(None) };
        let sql = format!("SELECT {COLUMNS} FROM event e {HOME} WHERE e.event = ?1");
        self.one(&sql, [before], |row| event(&mut Columns::of(row)))
    }
}

impl Work {
    /// Keeps of which thing an event tells the state, where it does.
    pub(super) fn keep_state(&self, event: &Event, (project, row): (i64, i64)) -> Result<()> {
        let tells = event.draft.additional_info.get(STATE_AT).is_some_and(Value::is_string);
        let Some(thing) = thing(event).filter(|_| tells) else { return Ok(()) };
        self.put(
            "INSERT INTO told_state (project, thing, at, event) VALUES (?1, ?2, ?3, ?4)",
            params![project, thing.as_slice(), at(event), row],
        )?;
        Ok(())
    }

    /// Forgets it of events that are removed; a JSON list of their numbers.
    pub(super) fn forget_states(&self, events: &str) -> Result<()> {
        self.put(
            "DELETE FROM told_state WHERE event IN (SELECT value FROM json_each(?1))",
            [events],
        )?;
        Ok(())
    }
}

/// What is kept of the thing that an event is about.
fn thing(event: &Event) -> Option<[u8; 16]> {
    let Some(Value::String(thing)) = event.draft.additional_info.get(STATE_OF) else { return None };
    let mut kept = [0; 16];
    kept.copy_from_slice(&sha256(thing.as_bytes())[..16]);
    Some(kept)
}

/// When it happened.
fn at(event: &Event) -> i64 {
    millis(event.draft.occurred_at.unwrap_or(event.created_at))
}
