//! Tallies: how many events and alerts of each kind came in each quarter of an hour, written in the same commit as the
//! rows, so that a total or a statistic need not read them.
//!
//! What rows are told apart by is in [`known`]: each combination that ever came has a number. The writer counts in memory
//! ([`ledger`]) and writes at the end of its commit ([`mod@write`]): to the quarter of an hour, and once an hour to the levels
//! above it ([`level`]). A reader finds the combinations that a filter means ([`choose`]) and adds up what covers the time
//! that is asked for ([`read`]). That all of it equals the rows is checked by [`verify`], which also counts anew.

mod choose;
mod counts;
mod known;
mod ledger;
mod level;
mod names;
mod read;
#[cfg(test)]
mod tests;
mod truth;
mod verify;
mod write;

pub(super) use self::{
    choose::Asked,
    known::{Combos, Kind, Said, Way},
    ledger::{Ledger, Place},
    level::Level,
    read::By,
};

/// A quarter of an hour, in milliseconds.
const QUARTER: i64 = 15 * 60 * 1000;

/// The quarter of an hour since 1970 that a time in milliseconds lies in.
fn quarter_of(millis: i64) -> i64 {
    millis.div_euclid(QUARTER)
}
