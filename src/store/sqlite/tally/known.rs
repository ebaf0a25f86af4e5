//! The combinations of traits that rows are told apart by, each with its number.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::super::rows::Columns;
use crate::{
    domain::{
        alert::Standing,
        words::{AlertState, EventType, Severity, Urgency},
    },
    error::{Error, Result},
};

/// How many combinations share a chunk: as many as a byte can tell apart. A reader pays for each row that it steps over
/// more than for what is in it, and the writer writes whole pages anyway.
pub(super) const CHUNK: u32 = 256;

/// How many providers of one webhook are told apart; they are the sender's words, and it may have many.
const MAX_PROVIDERS: usize = 64;

/// What rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::store::sqlite) enum Kind {
    /// Events.
    Event,
    /// Alerts that are not deleted.
    Alert,
}

/// What one row has of what rows are told apart by.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sqlite) struct Said<'a> {
    /// The row of its project.
    pub(in crate::store::sqlite) project: i64,
    /// The row of its webhook.
    pub(in crate::store::sqlite) webhook: Option<i64>,
    /// Its provider.
    pub(in crate::store::sqlite) provider: Option<&'a str>,
    /// Its severity.
    pub(in crate::store::sqlite) severity: Severity,
    /// The words that only its kind has.
    pub(in crate::store::sqlite) way: Way,
}

/// The words that only one kind of rows has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::store::sqlite) enum Way {
    /// An event's.
    Event(EventType),
    /// An alert's.
    Alert(AlertState, Urgency),
}

/// A combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Traits {
    pub(super) project: i64,
    pub(super) webhook: Option<i64>,
    pub(super) provider: Provider,
    pub(super) severity: Severity,
    pub(super) way: Way,
}

/// The provider of a combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Provider {
    /// The rows have none.
    None,
    /// The one of this number.
    Named(u32),
    /// Any of those that are not told apart.
    Other,
}

/// The combinations that are known.
#[derive(Debug, Default)]
pub(in crate::store::sqlite) struct Combos {
    events: Vec<Traits>,
    alerts: Vec<Traits>,
    numbers: HashMap<Traits, u32>,
    names: Vec<Box<str>>,
    name_numbers: HashMap<Box<str>, u32>,
    /// The providers that are told apart, by webhook.
    providers: HashMap<(Kind, Option<i64>), Vec<u32>>,
}

impl Kind {
    /// The number of its first combination.
    pub(super) const fn first(self) -> u32 {
        match self {
            Self::Event => 0,
            Self::Alert => 1 << 30,
        }
    }

    /// What the combination of this number is of.
    pub(super) const fn of(combo: u32) -> Self {
        if combo < Self::Alert.first() { Self::Event } else { Self::Alert }
    }

    /// The number of its first chunk.
    pub(super) fn first_chunk(self) -> i64 {
        i64::from(self.first() / CHUNK)
    }
}

impl<'a> Said<'a> {
    /// What an alert has, given the rows of its project and its webhook.
    pub(in crate::store::sqlite) fn of_alert(
        (project, webhook): (i64, Option<i64>),
        provider: Option<&'a str>,
        standing: &Standing,
    ) -> Self {
        let way = Way::of(standing);
        Self { project, webhook, provider, severity: standing.severity, way }
    }
}

impl Way {
    /// The words of an alert.
    pub(in crate::store::sqlite) const fn of(standing: &Standing) -> Self {
        Self::Alert(standing.state, standing.urgency)
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Event(_) => Kind::Event,
            Self::Alert(..) => Kind::Alert,
        }
    }
}

impl Combos {
    /// All of a kind, by their numbers.
    pub(super) fn all(&self, kind: Kind) -> &[Traits] {
        match kind {
            Kind::Event => &self.events,
            Kind::Alert => &self.alerts,
        }
    }

    /// The combination of this number.
    pub(super) fn traits(&self, combo: u32) -> Option<Traits> {
        let kind = Kind::of(combo);
        self.all(kind).get((combo - kind.first()) as usize).copied()
    }

    /// The text of a provider that is told apart.
    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |name| name)
    }

    /// What a combination is, in words.
    pub(super) fn described(&self, combo: u32) -> String {
        let Some(traits) = self.traits(combo) else { return format!("combination {combo}") };
        let Traits { project, webhook, provider, severity, way } = traits;
        let provider = match provider {
            Provider::None => "no provider".to_owned(),
            Provider::Named(name) => format!("provider `{}`", self.name(name)),
            Provider::Other => "other providers".to_owned(),
        };
        let way = match way {
            Way::Event(event_type) => format!("events of type {event_type}"),
            Way::Alert(state, urgency) => format!("alerts in state {state}, urgency {urgency}"),
        };
        let webhook = webhook.map_or("no webhook".to_owned(), |row| format!("webhook {row}"));
        format!("{way}, severity {severity}, {provider}, of project {project}, {webhook}")
    }

    /// The number of a row's combination, if it is known.
    pub(super) fn find(&self, said: &Said<'_>) -> Option<u32> {
        let provider = self.provider(said)?;
        self.numbers.get(&traits(said, provider)).copied()
    }

    /// The number of a row's combination, which is known from now on; whether it was not.
    pub(super) fn enter(&mut self, said: &Said<'_>) -> (u32, bool) {
        let provider = match (self.provider(said), said.provider) {
            (Some(provider), _) => provider,
            (None, name) => Provider::Named(self.number_of_name(name.unwrap_or_default())),
        };
        self.enter_traits(traits(said, provider))
    }

    /// The number of a combination, which is known from now on; whether it was not.
    pub(super) fn enter_traits(&mut self, traits: Traits) -> (u32, bool) {
        if let Some(known) = self.numbers.get(&traits) {
            return (*known, false);
        }
        let kind = traits.way.kind();
        if let Provider::Named(name) = traits.provider {
            let names = self.providers.entry((kind, traits.webhook)).or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let all = self.all_mut(kind);
        let number = kind.first() + number_of(all.len());
        all.push(traits);
        self.numbers.insert(traits, number);
        (number, true)
    }

    /// Forgets the newest combination of a kind.
    pub(super) fn forget(&mut self, kind: Kind) {
        let Some(gone) = self.all_mut(kind).pop() else { return };
        self.numbers.remove(&gone);
        let Provider::Named(name) = gone.provider else { return };
        let is_same = |it: &Traits| it.webhook == gone.webhook && it.provider == gone.provider;
        if !self.all(kind).iter().any(is_same)
            && let Some(names) = self.providers.get_mut(&(kind, gone.webhook))
        {
            names.retain(|it| *it != name);
        }
    }

    fn all_mut(&mut self, kind: Kind) -> &mut Vec<Traits> {
        match kind {
            Kind::Event => &mut self.events,
            Kind::Alert => &mut self.alerts,
        }
    }

    /// The provider of a row's combination; `None` where it is to be told apart from now on.
    fn provider(&self, said: &Said<'_>) -> Option<Provider> {
        let Some(name) = said.provider else { return Some(Provider::None) };
        let known = self.providers.get(&(said.way.kind(), said.webhook));
        let known = known.map(Vec::as_slice).unwrap_or_default();
        match self.name_numbers.get(name) {
            Some(number) if known.contains(number) => Some(Provider::Named(*number)),
            _ if known.len() >= MAX_PROVIDERS => Some(Provider::Other),
            _ => None,
        }
    }

    fn number_of_name(&mut self, name: &str) -> u32 {
        if let Some(known) = self.name_numbers.get(name) {
            return *known;
        }
        let number = number_of(self.names.len());
        self.names.push(name.into());
        self.name_numbers.insert(name.into(), number);
        number
    }

    /// Reads those that came since; the file's are never changed.
    pub(super) fn catch_up(&mut self, connection: &Connection) -> Result<()> {
        for kind in [Kind::Event, Kind::Alert] {
            let mut statement = connection.prepare_cached(
                "SELECT combo, project, webhook, provider, other_provider, severity, event_type, state, urgency
                 FROM tally_combo WHERE combo >= ?1 AND combo < ?2 ORDER BY combo",
            )?;
            let next = kind.first() + number_of(self.all(kind).len());
            let mut rows = statement.query(params![next, kind.first() + (1 << 30)])?;
            while let Some(row) = rows.next()? {
                let mut columns = Columns::of(row);
                let number: u32 = columns.get()?;
                let traits = self.traits_in(&mut columns, kind)?;
                if self.enter_traits(traits) != (number, true) {
                    return Err(Error::internal("the combinations of tallies are damaged"));
                }
            }
        }
        Ok(())
    }

    fn traits_in(&mut self, columns: &mut Columns<'_>, kind: Kind) -> Result<Traits> {
        let (project, webhook) = (columns.get()?, columns.get()?);
        let (provider, other): (Option<String>, bool) = (columns.get()?, columns.get()?);
        let provider = match (provider, other) {
            (_, true) => Provider::Other,
            (None, false) => Provider::None,
            (Some(name), false) => Provider::Named(self.number_of_name(&name)),
        };
        let severity = columns.word()?;
        let way = match kind {
            Kind::Event => Way::Event(columns.word()?),
            Kind::Alert => {
                columns.get::<Option<String>>()?;
                Way::Alert(columns.word()?, columns.word()?)
            }
        };
        Ok(Traits { project, webhook, provider, severity, way })
    }
}

fn number_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX >> 2)
}

fn traits(said: &Said<'_>, provider: Provider) -> Traits {
    let Said { project, webhook, provider: _, severity, way } = *said;
    Traits { project, webhook, provider, severity, way }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(provider: &str) -> Said<'_> {
        Said {
            project: 1,
            webhook: Some(1),
            provider: Some(provider),
            severity: Severity::Error,
            way: Way::Event(EventType::Alert),
        }
    }

    #[test]
    fn a_webhook_with_more_providers_than_are_told_apart_shares_one_combination_for_the_rest() {
        let mut combos = Combos::default();
        for number in 0..MAX_PROVIDERS {
            assert!(combos.enter(&said(&format!("p{number}"))).1);
        }
        let (rest, is_new) = combos.enter(&said("one more"));
        assert!(is_new);
        assert_eq!(combos.enter(&said("and another")), (rest, false));
        assert_eq!(combos.traits(rest).unwrap().provider, Provider::Other);
        assert_eq!(combos.enter(&said("p7")), (7, false));
        let elsewhere = Said { webhook: Some(2), ..said("one more") };
        assert_ne!(combos.enter(&elsewhere).0, rest);
    }

    #[test]
    fn a_combination_that_is_forgotten_makes_room_again() {
        let mut combos = Combos::default();
        for number in 0..MAX_PROVIDERS {
            combos.enter(&said(&format!("p{number}")));
        }
        combos.forget(Kind::Event);
        let (number, _) = combos.enter(&said("another"));
        assert!(matches!(combos.traits(number).unwrap().provider, Provider::Named(_)));
        assert_eq!(combos.find(&said("another")), Some(63));
        assert_eq!(combos.find(&said("p63")), None);
    }
}
