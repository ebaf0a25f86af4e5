//! Who was turned away without a token, key or link that works: counted for each address and minute, and written into
//! the audit trail as one record each, so that whoever hammers the door fills neither memory nor disk.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::json;

use super::Jobs;
use crate::{
    clock::{Timestamp, rfc3339},
    domain::{
        audit::{Actor, ActorKind, AuditEntry, Entity},
        project::{DEFAULT_DOMAIN, Domain},
    },
    error::{Code, Error, Result},
    id::Id,
    metrics::KindLabels,
};

/// How many addresses are told apart in one minute; beyond, they are counted together.
const TOLD_APART: usize = 100;

/// How many routes are named in one record.
const ROUTES: usize = 10;

/// What addresses are called that are counted together.
const OTHERS: &str = "others";

/// The longest name of a program that is kept, in characters: strangers may write anything there.
const LONGEST_AGENT: usize = 200;

/// What somebody wanted who was turned away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// To call a method, with no token or with this one, which works no more.
    Call(Option<Entity>),
    /// To deliver to a webhook; to this one, where it exists.
    Deliver(Option<Entity>),
    /// To acknowledge an alert by a link.
    Acknowledge,
}

/// Somebody who was turned away.
#[derive(Clone, Debug)]
pub struct Stranger {
    /// What they wanted.
    pub wanted: Wanted,
    /// The domain whose trail it belongs in, where what they named is of one.
    pub domain_id: Option<Id<Domain>>,
    /// Why they were turned away.
    pub code: Code,
    /// When.
    pub at: Timestamp,
    /// The address they came from.
    pub remote: String,
    /// The pattern of the address they called; never what stood in it, which may be a key.
    pub route: String,
    /// What their program calls itself.
    pub user_agent: Option<String>,
}

/// What is told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Told {
    minute: i64,
    remote: String,
    wanted: Wanted,
    domain_id: Option<Id<Domain>>,
    code: Code,
}

/// How often it was.
#[derive(Clone, Debug)]
struct Count {
    calls: u64,
    first: Timestamp,
    last: Timestamp,
    routes: BTreeMap<String, u64>,
    user_agent: Option<String>,
}

/// Those who were turned away and are not in the trail yet. Nothing of what they showed is kept.
#[derive(Debug, Default)]
pub struct Strangers {
    counts: Mutex<HashMap<Told, Count>>,
}

impl Strangers {
    /// Somebody was turned away.
    pub fn turned_away(&self, stranger: Stranger) {
        let Stranger { wanted, domain_id, code, at, remote, route, user_agent } = stranger;
        let minute = at.timestamp().div_euclid(60);
        let mut told = Told { minute, remote, wanted, domain_id, code };
        let mut counts = self.counts();
        if counts.len() >= TOLD_APART && !counts.contains_key(&told) {
            let wanted = match told.wanted {
                Wanted::Call(_) => Wanted::Call(None),
                Wanted::Deliver(_) => Wanted::Deliver(None),
                Wanted::Acknowledge => Wanted::Acknowledge,
            };
            told = Told { remote: OTHERS.to_owned(), wanted, domain_id: None, ..told };
        }
        let user_agent = user_agent.filter(|_| told.remote != OTHERS);
        let cut = |text: String| text.chars().take(LONGEST_AGENT).collect();
        let count = counts.entry(told).or_insert_with(|| Count {
            calls: 0,
            first: at,
            last: at,
            routes: BTreeMap::new(),
            user_agent: user_agent.map(cut),
        });
        count.calls += 1;
        count.last = count.last.max(at);
        if count.routes.len() < ROUTES || count.routes.contains_key(&route) {
            *count.routes.entry(route).or_default() += 1;
        }
    }

    /// Takes what is over: all of minutes before that of `now`.
    fn take(&self, over: impl Fn(i64) -> bool) -> HashMap<Told, Count> {
        let mut counts = self.counts();
        let (over, going): (HashMap<_, _>, HashMap<_, _>) =
            mem::take(&mut *counts).into_iter().partition(|(told, _)| over(told.minute));
        *counts = going;
        over
    }

    /// Keeps what could not be written, unless there is more of it than is kept.
    fn give_back(&self, taken: HashMap<Told, Count>) {
        let mut counts = self.counts();
        for (told, count) in taken {
            if counts.len() < TOLD_APART * 2 {
                counts.entry(told).or_insert(count);
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Told, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
