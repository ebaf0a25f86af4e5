//! The same done to many alerts at once: what cannot be done to one of them leaves the others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AlertInfo, act};
use crate::{
    api::{Asked, Call, asked::Question as _},
    clock::Timestamp,
    domain::{
        alert::Alert,
        life::{Act, Edit},
        words::{AlertState, Urgency},
    },
    error::{Code, Error, Result},
    id::Id,
    query::ALERTS,
    store::Tx,
};

/// How many alerts one call takes at most.
const MOST: u32 = 1000;

/// Asks to do the same to many alerts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkAlerts {
    /// Which alerts, by their identifiers: at most 1000. Either this or `query`.
    alert_ids: Option<Vec<Id<Alert>>>,
    /// Which alerts, by a query as `alert/list` takes it: the first 1000 of them.
    query: Option<Asked>,
    /// What is done to each.
    action: Action,
    /// Why.
    reason: Option<String>,
    /// For `acknowledge` and `snooze`: until when.
    until: Option<Timestamp>,
    /// The same as a number of seconds from now.
    seconds: Option<u32>,
    /// For `assign`: who should act; empty for nobody.
    assignee: Option<String>,
    /// For `set_urgency`: how soon a person must look.
    urgency: Option<Urgency>,
    /// For `merge`: the alert that leads.
    into: Option<Id<Alert>>,
}

/// What may be done to many alerts at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Take them.
    Acknowledge,
    /// Say that they are over.
    Resolve,
    /// Make them TRIGGERED again.
    Reopen,
    /// Put them off.
    Snooze,
    /// Put them off no longer.
    Unsnooze,
    /// Give them to someone.
    Assign,
    /// Say how soon a person must look.
    SetUrgency,
    /// Make them one with another.
    Merge,
    /// Make each one of its own again.
    Unmerge,
    /// Delete them.
    Delete,
}

impl Action {
    /// What it is called in the audit trail, as in a request.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Reopen => "reopen",
            Self::Snooze => "snooze",
            Self::Unsnooze => "unsnooze",
            Self::Assign => "assign",
            Self::SetUrgency => "set_urgency",
            Self::Merge => "merge",
            Self::Unmerge => "unmerge",
            Self::Delete => "delete",
        }
    }
}

/// What was done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BulkInfo {
    /// What became of each alert, in the order in which they were named or found.
    pub results: Vec<BulkItem>,
    /// To how many it was done.
    pub done: usize,
    /// To how many it could not be done.
    pub failed: usize,
    /// Whether the query finds more alerts than one call takes.
    pub more: bool,
}

/// What became of one alert.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BulkItem {
    /// Its identifier.
    pub alert_id: Id<Alert>,
    /// Its number in its workspace; absent where it is deleted or nothing could be done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alert_number: Option<u64>,
    /// What a person reads first; absent where it is deleted or nothing could be done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// Where it stands now; absent where it is deleted or nothing could be done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<AlertState>,
    /// Why nothing could be done; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<BulkError>,
}

impl BulkItem {
    fn new(alert_id: Id<Alert>, shown: Option<AlertInfo>, error: Option<BulkError>) -> Self {
        let alert_number = shown.as_ref().map(|alert| alert.alert_number);
        let state = shown.as_ref().map(|alert| alert.state);
        Self { alert_id, alert_number, title: shown.and_then(|alert| alert.title), state, error }
    }
}

/// Why nothing could be done to an alert.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BulkError {
    /// Which error it is.
    pub code: &'static str,
    /// What was wrong.
    pub detail: String,
}

/// What is done to one alert after the other.
#[derive(Clone, Debug)]
enum Deed {
    Act(Act),
    Acknowledge(Option<Timestamp>, Option<u32>),
    Merge(Id<Alert>, Option<String>),
    Unmerge(Option<String>),
    Delete,
}

/// Does the same to many alerts, each by itself.
pub fn bulk(tx: &mut dyn Tx, call: &Call, request: BulkAlerts) -> Result<BulkInfo> {
    call.notes.says("act", request.action.as_str());
    let deed = request.deed(call)?;
    let (ids, more) = request.meant(tx, call)?;
    let mut results = Vec::with_capacity(ids.len());
    for alert_id in ids {
        let mut shown = None;
        let done = call.notes.part(
            || format!("alert:{alert_id}"),
            || {
                tx.attempt(&mut |tx| {
                    shown = deed.done(tx, call, &alert_id)?;
                    Ok(())
                })
            },
        );
        let error = match done {
            Ok(()) => None,
            // What is not the alert's fault would befall the next one too.
            Err(error) if error.code.status() >= 500 => return Err(error),
            Err(error) => Some(BulkError { code: error.code.name(), detail: error.detail }),
        };
        results.push(BulkItem::new(alert_id, shown.filter(|_| error.is_none()), error));
    }
    let failed = results.iter().filter(|item| item.error.is_some()).count();
    Ok(BulkInfo { done: results.len() - failed, failed, results, more })
}

impl BulkAlerts {
    /// Which alerts are meant, and whether there are more of them.
    fn meant(self, tx: &dyn Tx, call: &Call) -> Result<(Vec<Id<Alert>>, bool)> {
        match (self.alert_ids, self.query) {
            (Some(ids), None) => {
                if ids.len() > MOST as usize {
                    let detail = format!("at most {MOST} alerts at once");
                    return Err(Error::at(Code::InvalidParameter, "/alert_ids", detail));
                }
                Ok((ids, false))
            }
            (None, Some(query)) => {
                let query = query.checked(&ALERTS, call.now)?.limited_to(MOST).uncounted();
                let found = tx.alerts(&call.caller.scope, &query)?;
                let ids = found.rows.into_iter().map(|alert| alert.standing.alert_id);
                Ok((ids.collect(), found.next_cursor.is_some()))
            }
            (Some(_), Some(_)) => {
                let detail = "give `alert_ids` or `query`, not both";
                Err(Error::at(Code::InvalidParameter, "/query", detail))
            }
            (None, None) => Err(Error::required("alert_ids")),
        }
    }

    /// What is to be done. What the action does not take is a mistake, so that nobody believes that it was heeded.
    fn deed(&self, call: &Call) -> Result<Deed> {
        let Self { alert_ids: _, query: _, action, .. } = self;
        self.refuse_what_is_beside()?;
        let reason = act::reason(self.reason.clone())?;
        let urgency = || self.urgency.ok_or_else(|| Error::required("urgency"));
        let assignee = || self.assignee.as_deref().ok_or_else(|| Error::required("assignee"));
        let into = || self.into.clone().ok_or_else(|| Error::required("into"));
        Ok(match action {
            Action::Acknowledge => Deed::Acknowledge(self.until, self.seconds),
            Action::Resolve => Deed::Act(Act::Resolve { reason }),
            Action::Reopen => Deed::Act(Act::Reopen { reason }),
            Action::Snooze => Deed::Act(act::snoozing(call, (self.until, self.seconds), reason)?),
            Action::Unsnooze => Deed::Act(Act::Wake),
            Action::Assign => Deed::Act(act::assignment(assignee()?)?),
            Action::SetUrgency => {
                let urgency = Some(urgency()?);
                Deed::Act(Act::Edit(Edit { urgency, ..Edit::default() }))
            }
            Action::Merge => Deed::Merge(into()?, reason),
            Action::Unmerge => Deed::Unmerge(reason),
            Action::Delete => Deed::Delete,
        })
    }

    fn refuse_what_is_beside(&self) -> Result<()> {
        let lasts = matches!(self.action, Action::Acknowledge | Action::Snooze);
        let given = [
            ("until", self.until.is_some(), lasts),
            ("seconds", self.seconds.is_some(), lasts),
            ("assignee", self.assignee.is_some(), self.action == Action::Assign),
            ("urgency", self.urgency.is_some(), self.action == Action::SetUrgency),
            ("into", self.into.is_some(), self.action == Action::Merge),
        ];
        match given.into_iter().find(|(_, is_given, is_taken)| *is_given && !is_taken) {
            None => Ok(()),
            Some((name, ..)) => {
                let detail = format!("`{name}` is nothing that this action takes");
                Err(Error::at(Code::InvalidParameter, format!("/{name}"), detail))
            }
        }
    }
}

impl Deed {
    /// Does it to an alert, and shows it unless it is gone.
    fn done(&self, tx: &mut dyn Tx, call: &Call, id: &Id<Alert>) -> Result<Option<AlertInfo>> {
        let view = match self.clone() {
            Self::Act(act) => act::done(tx, call, id, act)?,
            Self::Acknowledge(until, seconds) => {
                let alert = act::touched(tx, call, id)?;
                let until = act::acknowledged_until(tx, call, (&alert, until, seconds))?;
                act::done(tx, call, id, Act::Acknowledge { until })?
            }
            Self::Merge(into, reason) => act::merged(tx, call, id, (&into, reason))?,
            Self::Unmerge(reason) => act::unmerged(tx, call, id, reason)?,
            Self::Delete => {
                act::deleted(tx, call, id)?;
                return Ok(None);
            }
        };
        Ok(Some(view))
    }
}
