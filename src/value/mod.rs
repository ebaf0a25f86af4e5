//! Values of payloads: how they are found, read as times and printed as text.

pub mod patch;
pub mod path;
pub mod template;
pub mod text;
pub mod time;
