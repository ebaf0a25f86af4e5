//! HTTP out: the only user of `reqwest`.
