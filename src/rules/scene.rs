//! What a value is read from: the payload, the item that is looked at, the variables; and what is remembered of it.

use std::cell::{Cell, OnceCell, RefCell};

use regex::RegexSet;
use serde_json::Value;

use super::{
    mapping::Input,
    tally::{Site, Stripe},
};
use crate::value::{path::Path, text::is_blank};

/// How much reading one payload may cost, about in bytes copied. What is read of one item is no more than it holds, a
/// few times; but what all items share is copied into each of them.
const MOST_COST: usize = 32 << 20;

/// The longest text that a pattern is held against; what follows is not looked at.
pub(super) const LONGEST_MATCHED: usize = 64 << 10;

/// What costs too little to be noted, in bytes.
pub(super) const SHORT: usize = 1024;

/// What it costs to look at a value, against copying a byte.
const VISIT: usize = 16;

/// Of how many items of a payload it is told exactly what is wrong with them.
pub(super) const MOST_TOLD: usize = 1000;

/// What a value is read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    /// What came in.
    pub(super) input: &'a Input<'a>,
    /// What `@` means.
    pub(super) element: &'a Value,
    /// The variables of the payload, by slot.
    pub(super) shared: &'a [Option<Value>],
    /// The variables of the item, by slot.
    pub(super) own: &'a [Option<Value>],
    /// Where paths that begin alike part, looked up once; empty where that was not done.
    pub(super) heads: &'a [Option<&'a Value>],
    /// Texts that mean that nothing was said.
    pub(super) missing: Option<&'a Missing>,
    /// What is remembered, where it was asked for.
    pub(super) trace: Option<&'a Trace>,
    /// What counts, where it was asked for.
    pub(super) stripe: Option<Stripe<'a>>,
    /// What reading this payload has cost, and what all its items share.
    pub(super) run: &'a Run,
}

/// Patterns of texts that mean that nothing was said.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    /// The patterns.
    pub(super) set: RegexSet,
    /// The bytes that texts which match begin with; `None` where they may begin with any.
    firsts: Option<Vec<u8>>,
}

impl Missing {
    /// Patterns of texts that mean that nothing was said.
    pub(super) fn of(set: RegexSet) -> Self {
        let firsts = set.patterns().iter().map(|pattern| first_byte(pattern)).collect();
        Self { set, firsts }
    }

    /// Whether a text begins as one that matches does; nearly no text does, and asking the patterns costs.
    fn may_match(&self, text: &str) -> bool {
        let first = text.as_bytes().first();
        self.firsts.as_ref().is_none_or(|firsts| first.is_some_and(|first| firsts.contains(first)))
    }
}

/// The byte that every text begins with which a pattern matches, where that is plain to see: `^\{…`, `^<…`.
fn first_byte(pattern: &str) -> Option<u8> {
    let is_plain = !pattern.contains(['|', '\n']) && !pattern.contains("(?");
    let rest = pattern.strip_prefix('^').filter(|_| is_plain)?.as_bytes();
    let (first, after) = match rest {
        // `\\<` and `\\>` are the ends of words.
        [b'\\', first, after @ ..] if first.is_ascii_punctuation() && !b"<>".contains(first) => {
            (*first, after)
        }
        [first, after @ ..] if first.is_ascii_alphanumeric() || b"<%@#!\"'".contains(first) => {
            (*first, after)
        }
        _ => return None,
    };
    let may_be_left_out = matches!(after.first(), Some(b'?' | b'*' | b'{'));
    (!may_be_left_out).then_some(first)
}

/// What does not depend on the item, and about how many bytes it takes to copy it.
type Shared = (Option<Value>, usize);

/// What reading one payload has cost so far, and what need not be read again.
#[derive(Debug, Default)]
pub(super) struct Run {
    cost: Cell<usize>,
    /// What does not depend on the item, by slot, with its size.
    pub(super) once: Box<[OnceCell<Shared>]>,
    told: Cell<usize>,
    /// Whether the webhook's own words gave how bad the item is.
    pub(super) is_overridden: Cell<bool>,
}

/// A path with its root found.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Where it starts.
    pub(super) slot: Slot,
    /// The path from there.
    pub(super) path: Path,
    /// Its line in the rule file.
    pub(super) line: u32,
    /// Where it parts from others that begin alike.
    pub(super) head: Option<Head>,
}

/// Where a path parts from others that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its place among the heads of a variant.
    pub(super) at: usize,
    /// How many steps lead there.
    pub(super) taken: usize,
}

/// Where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// At the payload.
    Payload,
    /// At the element.
    Element,
    /// At a variable of the payload.
    Shared(usize),
    /// At a variable of the item.
    Own(usize),
}

/// What was done to come to one value.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Where the element is in the payload.
    pub(super) element_at: RefCell<String>,
    paths: RefCell<Vec<String>>,
    steps: RefCell<Vec<String>>,
    defaulted: Cell<bool>,
    shared_at: Places,
    own_at: Places,
}

/// Where variables came from, by slot, and whether anything was done to them.
type Places = RefCell<Vec<(Option<String>, bool)>>;

/// What a [`Trace`] remembered of one value.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// The places it came from, separated by commas.
    pub(super) path: Option<String>,
    /// What was done to it, in order.
    pub(super) steps: Vec<String>,
    /// Whether a default was used.
    pub(super) defaulted: bool,
}

impl Run {
    /// Nothing so far; so many values do not depend on the item.
    pub(super) fn new(once: usize) -> Self {
        Self { once: (0..once).map(|_| OnceCell::new()).collect(), ..Self::default() }
    }

    /// Whether it may be found out again what is wrong with an item; that takes longer than reading it.
    pub(super) fn may_tell_again(&self) -> bool {
        self.told.set(self.told.get() + 1);
        self.told.get() <= MOST_TOLD
    }
}

impl<'a> Scene<'a> {
    /// The same scene around another element, whose own values are not remembered.
    pub(super) fn around<'b>(&self, element: &'b Value) -> Scene<'b>
    where
        'a: 'b,
    {
        Scene { element, heads: &[], trace: None, ..*self }
    }

    /// Whether a value says nothing, by itself or because the mapping says so.
    pub(super) fn is_missing(&self, value: &Value) -> bool {
        match (value, self.missing) {
            (Value::String(text), Some(patterns)) => {
                text.is_empty()
                    || patterns.may_match(text) && patterns.set.is_match(self.matched(text))
            }
            _ => is_blank(value),
        }
    }

    /// As much of a text as patterns are held against.
    pub(super) fn matched<'t>(&self, text: &'t str) -> &'t str {
        if text.len() <= SHORT {
            return text;
        }
        let mut end = text.len().min(LONGEST_MATCHED);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.spend(end);
        &text[..end]
    }

    /// Notes what something cost, about in bytes copied.
    pub(super) fn spend(&self, cost: usize) {
        self.run.cost.set(self.run.cost.get().saturating_add(cost));
    }

    /// Notes that an object or a list was made.
    pub(super) fn made(&self) {
        self.spend(4 * VISIT);
    }

    /// Whether reading this payload has cost too much.
    pub(super) fn is_spent(&self) -> bool {
        self.run.cost.get() > MOST_COST
    }

    /// Counts that something of the mapping was used.
    pub(super) fn hit(&self, site: Site) {
        if let Some(stripe) = self.stripe {
            stripe.hit(site);
        }
    }

    /// Remembers what was done to a value.
    pub(super) fn did(&self, step: impl FnOnce() -> String) {
        if let Some(trace) = self.trace {
            trace.steps.borrow_mut().push(step());
        }
    }

    /// Remembers that a default was used, and counts it.
    pub(super) fn defaulted(&self, site: Site) {
        self.hit(site);
        if let Some(trace) = self.trace {
            trace.defaulted.set(true);
        }
    }

    /// How much is remembered so far.
    pub(super) fn mark(&self) -> (usize, usize) {
        self.trace.map_or((0, 0), |trace| (trace.paths.borrow().len(), trace.steps.borrow().len()))
    }

    /// Forgets what was remembered since a mark, for an attempt that gave nothing.
    pub(super) fn rewind(&self, mark: (usize, usize)) {
        if let Some(trace) = self.trace {
            trace.paths.borrow_mut().truncate(mark.0);
            trace.steps.borrow_mut().truncate(mark.1);
        }
    }
}

impl Trace {
    /// Takes what is remembered for the payload's next variable.
    pub(super) fn place_shared(&self) {
        let remembered = self.take();
        self.shared_at.borrow_mut().push((remembered.path, !remembered.steps.is_empty()));
    }

    /// Takes what is remembered for the item's next variable.
    pub(super) fn place_own(&self) {
        let remembered = self.take();
        self.own_at.borrow_mut().push((remembered.path, !remembered.steps.is_empty()));
    }

    /// Nothing yet, around an element at `place`.
    pub(super) fn of(place: &str) -> Self {
        Self { element_at: RefCell::new(place.to_owned()), ..Self::default() }
    }

    /// What is remembered, which is then forgotten.
    pub(super) fn take(&self) -> Remembered {
        let paths = self.paths.take();
        Remembered {
            path: (!paths.is_empty()).then(|| paths.join(", ")),
            steps: self.steps.take(),
            defaulted: self.defaulted.take(),
        }
    }
}

impl Source {
    /// What its root is.
    pub(super) fn root<'a>(&self, scene: &Scene<'a>) -> Option<&'a Value> {
        match self.slot {
            Slot::Payload => Some(scene.input.payload),
            Slot::Element => Some(scene.element),
            Slot::Shared(slot) => scene.shared.get(slot)?.as_ref(),
            Slot::Own(slot) => scene.own.get(slot)?.as_ref(),
        }
    }

    /// The first value it selects that says something.
    pub(super) fn first<'a>(&self, scene: &Scene<'a>) -> Option<&'a Value> {
        let found = if self.path.is_singular() {
            self.only(scene).filter(|found| !scene.is_missing(found))
        } else {
            self.raw(scene).into_iter().find(|found| !scene.is_missing(found))
        }?;
        if scene.trace.is_some() {
            self.remember(scene, |value| std::ptr::eq(value, found));
        }
        Some(found)
    }

    /// Every value it selects that says something.
    pub(super) fn all<'a>(&self, scene: &Scene<'a>) -> Vec<&'a Value> {
        let mut found = self.raw(scene);
        found.retain(|value| !scene.is_missing(value));
        self.remember(scene, |value| !scene.is_missing(value));
        found
    }

    /// Every value it selects, said or not; nothing once reading has cost too much.
    pub(super) fn raw<'a>(&self, scene: &Scene<'a>) -> Vec<&'a Value> {
        if scene.is_spent() {
            return Vec::new();
        }
        let Some(root) = self.root(scene) else { return Vec::new() };
        let (found, visits) = self.path.all_and_visits(root);
        if self.slot != Slot::Element {
            scene.spend(visits * VISIT);
        }
        found
    }

    /// The value it selects, said or not, if it is a path that selects one at most.
    pub(super) fn only<'a>(&self, scene: &Scene<'a>) -> Option<&'a Value> {
        scene.spend(VISIT);
        if let Some(head) = self.head
            && let Some(found) = scene.heads.get(head.at)
        {
            return self.path.only_after(head.taken, (*found)?);
        }
        self.path.only_after(0, self.root(scene)?)
    }

    /// So many of the values it selects, with their places.
    pub(super) fn located<'a>(&self, scene: &Scene<'a>, most: usize) -> Vec<(String, &'a Value)> {
        let Some(root) = self.root(scene) else { return Vec::new() };
        self.path.located(root, &self.base(scene), most)
    }

    fn remember(&self, scene: &Scene<'_>, is_used: impl Fn(&Value) -> bool) {
        let Some(trace) = scene.trace else { return };
        let places = self
            .located(scene, usize::MAX)
            .into_iter()
            .filter(|(_, value)| is_used(value))
            .map(|(place, _)| place);
        let mut paths = trace.paths.borrow_mut();
        for place in places {
            if paths.len() == 16 {
                break;
            }
            if !paths.contains(&place) {
                paths.push(place);
            }
        }
    }

    /// Where its root is.
    fn base(&self, scene: &Scene<'_>) -> String {
        match self.slot {
            Slot::Payload => "$".to_owned(),
            Slot::Element => match scene.trace {
                Some(trace) => trace.element_at.borrow().clone(),
                None => "@".to_owned(),
            },
            Slot::Shared(slot) => self.variable(scene.trace.map(|trace| &trace.shared_at), slot),
            Slot::Own(slot) => self.variable(scene.trace.map(|trace| &trace.own_at), slot),
        }
    }
}

impl Source {
    /// Where the variable is that it begins with: its place in the payload, as far as that is known.
    fn variable(&self, places: Option<&Places>, slot: usize) -> String {
        let text = self.path.to_string();
        let name = &text[..text.find(['.', '[']).unwrap_or(text.len())];
        match places.and_then(|places| places.borrow().get(slot).cloned()) {
            Some((Some(place), false)) if !place.contains(", ") => place,
            Some((Some(place), _)) => format!("({place} as {name})"),
            Some((None, _)) | None => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_that_a_match_begins_with_is_known_where_it_is_plain_to_see() {
        let cases = [
            (r"^\{[A-Z.]+\}$", Some(b'{')),
            (r"^\$!?\{[^{}]*\}$", Some(b'$')),
            (r"^<MISSING VALUE>$", Some(b'<')),
            (r"^\*UNKNOWN\*$", Some(b'*')),
            (r"^\<word", None),
            (r"^a?b", None),
            (r"^a{0,1}b", None),
            (r"^a|b", None),
            (r"^(?i)null", None),
            (r"^\s", None),
            (r"^[ab]", None),
            (r"\{", None),
        ];
        for (pattern, first) in cases {
            assert_eq!(first_byte(pattern), first, "{pattern}");
        }
    }
}
