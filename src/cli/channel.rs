//! `alertmill channel`: manage where messages go.
