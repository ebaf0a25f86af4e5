//! What is sent where, and what its answer means: a file per channel.
