//! What is wrong with a file that people write, and where.

use std::fmt;

/// A mistake in a rule file or a manifest: what is wrong, what was expected, and what may have been meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// The file, relative to its directory; or the directory that cannot be read.
    pub file: String,
    /// The line, from one; zero where the file as a whole is meant.
    pub line: u32,
    /// The column, from one; zero where the file as a whole is meant.
    pub column: u32,
    /// What is wrong, what was expected, and what may have been meant.
    pub detail: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, detail } = self;
        if *line == 0 {
            return write!(f, "{file}: {detail}");
        }
        write!(f, "{file}:{line}:{column}: {detail}")
    }
}
