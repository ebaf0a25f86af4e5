//! The journey over other inputs: what rules make of samples, files and stored deliveries.
//!
//! [`posted`] is a payload that never came through the door, [`reading`] is how the outside sees what became of one.

mod because;
pub mod coverage;
pub mod diff;
pub mod draft;
pub mod explain;
pub mod posted;
mod problems;
pub mod reading;
pub mod samples;
pub mod simulate;
pub mod stored;
pub mod unmet;
