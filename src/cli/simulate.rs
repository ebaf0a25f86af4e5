//! `alertmill simulate`: try a configuration on a timeline.
