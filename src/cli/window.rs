//! `alertmill window`: manage maintenance windows.
