//! Recoveries that would no longer end what they end today, since their key and that of their problem part.

use std::collections::{BTreeSet, HashMap};

use super::{
    alerts::{Alert, digest},
    count::short,
};

/// How many different ways of recoveries are kept in mind; what comes beyond is counted as `uncounted`.
const MOST: usize = 250_000;

/// A recovery of today.
pub(super) struct Ending<'a> {
    /// The project of the alert that it ends.
    pub(super) project: &'a str,
    /// Its key by the rules of today.
    pub(super) old: &'a str,
    /// Its key by the edited rules; `None` where it is no recovery by them.
    pub(super) new: Option<&'a str>,
}

/// All recoveries seen so far.
#[derive(Debug, Default)]
pub(super) struct Recoveries {
    seen: HashMap<(Alert, Option<Alert>), Seen>,
    /// The keys of alerts that they end.
    keys: HashMap<Alert, String>,
    pub(super) uncounted: u64,
}

/// How often, and an item that shows it.
#[derive(Debug)]
struct Seen {
    count: u64,
    place: (String, usize),
}

/// Recoveries of one key that part from their problem.
pub(super) struct Parted {
    /// The alert that they end today.
    pub(super) old: Alert,
    /// The alert that they would look for; `None` where they are no recoveries any more.
    pub(super) new: Option<Alert>,
    /// What the problem would be.
    pub(super) problem: BTreeSet<Alert>,
    /// How many they are.
    pub(super) count: u64,
    /// An item that shows it.
    pub(super) place: (String, usize),
}

impl Recoveries {
    /// Notes a recovery; `place` says which it is.
    pub(super) fn add(&mut self, ending: &Ending<'_>, place: impl FnOnce() -> (String, usize)) {
        let alert = |key: &str| digest(ending.project, key);
        let way = (alert(ending.old), ending.new.map(alert));
        if let Some(seen) = self.seen.get_mut(&way) {
            seen.count += 1;
            return;
        }
        if self.seen.len() >= MOST {
            self.uncounted += 1;
            return;
        }
        self.seen.insert(way, Seen { count: 1, place: place() });
        for key in [Some(ending.old), ending.new].into_iter().flatten() {
            self.keys.entry(alert(key)).or_insert_with(|| short(key));
        }
    }

    /// Takes over what another has noted.
    pub(super) fn absorb(&mut self, other: Self) {
        let Self { seen, keys, uncounted } = other;
        self.uncounted += uncounted;
        for (way, Seen { count, place }) in seen {
            if let Some(known) = self.seen.get_mut(&way) {
                known.count += count;
            } else if self.seen.len() < MOST {
                self.seen.insert(way, Seen { count, place });
            } else {
                self.uncounted += count;
            }
        }
        self.keys.extend(keys);
    }

    /// Those that would not end what they end today, always in the same order. `leads` tells what an alert of today would
    /// be: one of which no event fires today leads nowhere, and a recovery of it ends nothing that could be missed.
    pub(super) fn parted(&self, leads: impl Fn(&Alert) -> BTreeSet<Alert>) -> Vec<Parted> {
        let mut parted: Vec<Parted> = Vec::new();
        for ((old, new), Seen { count, place }) in &self.seen {
            let problem = leads(old);
            let meets = new.is_some_and(|new| problem.contains(&new));
            if !problem.is_empty() && !meets {
                let (old, new, count) = (*old, *new, *count);
                parted.push(Parted { old, new, problem, count, place: place.clone() });
            }
        }
        parted.sort_by_key(|parted| (parted.old, parted.new));
        parted
    }

    /// The key of an alert, where a recovery has it.
    pub(super) fn key(&self, alert: &Alert) -> Option<&String> {
        self.keys.get(alert)
    }
}
