//! Escalation policies.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::{
    rows::{self, Columns, json, millis},
    work::Work,
};
use crate::{
    clock::from_millis,
    domain::{
        channel::Place,
        escalation::{EscalationPolicy, EscalationRule, Escalations as Loaded},
        notice::NotificationLevel,
        people::Target,
        project::{Project, Workspace},
        scope::{Home, Scope},
    },
    error::{Code, Error, Result},
    id::Id,
    store::EscalationPolicies,
};

const SELECT: &str = "SELECT d.domain_id, s.workspace_id, p.project_id, e.escalation_policy_id, e.name, e.is_default,
        e.rules, e.repeat_count, e.finish_condition, e.tags, e.created_at
 FROM escalation_policy e JOIN workspace s ON s.workspace = e.workspace JOIN domain d ON d.domain = s.domain
 LEFT JOIN project p ON p.project = e.project";

/// A step as the file keeps it.
#[derive(Serialize, Deserialize)]
struct KeptRule {
    notification_level: NotificationLevel,
    escalate_minutes: u32,
    #[serde(default)]
    targets: Vec<Target>,
}

impl From<&EscalationRule> for KeptRule {
    fn from(rule: &EscalationRule) -> Self {
        let EscalationRule { notification_level, escalate_minutes, targets } = rule.clone();
        Self { notification_level, escalate_minutes, targets }
    }
}

impl From<KeptRule> for EscalationRule {
    fn from(kept: KeptRule) -> Self {
        let KeptRule { notification_level, escalate_minutes, targets } = kept;
        Self { notification_level, escalate_minutes, targets }
    }
}

/// The next three columns, where something lives that a workspace or a project has.
pub(super) fn place(columns: &mut Columns<'_>) -> Result<Place> {
    let (domain_id, workspace_id) = (columns.id()?, columns.id()?);
    Ok(match columns.maybe_id()? {
        None => Place::Workspace(domain_id, workspace_id),
        Some(project_id) => Place::Project(Home { domain_id, workspace_id, project_id }),
    })
}

impl Work {
    /// What a setup holds of this: the policies of a project's workspace, but for those of other projects.
    pub(super) fn load_escalations(&self, home: &Home) -> Result<Loaded> {
        let sql = format!(
            "{SELECT} WHERE e.workspace = (SELECT workspace FROM workspace WHERE workspace_id = ?1)
               AND (e.project IS NULL OR p.project_id = ?2)"
        );
        let found =
            self.many(&sql, [home.workspace_id.as_str(), home.project_id.as_str()], policy)?;
        let policies = found.into_iter();
        let chosen = self.chosen_policies(Some(&home.project_id))?.remove(&home.project_id);
        let by_id = policies.map(|policy| (policy.escalation_policy_id.clone(), policy.into()));
        Ok(Loaded { chosen, policies: by_id.collect() })
    }

    /// Gives a workspace its default policy, unless it has policies.
    pub(super) fn add_default_policy(&mut self, workspace: &Workspace) -> Result<()> {
        let place = Place::Workspace(workspace.domain_id.clone(), workspace.workspace_id.clone());
        let (row, _) = self.place_rows(&place)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM escalation_policy WHERE workspace = ?1)";
        if self.number(sql, [row])? == Some(1) {
            return Ok(());
        }
        let created_at = from_millis(millis(workspace.created_at));
        self.put_escalation_policy(&EscalationPolicy::default_of(place, created_at))
    }

    /// Removes the policies, schedules and contact methods of a workspace that is deleted.
    pub(super) fn forget_people_of_workspace(&self, id: &Id<Workspace>) -> Result<()> {
        for sql in [
            "DELETE FROM escalation_policy
             WHERE workspace = (SELECT workspace FROM workspace WHERE workspace_id = ?1)",
            "DELETE FROM on_call WHERE workspace = (SELECT workspace FROM workspace WHERE workspace_id = ?1)",
            "DELETE FROM contact WHERE workspace = (SELECT workspace FROM workspace WHERE workspace_id = ?1)",
        ] {
            self.put(sql, [id.as_str()])?;
        }
        Ok(())
    }

    /// Removes the policies, schedules and contact methods of a project that is deleted.
    pub(super) fn forget_people_of_project(&self, id: &Id<Project>) -> Result<()> {
        let project = self.project_row(id)?;
        for sql in [
            "DELETE FROM escalation_policy WHERE project = ?1",
            "DELETE FROM on_call WHERE project = ?1",
            "DELETE FROM contact WHERE project = ?1",
        ] {
            self.put(sql, [project])?;
        }
        Ok(())
    }
}

impl EscalationPolicies for Work {
    fn escalation_policy(
        &self,
        scope: &Scope,
        id: &Id<EscalationPolicy>,
    ) -> Result<Option<EscalationPolicy>> {
        let sql = format!("{SELECT} WHERE e.escalation_policy_id = ?1");
        let found = self.one(&sql, [id.as_str()], policy)?;
        Ok(found.filter(|policy| policy.place.is_seen_by(scope)))
    }

    fn escalation_policies(&self, scope: &Scope) -> Result<Vec<EscalationPolicy>> {
        let sql = format!("{SELECT} ORDER BY e.name, e.escalation_policy");
        let mut found = self.many(&sql, [], policy)?;
        found.retain(|policy| policy.place.is_seen_by(scope));
        Ok(found)
    }

    fn put_escalation_policy(&mut self, policy: &EscalationPolicy) -> Result<()> {
        let (workspace, project) = self.place_rows(&policy.place)?;
        let id = policy.escalation_policy_id.as_str();
        if policy.is_default {
            self.put(
                "UPDATE escalation_policy SET is_default = 0
                 WHERE workspace = ?1 AND is_default = 1 AND escalation_policy_id <> ?2",
                params![workspace, id],
            )?;
        }
        let rules: Vec<KeptRule> = policy.rules.iter().map(KeptRule::from).collect();
        let put = self.put(
            "INSERT INTO escalation_policy (escalation_policy_id, workspace, project, name, is_default, rules,
                 repeat_count, finish_condition, tags, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (escalation_policy_id) DO UPDATE SET name = excluded.name, is_default = excluded.is_default,
                 rules = excluded.rules, repeat_count = excluded.repeat_count,
                 finish_condition = excluded.finish_condition, tags = excluded.tags",
            params![
                id,
                workspace,
                project,
                policy.name,
                policy.is_default,
                json(&rules)?,
                policy.repeat_count,
                policy.finish_condition.as_str(),
                json(&policy.tags)?,
                millis(policy.created_at)
            ],
        );
        put.map_err(|error| not_unique(error, "escalation policy", &policy.name))?;
        // A default takes the place of another, whosever that was.
        self.setups_changed(policy.place.workspace_id())
    }

    fn delete_escalation_policy(&mut self, id: &Id<EscalationPolicy>) -> Result<()> {
        let used = self.number(
            "SELECT EXISTS (SELECT 1 FROM project_alert_config WHERE escalation_policy =
                 (SELECT escalation_policy FROM escalation_policy WHERE escalation_policy_id = ?1))",
            [id.as_str()],
        )?;
        if used == Some(1) {
            let detail = format!("escalation policy `{id}` is the choice of a project");
            return Err(Error::new(Code::ExistResource, detail));
        }
        let Some(policy) = self.escalation_policy(&Scope::EVERYTHING, id)? else { return Ok(()) };
        self.put("DELETE FROM escalation_policy WHERE escalation_policy_id = ?1", [id.as_str()])?;
        self.setups_at(&policy.place)
    }

    fn chosen_policies(
        &self,
        project: Option<&Id<Project>>,
    ) -> Result<BTreeMap<Id<Project>, Id<EscalationPolicy>>> {
        let found = self.many(
            "SELECT p.project_id, e.escalation_policy_id
             FROM project_alert_config c JOIN project p USING (project) JOIN escalation_policy e USING (escalation_policy)
             WHERE ?1 IS NULL OR c.project = (SELECT project FROM project WHERE project_id = ?1)",
            [project.map(Id::as_str)],
            |row| {
                let mut columns = Columns::of(row);
                Ok((columns.id()?, columns.id()?))
            },
        )?;
        Ok(found.into_iter().collect())
    }

    fn choose_policy(
        &mut self,
        project: &Id<Project>,
        policy: Option<&Id<EscalationPolicy>>,
    ) -> Result<()> {
        self.put(
            "UPDATE project_alert_config SET escalation_policy =
                 (SELECT escalation_policy FROM escalation_policy WHERE escalation_policy_id = ?2)
             WHERE project = ?1",
            params![self.project_row(project)?, policy.map(Id::as_str)],
        )?;
        self.setup_changed(project)
    }
}

/// Says of a broken constraint that a name is taken.
pub(super) fn not_unique(error: Error, what: &str, name: &str) -> Error {
    rows::if_constraint(error, || {
        let detail = format!("there is another {what} `{name}`");
        Error::at(Code::NotUnique, "/name", detail)
    })
}

fn policy(row: &Row<'_>) -> Result<EscalationPolicy> {
    let mut columns = Columns::of(row);
    Ok(EscalationPolicy {
        place: place(&mut columns)?,
        escalation_policy_id: columns.id()?,
        name: columns.text()?,
        is_default: columns.get()?,
        rules: columns.json::<Vec<KeptRule>>()?.into_iter().map(EscalationRule::from).collect(),
        repeat_count: columns.get()?,
        finish_condition: columns.word()?,
        tags: columns.json()?,
        created_at: columns.time()?,
    })
}
