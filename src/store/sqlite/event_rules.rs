//! Event rules.

use std::sync::Arc;

use rusqlite::{Row, params};
use serde_json::Value;

use super::{
    rows::{Columns, json, millis},
    work::Work,
};
use crate::{
    domain::{
        event_rule::{EventRule, EventRules as Loaded, RuleCondition, RulePlace},
        scope::{Home, Scope},
    },
    error::{Error, Result},
    id::Id,
    store::{EventRules, HitKind, Hits},
};

const SELECT: &str = "SELECT r.event_rule_id, d.domain_id, s.workspace_id, p.project_id, w.webhook_id, r.name, r.position,
        r.policy, r.conditions, r.actions, r.stop_processing, r.tags, r.created_at
 FROM event_rule r JOIN workspace s ON s.workspace = r.workspace JOIN domain d USING (domain)
 LEFT JOIN project p ON p.project = r.project LEFT JOIN webhook w ON w.webhook = r.webhook";

impl Work {
    /// The rules that are asked about events of a project: its own, those of its webhooks, those of its workspace.
    pub(super) fn load_event_rules(&self, home: &Home) -> Result<Loaded> {
        let sql = format!(
            "{SELECT} WHERE r.workspace = ?1 AND (r.project IS NULL OR r.project = ?2)
             ORDER BY r.position, r.event_rule"
        );
        let of = params![self.workspace_row(home)?, self.project_row(&home.project_id)?];
        let mut loaded = Loaded::default();
        for rule in self.many(&sql, of, rule)? {
            let place = rule.place.clone();
            let rule = Arc::new(rule);
            match place {
                RulePlace::Workspace(..) => loaded.workspace.push(rule),
                RulePlace::Project(_) => loaded.project.push(rule),
                RulePlace::Webhook(_, webhook) => {
                    loaded.webhooks.entry(webhook).or_default().push(rule);
                }
            }
        }
        Ok(loaded)
    }

    /// The rows of what a rule belongs to: workspace, project, webhook.
    fn rule_place_rows(&self, place: &RulePlace) -> Result<(i64, Option<i64>, Option<i64>)> {
        Ok(match place {
            RulePlace::Webhook(home, webhook) => {
                let project = self.project_row(&home.project_id)?;
                (self.workspace_row(home)?, Some(project), Some(self.webhook_row(webhook)?))
            }
            RulePlace::Project(home) => {
                (self.workspace_row(home)?, Some(self.project_row(&home.project_id)?), None)
            }
            RulePlace::Workspace(_, workspace) => {
                let sql = "SELECT workspace FROM workspace WHERE workspace_id = ?1";
                let row = self.number(sql, [workspace.as_str()])?;
                (row.ok_or_else(|| Error::not_found("workspace", workspace))?, None, None)
            }
        })
    }

    /// Notes whose setups a rule is part of.
    fn event_rules_changed(&self, place: &RulePlace) -> Result<()> {
        match place {
            RulePlace::Webhook(home, _) | RulePlace::Project(home) => {
                self.setup_changed(&home.project_id)
            }
            RulePlace::Workspace(_, workspace) => self.setups_changed(workspace),
        }
    }

    /// Removes the rules of a webhook that is deleted.
    pub(super) fn delete_rules_of_webhook(&self, webhook: i64) -> Result<()> {
        if self.put("DELETE FROM event_rule WHERE webhook = ?1", [webhook])? > 0 {
            self.setup_of_webhook_changed(webhook)?;
        }
        Ok(())
    }
}

impl EventRules for Work {
    fn event_rule(&self, scope: &Scope, id: &Id<EventRule>) -> Result<Option<EventRule>> {
        let sql = format!("{SELECT} WHERE r.event_rule_id = ?1");
        Ok(self.one(&sql, [id.as_str()], rule)?.filter(|rule| rule.place.is_in(scope)))
    }

    fn event_rules(&self, scope: &Scope) -> Result<Vec<EventRule>> {
        let sql = format!(
            "{SELECT} ORDER BY r.workspace, r.project, r.webhook, r.position, r.event_rule"
        );
        let mut found = self.many(&sql, [], rule)?;
        found.retain(|rule| rule.place.is_in(scope));
        Ok(found)
    }

    fn event_rules_of(&self, place: &RulePlace) -> Result<Vec<EventRule>> {
        let (workspace, project, webhook) = self.rule_place_rows(place)?;
        let sql = format!(
            "{SELECT} WHERE r.workspace = ?1 AND r.project IS ?2 AND r.webhook IS ?3
             ORDER BY r.position, r.event_rule"
        );
        self.many(&sql, params![workspace, project, webhook], rule)
    }

    fn put_event_rule(&mut self, rule: &EventRule) -> Result<()> {
        let EventRule {
            event_rule_id,
            name,
            order,
            policy,
            conditions,
            actions,
            stop_processing,
            place,
            tags,
            created_at,
        } = rule;
        let (workspace, project, webhook) = self.rule_place_rows(place)?;
        let conditions: Vec<Value> = conditions.iter().map(RuleCondition::written).collect();
        self.put(
            "INSERT INTO event_rule (event_rule_id, workspace, project, webhook, name, position, policy, conditions,
                                     actions, stop_processing, tags, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (event_rule_id) DO UPDATE SET name = excluded.name, position = excluded.position,
                 policy = excluded.policy, conditions = excluded.conditions, actions = excluded.actions,
                 stop_processing = excluded.stop_processing, tags = excluded.tags",
            params![
                event_rule_id.as_str(),
                workspace,
                project,
                webhook,
                name,
                order,
                policy.as_str(),
                json(&conditions)?,
                json(actions)?,
                stop_processing,
                json(tags)?,
                millis(*created_at)
            ],
        )?;
        self.event_rules_changed(place)
    }

    fn delete_event_rule(&mut self, rule: &EventRule) -> Result<()> {
        let id = rule.event_rule_id.as_str();
        self.put("DELETE FROM event_rule WHERE event_rule_id = ?1", [id])?;
        self.forget_hits(HitKind::EventRule, id)?;
        self.event_rules_changed(&rule.place)
    }
}

fn rule(row: &Row<'_>) -> Result<EventRule> {
    let mut columns = Columns::of(row);
    let event_rule_id = columns.id()?;
    let (domain_id, workspace_id) = (columns.id()?, columns.id()?);
    let (project, webhook) = (columns.maybe_id()?, columns.maybe_id()?);
    let home = |project_id| Home {
        domain_id: Id::clone(&domain_id),
        workspace_id: Id::clone(&workspace_id),
        project_id,
    };
    let place = match (project, webhook) {
        (Some(project), Some(webhook)) => RulePlace::Webhook(home(project), webhook),
        (Some(project), None) => RulePlace::Project(home(project)),
        (None, _) => RulePlace::Workspace(domain_id.clone(), workspace_id.clone()),
    };
    let (name, order, policy) = (columns.text()?, columns.get()?, columns.word()?);
    let conditions: Vec<Value> = columns.json()?;
    Ok(EventRule {
        event_rule_id,
        name,
        order,
        policy,
        conditions: conditions.iter().map(RuleCondition::restored).collect(),
        actions: columns.json()?,
        stop_processing: columns.get()?,
        place,
        tags: columns.json()?,
        created_at: columns.time()?,
    })
}
