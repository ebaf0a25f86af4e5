//! What was committed lately, in the order in which it was.

use std::ops::ControlFlow;

use crate::{
    bus::Place,
    domain::{event::Event, happening::Happening, scope::Scope},
    error::Result,
};

/// One thing that was committed.
#[derive(Clone, Debug)]
pub enum Happened {
    /// An event arrived.
    Event(Box<Event>),
    /// An alert changed.
    Alert(Box<Happening>),
}

/// A stretch of what was committed.
#[derive(Clone, Copy, Debug)]
pub struct Between {
    /// What lies beyond this place.
    pub after: Place,
    /// What lies no further than this place.
    pub upto: Place,
}

/// Told one thing after the other, with the place up to which it has read then; whether it wants more.
pub type EachHappened<'a> = &'a mut dyn FnMut(Happened, Place) -> Result<ControlFlow<()>>;

/// What was committed lately.
pub trait Happenings {
    /// Tells `each` what was committed in a stretch and lies in `scope`, events in the order of their arrival; the place
    /// up to which everything was told, which may lie before the end of the stretch.
    fn happened(&self, scope: &Scope, stretch: Between, each: EachHappened<'_>) -> Result<Place>;
    /// The newest place in each log of which something that lies in `scope` was removed.
    fn forgotten(&self, scope: &Scope) -> Result<Place>;
}
