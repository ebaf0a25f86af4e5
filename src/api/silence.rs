//! `silence.*`: alerts that are muted by a filter until an end.
