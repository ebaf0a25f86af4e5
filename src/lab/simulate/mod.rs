//! The sandbox: a project's configuration and a timeline, run on a store in memory with a clock that stands still.
//!
//! What runs is what the server runs: the journey of a delivery, the methods of the API, the timers and what they do. Only
//! time is made up, and nothing is sent: what would be sent is told. `file` and `step` read a file, `furnish` makes what
//! it configures, `run` goes through its steps, `expected` holds what came to what must, `log` tells what happened.

mod deliver;
mod expected;
mod file;
mod furnish;
mod house;
mod log;
mod mail;
mod outcome;
mod refer;
mod run;
mod seen;
mod source;
mod span;
mod step;

pub use self::{
    file::Scenario,
    outcome::{Failure, Line, Outcome},
};
