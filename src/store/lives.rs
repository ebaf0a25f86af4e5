//! What the life of an alert asks about others: its key's earlier alerts, the alerts that are part of it, its webhook.

use chrono::TimeDelta;

use crate::{
    clock::Timestamp,
    domain::{alert::Alert, project::Project, webhook::Webhook},
    error::Result,
    id::Id,
};

/// What the life of an alert asks about others.
pub trait Lives {
    /// How many alerts of a key that are over opened at `since` or later; counted up to `most`.
    fn openings(
        &self,
        project: &Id<Project>,
        event_key: &str,
        since_and_most: (Timestamp, u32),
    ) -> Result<u32>;
    /// At most `most` of the open alerts that are part of this one, oldest first.
    fn open_parts(&self, lead: &Id<Alert>, most: u32) -> Result<Vec<Alert>>;
    /// Whether any alert that is part of this one is open.
    fn has_open_parts(&self, lead: &Id<Alert>) -> Result<bool>;
    /// After how many seconds without an event the alerts of a webhook expire, where the webhook says so.
    fn stale_after(&self, webhook: &Id<Webhook>) -> Result<Option<u32>>;
    /// Has it looked at once the open alerts of a webhook have had no event for so long.
    fn watch_webhook(&mut self, webhook: &Id<Webhook>, stale_after: TimeDelta) -> Result<()>;
    /// Has it looked at once the open alerts of a project have had no event for so long.
    fn watch_project(&mut self, project: &Id<Project>, stale_after: TimeDelta) -> Result<()>;
}
