//! What edited rules would make of alerts, as far as the keys of events say.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    EXAMPLES,
    count::short,
    recoveries::{Ending, Parted, Recoveries},
};
use crate::digest::sha256;

/// How many alerts that stay the same are kept in mind; what comes beyond is counted as `uncounted`.
const SAME: usize = 1_000_000;

/// How many edges that lead elsewhere are kept in mind; what comes beyond is counted as `uncounted`.
const MOVED: usize = 100_000;

/// What would become of alerts.
///
/// An alert is here a project and a key under which events fire (that are no recoveries); when each fires and ends is left
/// out, so one alert stands for all that a key ever opened. Each event that fires by either rules is an edge from its alert
/// of today to its alert by the edited rules; where it fires by one rules only, the edge has one end. Then
/// - an alert **vanishes** where it is one of today and every edge from it has no other end;
/// - one **appears** where it is one of the edited rules and every edge to it has no other end;
/// - one **splits** where edges from it lead to two or more;
/// - some **merge** into one where edges to it come from two or more;
/// - one is **renamed** where its edges lead to exactly one of another key, and that has edges from no other: what is open
///   by the old key would not be joined or ended by the new one.
///
/// A **recovery is parted** from its problem where its key fires today, and by the edited rules it has a key under which
/// that problem does not fire, or is no recovery any more: what it ends today would stay open.
///
/// Alerts that are the same by both rules are in none of these. Providers are looked at one by one: that two of them fire
/// under one key of one project is not seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertChanges {
    /// How many recoveries would no longer end their alert.
    pub parted: u64,
    /// How many alerts of today would be none.
    pub vanished: u64,
    /// How many alerts would be new.
    pub appeared: u64,
    /// How many alerts of today would be several.
    pub split: u64,
    /// How many alerts would be made of several of today.
    pub merged: u64,
    /// How many alerts would have another key.
    pub renamed: u64,
    /// How many events were left out because there were too many different keys.
    pub uncounted: u64,
    /// Up to five examples each of `parted`, `vanished`, `appeared`, `split`, `merged` and `renamed`.
    pub examples: BTreeMap<String, Vec<AlertExample>>,
}

/// Alerts that would change, to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AlertExample {
    /// Their keys today.
    pub old: Vec<String>,
    /// Their keys by the edited rules.
    pub new: Vec<String>,
    /// Of recoveries that are parted from it: the keys of their problem by the edited rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problem: Vec<String>,
    /// A delivery that shows it.
    pub delivery_id: String,
    /// The item's place in it, from zero.
    pub item: usize,
}

/// An item, with the keys under which it fires.
pub(super) struct Firing<'a> {
    /// The project of its alerts.
    pub(super) project: &'a str,
    /// By the rules of today.
    pub(super) old: Option<&'a str>,
    /// By the edited rules.
    pub(super) new: Option<&'a str>,
}

/// An alert, by a digest of its project and key.
pub(super) type Alert = [u8; 16];

/// All edges and recoveries seen so far.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// Alerts with an edge to the same alert.
    same: HashSet<Alert>,
    /// Edges that lead elsewhere.
    moved: HashMap<(Option<Alert>, Option<Alert>), (String, usize)>,
    /// The keys of alerts that such edges touch.
    keys: HashMap<Alert, String>,
    recoveries: Recoveries,
    uncounted: u64,
}

impl Partition {
    /// Notes an item; `place` says which it is.
    pub(super) fn add(&mut self, firing: &Firing<'_>, place: impl FnOnce() -> (String, usize)) {
        let alert = |key: &str| digest(firing.project, key);
        if firing.old == firing.new {
            if let Some(alert) = firing.old.map(alert)
                && !self.same.contains(&alert)
            {
                self.note_same(alert);
            }
            return;
        }
        let edge = (firing.old.map(alert), firing.new.map(alert));
        if self.moved.contains_key(&edge) {
            return;
        }
        if self.moved.len() >= MOVED {
            self.uncounted += 1;
            return;
        }
        self.moved.insert(edge, place());
        for key in [firing.old, firing.new].into_iter().flatten() {
            self.keys.entry(alert(key)).or_insert_with(|| short(key));
        }
    }

    /// Notes a recovery of today; `place` says which it is.
    pub(super) fn recovers(
        &mut self,
        ending: &Ending<'_>,
        place: impl FnOnce() -> (String, usize),
    ) {
        self.recoveries.add(ending, place);
    }

    fn note_same(&mut self, alert: Alert) {
        if self.same.len() >= SAME {
            self.uncounted += 1;
        } else {
            self.same.insert(alert);
        }
    }

    /// Takes over what another has noted.
    pub(super) fn absorb(&mut self, other: Self) {
        let Self { same, moved, keys, recoveries, uncounted } = other;
        self.recoveries.absorb(recoveries);
        self.uncounted += uncounted;
        for alert in same {
            if !self.same.contains(&alert) {
                self.note_same(alert);
            }
        }
        for (edge, place) in moved {
            if self.moved.len() < MOVED || self.moved.contains_key(&edge) {
                self.moved.entry(edge).or_insert(place);
            } else {
                self.uncounted += 1;
            }
        }
        self.keys.extend(keys);
    }

    /// What becomes of alerts.
    pub(super) fn finish(self) -> AlertChanges {
        let (mut from, mut to) = (Edges::default(), Edges::default());
        for (old, new) in self.moved.keys() {
            if let Some(old) = old {
                from.entry(*old).or_default().extend(*new);
            }
            if let Some(new) = new {
                to.entry(*new).or_default().extend(*old);
            }
        }
        for alert in &self.same {
            for edges in [&mut from, &mut to] {
                if let Some(ends) = edges.get_mut(alert) {
                    ends.insert(*alert);
                }
            }
        }
        let mut told = Told { partition: &self, found: AlertChanges::default() };
        for parted in self.recoveries.parted(|alert| self.leads(&from, alert)) {
            told.parted(parted);
        }
        for (old, news) in &from {
            let is_alone = |new: &Alert| to.get(new).is_none_or(|olds| olds.len() < 2);
            match news.len() {
                0 => told.tell("vanished", (&[*old], &[])),
                1 if news.first() != Some(old) && news.iter().all(is_alone) => {
                    told.tell("renamed", (&[*old], &list(news)));
                }
                1 => {}
                _ => told.tell("split", (&[*old], &list(news))),
            }
        }
        for (new, olds) in &to {
            match olds.len() {
                0 => told.tell("appeared", (&[], &[*new])),
                1 => {}
                _ => told.tell("merged", (&list(olds), &[*new])),
            }
        }
        let mut found = told.found;
        found.uncounted = self.uncounted + self.recoveries.uncounted;
        found
    }

    /// What an alert of today would be, as far as the edges `from` it and those that stay say.
    fn leads(&self, from: &Edges, alert: &Alert) -> BTreeSet<Alert> {
        match from.get(alert) {
            Some(news) => news.clone(),
            None => self.same.get(alert).copied().into_iter().collect(),
        }
    }
}

/// The other ends of the edges of each alert.
type Edges = BTreeMap<Alert, BTreeSet<Alert>>;

fn list(alerts: &BTreeSet<Alert>) -> Vec<Alert> {
    alerts.iter().copied().collect()
}

pub(super) fn digest(project: &str, key: &str) -> Alert {
    let mut text = Vec::with_capacity(project.len() + key.len() + 1);
    text.extend_from_slice(project.as_bytes());
    text.push(0);
    text.extend_from_slice(key.as_bytes());
    let mut alert = [0; 16];
    alert.copy_from_slice(&sha256(&text)[..16]);
    alert
}

/// Counts kinds of changes, and remembers examples.
struct Told<'a> {
    partition: &'a Partition,
    found: AlertChanges,
}

impl Told<'_> {
    fn parted(&mut self, Parted { old, new, problem, count, place }: Parted) {
        self.found.parted += count;
        let examples = self.found.examples.entry("parted".to_owned()).or_default();
        if examples.len() < EXAMPLES {
            let keys = |alerts: &mut dyn Iterator<Item = Alert>| {
                let key = |alert| {
                    self.partition.keys.get(&alert).or(self.partition.recoveries.key(&alert))
                };
                let mut keys: Vec<String> =
                    alerts.filter_map(key).take(EXAMPLES).cloned().collect();
                keys.sort();
                keys
            };
            let (delivery_id, item) = place;
            examples.push(AlertExample {
                old: keys(&mut [old].into_iter()),
                new: keys(&mut new.into_iter()),
                problem: keys(&mut problem.into_iter()),
                delivery_id,
                item,
            });
        }
    }

    fn tell(&mut self, kind: &str, (old, new): (&[Alert], &[Alert])) {
        match kind {
            "vanished" => self.found.vanished += 1,
            "appeared" => self.found.appeared += 1,
            "split" => self.found.split += 1,
            "merged" => self.found.merged += 1,
            _ => self.found.renamed += 1,
        }
        // A key whose alert stays the same as well was not noted: it is the same on both sides.
        let texts = |alerts: &[Alert]| -> Vec<String> {
            let keys = alerts.iter().filter_map(|alert| self.partition.keys.get(alert)).cloned();
            let mut keys: Vec<String> = keys.take(EXAMPLES).collect();
            keys.sort();
            keys
        };
        let (old_keys, new_keys) = (texts(old), texts(new));
        let ends = |alerts: &[Alert]| -> Vec<Option<Alert>> {
            if alerts.is_empty() { vec![None] } else { alerts.iter().copied().map(Some).collect() }
        };
        let (from, to) = (ends(old), ends(new));
        let mut edges = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
        let place = edges.find_map(|edge| self.partition.moved.get(&edge));
        let Some((delivery_id, item)) = place.cloned() else { return };
        let examples = self.found.examples.entry(kind.to_owned()).or_default();
        if examples.len() < EXAMPLES {
            examples.push(AlertExample {
                old: old_keys,
                new: new_keys,
                problem: Vec::new(),
                delivery_id,
                item,
            });
        }
    }
}
