//! Group rules, and the groups that wait or are open.

use std::sync::Arc;

use chrono::TimeDelta;
use rusqlite::{Row, params};
use serde_json::Value;

use super::{
    rows::{Columns, json, millis},
    work::Work,
};
use crate::{
    clock::{Timestamp, from_millis},
    domain::{
        alert::Alert,
        event::Event,
        event_rule::RuleCondition,
        group_rule::{GroupField, GroupRule, GroupRules as Loaded},
        scope::{Home, Scope},
    },
    error::{Error, Result},
    id::Id,
    store::{GroupRules, HitKind, Hits},
};

const SELECT: &str = "SELECT r.group_rule_id, d.domain_id, s.workspace_id, p.project_id, r.name, r.position, r.conditions,
        r.fields, r.span, r.threshold, r.tags, r.created_at
 FROM group_rule r JOIN project p USING (project) JOIN workspace s USING (workspace) JOIN domain d USING (domain)";

impl Work {
    /// The group rules of a project, in order.
    pub(super) fn load_group_rules(&self, home: &Home) -> Result<Loaded> {
        let sql = format!("{SELECT} WHERE r.project = ?1 ORDER BY r.position, r.group_rule");
        let rules = self.many(&sql, [self.project_row(&home.project_id)?], rule)?;
        Ok(Loaded { rules: rules.into_iter().map(Arc::new).collect() })
    }

    fn group_rule_row(&self, id: &Id<GroupRule>) -> Result<i64> {
        let sql = "SELECT group_rule FROM group_rule WHERE group_rule_id = ?1";
        self.number(sql, [id.as_str()])?.ok_or_else(|| Error::not_found("group rule", id))
    }
}

impl GroupRules for Work {
    fn group_rule(&self, scope: &Scope, id: &Id<GroupRule>) -> Result<Option<GroupRule>> {
        let sql = format!("{SELECT} WHERE r.group_rule_id = ?1");
        Ok(self.one(&sql, [id.as_str()], rule)?.filter(|rule| scope.contains(&rule.home)))
    }

    fn group_rules(&self, scope: &Scope) -> Result<Vec<GroupRule>> {
        let sql = format!("{SELECT} ORDER BY p.project_id, r.position, r.group_rule");
        let mut found = self.many(&sql, [], rule)?;
        found.retain(|rule| scope.contains(&rule.home));
        Ok(found)
    }

    fn put_group_rule(&mut self, rule: &GroupRule) -> Result<()> {
        let GroupRule {
            group_rule_id,
            name,
            order,
            conditions,
            fields,
            window,
            threshold,
            home,
            tags,
            created_at,
        } = rule;
        let conditions: Vec<Value> = conditions.iter().map(RuleCondition::written).collect();
        let fields: Vec<&str> = fields.iter().map(GroupField::as_str).collect();
        self.put(
            "INSERT INTO group_rule (group_rule_id, project, name, position, conditions, fields, span, threshold, tags,
                                     created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (group_rule_id) DO UPDATE SET name = excluded.name, position = excluded.position,
                 conditions = excluded.conditions, fields = excluded.fields, span = excluded.span,
                 threshold = excluded.threshold, tags = excluded.tags",
            params![
                group_rule_id.as_str(),
                self.project_row(&home.project_id)?,
                name,
                order,
                json(&conditions)?,
                json(&fields)?,
                window.num_milliseconds(),
                threshold,
                json(tags)?,
                millis(*created_at)
            ],
        )?;
        self.setup_changed(&home.project_id)
    }

    fn delete_group_rule(&mut self, rule: &GroupRule) -> Result<()> {
        let row = self.group_rule_row(&rule.group_rule_id)?;
        for sql in [
            "DELETE FROM group_waiting WHERE group_rule = ?1",
            "DELETE FROM grouping WHERE group_rule = ?1",
            "DELETE FROM group_rule WHERE group_rule = ?1",
        ] {
            self.put(sql, [row])?;
        }
        self.forget_hits(HitKind::GroupRule, rule.group_rule_id.as_str())?;
        self.setup_changed(&rule.home.project_id)
    }

    fn grouping(&self, subject: &str) -> Result<Option<(Id<Alert>, Timestamp)>> {
        let sql = "SELECT lead, last_at FROM grouping WHERE subject = ?1";
        self.one(sql, [subject], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.id()?, columns.time()?))
        })
    }

    fn put_grouping(
        &mut self,
        rule: &Id<GroupRule>,
        subject: &str,
        (lead, last_at): (&Id<Alert>, Timestamp),
    ) -> Result<()> {
        self.put(
            "INSERT INTO grouping (subject, group_rule, lead, last_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (subject) DO UPDATE SET lead = excluded.lead, last_at = excluded.last_at",
            params![subject, self.group_rule_row(rule)?, lead.as_str(), millis(last_at)],
        )?;
        Ok(())
    }

    fn waiting(&self, subject: &str, since: Timestamp, most: u32) -> Result<Vec<Id<Event>>> {
        self.many(
            "SELECT event_id FROM group_waiting WHERE subject = ?1 AND came_at >= ?2 ORDER BY came_at, event_id LIMIT ?3",
            params![subject, millis(since), most],
            |row| Columns::of(row).id(),
        )
    }

    fn wait(
        &mut self,
        rule: &Id<GroupRule>,
        subject: &str,
        (event_id, came_at): (&Id<Event>, Timestamp),
    ) -> Result<()> {
        self.put(
            "INSERT INTO group_waiting (subject, came_at, event_id, group_rule) VALUES (?1, ?2, ?3, ?4)",
            params![subject, millis(came_at), event_id.as_str(), self.group_rule_row(rule)?],
        )?;
        Ok(())
    }

    fn forget_waiting(&mut self, subject: &str, until: Timestamp) -> Result<Option<Timestamp>> {
        let sql = "DELETE FROM group_waiting WHERE subject = ?1 AND came_at < ?2";
        self.put(sql, params![subject, millis(until)])?;
        let sql = "SELECT min(came_at) FROM group_waiting WHERE subject = ?1";
        Ok(self.number(sql, [subject])?.map(from_millis))
    }

    fn forget_grouping(&mut self, subject: &str) -> Result<()> {
        self.put("DELETE FROM grouping WHERE subject = ?1", [subject])?;
        Ok(())
    }
}

fn rule(row: &Row<'_>) -> Result<GroupRule> {
    let mut columns = Columns::of(row);
    let (group_rule_id, home) = (columns.id()?, columns.home()?);
    let (name, order) = (columns.text()?, columns.get()?);
    let conditions: Vec<Value> = columns.json()?;
    let fields: Vec<String> = columns.json()?;
    Ok(GroupRule {
        group_rule_id,
        name,
        order,
        conditions: conditions.iter().map(RuleCondition::restored).collect(),
        fields: fields.into_iter().map(GroupField::restored).collect(),
        window: TimeDelta::milliseconds(columns.get()?),
        threshold: columns.get()?,
        home,
        tags: columns.json()?,
        created_at: columns.time()?,
    })
}
