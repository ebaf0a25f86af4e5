//! What the targets have in common. `tests/it/fuzzed.rs` takes the same modules into the gate.

pub mod dice;
pub mod journey;
pub mod mutate;
pub mod shelf;
pub mod texts;

pub mod gauge;
