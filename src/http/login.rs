//! Logging in.

mod gate;
mod turns;
