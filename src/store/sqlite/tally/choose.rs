//! Which combinations a filter means, and which range of time.
//!
//! A filter can be answered by tallies if it asks about nothing but what they tell apart. What its conditions mean is not
//! said here a second time: each is asked of a record that has what a combination has, as its view shows it.

use std::{cell::RefCell, collections::HashMap};

use serde_json::{Map, Value};

use super::{
    super::{seek, work::Work},
    known::{Combos, Kind, Provider, Traits, Way},
    names::Names,
};
use crate::{
    clock::Timestamp,
    domain::scope::{Home, Scope},
    error::Result,
    query::{Comparison, Condition, Filter, Test},
};

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sqlite) struct Asked<'a> {
    /// What the rows are.
    pub(in crate::store::sqlite) kind: Kind,
    /// What the caller may see.
    pub(in crate::store::sqlite) scope: &'a Scope,
    /// Which rows are meant.
    pub(in crate::store::sqlite) filter: &'a Filter,
}

impl<'a> From<&seek::Asked<'a>> for Asked<'a> {
    fn from(asked: &seek::Asked<'a>) -> Self {
        let kind = match asked.of {
            seek::Of::Events => Kind::Event,
            seek::Of::Alerts => Kind::Alert,
        };
        Self { kind, scope: asked.scope, filter: &asked.query.filter }
    }
}

/// A field that rows are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    Project,
    Workspace,
    Domain,
    Webhook,
    Provider,
    Severity,
    EventType,
    State,
    Urgency,
}

/// A range of time in milliseconds: from the first up to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// What a filter means.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) bounds: Bounds,
    /// Whether each combination is meant, by its place among those of its kind.
    pub(super) meant: Vec<bool>,
    pub(super) names: Names,
}

/// A condition about a dimension, with what it said of values before.
struct Asking<'a> {
    condition: &'a Condition,
    dimension: Dimension,
    said: RefCell<HashMap<i64, bool>>,
}

impl Dimension {
    /// The dimension of this name.
    pub(super) fn named(name: &str, kind: Kind) -> Option<Self> {
        match (name, kind) {
            ("project_id", _) => Some(Self::Project),
            ("workspace_id", _) => Some(Self::Workspace),
            ("domain_id", _) => Some(Self::Domain),
            ("webhook_id", _) => Some(Self::Webhook),
            ("provider", _) => Some(Self::Provider),
            ("severity", _) => Some(Self::Severity),
            ("event_type", Kind::Event) => Some(Self::EventType),
            ("state", Kind::Alert) => Some(Self::State),
            ("urgency", Kind::Alert) => Some(Self::Urgency),
            _ => None,
        }
    }

    const fn needs_home(self) -> bool {
        matches!(self, Self::Project | Self::Workspace | Self::Domain)
    }

    /// A number for what a combination has of it: where the numbers are the same, so are the values.
    pub(super) fn number(self, traits: &Traits) -> i64 {
        match (self, traits.way) {
            (Self::Project | Self::Workspace | Self::Domain, _) => traits.project,
            (Self::Webhook, _) => traits.webhook.unwrap_or_default(),
            (Self::Provider, _) => match traits.provider {
                Provider::None => -1,
                Provider::Named(name) => i64::from(name),
                Provider::Other => -2,
            },
            (Self::Severity, _) => traits.severity as i64,
            (Self::EventType, Way::Event(word)) => word as i64,
            (Self::State, Way::Alert(word, _)) => word as i64,
            (Self::Urgency, Way::Alert(_, word)) => word as i64,
            (Self::EventType | Self::State | Self::Urgency, _) => 0,
        }
    }
}

impl Choice {
    /// What a combination has of a dimension, as the view of its rows shows it.
    pub(super) fn value(&self, dimension: Dimension, traits: &Traits, combos: &Combos) -> Value {
        let home = |id: fn(&Home) -> &str| self.names.projects.get(&traits.project).map(id);
        let text = match (dimension, traits.way) {
            (Dimension::Project, _) => home(|home| home.project_id.as_str()),
            (Dimension::Workspace, _) => home(|home| home.workspace_id.as_str()),
            (Dimension::Domain, _) => home(|home| home.domain_id.as_str()),
            (Dimension::Webhook, _) => {
                traits.webhook.and_then(|row| self.names.webhooks.get(&row)).map(String::as_str)
            }
            (Dimension::Provider, _) => match traits.provider {
                Provider::Named(name) => Some(combos.name(name)),
                Provider::None | Provider::Other => None,
            },
            (Dimension::Severity, _) => Some(traits.severity.as_str()),
            (Dimension::EventType, Way::Event(word)) => Some(word.as_str()),
            (Dimension::State, Way::Alert(word, _)) => Some(word.as_str()),
            (Dimension::Urgency, Way::Alert(_, word)) => Some(word.as_str()),
            (Dimension::EventType | Dimension::State | Dimension::Urgency, _) => None,
        };
        text.map_or(Value::Null, Value::from)
    }

    fn holds(&self, asking: &Asking<'_>, traits: &Traits, combos: &Combos) -> bool {
        let number = asking.dimension.number(traits);
        *asking.said.borrow_mut().entry(number).or_insert_with(|| {
            let value = self.value(asking.dimension, traits, combos);
            let field = asking.condition.field.name.to_owned();
            asking.condition.holds(&Value::Object(Map::from_iter([(field, value)])))
        })
    }
}

impl Work {
    /// Which combinations are meant; `None` where tallies cannot tell. `keys` are the dimensions that the answer is told
    /// apart by.
    pub(super) fn choose(
        &self,
        asked: &Asked<'_>,
        combos: &Combos,
        keys: &[Dimension],
    ) -> Result<Option<Choice>> {
        let Asked { kind, scope, filter } = *asked;
        let mut bounds = Bounds { from: i64::MIN, to: i64::MAX };
        let Some(all) = asked_in_all(filter, kind, &mut bounds) else { return Ok(None) };
        let (any, keyword) = (askings(&filter.any, kind), askings(&filter.keyword, kind));
        let (Some(any), Some(keyword)) = (any, keyword) else { return Ok(None) };
        let asked_of = || [&all, &any, &keyword].into_iter().flatten();
        let dimensions = || asked_of().map(|it| it.dimension).chain(keys.iter().copied());
        let is_scoped = *scope != Scope::EVERYTHING;
        let mut names = Names::default();
        if is_scoped || dimensions().any(Dimension::needs_home) {
            names.projects = self.homes_seen(scope)?;
        }
        if dimensions().any(|it| it == Dimension::Webhook) {
            names.webhooks = self.webhook_names()?;
        }
        let tells_providers = dimensions().any(|it| it == Dimension::Provider);
        let mut choice = Choice { bounds, meant: Vec::new(), names };
        let mut meant = Vec::with_capacity(combos.all(kind).len());
        for traits in combos.all(kind) {
            let holds = |asking: &Asking<'_>| choice.holds(asking, traits, combos);
            let some = |askings: &[Asking<'_>]| askings.is_empty() || askings.iter().any(holds);
            let is_open = tells_providers && traits.provider == Provider::Other;
            let is_seen = !is_scoped || choice.names.projects.contains_key(&traits.project);
            let is_meant = is_seen
                && all
                    .iter()
                    .all(|it| (is_open && it.dimension == Dimension::Provider) || holds(it))
                && (is_open || (some(&any) && some(&keyword)));
            if is_meant && is_open {
                return Ok(None);
            }
            meant.push(is_meant);
        }
        choice.meant = meant;
        Ok(Some(choice))
    }
}

/// The conditions of `all` about dimensions; those about the time narrow the bounds. `None` where there are others.
fn asked_in_all<'a>(
    filter: &'a Filter,
    kind: Kind,
    bounds: &mut Bounds,
) -> Option<Vec<Asking<'a>>> {
    let mut askings = Vec::new();
    for condition in &filter.all {
        if let Some(asking) = asking(condition, kind) {
            askings.push(asking);
            continue;
        }
        let is_range = is_time(condition) && bounds.narrow(&condition.test);
        if !is_range {
            return None;
        }
    }
    Some(askings)
}

fn is_time(condition: &Condition) -> bool {
    condition.field.name == "created_at" && condition.path.is_empty()
}

fn asking(condition: &Condition, kind: Kind) -> Option<Asking<'_>> {
    let dimension = Dimension::named(condition.field.name, kind)?;
    Some(Asking { condition, dimension, said: RefCell::default() })
}

fn askings(conditions: &[Condition], kind: Kind) -> Option<Vec<Asking<'_>>> {
    conditions.iter().map(|condition| asking(condition, kind)).collect()
}

impl Bounds {
    /// Narrows the range to what a condition leaves of it; whether that is a range.
    fn narrow(&mut self, test: &Test) -> bool {
        let time = |value: &Value| -> Option<i64> {
            let time: Timestamp = value.as_str()?.parse().ok()?;
            Some(time.timestamp_millis())
        };
        let range = if let Test::Equal(value) = test {
            time(value).map(|at| (at, at + 1))
        } else if let Test::Compares(how, value) = test {
            time(value).map(|at| match how {
                Comparison::Greater => (at + 1, i64::MAX),
                Comparison::GreaterOrEqual => (at, i64::MAX),
                Comparison::Less => (i64::MIN, at),
                Comparison::LessOrEqual => (i64::MIN, at + 1),
            })
        } else {
            None
        };
        let Some((from, to)) = range else { return false };
        *self = Self { from: self.from.max(from), to: self.to.min(to) };
        true
    }
}
