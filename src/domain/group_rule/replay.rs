//! What a group rule would have made of events that came in the past, in the order in which they came.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::{GroupRule, Known, Verdict};
use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        event::Event,
        words::{EventType, RecoveryMode},
    },
    id::Id,
};

/// What of an event a replay looks at; small, since many are held at once.
#[derive(Clone, Debug)]
pub struct Seen {
    event_key: String,
    event_type: EventType,
    at: Timestamp,
    /// Its group, and the values for people.
    group: Option<(String, String)>,
}

/// One group as it would have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grouped {
    /// The values that it shares.
    pub values: String,
    /// How many alerts would have led it, one after another.
    pub leads: u64,
    /// How many alerts would have been parts of these.
    pub members: u64,
    /// How many events would have been kept without an alert, and not been taken in later.
    pub below: u64,
}

/// What a rule would have made of events.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// How many alerts would open without it.
    pub opened_without: u64,
    /// How many alerts would open and tell people with it.
    pub opened_with: u64,
    /// By what each group is kept by.
    pub groups: BTreeMap<String, Grouped>,
}

/// A group while it is replayed.
#[derive(Default)]
struct Running {
    /// The key of the alert that leads it, and when its newest member opened.
    lead: Option<(String, Timestamp)>,
    /// The keys of its parts: the lead is open while one of them is.
    members: Vec<String>,
    waiting: VecDeque<Timestamp>,
}

impl Seen {
    /// What of an event a replay of this rule looks at.
    pub fn of(event: &Event, rule: &GroupRule) -> Self {
        let group = rule.group_of(event).ok();
        Self {
            event_key: event.draft.event_key.clone(),
            event_type: event.draft.event_type,
            at: event.created_at,
            group: group.map(|group| (group.subject, group.values)),
        }
    }
}

impl Replay {
    /// What a rule would have made of events, which come in the order of time.
    pub fn of(rule: &GroupRule, events: &[Seen], mode: RecoveryMode) -> Self {
        let mut replay = Self::default();
        let (mut open_without, mut open_with) = (HashSet::new(), HashSet::new());
        let mut running: HashMap<&str, Running> = HashMap::new();
        for seen in events {
            let key = seen.event_key.as_str();
            match seen.event_type {
                EventType::Recovery if mode == RecoveryMode::Auto => {
                    open_without.remove(key);
                    open_with.remove(key);
                }
                EventType::Recovery => {}
                EventType::Alert | EventType::Error => {
                    replay.opened_without += u64::from(open_without.insert(key));
                    if open_with.contains(key)
                        || replay.gate(rule, seen, (&mut running, &open_with))
                    {
                        open_with.insert(key);
                    }
                }
            }
        }
        replay
    }

    /// Whether an alert opens.
    fn gate<'e>(
        &mut self,
        rule: &GroupRule,
        seen: &'e Seen,
        (running, open): (&mut HashMap<&'e str, Running>, &HashSet<&str>),
    ) -> bool {
        let Some((subject, values)) =
            seen.group.as_ref().filter(|_| seen.event_type == EventType::Alert)
        else {
            self.opened_with += 1;
            return true;
        };
        let group = running.entry(subject).or_default();
        let told = self.groups.entry(subject.clone()).or_default();
        told.values.clone_from(values);
        while group.waiting.front().is_some_and(|at| seen.at - *at > rule.window) {
            group.waiting.pop_front();
        }
        let is_open = |key: &String| open.contains(key.as_str());
        let any_open = |lead: &String| is_open(lead) || group.members.iter().any(is_open);
        let lead = group.lead.as_ref().filter(|(key, _)| any_open(key));
        // Alerts have no identifier here: their key names them.
        let lead = lead.map(|(key, last)| (Id::<Alert>::from(key.as_str()), *last));
        let waiting = u32::try_from(group.waiting.len()).unwrap_or(u32::MAX);
        match rule.decide(Known { lead, waiting }, seen.at) {
            Verdict::Member(lead) => {
                group.lead = Some((lead.as_str().to_owned(), seen.at));
                group.members.push(seen.event_key.clone());
                told.members += 1;
                true
            }
            Verdict::Below(_) => {
                group.waiting.push_back(seen.at);
                told.below += 1;
                false
            }
            Verdict::Lead(_) => {
                told.below = told.below.saturating_sub(group.waiting.len() as u64);
                group.waiting.clear();
                group.members.clear();
                group.lead = Some((seen.event_key.clone(), seen.at));
                told.leads += 1;
                self.opened_with += 1;
                true
            }
        }
    }
}
