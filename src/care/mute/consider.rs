//! What mutes an alert at this moment, and what does not, each with the condition that decides.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        event_rule::Routing,
        scope::Scope,
        setup::Setup,
        suppress::{Considered, EqualValues, Inhibition, Verdict, record},
    },
    error::Result,
    id::Id,
    store::{InhibitedByKey, Tx},
};

/// How many alerts are followed that mute each other in turn.
const CHAIN: usize = 16;

/// An alert that is looked at.
pub(super) struct Looked<'a> {
    /// It.
    pub(super) alert: &'a Alert,
    /// As filters look at it.
    pub(super) record: Value,
    /// Whether it is in the store already.
    pub(super) is_kept: bool,
}

impl<'a> Looked<'a> {
    /// An alert that is in the store.
    pub(super) fn kept(alert: &'a Alert) -> Self {
        Self { alert, record: record(alert), is_kept: true }
    }

    /// An alert that is about to open.
    pub(super) fn opening(alert: &'a Alert) -> Self {
        Self { is_kept: false, ..Self::kept(alert) }
    }

    fn id_if_kept(&self) -> Option<&Id<Alert>> {
        self.is_kept.then(|| self.alert.alert_id())
    }
}

/// What windows, silences and inhibitions say of an alert, and the alert of another key for which it waits.
pub(super) fn consider(
    tx: &dyn Tx,
    looked: &Looked<'_>,
    waits_for: Option<&InhibitedByKey>,
    (setup, now): (&Setup, Timestamp),
) -> Result<Vec<Considered>> {
    let mut all = setup.mutes.consider(&looked.record, now);
    all.extend(inhibited(tx, looked, setup)?);
    if let Some(waits_for) = waits_for {
        all.push(waiting(tx, looked, waits_for)?);
    }
    Ok(all)
}

/// What event rules say of an alert that is about to open, before all else: a rule mutes it as long as it is open.
pub(super) fn suppressed(routing: &Routing) -> Option<Considered> {
    let (rule, name) = routing.suppress.as_ref()?;
    Some(Considered {
        by: format!("event_rule:{rule}"),
        name: name.clone(),
        verdict: Verdict::Mutes { until: None, by_alert: None },
        because: "its action `suppress` mutes the alert as long as it is open".to_owned(),
    })
}

/// The alert of another key for which event rules make one wait that is about to open.
pub(super) fn waits_for(alert: &Alert, routing: &Routing) -> Option<InhibitedByKey> {
    let by = routing.inhibit_by.as_ref()?;
    Some(InhibitedByKey {
        project_id: alert.home.project_id.clone(),
        event_key: by.event_key.clone(),
        event_rule_id: by.event_rule_id.as_str().to_owned(),
        name: by.name.clone(),
    })
}

fn waiting(tx: &dyn Tx, looked: &Looked<'_>, by: &InhibitedByKey) -> Result<Considered> {
    let open = tx.open_alert(&by.project_id, &by.event_key)?;
    let open = open.map(|standing| standing.alert_id).filter(|it| it != looked.alert.alert_id());
    let key = &by.event_key;
    let passes = |because| (Verdict::Passes, because);
    let (verdict, because) = match open {
        None => passes(format!("no alert of key `{key}` is open")),
        Some(other) if waits_on(tx, &other, looked)? => {
            passes(format!("alert {other} of key `{key}` is itself muted on account of this one"))
        }
        Some(other) => {
            let because = format!("alert {other} of key `{key}` is open");
            (Verdict::Mutes { until: None, by_alert: Some(other) }, because)
        }
    };
    let InhibitedByKey { event_rule_id, name, .. } = by;
    Ok(Considered {
        by: format!("event_rule:{event_rule_id}"),
        name: name.clone(),
        verdict,
        because,
    })
}

/// What the inhibitions of its project say of an alert. One look-up finds the inhibitors for all of them.
fn inhibited(tx: &dyn Tx, looked: &Looked<'_>, setup: &Setup) -> Result<Vec<Considered>> {
    let inhibitions = &setup.mutes.inhibitions;
    let mut wanted: Vec<(Id<Inhibition>, EqualValues)> = Vec::new();
    for inhibition in inhibitions.iter().filter(|it| it.target.matches(&looked.record)) {
        if let Ok(values) = inhibition.values(&looked.record) {
            wanted.push((inhibition.inhibition_id.clone(), values));
        }
    }
    let mut found: BTreeMap<Id<Inhibition>, Id<Alert>> = BTreeMap::new();
    if !wanted.is_empty() {
        for (inhibition, source) in tx.inhibitors(&wanted, looked.id_if_kept())? {
            if !found.contains_key(&inhibition) && !waits_on(tx, &source, looked)? {
                found.insert(inhibition, source);
            }
        }
    }
    Ok(inhibitions.iter().map(|it| said(it, looked, &mut found)).collect())
}

fn said(
    inhibition: &Inhibition,
    looked: &Looked<'_>,
    found: &mut BTreeMap<Id<Inhibition>, Id<Alert>>,
) -> Considered {
    let record = &looked.record;
    let passes = |because| (Verdict::Passes, because);
    let source = found.remove(&inhibition.inhibition_id);
    let (verdict, because) = match (inhibition.target.unmet(record), inhibition.values(record)) {
        (Some(unmet), _) => passes(unmet),
        (None, Err(field)) => {
            passes(format!("it has no `{}`, and absent equals nothing", field.written))
        }
        (None, Ok(_)) => {
            let equal = inhibition.equal_in_words(record);
            let source_is = inhibition.source.sentence();
            match source {
                None => passes(format!("no open alert with {source_is} has {equal}")),
                Some(source) => {
                    let because =
                        format!("alert {source} with {source_is} is open and has {equal} too");
                    (Verdict::Mutes { until: None, by_alert: Some(source) }, because)
                }
            }
        }
    };
    Considered { by: inhibition.by(), name: inhibition.name.clone(), verdict, because }
}

/// Whether `other` is muted on account of this alert, be it through others: two that mute each other would both be
/// silent.
fn waits_on(tx: &dyn Tx, other: &Id<Alert>, looked: &Looked<'_>) -> Result<bool> {
    let Some(this) = looked.id_if_kept() else { return Ok(false) };
    let mut next = Some(other.clone());
    for _ in 0..CHAIN {
        let Some(id) = next else { return Ok(false) };
        if id == *this {
            return Ok(true);
        }
        let alert = tx.alert(&Scope::EVERYTHING, &id)?;
        next = alert.and_then(|alert| alert.care.mute?.by_alert);
    }
    // So long a chain is taken for a ring.
    Ok(true)
}
