//! What a PATH names: a directory of rules, or the mapping of one provider.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Failure, books, wrong};
use crate::{config::RuleFiles, ingest::Books, lab::samples::Shelf};

/// The file that is one provider's mapping.
pub(super) const MAPPING: &str = "mapping.yaml";

/// Rules and samples that a command works on.
pub(super) struct Source {
    /// All rules and plugins, those that were named among them.
    pub(super) books: Books,
    /// Where the samples are.
    pub(super) shelf: Shelf,
    /// The one provider that was named; all where absent.
    pub(super) provider: Option<String>,
}

impl Source {
    /// What `path` names; without one, the directory of `--rules`, or what is in the binary.
    ///
    /// # Errors
    /// Everything that is wrong there.
    pub(super) fn find(path: Option<&Path>, files: &RuleFiles) -> Result<Self, Failure> {
        let Some(path) = path else {
            let shelf = files.rules.clone().map_or(Shelf::Shipped, Shelf::Directory);
            return Ok(Self { books: books(files)?, shelf, provider: None });
        };
        // A relative `.` has no name of its own.
        let path = fs::canonicalize(path).map_err(|cause| {
            Failure::usage(format!("`{}` cannot be read: {cause}.", path.display()))
        })?;
        let file = if path.is_dir() { path.join(MAPPING) } else { path.clone() };
        if !file.is_file() {
            let files = RuleFiles { rules: Some(path.clone()), plugins: files.plugins.clone() };
            let shelf = Shelf::Directory(path);
            return Ok(Self { books: books(&files)?, shelf, provider: None });
        }
        Self::one(&file, files)
    }

    /// Whether a provider was named, or all were.
    pub(super) fn means(&self, provider: &str) -> bool {
        self.provider.as_deref().is_none_or(|only| only == provider)
    }

    /// The mapping of one provider, whose directory names it.
    fn one(file: &Path, files: &RuleFiles) -> Result<Self, Failure> {
        let unnamed = || {
            Failure::usage(format!(
                "`{}` stands in no directory that names its provider; expected `<provider>/{MAPPING}`.",
                file.display()
            ))
        };
        let directory = file.parent().ok_or_else(unnamed)?;
        let provider = directory.file_name().and_then(|name| name.to_str()).ok_or_else(unnamed)?;
        let text = fs::read_to_string(file).map_err(|cause| {
            Failure::usage(format!("`{}` cannot be read: {cause}.", file.display()))
        })?;
        let books = books(files)?;
        let rulebook = books.rulebook.with_text(provider, &text).map_err(|found| wrong(&found))?;
        let shelf = Shelf::Directory(directory.parent().map(PathBuf::from).unwrap_or_default());
        let books = Books { rulebook, ..books };
        Ok(Self { books, shelf, provider: Some(provider.to_owned()) })
    }
}
