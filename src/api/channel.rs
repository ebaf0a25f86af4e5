//! `channel.*`: where messages go.
