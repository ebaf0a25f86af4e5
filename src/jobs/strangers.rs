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
};

/// How many addresses are told apart in one minute; beyond, they are counted together.
const TOLD_APART: usize = 100;

/// How many routes are named in one record.
const ROUTES: usize = 10;

/// What addresses are called that are counted together.
pub const OTHERS: &str = "others";

/// The longest name of a program that is kept, in characters: strangers may write anything there.
const LONGEST_AGENT: usize = 200;

/// What somebody wanted who was turned away.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// To call a method, with no token or with this one, which works no more.
    Call(Option<Entity>),
    /// To deliver to a webhook; to this one, where it exists.
    Deliver(Option<Entity>),
    /// To acknowledge an alert by a link.
    Acknowledge,
    /// To log in; as this user, where it exists. What was typed as a name is not kept: some type their password there.
    LogIn(Option<Entity>),
    /// To be given a token for a secret; as this application, where it exists.
    AskToken(Option<Entity>),
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
                Wanted::LogIn(_) => Wanted::LogIn(None),
                Wanted::AskToken(_) => Wanted::AskToken(None),
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

/// Writes into the audit trail who was turned away in the minutes before that of `now`.
///
/// # Errors
/// Where the store does not take it; it is kept for the next time.
pub(super) async fn write(jobs: &Jobs, now: Timestamp) -> Result<()> {
    let minute = now.timestamp().div_euclid(60);
    write_those(jobs, |when| when < minute, now).await
}

/// Writes all of them, since the server is about to stop.
///
/// # Errors
/// Where the store does not take it.
pub async fn write_all(jobs: &Jobs) -> Result<()> {
    write_those(jobs, |_| true, jobs.clock.now()).await
}

async fn write_those(jobs: &Jobs, which: impl Fn(i64) -> bool, now: Timestamp) -> Result<()> {
    let taken = jobs.strangers.take(which);
    if taken.is_empty() {
        return Ok(());
    }
    let mut entries: Vec<_> = taken.iter().map(|(told, count)| entry(told, count, now)).collect();
    entries.sort_by(|(_, one), (_, other)| {
        (one.occurred_at, &one.remote).cmp(&(other.occurred_at, &other.remote))
    });
    let mint = jobs.clock.mint().clone();
    let added = jobs.intake.store.write(move |tx| {
        for (domain_id, entry) in entries {
            // A domain may be gone by now; who it was is told all the same.
            let mut added = tx.add_audit(&domain_id, entry.clone(), &mint);
            if added.as_ref().is_err_and(|error| error.code == Code::NotFound) {
                added = tx.add_audit(&DEFAULT_DOMAIN.into(), entry, &mint);
            }
            added?;
        }
        Ok(())
    });
    let added = added.await;
    if added.is_err() {
        jobs.strangers.give_back(taken);
    }
    added
}

/// What the trail says of those that are counted together.
fn entry(told: &Told, count: &Count, now: Timestamp) -> (Id<Domain>, AuditEntry) {
    let Told { minute: _, remote, wanted, domain_id, code } = told;
    let Count { calls, first, last, routes, user_agent } = count;
    let (action, entity, lacking) = match wanted {
        Wanted::Call(token) => ("token.use", token, "token"),
        Wanted::Deliver(webhook) => ("webhook.receive", webhook, "access key"),
        Wanted::Acknowledge => ("alert.acknowledge_by_link", &None, "link"),
        Wanted::LogIn(who) => ("user.login", who, "name and password"),
        Wanted::AskToken(who) => ("application.login", who, "secret"),
    };
    let times = if *calls == 1 { "once".to_owned() } else { format!("{calls} times") };
    let reason = match code {
        Code::AuthenticateFailure | Code::NotFound => {
            format!("{times} in this minute, without a {lacking} that works")
        }
        _ => format!("{times} in this minute"),
    };
    let details = json!({
        "calls": calls,
        "since": rfc3339(*first),
        "until": rfc3339(*last),
        "routes": routes,
    });
    let nobody = Actor::unnamed(ActorKind::Nobody, remote.clone());
    let entry = AuditEntry {
        occurred_at: *first,
        entity: entity.clone(),
        remote: Some(remote.clone()),
        user_agent: user_agent.clone(),
        ..AuditEntry::new(now, nobody, action).refused(&Error::new(*code, reason)).saying(details)
    };
    (domain_id.clone().unwrap_or_else(|| DEFAULT_DOMAIN.into()), entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn stranger(remote: &str, route: &str, at: i64) -> Stranger {
        Stranger {
            wanted: Wanted::Call(None),
            domain_id: None,
            code: Code::AuthenticateFailure,
            at: from_millis(at),
            remote: remote.to_owned(),
            route: route.to_owned(),
            user_agent: Some("x".repeat(1000)),
        }
    }

    #[test]
    fn an_address_is_told_once_a_minute() {
        let strangers = Strangers::default();
        for at in [0, 1_000, 59_999, 60_000] {
            strangers.turned_away(stranger("192.0.2.1", "/api/v1/audit", at));
        }
        let taken = strangers.take(|minute| minute < 1);
        let counts: Vec<_> = taken.values().map(|count| count.calls).collect();
        assert_eq!(counts, [3]);
        assert_eq!(strangers.take(|_| true).len(), 1, "the next minute is not over yet");
        let (told, count) = taken.iter().next().unwrap();
        let (domain_id, entry) = entry(told, count, from_millis(60_000));
        assert_eq!(domain_id.as_str(), "default");
        assert_eq!(entry.reason.unwrap(), "3 times in this minute, without a token that works");
        assert_eq!(entry.user_agent.unwrap().len(), LONGEST_AGENT);
    }

    #[test]
    fn a_million_addresses_fill_no_memory_and_none_is_forgotten() {
        let strangers = Strangers::default();
        for number in 0..10_000 {
            let route = format!("/{number}");
            strangers.turned_away(stranger(&format!("2001:db8::{number:x}"), &route, number));
        }
        let taken = strangers.take(|_| true);
        assert!(taken.len() <= TOLD_APART + 1, "{}", taken.len());
        assert_eq!(taken.values().map(|count| count.calls).sum::<u64>(), 10_000);
        assert!(taken.values().all(|count| count.routes.len() <= ROUTES));
        assert!(taken.keys().any(|told| told.remote == OTHERS));
    }

    #[test]
    fn what_could_not_be_written_is_kept() {
        let strangers = Strangers::default();
        strangers.turned_away(stranger("192.0.2.1", "/", 0));
        strangers.give_back(strangers.take(|_| true));
        assert_eq!(strangers.take(|_| true).len(), 1);
    }
}
