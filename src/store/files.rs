//! The store's file as a whole: copied while it is written to, put back, examined, made small again.
//!
//! All of it works on a path, in the process of whoever asked: a copy is made by a reader like any other, so a running
//! server need not be told, and no path ever comes in over the network.

use std::path::Path;

use super::{Verification, sqlite::files};
use crate::{
    domain::audit::{Head, SealKey},
    error::Result,
};

/// What was looked at in a store, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, e.g. `one open alert a key`.
    pub name: &'static str,
    /// What is wrong; nothing if all is well.
    pub wrong: Vec<String>,
    /// What helps, if something is wrong.
    pub remedy: Remedy,
}

/// What helps where something is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A backup, or somebody who knows.
    Backup,
    /// The key that signed the audit trail: all else that can be told of the trail is well.
    Key,
}

impl Check {
    /// What was looked at, and what is wrong with it that a backup helps against.
    pub(in crate::store) fn new(name: &'static str, wrong: Vec<String>) -> Self {
        Self { name, wrong, remedy: Remedy::Backup }
    }
}

/// How many rows a store has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// How many rows, by table.
    pub rows: Vec<(String, u64)>,
    /// How many bytes the file has.
    pub bytes: u64,
}

/// Writes a copy of the store in `file` as of this moment to `target`, which must not exist, and examines it.
///
/// # Errors
/// Where the store cannot be read, the copy cannot be written, or it is not whole; then nothing is left of it.
pub fn copy(file: &Path, target: &Path) -> Result<Contents> {
    files::copy(file, target)
}

/// Examines a store; `Thorough` reads all of it. How the chains of the audit trail stand is held against what signed it
/// where that is known.
///
/// # Errors
/// Where it cannot be read at all.
pub fn verify(file: &Path, care: Care, seal: Option<&SealKey>) -> Result<Vec<Check>> {
    files::verify(file, care, seal)
}

/// Verifies the audit trail to its end.
///
/// # Errors
/// Where the store cannot be read at all.
pub fn verify_trail(file: &Path, verification: &mut Verification) -> Result<()> {
    files::verify_trail(file, verification)
}

/// How the chains of the audit trail stand.
///
/// # Errors
/// Where the store cannot be read at all.
pub fn heads(file: &Path) -> Result<Vec<Head>> {
    files::heads(file)
}

/// Whether a store is of the schema of this Alertmill, so that it can be written to as it is.
///
/// # Errors
/// Where it cannot be read, or was written by a newer Alertmill.
pub fn is_current(file: &Path) -> Result<bool> {
    files::is_current(file)
}

/// How carefully a store is examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// Pages and rows.
    Quick,
    /// Each index against its table as well.
    Thorough,
}

/// Folds the log of a store that nobody uses into its file, so that the file is all there is.
///
/// # Errors
/// Where it is in use or no store.
pub fn fold(file: &Path) -> Result<()> {
    files::fold(file)
}
