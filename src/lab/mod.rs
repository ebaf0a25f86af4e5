//! The journey over other inputs: what rules make of samples, files and stored deliveries.

pub mod draft;
pub mod samples;
