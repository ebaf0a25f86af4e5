//! What holds for the whole program, seen from outside.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod client;
mod crash;
mod hostile;
