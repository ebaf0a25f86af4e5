//! `alertmill silence`: manage silences and inhibitions.
