//! What something would have muted, told before it is saved.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::SpanInfo;
use crate::{
    api::{Call, Moment},
    clock::rfc3339,
    domain::{
        alert::Alert,
        calendar::Calendar,
        project::Project,
        scope::Reach,
        suppress::{AlertFilter, Area, Inhibition, Side, record},
        words::Severity,
    },
    error::Result,
    id::Id,
    query::{ALERTS, Query},
    store::{Found, Total, Tx},
};

/// How many days are looked back.
const DAYS: i64 = 7;

/// How many alerts are shown.
const SHOWN: usize = 20;

/// How many alerts are read at once.
const PAGE: u32 = 1000;

/// How many pages are read at most.
const PAGES: usize = 10;

/// How many occurrences are shown.
const OCCURRENCES: usize = 5;

/// What something would have muted, had it been there for the last seven days.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PreviewInfo {
    /// From when on alerts were looked at.
    pub since: Moment,
    /// How many alerts it would have muted.
    pub would_have_muted: u64,
    /// Whether there may be more: only so many alerts are looked at.
    pub is_capped: bool,
    /// The newest of them.
    pub alerts: Vec<MutedAlertInfo>,
    /// When it mutes next, at most five times.
    pub next_occurrences: Vec<SpanInfo>,
    /// Why it would be refused as too broad; empty where it would not.
    pub too_broad: Vec<String>,
}

/// An alert that would have been muted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MutedAlertInfo {
    /// Its identifier.
    pub alert_id: Id<Alert>,
    /// Its number in its workspace.
    pub alert_number: u64,
    /// What a person reads first.
    pub title: Option<String>,
    /// The worst severity of its events.
    pub severity: Severity,
    /// Its project.
    pub project_id: Id<Project>,
    /// When it opened.
    pub created_at: Moment,
    /// The alert on whose account it would have been muted, for an inhibition.
    pub by_alert: Option<Id<Alert>>,
}

/// Which alerts are asked about.
pub(in crate::api) struct Meant<'a> {
    /// Where they live.
    pub(in crate::api) area: &'a Area,
    /// Which of them.
    pub(in crate::api) filter: &'a AlertFilter,
}

/// What is found, alert by alert.
pub(in crate::api) struct Preview {
    since: crate::clock::Timestamp,
    count: u64,
    is_capped: bool,
    alerts: Vec<MutedAlertInfo>,
}

impl Preview {
    /// What mutes all that is meant.
    pub(in crate::api) fn of(tx: &dyn Tx, call: &Call, meant: &Meant<'_>) -> Result<Self> {
        let mut preview = Self::nothing(call);
        let found = meant.page(tx, call, json!({ "limit": SHOWN }))?;
        (preview.count, preview.is_capped) = match found.total {
            Total::Exact(count) => (count, false),
            Total::AtLeast(count) => (count, true),
            Total::Unknown => (found.rows.len() as u64, true),
        };
        preview.alerts = found.rows.into_iter().map(|alert| shown(alert, None)).collect();
        Ok(preview)
    }

    /// What mutes all that is meant and opened at one of these times.
    pub(in crate::api) fn at_times(
        tx: &dyn Tx,
        call: &Call,
        meant: &Meant<'_>,
        calendar: &Calendar,
    ) -> Result<Self> {
        let mut preview = Self::nothing(call);
        let always = calendar.always();
        // All of the week is one stretch of the calendar.
        let _ = always.at(preview.since);
        preview.is_capped = meant.each(tx, call, &mut |alert| {
            if always.at(alert.created_at).is_some() {
                preview.add(alert, None);
            }
        })?;
        Ok(preview)
    }

    /// What an inhibition mutes: alerts that opened while one was open that is equal.
    pub(in crate::api) fn inhibited(
        tx: &dyn Tx,
        call: &Call,
        inhibition: &Inhibition,
    ) -> Result<Self> {
        let mut preview = Self::nothing(call);
        let area = &inhibition.area;
        let mut sources = Vec::new();
        let of_sources = Meant { area, filter: &inhibition.source };
        let capped = of_sources.each(tx, call, &mut |alert| {
            let sides = inhibition.sides(&record(&alert));
            let source = sides.into_iter().find(|(side, _)| *side == Side::Source);
            sources.extend(source.map(|(_, values)| (values, alert)));
        })?;
        sources.sort_by(|(a, one), (b, other)| (a, one.created_at).cmp(&(b, other.created_at)));
        let of_targets = Meant { area, filter: &inhibition.target };
        preview.is_capped = of_targets.each(tx, call, &mut |alert| {
            let Ok(values) = inhibition.values(&record(&alert)) else { return };
            let from = sources.partition_point(|(other, _)| *other < values);
            let equal = sources[from..].iter().take_while(|(other, _)| *other == values);
            let by = equal.map(|(_, source)| source).find(|source| was_open(source, &alert));
            if let Some(by) = by {
                preview.add(alert, Some(by.alert_id().clone()));
            }
        })?;
        preview.is_capped |= capped;
        Ok(preview)
    }

    fn nothing(call: &Call) -> Self {
        let since = call.now - TimeDelta::days(DAYS);
        Self { since, count: 0, is_capped: false, alerts: Vec::new() }
    }

    fn add(&mut self, alert: Alert, by_alert: Option<Id<Alert>>) {
        self.count += 1;
        if self.alerts.len() < SHOWN {
            self.alerts.push(shown(alert, by_alert));
        }
    }

    /// With when it mutes next, and why it is too broad.
    pub(in crate::api) fn told(
        self,
        calendar: Option<&Calendar>,
        too_broad: Option<String>,
        call: &Call,
    ) -> PreviewInfo {
        let next = calendar.map(|calendar| calendar.occurrences(call.now, OCCURRENCES));
        PreviewInfo {
            since: self.since.into(),
            would_have_muted: self.count,
            is_capped: self.is_capped,
            alerts: self.alerts,
            next_occurrences: next.into_iter().flatten().map(SpanInfo::from).collect(),
            too_broad: too_broad.into_iter().collect(),
        }
    }
}

/// Whether `source` was open when `target` opened.
fn was_open(source: &Alert, target: &Alert) -> bool {
    let ended = source.ending.as_ref().map(|ending| ending.resolved_at);
    source.alert_id() != target.alert_id()
        && source.created_at <= target.created_at
        && ended.is_none_or(|ended| ended > target.created_at)
}

fn shown(alert: Alert, by_alert: Option<Id<Alert>>) -> MutedAlertInfo {
    MutedAlertInfo {
        alert_id: alert.standing.alert_id,
        alert_number: alert.alert_number,
        title: alert.title,
        severity: alert.standing.severity,
        project_id: alert.home.project_id,
        created_at: alert.created_at.into(),
        by_alert,
    }
}

impl Meant<'_> {
    /// A page of the alerts of the last days, newest first.
    fn page(&self, tx: &dyn Tx, call: &Call, page: Value) -> Result<Found<Alert>> {
        let since = rfc3339(call.now - TimeDelta::days(DAYS));
        let mut conditions = self.filter.written().to_vec();
        conditions.push(json!({ "k": "created_at", "v": since, "o": "datetime_gte" }));
        conditions.push(match &self.area.projects {
            Reach::All => {
                json!({ "k": "workspace_id", "v": self.area.workspace_id, "o": "eq" })
            }
            Reach::Only(projects) => json!({ "k": "project_id", "v": projects, "o": "in" }),
        });
        let query = json!({ "filter": conditions, "page": page });
        tx.alerts(&call.caller.scope, &Query::parse(&query, &ALERTS, call.now)?)
    }

    /// Gives `each` of the alerts of the last days, newest first; whether there are more than are looked at.
    fn each(&self, tx: &dyn Tx, call: &Call, each: &mut dyn FnMut(Alert)) -> Result<bool> {
        let mut page = json!({ "limit": PAGE, "total": "none" });
        for _ in 0..PAGES {
            let found = self.page(tx, call, page.clone())?;
            found.rows.into_iter().for_each(&mut *each);
            let Some(cursor) = found.next_cursor else { return Ok(false) };
            page["cursor"] = cursor.into();
        }
        Ok(true)
    }
}
