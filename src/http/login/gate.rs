//! Who may try a password at all: so many wrong ones for a name, so many from an address. Bounded, whoever sends what.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::TimeDelta;

use crate::{clock::Timestamp, digest::Digest, domain::lockout::Attempts};

/// How many wrong passwords may come from one address within [`WINDOW`].
const MOST_FROM_ONE: u32 = 30;

/// How long they count.
const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// How many names and how many addresses are remembered.
const REMEMBERED: usize = 32_768;

/// How many places are remembered where users were let in.
const PLACES: usize = 32_768;

/// How many wrong passwords a place may send for its own user before it is one like others.
const SLIPS: u32 = 5;

/// What passwords are asked for: the digest of the name, since a name may be anything, a password even.
pub(super) type Name = Digest;

/// What is remembered of tries.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Names that nobody has.
    strangers: HashMap<Name, Attempts>,
    /// Wrong passwords of each address since the window began.
    addresses: HashMap<IpAddr, (u32, Timestamp)>,
    /// Tries that are being looked at.
    running: HashMap<Name, u32>,
    /// Where users were let in, with the slips since.
    places: HashMap<(Name, IpAddr), (u32, Timestamp)>,
    /// Wrong passwords of users that the store has not written yet, and how many of them it has to.
    unwritten: HashMap<Name, (Attempts, u32)>,
}

/// Someone who wants to be let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Knock {
    /// As whom.
    pub(super) name: Name,
    /// From where.
    pub(super) from: IpAddr,
    /// How often that was tried in vain, if it is a user's name.
    pub(super) attempts: Option<Attempts>,
    /// When.
    pub(super) now: Timestamp,
}

/// Why no password is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// The name was tried in vain too often.
    Name,
    /// The address sent too many wrong passwords.
    Address,
    /// The name is being tried already, as often as it may.
    Busy,
}

/// A try that is being looked at.
#[derive(Debug)]
pub(super) struct Trying {
    state: Arc<Mutex<State>>,
    name: Name,
    /// Whether name or address failed lately, or the name is being tried already.
    pub(super) is_suspect: bool,
    /// Whether the user was let in from there before, and is not being let in at this moment: whoever has a right password
    /// keeps nobody waiting with it either.
    pub(super) is_known: bool,
}

/// A wrong password of a user that counts already, though the store has not written it yet.
#[derive(Debug)]
pub(super) struct Unwritten {
    state: Arc<Mutex<State>>,
    name: Name,
}

impl Gate {
    /// Lets a try through, or says why not and for how long.
    pub(super) fn enter(&self, knock: &Knock) -> Result<Trying, (Closed, TimeDelta)> {
        let Knock { name, now, .. } = *knock;
        let mut state = lock(&self.state);
        let from = network(knock.from);
        let attempts = state.attempts(knock);
        let is_known = knock.attempts.is_some() && state.places.contains_key(&(name, from));
        let failed = state.addresses.get(&from).filter(|(_, since)| now - *since < WINDOW).copied();
        let (times, since) = failed.unwrap_or((0, now));
        if times >= MOST_FROM_ONE && !is_known {
            return Err((Closed::Address, since + WINDOW - now));
        }
        let mut allowance = attempts.allowance(now);
        if let Some(until) = attempts.locked_until(now) {
            // Whoever closes a user from elsewhere does not close it where it comes from.
            if !is_known {
                return Err((Closed::Name, until - now));
            }
            allowance = 1;
        }
        let running = state.running.entry(name).or_default();
        if *running >= allowance {
            return Err((Closed::Busy, TimeDelta::seconds(1)));
        }
        // Each name has one try before any has its second.
        let is_second = *running > 0;
        *running += 1;
        // It counts as wrong until it is right, so that many at once are not more than many one after the other.
        make_room(&mut state.addresses, REMEMBERED, |(_, since)| now - *since < WINDOW);
        state.addresses.insert(from, (times.saturating_add(1), since));
        let is_suspect = times > 0 || attempts.failures > 0 || is_second;
        let is_known = is_known && !is_second;
        Ok(Trying { state: Arc::clone(&self.state), name, is_suspect, is_known })
    }

    /// Remembers that a password was wrong; of a user until the store has written it, which is when the answer is dropped.
    pub(super) fn failed(&self, knock: &Knock) -> Option<Unwritten> {
        let Knock { name, now, .. } = *knock;
        let from = network(knock.from);
        let mut state = lock(&self.state);
        let attempts = state.attempts(knock).failed(now);
        if knock.attempts.is_none() {
            make_room(&mut state.strangers, REMEMBERED, |it| it.locked_until(now).is_some());
            state.strangers.insert(name, attempts);
            return None;
        }
        if let Some((slips, _)) = state.places.get_mut(&(name, from)) {
            *slips += 1;
            if *slips >= SLIPS {
                state.places.remove(&(name, from));
            }
        }
        let (newest, writes) = state.unwritten.entry(name).or_default();
        *newest = attempts;
        *writes += 1;
        Some(Unwritten { state: Arc::clone(&self.state), name })
    }

    /// Remembers where a user was let in.
    pub(super) fn succeeded(&self, knock: &Knock) {
        let mut state = lock(&self.state);
        let from = network(knock.from);
        if let Some((times, _)) = state.addresses.get_mut(&from) {
            *times = times.saturating_sub(1);
        }
        let since = knock.now - TimeDelta::days(30);
        make_room(&mut state.places, PLACES, |(_, last)| *last > since);
        state.places.insert((knock.name, from), (0, knock.now));
        state.unwritten.remove(&knock.name);
    }
}

impl State {
    /// How often a name was tried in vain, as far as anybody knows.
    fn attempts(&self, knock: &Knock) -> Attempts {
        let Some(stored) = knock.attempts else {
            return self.strangers.get(&knock.name).copied().unwrap_or_default();
        };
        let unwritten = self.unwritten.get(&knock.name).map(|(attempts, _)| *attempts);
        unwritten.filter(|it| it.failures > stored.failures).unwrap_or(stored)
    }
}

impl Unwritten {
    /// Goes on counting it: the store did not take it. There is at most one such count for each user, and the right
    /// password ends it.
    pub(super) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Unwritten {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let Some((_, writes)) = state.unwritten.get_mut(&self.name) else { return };
        *writes = writes.saturating_sub(1);
        if *writes == 0 {
            state.unwritten.remove(&self.name);
        }
    }
}

/// Makes room for one more: first goes what need not be kept, and then whatever comes.
fn make_room<K: Eq + Hash + Copy, V>(
    map: &mut HashMap<K, V>,
    most: usize,
    is_needed: impl Fn(&V) -> bool,
) {
    if map.len() < most {
        return;
    }
    map.retain(|_, kept| is_needed(kept));
    // A tenth at once, so that the next ones cost nothing.
    let beyond = (map.len() + most / 10).saturating_sub(most);
    let gone: Vec<K> = map.keys().take(beyond).copied().collect();
    for key in gone {
        map.remove(&key);
    }
}

/// What counts as one address: of IPv6 the network that one customer has, which is large enough to hide in.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => IpAddr::V4(four),
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 64))),
    }
}

impl Drop for Trying {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        if let Some(running) = state.running.get_mut(&self.name) {
            *running -= 1;
            if *running == 0 {
                state.running.remove(&self.name);
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::from_millis,
        digest::sha256,
        domain::lockout::{Attempts, FREE},
    };

    fn knock(name: &str, from: &str, attempts: Option<Attempts>) -> Knock {
        let (name, from) = (sha256(name.as_bytes()), from.parse().unwrap());
        Knock { name, from, attempts, now: from_millis(1_000) }
    }

    fn closed(gate: &Gate, knock: &Knock) -> Option<Closed> {
        gate.enter(knock).err().map(|(why, _)| why)
    }

    fn locked() -> Attempts {
        Attempts { failures: FREE, last_failed_at: Some(from_millis(1_000)) }
    }

    #[test]
    fn a_name_that_nobody_has_is_closed_like_one_that_somebody_has() {
        let gate = Gate::default();
        let stranger = knock("nobody", "192.0.2.1", None);
        for _ in 0..FREE {
            assert_eq!(closed(&gate, &stranger), None);
            gate.failed(&stranger);
        }
        let user = knock("ada", "192.0.2.2", Some(locked()));
        let (one, other) = (gate.enter(&stranger).unwrap_err(), gate.enter(&user).unwrap_err());
        assert_eq!(one, other);
        assert_eq!(one, (Closed::Name, TimeDelta::seconds(30)));
    }

    #[test]
    fn an_address_that_guesses_is_closed_for_all_names_and_opens_again() {
        let gate = Gate::default();
        for name in 0..MOST_FROM_ONE {
            gate.enter(&knock(&name.to_string(), "2001:db8::1", None)).unwrap();
        }
        let same_network = knock("ada", "2001:db8::ffff", Some(Attempts::default()));
        assert_eq!(gate.enter(&same_network).unwrap_err(), (Closed::Address, WINDOW));
        let later = Knock { now: same_network.now + WINDOW, ..same_network };
        assert_eq!(closed(&gate, &later), None);
        assert_eq!(closed(&gate, &knock("ada", "2001:db8:1::1", Some(Attempts::default()))), None);
    }

    #[test]
    fn a_user_is_closed_like_a_stranger_though_nothing_is_written_yet() {
        let gate = Gate::default();
        let user = knock("ada", "192.0.2.1", Some(Attempts::default()));
        let mut unwritten = Vec::new();
        for _ in 0..FREE {
            assert_eq!(closed(&gate, &user), None);
            unwritten.push(gate.failed(&user).unwrap());
        }
        assert_eq!(gate.enter(&user).unwrap_err(), (Closed::Name, TimeDelta::seconds(30)));
        drop(unwritten);
        assert_eq!(closed(&gate, &user), None, "the store knows better now");
        gate.failed(&user).unwrap().keep();
        assert_eq!(lock(&gate.state).unwritten.len(), 1);
        gate.succeeded(&user);
        assert!(lock(&gate.state).unwritten.is_empty());
    }

    #[test]
    fn sending_many_at_once_gives_no_more_tries() {
        let gate = Gate::default();
        let user = knock("ada", "192.0.2.1", Some(Attempts::default()));
        let trying: Vec<_> = (0..FREE).map(|_| gate.enter(&user).unwrap()).collect();
        assert_eq!(closed(&gate, &user), Some(Closed::Busy));
        drop(trying);
        assert_eq!(closed(&gate, &user), None);
        assert!(lock(&gate.state).running.is_empty());
    }

    #[test]
    fn a_user_is_not_shut_out_from_where_it_was_let_in() {
        let gate = Gate::default();
        gate.succeeded(&knock("ada", "192.0.2.1", Some(Attempts::default())));
        assert_eq!(closed(&gate, &knock("ada", "192.0.2.9", Some(locked()))), Some(Closed::Name));
        let home = knock("ada", "192.0.2.1", Some(locked()));
        for _ in 0..SLIPS {
            assert!(gate.enter(&home).unwrap().is_known);
            gate.failed(&home);
        }
        assert_eq!(closed(&gate, &home), Some(Closed::Name), "unless it guesses, too");
    }

    #[test]
    fn nobody_goes_first_twice_at_once() {
        let gate = Gate::default();
        let home = knock("ada", "192.0.2.1", Some(Attempts::default()));
        gate.succeeded(&home);
        let (first, second) = (gate.enter(&home).unwrap(), gate.enter(&home).unwrap());
        assert_eq!((first.is_known, second.is_known, second.is_suspect), (true, false, true));
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let gate = Gate::default();
        for n in 0..100_000_u32 {
            let from = std::net::Ipv4Addr::from_bits(n).to_string();
            let stranger = knock(&n.to_string(), &from, None);
            drop(gate.enter(&stranger));
            gate.failed(&stranger);
            gate.succeeded(&knock(&n.to_string(), &from, Some(Attempts::default())));
        }
        let state = lock(&gate.state);
        assert!(state.strangers.len() <= REMEMBERED && state.addresses.len() <= REMEMBERED);
        assert!(state.places.len() <= PLACES);
    }
}
