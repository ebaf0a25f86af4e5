//! After a commit and before its answers: what the rest of the program looks up is brought up to date.

use std::sync::Arc;

use super::{live::Changed, rows::number, work::Work};
use crate::{
    domain::{project::Workspace, scope::Scope, webhook::Webhook, words::Severity},
    error::{Error, Result},
    id::Id,
    metrics::{KindLabels, Metrics},
    store::{Projects, Setups, Snapshots, Tokens, Users, Webhooks},
};

/// After how many commits with deliveries the counters of webhooks are written.
const COUNTERS_EVERY: usize = 512;

/// All that is looked up, as the file has it.
pub(super) fn load(work: &Work) -> Result<Snapshots> {
    let snapshots = Snapshots::default();
    for webhook in work.webhooks(&Scope::EVERYTHING)? {
        let row = work.webhook_row(&webhook.webhook_id)?;
        let requests = work.live()?.borrow().requests(row);
        snapshots.requests.set(webhook.webhook_id.clone(), Some(Arc::new(requests)));
        snapshots.webhooks.set(webhook.webhook_id.clone(), Some(Arc::new(webhook)));
    }
    for token in work.tokens()? {
        if token.revoked_at.is_none() {
            snapshots.tokens.set(token.digest, Some(Arc::new(token)));
        }
    }
    for user in work.users()? {
        snapshots.add_user(user);
    }
    for application in work.applications()? {
        let id = application.application_id.clone();
        snapshots.applications.set(id, Some(Arc::new(application)));
    }
    work.publish_setups(&snapshots, None)?;
    snapshots.bus.publish(work.live()?.borrow().next().place());
    Ok(snapshots)
}

impl Work {
    /// Writes what the commit left for its end, and commits.
    pub(super) fn finish(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Err(Error::unavailable("the store could not write; nothing was kept", 5));
        }
        self.flush_standings()?;
        let numbers = self.live()?.borrow_mut().take_numbers();
        for (workspace, newest) in numbers {
            self.put(
                "UPDATE workspace SET last_alert_number = ?2 WHERE workspace = ?1",
                (workspace, number(newest)),
            )?;
        }
        self.write_tallies()?;
        self.command("COMMIT")
    }

    /// Undoes in memory what the commit did, since the file has nothing of it.
    pub(super) fn forget_commit(&self) {
        self.undo_to(0);
    }

    /// Undoes in memory what was done since `mark`.
    pub(super) fn undo_to(&self, mark: usize) {
        if let Some(live) = self.live_if_writer() {
            live.borrow_mut().undo_to(mark);
        }
    }

    /// Brings what is looked up to date with the commit.
    pub(super) fn publish(&mut self, snapshots: &Snapshots, metrics: &Metrics) {
        if let Err(error) = self.try_publish(snapshots, metrics) {
            tracing::error!(%error, cause = ?error.cause, "what changed could not be published");
        }
    }

    fn try_publish(&mut self, snapshots: &Snapshots, metrics: &Metrics) -> Result<()> {
        let (changed, recounted, counts) = {
            let mut live = self.live()?.borrow_mut();
            live.settled();
            snapshots.bus.publish(live.next().place());
            (live.take_changed(), live.take_recounted(), live.open_counts())
        };
        for change in changed {
            self.publish_one(snapshots, change)?;
        }
        if !recounted.is_empty() {
            self.commits_since_counters += 1;
        }
        for (webhook, requests) in recounted {
            snapshots.requests.set(webhook, Some(Arc::new(requests)));
        }
        for severity in Severity::ALL {
            let labels = KindLabels { kind: severity.as_str() };
            metrics.alerts_open.get_or_create(&labels).set(counts[*severity as usize]);
        }
        if self.commits_since_counters >= COUNTERS_EVERY {
            self.close_counters()?;
        }
        Ok(())
    }

    fn publish_one(&self, snapshots: &Snapshots, change: Changed) -> Result<()> {
        let everything = &Scope::EVERYTHING;
        match change {
            Changed::Webhook(id) => {
                let webhook = self.webhook(everything, &id)?.map(Arc::new);
                if webhook.is_none() {
                    snapshots.requests.set(id.clone(), None);
                }
                snapshots.webhooks.set(id, webhook);
            }
            Changed::Token(digest) => {
                let token = self.token_by_digest(&digest)?;
                let live = token.filter(|token| token.revoked_at.is_none()).map(Arc::new);
                snapshots.tokens.set(digest, live);
            }
            Changed::User(id) => self.publish_user(snapshots, &id)?,
            Changed::Application(id) => self.publish_application(snapshots, &id)?,
            Changed::Setup(project) => {
                let setup = self.setup(&project)?;
                snapshots.setups.set(project, setup);
            }
            Changed::Setups(workspace) => self.publish_setups(snapshots, Some(&workspace))?,
        }
        Ok(())
    }

    /// Makes the setups of a workspace anew, or all of them.
    fn publish_setups(
        &self,
        snapshots: &Snapshots,
        workspace: Option<&Id<Workspace>>,
    ) -> Result<()> {
        for config in self.alert_configs(&Scope::EVERYTHING)? {
            if workspace.is_some_and(|workspace| config.home.workspace_id != *workspace) {
                continue;
            }
            let project = config.home.project_id;
            let setup = self.setup(&project)?;
            snapshots.setups.set(project, setup);
        }
        Ok(())
    }

    /// Writes the counters of webhooks, in a transaction of their own.
    pub(super) fn close_counters(&mut self) -> Result<()> {
        self.commits_since_counters = 0;
        self.command("BEGIN IMMEDIATE")?;
        let written = self.write_counters();
        match written {
            Ok(()) => {
                self.command("COMMIT")?;
                self.live()?.borrow_mut().counted();
                Ok(())
            }
            Err(error) => {
                let _ = self.command("ROLLBACK");
                Err(error)
            }
        }
    }

    /// Writes the counters of webhooks, with how far they count.
    pub(super) fn write_counters(&self) -> Result<()> {
        let (counters, newest) = {
            let mut live = self.live()?.borrow_mut();
            (live.uncounted(), live.next().delivery - 1)
        };
        for (webhook, requests) in counters {
            self.put(
                "UPDATE webhook SET total = ?2, error = ?3 WHERE webhook = ?1",
                (webhook, number(requests.total), number(requests.error)),
            )?;
        }
        self.put("UPDATE counted SET delivery = ?1", [newest])?;
        Ok(())
    }

    /// Notes that a webhook changed.
    pub(super) fn webhook_changed(&self, id: &Id<Webhook>) -> Result<()> {
        self.live()?.borrow_mut().note(Changed::Webhook(id.clone()));
        Ok(())
    }
}
