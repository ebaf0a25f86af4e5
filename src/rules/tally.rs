//! Counting what of a mapping is used, by many threads at once and cheaply enough for every delivery.
//!
//! Each place of a mapping that is counted has a number. A thread counts in a stripe of its own, so that no two wait for
//! each other; a report adds them up. Words that a `map` does not know are rare, so they share a lock, and so do paths,
//! which are looked for seldom.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{coverage::Coverage, mapping::Mapping};
use crate::clock::Timestamp;

/// How many stripes there are.
const STRIPES: usize = 8;

/// How many words that it does not know are kept of one `map`.
const MOST_WORDS: usize = 100;

/// How many letters are kept of a word.
const MOST_LETTERS: usize = 100;

/// How long after it last looked for paths a live tally looks again, in milliseconds.
const LOOK_EVERY: i64 = 1000;

/// A place of a mapping that is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Site {
    /// Its line in the rule file.
    pub(super) line: u32,
    /// Its number; zero until the mapping is complete.
    pub(super) at: usize,
}

impl Site {
    /// The numbers of what every mapping counts: payloads and items.
    pub(super) const PAYLOADS: Self = Self { line: 0, at: 0 };
    pub(super) const ITEMS: Self = Self { line: 0, at: 1 };

    /// A place at a line, not numbered yet.
    pub(super) fn at_line(line: u32) -> Self {
        Self { line, at: 0 }
    }
}

/// Counts of what is used of one mapping; many threads may count at once. Made by [`Mapping::tally`].
#[derive(Debug)]
pub struct Tally {
    sites: usize,
    stripes: [OnceLock<Box<[AtomicU64]>>; STRIPES],
    unknown: Mutex<Unknown>,
    paths: Mutex<Vec<Life>>,
    looked: AtomicU64,
    looked_at: AtomicI64,
}

/// The words that `map`s did not know, by the number of the `map`.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    /// How often each was met.
    pub(super) words: BTreeMap<usize, BTreeMap<String, u64>>,
    /// How often others were met, which are not kept.
    pub(super) others: u64,
}

/// When a path was there.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// In how many items it was there, when first and when last.
    pub(super) present: Seen,
    /// In how many items it was missing, when first and when last.
    pub(super) absent: Seen,
    /// In how many payloads running it is as it was in the last.
    pub(super) run: u64,
    /// When that began.
    pub(super) since: Option<Timestamp>,
    /// Whether it was there in the last.
    pub(super) is_present: bool,
}

/// How often and when something was so.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// In how many items.
    pub(super) count: u64,
    /// When first.
    pub(super) first: Option<Timestamp>,
    /// When last.
    pub(super) last: Option<Timestamp>,
    /// In how many payloads running at most, before the last run.
    pub(super) longest: u64,
}

/// Where one thread counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stripe<'a> {
    counts: &'a [AtomicU64],
    tally: &'a Tally,
}

impl Tally {
    /// An empty one, for so many places and paths.
    pub(super) fn of(sites: usize, paths: usize) -> Self {
        Self {
            sites,
            stripes: Default::default(),
            unknown: Mutex::default(),
            paths: Mutex::new(vec![Life::default(); paths]),
            looked: AtomicU64::new(0),
            looked_at: AtomicI64::new(i64::MIN),
        }
    }

    /// What was counted; `mapping` is the one that it counts.
    pub fn report(&self, mapping: &Mapping) -> Coverage {
        mapping.plan.report(self)
    }

    /// How often any `map` met a word that it did not know.
    pub fn unknown(&self) -> u64 {
        let unknown = locked(&self.unknown);
        unknown.words.values().flat_map(BTreeMap::values).sum::<u64>() + unknown.others
    }

    /// Where the calling thread counts.
    pub(super) fn stripe(&self) -> Stripe<'_> {
        let empty = || (0..self.sites).map(|_| AtomicU64::new(0)).collect();
        let counts = &**self.stripes[own_stripe()].get_or_init(empty);
        Stripe { counts, tally: self }
    }

    /// How often something was used.
    pub(super) fn hits(&self, site: Site) -> u64 {
        let stripes = self.stripes.iter().filter_map(OnceLock::get);
        stripes.filter_map(|counts| Some(counts.get(site.at)?.load(Ordering::Relaxed))).sum()
    }

    /// The words that no `map` knew.
    pub(super) fn unknown_words(&self) -> MutexGuard<'_, Unknown> {
        locked(&self.unknown)
    }

    /// When the paths were there, and in how many payloads they were looked for.
    pub(super) fn lives(&self) -> (Vec<Life>, u64) {
        (locked(&self.paths).clone(), self.looked.load(Ordering::Relaxed))
    }

    /// Whether it is time to look for paths again. Only one of those who ask at the same time is told so.
    pub(super) fn is_time_to_look(&self, now: Timestamp) -> bool {
        let (now, last) = (now.timestamp_millis(), self.looked_at.load(Ordering::Relaxed));
        let is_soon = last != i64::MIN && (now - last).abs() < LOOK_EVERY;
        let swap =
            |to| self.looked_at.compare_exchange(last, to, Ordering::Relaxed, Ordering::Relaxed);
        !is_soon && swap(now).is_ok()
    }

    /// Notes in how many items of a payload the paths from `first` on were there, and in how many they were missing.
    pub(super) fn look(&self, first: usize, found: &[(u64, u64)], at: Timestamp) {
        self.looked.fetch_add(1, Ordering::Relaxed);
        let mut lives = locked(&self.paths);
        for (life, (present, absent)) in lives.iter_mut().skip(first).zip(found) {
            life.note(*present, *absent, at);
        }
    }
}

impl Stripe<'_> {
    /// Counts that something was used.
    pub(super) fn hit(&self, site: Site) {
        self.add(site, 1);
    }

    /// Counts that something was used so often.
    pub(super) fn add(&self, site: Site, times: u64) {
        if let Some(count) = self.counts.get(site.at) {
            count.fetch_add(times, Ordering::Relaxed);
        }
    }

    /// Counts a word that a `map` does not know.
    pub(super) fn unknown(&self, map: Site, word: &str) {
        let mut unknown = locked(&self.tally.unknown);
        let Unknown { words, others } = &mut *unknown;
        let words = words.entry(map.at).or_default();
        let end = word.char_indices().nth(MOST_LETTERS).map_or(word.len(), |(at, _)| at);
        let word = &word[..end];
        if let Some(count) = words.get_mut(word) {
            *count += 1;
        } else if words.len() < MOST_WORDS {
            words.insert(word.to_owned(), 1);
        } else {
            *others += 1;
        }
    }
}

impl Life {
    fn note(&mut self, present: u64, absent: u64, at: Timestamp) {
        if present + absent == 0 {
            return;
        }
        self.present.note(present, at);
        self.absent.note(absent, at);
        let is_present = present > 0;
        if self.run > 0 && is_present == self.is_present {
            self.run += 1;
            return;
        }
        let before = if self.is_present { &mut self.present } else { &mut self.absent };
        before.longest = before.longest.max(self.run);
        (self.run, self.since, self.is_present) = (1, Some(at), is_present);
    }
}

impl Seen {
    fn note(&mut self, count: u64, at: Timestamp) {
        if count > 0 {
            self.count += count;
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = self.last.max(Some(at));
        }
    }
}

/// The stripe of the calling thread.
fn own_stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<Option<usize>> = const { Cell::new(None) };
    }
    OWN.with(|own| {
        let stripe = own.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        own.set(Some(stripe));
        stripe
    })
}

/// What a lock protects; counts stay right whatever a thread died of.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
