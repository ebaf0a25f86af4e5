//! What a provider means: the mapping language, which turns a payload into events.
//!
//! A [`Mapping`] is compiled once from `rules/<provider>/mapping.yaml`; `rules/README.md` describes the language. The
//! first variant whose condition holds reads the payload, and an item that cannot be read fails alone. A mapping reads
//! the [`Input`] and nothing else: no clock, no network, nothing random, so the same input gives the same events.
//!
//! `node` is a file as it is written, `extend` makes one of several, `written` finds the values in it; `load`, `compile`
//! and `read*` turn it into the compiled forms `mapping`, `fields`, `expr`, `ops`, `template` and `when`, which read from
//! a `scene`. `plan` makes them fast and numbers what `tally` counts; `coverage` is what comes of the counts. `check`,
//! `keys` and `reach` look for what is most likely not meant; `schema` is the language for editors. `kinds` is a language
//! of its own: what is known of events that services name by a kind.

pub mod check;
mod compile;
mod coverage;
mod expr;
mod extend;
mod fields;
mod keys;
pub mod kinds;
mod load;
mod mapping;
mod node;
mod ops;
mod plan;
mod reach;
mod read;
mod read_step;
mod rulebook;
pub mod samples;
mod scene;
pub mod schema;
mod scripted;
mod tally;
mod template;
mod walk;
mod when;
mod written;

pub use coverage::{
    ArmUse, Coverage, DefaultUse, Drift, PathUse, RowUse, UnknownValue, VariantUse,
};
pub use mapping::{Input, Mapping, Reading};
pub(crate) use node::{At, Key, Kind, Node};
pub use rulebook::Rulebook;
pub use tally::Tally;

pub use crate::domain::webhook::Overrides;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod tally_tests;
