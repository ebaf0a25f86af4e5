//! Domains, workspaces, projects, and how projects are alerted.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rusqlite::{Row, params};

use super::{
    live::{Changed, Kind},
    rows::{self, Columns, json, millis},
    work::Work,
};
use crate::{
    domain::{
        project::{AlertPolicy, Domain, FlappingPolicy, Project, ProjectAlertConfig, Workspace},
        scope::{Home, Scope},
    },
    error::{Code, Error, Result},
    id::Id,
    store::{IndexedFields, Projects},
};

impl Work {
    /// The row of a project.
    pub(super) fn project_row(&self, id: &Id<Project>) -> Result<i64> {
        let sql = "SELECT project FROM project WHERE project_id = ?1";
        self.row_of(Kind::Project, id.as_str(), sql)?.ok_or_else(|| Error::not_found("project", id))
    }

    /// The row of the workspace that a project is in.
    pub(super) fn workspace_row(&self, home: &Home) -> Result<i64> {
        let sql = "SELECT workspace FROM project WHERE project_id = ?1";
        self.row_of(Kind::WorkspaceOfProject, home.project_id.as_str(), sql)?
            .ok_or_else(|| Error::not_found("project", &home.project_id))
    }

    /// The row of something, from memory if it is there.
    pub(super) fn row_of(&self, kind: Kind, id: &str, sql: &str) -> Result<Option<i64>> {
        let known = self.live_if_writer().and_then(|live| live.borrow().row(kind, id));
        if known.is_some() {
            return Ok(known);
        }
        let found = self.number(sql, [id])?;
        if let Some((live, row)) = self.live_if_writer().zip(found) {
            live.borrow_mut().set_row(kind, id, row);
        }
        Ok(found)
    }

    /// Refuses to remove what something else still needs.
    fn refuse_if_used(&self, (what, by): (&str, &str), sql: &str, id: &str) -> Result<()> {
        match self.number(sql, [id])? {
            Some(1) => {
                let detail = format!("{what} `{id}` is still in use: it has {by}");
                Err(Error::new(Code::ExistResource, detail))
            }
            _ => Ok(()),
        }
    }
}

impl Projects for Work {
    fn domains(&self, scope: &Scope) -> Result<Vec<Domain>> {
        self.many(
            "SELECT domain_id, name, created_at FROM domain
             WHERE ?1 IS NULL OR domain_id IN (SELECT value FROM json_each(?1))
             ORDER BY domain_id",
            params![rows::reach(&scope.domains)?],
            |row| {
                let mut columns = Columns::of(row);
                Ok(Domain {
                    domain_id: columns.id()?,
                    name: columns.text()?,
                    created_at: columns.time()?,
                })
            },
        )
    }

    fn domain_number(&self, scope: &Scope, id: &Id<Domain>) -> Result<Option<u64>> {
        self.one(
            "SELECT domain FROM domain
             WHERE domain_id = ?1 AND (?2 IS NULL OR domain_id IN (SELECT value FROM json_each(?2)))",
            params![id.as_str(), rows::reach(&scope.domains)?],
            |row| Columns::of(row).count(),
        )
    }

    fn put_domain(&mut self, domain: &Domain) -> Result<()> {
        self.put(
            "INSERT INTO domain (domain_id, name, created_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (domain_id) DO UPDATE SET name = excluded.name",
            params![domain.domain_id.as_str(), domain.name, millis(domain.created_at)],
        )?;
        Ok(())
    }

    fn delete_domain(&mut self, id: &Id<Domain>) -> Result<()> {
        self.refuse_if_used(
            ("domain", "workspaces, or records in the audit trail, which stay as long as that is kept"),
            "SELECT EXISTS (SELECT 1 FROM workspace JOIN domain USING (domain) WHERE domain_id = ?1)
                 OR EXISTS (SELECT 1 FROM audit_chain JOIN domain USING (domain) WHERE domain_id = ?1)",
            id.as_str(),
        )?;
        self.put("DELETE FROM domain WHERE domain_id = ?1", [id.as_str()])?;
        Ok(())
    }

    fn workspaces(&self, scope: &Scope) -> Result<Vec<Workspace>> {
        self.many(
            "SELECT workspace_id, domain_id, w.name, w.created_at
             FROM workspace w JOIN domain d USING (domain)
             WHERE (?1 IS NULL OR domain_id IN (SELECT value FROM json_each(?1)))
               AND (?2 IS NULL OR workspace_id IN (SELECT value FROM json_each(?2)))
             ORDER BY workspace_id",
            params![rows::reach(&scope.domains)?, rows::reach(&scope.workspaces)?],
            |row| {
                let mut columns = Columns::of(row);
                Ok(Workspace {
                    workspace_id: columns.id()?,
                    domain_id: columns.id()?,
                    name: columns.text()?,
                    created_at: columns.time()?,
                })
            },
        )
    }

    fn put_workspace(&mut self, workspace: &Workspace) -> Result<()> {
        self.put(
            "INSERT INTO workspace (workspace_id, domain, name, created_at)
             VALUES (?1, (SELECT domain FROM domain WHERE domain_id = ?2), ?3, ?4)
             ON CONFLICT (workspace_id) DO UPDATE SET name = excluded.name",
            params![
                workspace.workspace_id.as_str(),
                workspace.domain_id.as_str(),
                workspace.name,
                millis(workspace.created_at)
            ],
        )?;
        self.add_default_policy(workspace)
    }

    fn delete_workspace(&mut self, id: &Id<Workspace>) -> Result<()> {
        self.refuse_if_used(
            ("workspace", "projects"),
            "SELECT EXISTS (SELECT 1 FROM project JOIN workspace USING (workspace) WHERE workspace_id = ?1)",
            id.as_str(),
        )?;
        self.forget_people_of_workspace(id)?;
        self.put(
            "DELETE FROM event_rule WHERE workspace = (SELECT workspace FROM workspace WHERE workspace_id = ?1)",
            [id.as_str()],
        )?;
        self.put("DELETE FROM workspace WHERE workspace_id = ?1", [id.as_str()])?;
        Ok(())
    }

    fn project(&self, scope: &Scope, id: &Id<Project>) -> Result<Option<Project>> {
        let found = self.one(
            "SELECT d.domain_id, w.workspace_id, p.project_id, p.name, p.tags, p.created_at
             FROM project p JOIN workspace w USING (workspace) JOIN domain d USING (domain)
             WHERE p.project_id = ?1",
            [id.as_str()],
            project,
        )?;
        Ok(found.filter(|project| scope.contains(&project.home)))
    }

    fn projects(&self, scope: &Scope) -> Result<Vec<Project>> {
        let mut found = self.many(
            "SELECT d.domain_id, w.workspace_id, p.project_id, p.name, p.tags, p.created_at
             FROM project p JOIN workspace w USING (workspace) JOIN domain d USING (domain)
             WHERE ?1 IS NULL OR p.project_id IN (SELECT value FROM json_each(?1))
             ORDER BY p.project_id",
            params![rows::reach(&scope.projects)?],
            project,
        )?;
        found.retain(|project| scope.contains(&project.home));
        Ok(found)
    }

    fn put_project(&mut self, project: &Project) -> Result<()> {
        self.put(
            "INSERT INTO project (project_id, workspace, name, tags, created_at)
             VALUES (?1, (SELECT workspace FROM workspace WHERE workspace_id = ?2), ?3, ?4, ?5)
             ON CONFLICT (project_id) DO UPDATE SET name = excluded.name, tags = excluded.tags",
            params![
                project.home.project_id.as_str(),
                project.home.workspace_id.as_str(),
                project.name,
                json(&project.tags)?,
                millis(project.created_at)
            ],
        )?;
        Ok(())
    }

    fn delete_project(&mut self, id: &Id<Project>) -> Result<()> {
        self.refuse_if_used(
            ("project", "webhooks or alerts"),
            "SELECT EXISTS (SELECT 1 FROM webhook JOIN project USING (project) WHERE project_id = ?1)
                 OR EXISTS (SELECT 1 FROM alert JOIN project USING (project) WHERE project_id = ?1)",
            id.as_str(),
        )?;
        self.delete_alert_config(id)?;
        self.forget_people_of_project(id)?;
        for sql in [
            "DELETE FROM retention WHERE project = ?1",
            "DELETE FROM forgotten WHERE project = ?1",
            "DELETE FROM event_rule WHERE project = ?1",
            "DELETE FROM group_waiting WHERE group_rule IN (SELECT group_rule FROM group_rule WHERE project = ?1)",
            "DELETE FROM grouping WHERE group_rule IN (SELECT group_rule FROM group_rule WHERE project = ?1)",
            "DELETE FROM group_rule WHERE project = ?1",
            "DELETE FROM suppression_of_project WHERE project = ?1",
            "DELETE FROM lane WHERE channel IN (SELECT channel FROM channel WHERE project = ?1)",
            "DELETE FROM message WHERE project = ?1",
            "DELETE FROM notice WHERE project = ?1",
            // Its integer key may come back for another project, which must not find its channels.
            "UPDATE channel SET deleted_at = coalesce(deleted_at, created_at), project = -project WHERE project = ?1",
        ] {
            self.put(sql, [self.project_row(id)?])?;
        }
        self.put("DELETE FROM project WHERE project_id = ?1", [id.as_str()])?;
        // Its integer key may come back for another project.
        self.put_indexed_fields(id, &BTreeSet::new())?;
        self.put("DELETE FROM project WHERE project_id = ?1", [id.as_str()])?;
        self.live()?.borrow_mut().forget_rows();
        Ok(())
    }

    fn alert_config(&self, scope: &Scope, id: &Id<Project>) -> Result<Option<ProjectAlertConfig>> {
        let found = self.one(
            "SELECT d.domain_id, w.workspace_id, p.project_id,
                    c.recovery_mode, c.notification_urgency, c.recovery_hold, c.acknowledgement_expiry, c.stale_after,
                    c.flapping_count, c.flapping_within, c.flapping_quiet, c.created_at
             FROM project_alert_config c JOIN project p USING (project)
             JOIN workspace w USING (workspace) JOIN domain d USING (domain)
             WHERE p.project_id = ?1",
            [id.as_str()],
            alert_config,
        )?;
        Ok(found.filter(|config| scope.contains(&config.home)))
    }

    fn alert_configs(&self, scope: &Scope) -> Result<Vec<ProjectAlertConfig>> {
        let mut found = self.many(
            "SELECT d.domain_id, w.workspace_id, p.project_id,
                    c.recovery_mode, c.notification_urgency, c.recovery_hold, c.acknowledgement_expiry, c.stale_after,
                    c.flapping_count, c.flapping_within, c.flapping_quiet, c.created_at
             FROM project_alert_config c JOIN project p USING (project)
             JOIN workspace w USING (workspace) JOIN domain d USING (domain)
             ORDER BY p.project_id",
            [],
            alert_config,
        )?;
        found.retain(|config| scope.contains(&config.home));
        Ok(found)
    }

    fn put_alert_config(&mut self, config: &ProjectAlertConfig) -> Result<()> {
        let AlertPolicy {
            recovery_mode,
            notification_urgency,
            recovery_hold,
            acknowledgement_expiry,
            stale_after,
            flapping,
        } = &config.policy;
        let often = flapping.unwrap_or_default();
        let project = &config.home.project_id;
        self.put(
            "INSERT INTO project_alert_config (project, recovery_mode, notification_urgency, recovery_hold,
                                               acknowledgement_expiry, stale_after, flapping_count, flapping_within,
                                               flapping_quiet, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (project) DO UPDATE SET recovery_mode = excluded.recovery_mode,
                 notification_urgency = excluded.notification_urgency, recovery_hold = excluded.recovery_hold,
                 acknowledgement_expiry = excluded.acknowledgement_expiry, stale_after = excluded.stale_after,
                 flapping_count = excluded.flapping_count, flapping_within = excluded.flapping_within,
                 flapping_quiet = excluded.flapping_quiet",
            params![
                self.project_row(project)?,
                recovery_mode.as_str(),
                notification_urgency.as_str(),
                recovery_hold.num_milliseconds(),
                acknowledgement_expiry.map(|time| time.num_milliseconds()),
                stale_after.map(|time| time.num_milliseconds()),
                flapping.map_or(0, |flapping| flapping.count),
                often.within.num_milliseconds(),
                often.quiet.num_milliseconds(),
                millis(config.created_at)
            ],
        )?;
        self.live()?.borrow_mut().note(Changed::Setup(project.clone()));
        Ok(())
    }

    fn delete_alert_config(&mut self, id: &Id<Project>) -> Result<()> {
        self.put("DELETE FROM project_alert_config WHERE project = ?1", [self.project_row(id)?])?;
        self.live()?.borrow_mut().note(Changed::Setup(id.clone()));
        Ok(())
    }
}

fn project(row: &Row<'_>) -> Result<Project> {
    let mut columns = Columns::of(row);
    Ok(Project {
        home: columns.home()?,
        name: columns.text()?,
        tags: columns.json()?,
        created_at: columns.time()?,
    })
}

fn alert_config(row: &Row<'_>) -> Result<ProjectAlertConfig> {
    let mut columns = Columns::of(row);
    Ok(ProjectAlertConfig {
        home: columns.home()?,
        policy: AlertPolicy {
            recovery_mode: columns.word()?,
            notification_urgency: columns.word()?,
            recovery_hold: TimeDelta::milliseconds(columns.get()?),
            acknowledgement_expiry: columns.get::<Option<i64>>()?.map(TimeDelta::milliseconds),
            stale_after: columns.get::<Option<i64>>()?.map(TimeDelta::milliseconds),
            flapping: flapping(&mut columns)?,
        },
        created_at: columns.time()?,
    })
}

/// When an alert is said to be flapping; a count of zero says never.
fn flapping(columns: &mut Columns<'_>) -> Result<Option<FlappingPolicy>> {
    let flapping = FlappingPolicy {
        count: columns.get()?,
        within: TimeDelta::milliseconds(columns.get()?),
        quiet: TimeDelta::milliseconds(columns.get()?),
    };
    Ok((flapping.count > 0).then_some(flapping))
}
