//! What a value is read from: the payload, the item that is looked at, the variables; and what is remembered of it.

use std::cell::{Cell, RefCell};

use regex::RegexSet;
use serde_json::Value;

use super::mapping::Input;
use crate::value::{path::Path, text::is_blank};

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
    /// Texts that mean that nothing was said.
    pub(super) missing: Option<&'a RegexSet>,
    /// What is remembered, where it was asked for.
    pub(super) trace: Option<&'a Trace>,
}

/// A path with its root found.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Where it starts.
    pub(super) slot: Slot,
    /// The path from there.
    pub(super) path: Path,
}

/// Where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

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

impl<'a> Scene<'a> {
    /// The same scene around another element, whose own values are not remembered.
    pub(super) fn around<'b>(&self, element: &'b Value) -> Scene<'b>
    where
        'a: 'b,
    {
        Scene { element, trace: None, ..*self }
    }

    /// Whether a value says nothing, by itself or because the mapping says so.
    pub(super) fn is_missing(&self, value: &Value) -> bool {
        match (value, self.missing) {
            (Value::String(text), Some(patterns)) => text.is_empty() || patterns.is_match(text),
            _ => is_blank(value),
        }
    }

    /// Remembers what was done to a value.
    pub(super) fn did(&self, step: impl FnOnce() -> String) {
        if let Some(trace) = self.trace {
            trace.steps.borrow_mut().push(step());
        }
    }

    /// Remembers that a default was used.
    pub(super) fn defaulted(&self) {
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
    fn root<'a>(&self, scene: &Scene<'a>) -> Option<&'a Value> {
        match self.slot {
            Slot::Payload => Some(scene.input.payload),
            Slot::Element => Some(scene.element),
            Slot::Shared(slot) => scene.shared.get(slot)?.as_ref(),
            Slot::Own(slot) => scene.own.get(slot)?.as_ref(),
        }
    }

    /// The first value it selects that says something.
    pub(super) fn first<'a>(&self, scene: &Scene<'a>) -> Option<&'a Value> {
        let root = self.root(scene)?;
        let found = if self.path.is_singular() {
            self.path.first(root).filter(|found| !scene.is_missing(found))
        } else {
            self.path.all(root).into_iter().find(|found| !scene.is_missing(found))
        }?;
        self.remember(scene, root, |value| std::ptr::eq(value, found));
        Some(found)
    }

    /// Every value it selects that says something.
    pub(super) fn all<'a>(&self, scene: &Scene<'a>) -> Vec<&'a Value> {
        let Some(root) = self.root(scene) else { return Vec::new() };
        let mut found = self.path.all(root);
        found.retain(|value| !scene.is_missing(value));
        self.remember(scene, root, |value| !scene.is_missing(value));
        found
    }

    /// Every value it selects, said or not.
    pub(super) fn raw<'a>(&self, scene: &Scene<'a>) -> Vec<&'a Value> {
        self.root(scene).map(|root| self.path.all(root)).unwrap_or_default()
    }

    /// The value it selects, said or not, if it is a path that selects one at most.
    pub(super) fn only<'a>(&self, scene: &Scene<'a>) -> Option<&'a Value> {
        self.path.only(self.root(scene)?)
    }

    /// Every value it selects, with its place.
    pub(super) fn located<'a>(&self, scene: &Scene<'a>) -> Vec<(String, &'a Value)> {
        let Some(root) = self.root(scene) else { return Vec::new() };
        self.path.located(root, &self.base(scene))
    }

    fn remember(&self, scene: &Scene<'_>, root: &Value, is_used: impl Fn(&Value) -> bool) {
        let Some(trace) = scene.trace else { return };
        let located = self.path.located(root, &self.base(scene));
        let places =
            located.into_iter().filter(|(_, value)| is_used(value)).map(|(place, _)| place);
        let mut paths = trace.paths.borrow_mut();
        for place in places {
            if !paths.contains(&place) && paths.len() < 16 {
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
            Slot::Shared(_) | Slot::Own(_) => {
                let text = self.path.to_string();
                let end = text.find(['.', '[']).unwrap_or(text.len());
                text[..end].to_owned()
            }
        }
    }
}
