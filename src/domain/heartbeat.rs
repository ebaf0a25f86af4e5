//! Who must be heard from how often.
