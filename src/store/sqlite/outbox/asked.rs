//! Lists of messages, newest first, each by an index of its own.

use rusqlite::params;

use super::{super::work::Work, SELECT, message};
use crate::{
    domain::{
        message::{Message, MessageState},
        scope::Scope,
    },
    error::{Error, Result},
    store::MessageQuery,
};

/// What holds of messages in a state, written so that the index of what waits, or of what was given up, serves it.
fn in_state(state: Option<MessageState>) -> &'static str {
    match state {
        None => "TRUE",
        Some(MessageState::Waiting) => "m.state = 'WAITING'",
        Some(MessageState::Sent) => "m.state = 'SENT'",
        Some(MessageState::Dead) => "m.state = 'DEAD'",
        Some(MessageState::Dropped) => "m.state = 'DROPPED'",
    }
}

impl Work {
    pub(super) fn messages_asked(
        &self,
        scope: &Scope,
        query: &MessageQuery,
    ) -> Result<Vec<Message>> {
        let state = in_state(query.state);
        let before = self.place_of(query.before.as_ref())?;
        let mut found = if let Some(alert) = &query.alert_id {
            // By `notice_of_alert`: an alert has few.
            let sql = format!(
                "{SELECT} WHERE m.message IN (
                    SELECT o.message FROM notice n JOIN message o ON o.notice = n.notice WHERE n.alert = ?1
                    UNION SELECT g.message FROM notice n JOIN gathered g ON g.notice = n.notice WHERE n.alert = ?1)
                 AND m.message < ?2 AND {state} ORDER BY m.message DESC"
            );
            self.many(&sql, [self.alert_row(alert)?, before], message)?
        } else if let Some(channel) = &query.channel_id {
            let sql = format!(
                "{SELECT} WHERE m.channel = ?1 AND m.message < ?2 AND {state} ORDER BY m.message DESC"
            );
            return self.walk_messages(&sql, (self.channel_row(channel)?, before), (scope, query));
        } else {
            return self.of_projects(scope, query, before);
        };
        let has_channel = |message: &Message| {
            query.channel_id.as_ref().is_none_or(|channel| *channel == message.channel_id)
        };
        found.retain(|kept| scope.contains(&kept.message.home) && has_channel(&kept.message));
        found.truncate(query.limit as usize);
        Ok(found.into_iter().map(|kept| kept.message).collect())
    }

    /// Those of the projects in `scope`: of each the newest, then the newest of all.
    fn of_projects(
        &self,
        scope: &Scope,
        query: &MessageQuery,
        before: i64,
    ) -> Result<Vec<Message>> {
        let state = in_state(query.state);
        let projects: Vec<i64> = match (self.projects_within(scope)?, query.state) {
            (Some(some), _) => serde_json::from_str(&some).map_err(Error::internal)?,
            // Among all there are, these are few: each project has an index of its own.
            (None, Some(MessageState::Waiting | MessageState::Dead)) => {
                self.many("SELECT project FROM project", [], |row| Ok(row.get(0)?))?
            }
            (None, Some(MessageState::Sent | MessageState::Dropped) | None) => {
                let sql = format!(
                    "{SELECT} WHERE m.message < ?2 AND ?1 = 0 AND {state} ORDER BY m.message DESC"
                );
                return self.walk_messages(&sql, (0, before), (scope, query));
            }
        };
        let sql = format!(
            "{SELECT} WHERE m.project = ?1 AND m.message < ?2 AND {state} ORDER BY m.message DESC LIMIT ?3"
        );
        let mut found = Vec::new();
        for project in projects {
            found.extend(self.many(&sql, params![project, before, query.limit], message)?);
        }
        found.sort_by_key(|kept| std::cmp::Reverse(kept.row));
        found.truncate(query.limit as usize);
        Ok(found.into_iter().map(|kept| kept.message).collect())
    }

    /// The first of these that lie in `scope`, as many as are asked for.
    fn walk_messages(
        &self,
        sql: &str,
        asked: (i64, i64),
        (scope, query): (&Scope, &MessageQuery),
    ) -> Result<Vec<Message>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(asked)?;
        let mut found = Vec::new();
        while found.len() < query.limit as usize {
            let Some(row) = rows.next()? else { break };
            let kept = message(row)?;
            if scope.contains(&kept.message.home) {
                found.push(kept.message);
            }
        }
        Ok(found)
    }
}
