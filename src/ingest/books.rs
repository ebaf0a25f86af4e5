//! The rules of a moment: what payloads mean and how providers talk, loaded together and swapped together.

use std::path::Path;

use crate::{load_error::LoadError, plugins::PluginBook, rules::Rulebook};

/// Every mapping and every plugin. A delivery is read by one of these from beginning to end.
#[derive(Debug, Default)]
pub struct Books {
    /// What payloads mean.
    pub rulebook: Rulebook,
    /// How providers talk.
    pub plugins: PluginBook,
}

impl Books {
    /// Those in the binary, overlaid by directories.
    ///
    /// # Errors
    /// Every mistake in any file; nothing is loaded where there is one.
    pub fn load(rules: Option<&Path>, plugins: Option<&Path>) -> Result<Self, Vec<LoadError>> {
        Self::default().reload(rules, plugins)
    }

    /// The same loaded again.
    ///
    /// # Errors
    /// Every mistake in any file; nothing is loaded where there is one.
    pub fn reload(
        &self,
        rules: Option<&Path>,
        plugins: Option<&Path>,
    ) -> Result<Self, Vec<LoadError>> {
        match (self.rulebook.reload(rules), PluginBook::load(plugins)) {
            (Ok(rulebook), Ok(plugins)) => Ok(Self { rulebook, plugins }),
            (rulebook, plugins) => {
                let mut mistakes = rulebook.err().unwrap_or_default();
                mistakes.extend(plugins.err().unwrap_or_default());
                Err(mistakes)
            }
        }
    }
}
