//! What may be sent, and what came of it.

use rusqlite::params;

use super::{
    super::{
        rows::{Columns, millis},
        work::Work,
    },
    Kept, SELECT, message,
};
use crate::{
    clock::Timestamp,
    domain::{
        channel::Channel,
        message::{Message, MessageState, Next},
    },
    error::Result,
    id::Id,
    store::{Due, Settled},
};

impl Work {
    /// Jumps from channel to channel in `message_due`: one step for each that has something, whatever that is.
    pub(super) fn channels_that_wait(&self) -> Result<Vec<(Id<Channel>, Timestamp)>> {
        self.many(
            "WITH RECURSIVE next(channel) AS (
                SELECT min(channel) FROM message WHERE due_at IS NOT NULL
                UNION ALL
                SELECT (SELECT min(m.channel) FROM message m WHERE m.due_at IS NOT NULL AND m.channel > next.channel)
                FROM next WHERE next.channel IS NOT NULL)
             SELECT c.channel_id, (SELECT min(m.due_at) FROM message m WHERE m.channel = next.channel AND m.due_at IS NOT NULL)
             FROM next CROSS JOIN channel c ON c.channel = next.channel",
            [],
            |row| {
                let mut columns = Columns::of(row);
                Ok((columns.id()?, columns.time()?))
            },
        )
    }

    /// By `message_due`.
    pub(super) fn due(&self, channel: &Id<Channel>, now: Timestamp, most: u32) -> Result<Vec<Due>> {
        let sql = format!(
            "{SELECT} WHERE m.channel = ?1 AND m.due_at <= ?2 ORDER BY m.due_at, m.message LIMIT ?3"
        );
        let asked = params![self.channel_row(channel)?, millis(now), most];
        let found = self.many(&sql, asked, message)?;
        found.into_iter().map(|kept| self.whole(kept)).collect()
    }

    /// A message with what it tells.
    pub(super) fn whole(&self, kept: Kept) -> Result<Due> {
        let Kept { row, notice, message } = kept;
        let notices = self.told(row, notice)?;
        let thread = self.one(
            "SELECT t.thread FROM message m JOIN notice n USING (notice)
             JOIN thread t ON t.channel = m.channel AND t.alert = n.alert
             WHERE m.message = ?1 AND m.notices = 1",
            [row],
            |row| Columns::of(row).text(),
        )?;
        Ok(Due { message, notices, thread })
    }

    pub(super) fn keep_attempt(&self, settled: &Settled, now: Timestamp) -> Result<bool> {
        let Settled { message_id, attempt, next, thread, note } = settled;
        let row = self.message_row(message_id)?;
        self.put(
            "INSERT INTO attempt (message, number, at, took_ms, status, fault)
             VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE message = ?1), ?2, ?3, ?4, ?5)",
            params![row, millis(attempt.at), attempt.took_ms, attempt.status, attempt.fault],
        )?;
        if let Some(thread) = thread {
            self.put(
                "INSERT OR IGNORE INTO thread (channel, alert, thread)
                 SELECT m.channel, n.alert, ?2 FROM message m JOIN notice n USING (notice)
                 WHERE m.message = ?1 AND m.notices = 1",
                params![row, thread],
            )?;
        }
        let (state, due_at) = match next {
            Next::Done => (MessageState::Sent, None),
            Next::Again(at) => (MessageState::Waiting, Some(millis(*at))),
            Next::GivenUp => (MessageState::Dead, None),
        };
        let is_done = due_at.is_none();
        // What was dropped while it was on its way stays so, unless it arrived.
        let changed = self.put(
            "UPDATE message SET state = ?2, attempts = attempts + 1, due_at = ?3, reason = ?4, finished_at = ?5
             WHERE message = ?1 AND (state = 'WAITING' OR ?2 = 'SENT')",
            params![
                row,
                state.as_str(),
                due_at,
                attempt.fault.as_ref().or(note.as_ref()),
                is_done.then(|| millis(now))
            ],
        )?;
        if is_done {
            self.leave_lanes(row, now)?;
        }
        Ok(changed > 0)
    }

    /// A message is done: those that waited for it alone may be sent.
    fn leave_lanes(&self, message: i64, now: Timestamp) -> Result<()> {
        let lanes =
            self.many("SELECT channel, alert FROM lane WHERE message = ?1", [message], |row| {
                let mut columns = Columns::of(row);
                Ok((columns.get::<i64>()?, columns.get::<i64>()?))
            })?;
        self.put("DELETE FROM lane WHERE message = ?1", [message])?;
        for (channel, alert) in lanes {
            // One that gathers heads all its lanes, so it is never the one that waited.
            self.put(
                "UPDATE message SET due_at = ?3
                 WHERE message = (SELECT min(message) FROM lane WHERE channel = ?1 AND alert = ?2)
                   AND state = 'WAITING' AND due_at IS NULL AND gathering IS NULL",
                params![channel, alert, millis(now)],
            )?;
        }
        Ok(())
    }

    /// The first of each lane, by `message_due` and `message_gathering`, again and again: what waits for another is the
    /// first once that is gone.
    pub(super) fn drop_waiting(
        &self,
        channel: &Id<Channel>,
        reason: &str,
        (now, most): (Timestamp, u32),
    ) -> Result<Vec<Id<Message>>> {
        let channel = self.channel_row(channel)?;
        let mut dropped = Vec::new();
        loop {
            let left = i64::from(most) - i64::try_from(dropped.len()).unwrap_or(i64::MAX);
            let first: Vec<(i64, Id<Message>)> = self.many(
                "SELECT message, message_id FROM (
                    SELECT message, message_id FROM message WHERE channel = ?1 AND due_at IS NOT NULL
                    UNION ALL
                    SELECT message, message_id FROM message WHERE channel = ?1 AND gathering IS NOT NULL)
                 LIMIT ?2",
                [channel, left.max(0)],
                |row| {
                    let mut columns = Columns::of(row);
                    Ok((columns.get()?, columns.id()?))
                },
            )?;
            if first.is_empty() {
                return Ok(dropped);
            }
            for (message, id) in first {
                self.put(
                    "UPDATE message SET state = 'DROPPED', due_at = NULL, gathering = NULL, reason = ?2, finished_at = ?3
                     WHERE message = ?1",
                    params![message, reason, millis(now)],
                )?;
                self.leave_lanes(message, now)?;
                dropped.push(id);
            }
        }
    }

    pub(super) fn drive_again(&self, id: &Id<Message>, now: Timestamp) -> Result<()> {
        let row = self.message_row(id)?;
        self.put(
            "UPDATE message SET state = 'WAITING', attempts = 0, due_at = ?2, reason = NULL, finished_at = NULL
             WHERE message = ?1 AND (state <> 'WAITING' OR due_at IS NOT NULL)",
            [row, millis(now)],
        )?;
        self.put(
            "INSERT OR IGNORE INTO lane (channel, alert, message)
             SELECT m.channel, n.alert, m.message FROM message m JOIN notice n USING (notice) WHERE m.message = ?1
             UNION SELECT m.channel, n.alert, m.message FROM message m JOIN gathered g USING (message)
                 JOIN notice n ON n.notice = g.notice WHERE m.message = ?1",
            [row],
        )?;
        Ok(())
    }

    /// The row of a message of which the identifier is known.
    pub(super) fn place_of(&self, id: Option<&Id<Message>>) -> Result<i64> {
        id.map_or(Ok(i64::MAX), |id| self.message_row(id))
    }
}
