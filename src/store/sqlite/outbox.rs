//! Messages on their way.

mod asked;
mod notices;
mod removing;
mod sending;

use rusqlite::{Row, params};

use super::{
    rows::{Columns, millis},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        channel::Channel,
        message::{Attempt, Message},
        notice::Notice,
        project::Project,
        scope::{Home, Scope},
    },
    error::{Error, Result},
    id::Id,
    store::{Due, Heard, MOST_GATHERED, MessageQuery, Outbox, Put, Settled, Writing},
};

/// The columns of a message, as [`message`] reads them.
const SELECT: &str = "SELECT m.message, m.notice, m.message_id, c.channel_id, m.recipient, d.domain_id, s.workspace_id,
        p.project_id, m.state, m.notices, m.attempts, m.due_at, m.reason, m.created_at, m.finished_at
 FROM message m CROSS JOIN channel c ON c.channel = m.channel CROSS JOIN project p ON p.project = m.project
 CROSS JOIN workspace s ON s.workspace = p.workspace CROSS JOIN domain d ON d.domain = s.domain";

/// A message, with its row and that of its first notice.
struct Kept {
    row: i64,
    notice: i64,
    message: Message,
}

/// The next columns of [`SELECT`].
fn message(row: &Row<'_>) -> Result<Kept> {
    let mut columns = Columns::of(row);
    let (row, notice) = (columns.get()?, columns.get()?);
    let (message_id, channel_id) = (columns.id()?, columns.id()?);
    let recipient = columns.get()?;
    let home: Home = columns.home()?;
    let message = Message {
        message_id,
        channel_id,
        recipient,
        home,
        state: columns.word()?,
        notices: columns.get()?,
        attempts: columns.get()?,
        due_at: columns.maybe_time()?,
        reason: columns.get()?,
        created_at: columns.time()?,
        finished_at: columns.maybe_time()?,
    };
    Ok(Kept { row, notice, message })
}

impl Work {
    fn message_row(&self, id: &Id<Message>) -> Result<i64> {
        self.number("SELECT message FROM message WHERE message_id = ?1", [id.as_str()])?
            .ok_or_else(|| Error::not_found("message", id))
    }

    /// Has the notice told by a message that waits for more of its kind, if there is one that may: the alert must not be
    /// told of by another message first.
    fn join(&self, writing: &Writing<'_>, (channel, alert): (i64, i64)) -> Result<Option<Put>> {
        let Some(kind) = writing.gathering else { return Ok(None) };
        let found = self.one(
            "SELECT message, message_id, notices FROM message WHERE channel = ?1 AND gathering = ?2",
            params![channel, kind],
            |row| {
                let mut columns = Columns::of(row);
                Ok((columns.get::<i64>()?, columns.id::<Message>()?, columns.get::<u32>()?))
            },
        )?;
        let Some((message, id, notices)) = found else { return Ok(None) };
        let waits =
            "SELECT 1 FROM lane WHERE channel = ?1 AND alert = ?2 AND message <> ?3 LIMIT 1";
        if self.number(waits, [channel, alert, message])?.is_some() {
            return Ok(None);
        }
        self.put(
            "INSERT INTO gathered (message, notice) VALUES (?1, ?2)",
            [message, writing.number],
        )?;
        self.put("UPDATE message SET notices = notices + 1 WHERE message = ?1", [message])?;
        self.enter_lane(channel, alert, message)?;
        let is_full = notices + 1 >= MOST_GATHERED;
        Ok(Some(if is_full { Put::Filled(id) } else { Put::Joined(id) }))
    }

    fn enter_lane(&self, channel: i64, alert: i64, message: i64) -> Result<()> {
        self.put(
            "INSERT OR IGNORE INTO lane (channel, alert, message) VALUES (?1, ?2, ?3)",
            [channel, alert, message],
        )?;
        Ok(())
    }
}

impl Outbox for Work {
    fn add_notice(&mut self, notice: &Notice) -> Result<i64> {
        self.insert_notice(notice)
    }

    fn notices(
        &self,
        scope: &Scope,
        alert: Option<&Id<Alert>>,
        (after, most): (i64, u32),
    ) -> Result<Vec<(i64, Notice)>> {
        self.announced(scope, alert, (after, most))
    }

    fn heard(&self, alert: &Id<Alert>, step: u32, now: Timestamp) -> Result<Vec<Heard>> {
        self.who_heard(alert, step, now)
    }

    fn last_heard_step(&self, alert: &Id<Alert>, now: Timestamp) -> Result<u32> {
        // By `notice_of_alert`.
        let step = self.number(
            "SELECT max(n.step) FROM notice n
             WHERE n.alert = ?1 AND n.occasion NOT IN ('RESOLVED', 'EXPIRED', 'ASSIGNED')
               AND n.notice > coalesce((SELECT max(o.notice) FROM notice o
                   WHERE o.alert = ?1 AND o.occasion IN ('RESOLVED', 'EXPIRED') AND o.created_at < ?2), 0)",
            params![self.alert_row(alert)?, millis(now)],
        )?;
        Ok(step.and_then(|step| u32::try_from(step).ok()).unwrap_or(0))
    }

    fn put_message(&mut self, writing: &Writing<'_>) -> Result<Put> {
        let channel = self.channel_row(writing.channel_id)?;
        let alert = self.alert_row(&writing.notice.alert_id)?;
        if let Some(joined) = self.join(writing, (channel, alert))? {
            return Ok(joined);
        }
        let before = "SELECT 1 FROM lane WHERE channel = ?1 AND alert = ?2 LIMIT 1";
        let must_wait = self.number(before, [channel, alert])?.is_some();
        // What must wait for another gathers nothing: who joined it would wait for a stranger's message.
        let taken = "SELECT 1 FROM message WHERE channel = ?1 AND gathering = ?2";
        let gathering = match writing.gathering.filter(|_| !must_wait) {
            Some(kind) if self.number(taken, params![channel, kind])?.is_none() => Some(kind),
            Some(_) | None => None,
        };
        let due_at = (!must_wait && gathering.is_none()).then(|| millis(writing.notice.created_at));
        self.put(
            "INSERT INTO message (message_id, channel, project, recipient, notice, state, due_at, gathering, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'WAITING', ?6, ?7, ?8)",
            params![
                writing.message_id.as_str(),
                channel,
                self.project_row(&writing.notice.home.project_id)?,
                writing.recipient,
                writing.number,
                due_at,
                gathering,
                millis(writing.notice.created_at)
            ],
        )?;
        self.enter_lane(channel, alert, self.connection.last_insert_rowid())?;
        Ok(if gathering.is_some() { Put::Gathering } else { Put::Written })
    }

    fn close_gathering(&mut self, id: &Id<Message>, now: Timestamp) -> Result<()> {
        self.put(
            "UPDATE message SET gathering = NULL, due_at = ?2 WHERE message_id = ?1 AND gathering IS NOT NULL",
            params![id.as_str(), millis(now)],
        )?;
        Ok(())
    }

    fn due_channels(&self) -> Result<Vec<(Id<Channel>, Timestamp)>> {
        self.channels_that_wait()
    }

    fn due_messages(&self, channel: &Id<Channel>, now: Timestamp, most: u32) -> Result<Vec<Due>> {
        self.due(channel, now, most)
    }

    fn settle_message(&mut self, settled: &Settled, now: Timestamp) -> Result<bool> {
        self.keep_attempt(settled, now)
    }

    fn drop_messages(
        &mut self,
        channel: &Id<Channel>,
        reason: &str,
        now_and_most: (Timestamp, u32),
    ) -> Result<Vec<Id<Message>>> {
        self.drop_waiting(channel, reason, now_and_most)
    }

    fn drop_dead(&mut self, id: &Id<Message>, reason: &str, now: Timestamp) -> Result<()> {
        self.put(
            "UPDATE message SET state = 'DROPPED', reason = ?2, finished_at = ?3
             WHERE message_id = ?1 AND state = 'DEAD'",
            params![id.as_str(), reason, millis(now)],
        )?;
        Ok(())
    }

    fn message(&self, scope: &Scope, id: &Id<Message>) -> Result<Option<Due>> {
        let sql = format!("{SELECT} WHERE m.message_id = ?1");
        let found = self.one(&sql, [id.as_str()], message)?;
        found
            .filter(|kept| scope.contains(&kept.message.home))
            .map(|kept| self.whole(kept))
            .transpose()
    }

    fn messages(&self, scope: &Scope, query: &MessageQuery) -> Result<Vec<Message>> {
        self.messages_asked(scope, query)
    }

    fn attempts(&self, id: &Id<Message>) -> Result<Vec<Attempt>> {
        self.many(
            "SELECT number, at, took_ms, status, fault FROM attempt WHERE message = ?1 ORDER BY number",
            [self.message_row(id)?],
            |row| {
                let mut columns = Columns::of(row);
                Ok(Attempt {
                    number: columns.get()?,
                    at: columns.time()?,
                    took_ms: columns.get()?,
                    status: columns.get()?,
                    fault: columns.get()?,
                })
            },
        )
    }

    fn dead_messages(&self, since: Timestamp, most: u32) -> Result<u64> {
        // By `message_given_up`.
        let counted = self.number(
            "SELECT count(*) FROM (SELECT 1 FROM message WHERE state = 'DEAD' AND finished_at >= ?1 LIMIT ?2)",
            params![millis(since), most],
        )?;
        Ok(counted.unwrap_or(0).unsigned_abs())
    }

    fn redrive_message(&mut self, id: &Id<Message>, now: Timestamp) -> Result<()> {
        self.drive_again(id, now)
    }

    fn remove_messages(
        &mut self,
        project: &Id<Project>,
        before: Timestamp,
        (after, most): (i64, u32),
    ) -> Result<(u64, Option<i64>)> {
        self.remove_done(self.project_row(project)?, before, (after, most))
    }

    fn remove_notices(
        &mut self,
        project: &Id<Project>,
        before: Timestamp,
        (after, most): (i64, u32),
    ) -> Result<(u64, Option<i64>)> {
        self.remove_untold(self.project_row(project)?, before, (after, most))
    }
}
