//! Writing alerts, and what is being done for them.

use rusqlite::params;

use super::super::{
    rows::{self, Columns, json, maybe_millis, millis, number},
    work::Work,
};
use crate::{
    domain::{
        alert::{Alert, Standing},
        care::{Care, Escalation},
    },
    error::{Code, Error, Result},
    id::Id,
};

impl Work {
    /// Writes how an alert stands.
    pub(super) fn put_standing(&self, row: i64, standing: &Standing) -> Result<()> {
        let Standing {
            alert_id: _,
            state: _,
            severity,
            urgency,
            event_count,
            last_event_at,
            updated_at,
            marks: _,
        } = standing;
        self.put(
            "REPLACE INTO standing (alert, severity, urgency, event_count, last_event_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                row,
                severity.as_str(),
                urgency.as_str(),
                number(*event_count),
                millis(*last_event_at),
                millis(*updated_at)
            ],
        )?;
        Ok(())
    }

    /// Adds an alert's row.
    pub(super) fn insert_alert(
        &self,
        row: i64,
        workspace: i64,
        alert_number: u64,
        alert: &Alert,
    ) -> Result<()> {
        let webhook = alert.webhook_id.as_ref().map(|id| self.webhook_row(id)).transpose()?;
        let escalation = &alert.care.escalation;
        self.put(
            "INSERT INTO alert (alert, alert_id, workspace, alert_number, project, event_key, state, title, description,
                                rule, image_url, resources, provider, account, additional_info,
                                assignee, responder, triggered_by, webhook, created_at,
                                acknowledged_at, resolved_at, recovered_at, ending,
                                escalation_policy_id, escalation_step, escalation_ttl, escalated_at, no_notification,
                                policy_given)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                     ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)",
            params![
                row,
                alert.alert_id().as_str(),
                workspace,
                number(alert_number),
                self.project_row(&alert.home.project_id)?,
                alert.event_key,
                alert.standing.state.as_str(),
                alert.title,
                alert.description,
                alert.rule,
                alert.image_url,
                json(&alert.resources)?,
                alert.provider,
                alert.account,
                json(&alert.additional_info)?,
                alert.assignee,
                alert.responder,
                alert.triggered_by,
                webhook,
                millis(alert.created_at),
                maybe_millis(alert.acknowledged_at),
                alert.ending.as_ref().map(|ending| millis(ending.resolved_at)),
                alert.ending.as_ref().and_then(|ending| maybe_millis(ending.recovered_at)),
                alert.ending.as_ref().map(|ending| ending.reason.as_str()),
                escalation.policy_id.as_ref().map(Id::as_str),
                escalation.step,
                escalation.ttl,
                maybe_millis(escalation.escalated_at),
                escalation.no_notification,
                escalation.is_given
            ],
        )?;
        // Most alerts need nothing more, and so no second statement.
        if !alert.care.marks().is_empty() || alert.care.acknowledged_until.is_some() {
            self.put_care(row, &alert.care)?;
        }
        self.put_standing(row, &alert.standing)
    }

    /// Replaces what may change of an alert's row.
    pub(super) fn update_alert(&self, row: i64, alert: &Alert) -> Result<()> {
        let put = self.put(
            "UPDATE alert SET project = ?2, state = ?3, title = ?4, description = ?5, assignee = ?6, responder = ?7,
                    acknowledged_at = ?8, resolved_at = ?9, recovered_at = ?10, ending = ?11
             WHERE alert = ?1",
            params![
                row,
                self.project_row(&alert.home.project_id)?,
                alert.standing.state.as_str(),
                alert.title,
                alert.description,
                alert.assignee,
                alert.responder,
                maybe_millis(alert.acknowledged_at),
                alert.ending.as_ref().map(|ending| millis(ending.resolved_at)),
                alert.ending.as_ref().and_then(|ending| maybe_millis(ending.recovered_at)),
                alert.ending.as_ref().map(|ending| ending.reason.as_str())
            ],
        );
        put.map_err(|error| {
            rows::if_constraint(error, || {
                let detail =
                    format!("another alert of key `{}` is open in that project", alert.event_key);
                Error::new(Code::NotUnique, detail)
            })
        })?;
        self.put_care(row, &alert.care)?;
        self.put_standing(row, &alert.standing)
    }

    /// Writes what is being done for an alert.
    fn put_care(&self, row: i64, care: &Care) -> Result<()> {
        let Care {
            escalation,
            mute,
            snooze,
            acknowledged_until,
            flapping,
            merged_into,
            leads,
            held,
            expired,
        } = care;
        self.put(
            "UPDATE alert SET escalation_policy_id = ?2, escalation_step = ?3, escalation_ttl = ?4, escalated_at = ?5,
                    no_notification = ?6, muted_by = ?7, mute = ?8, snoozed_until = ?9, snooze = ?10,
                    acknowledged_until = ?11, flapping_since = ?12, flapping = ?13, merged_into = ?14, leads = ?15,
                    expired = ?16, marks = ?17, held = ?18, policy_given = ?19
             WHERE alert = ?1",
            params![
                row,
                escalation.policy_id.as_ref().map(Id::as_str),
                escalation.step,
                escalation.ttl,
                maybe_millis(escalation.escalated_at),
                escalation.no_notification,
                mute.as_ref().map(|mute| mute.by.as_str()),
                mute.as_ref().map(json).transpose()?,
                snooze.as_ref().map(|snooze| millis(snooze.until)),
                snooze.as_ref().map(json).transpose()?,
                maybe_millis(*acknowledged_until),
                flapping.as_ref().map(|flapping| millis(flapping.since)),
                flapping.as_ref().map(json).transpose()?,
                merged_into.as_ref().map(Id::as_str),
                leads,
                expired,
                care.marks().bits(),
                held.as_ref().map(json).transpose()?,
                escalation.is_given
            ],
        )?;
        Ok(())
    }
}

/// What is being done for an alert, from the last of an alert's columns.
pub(super) fn care(columns: &mut Columns<'_>) -> Result<Care> {
    Ok(Care {
        escalation: Escalation {
            policy_id: columns.maybe_id()?,
            is_given: columns.get()?,
            step: columns.get()?,
            ttl: columns.get()?,
            escalated_at: columns.maybe_time()?,
            no_notification: columns.get()?,
        },
        mute: columns.maybe_kept()?,
        snooze: columns.maybe_kept()?,
        acknowledged_until: columns.maybe_time()?,
        flapping: columns.maybe_kept()?,
        merged_into: columns.maybe_id()?,
        leads: columns.get()?,
        held: columns.maybe_kept()?,
        expired: columns.get()?,
    })
}
