//! `alertmill rules check`: everything that is wrong with mappings and plugins, and what is most likely not meant.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Failure, Screen, source::Source};
use crate::{config::RuleFiles, load_error::LoadError, rules::check};

/// Tell everything that is wrong with the mappings and plugins.
#[derive(Args)]
pub(super) struct Check {
    /// Directory of mappings, or the directory or `mapping.yaml` of one provider; all that is loaded where absent.
    path: Option<PathBuf>,
}

impl Check {
    /// Does it.
    pub(super) fn run(&self, files: &RuleFiles, screen: &Screen) -> Result<(), Failure> {
        let source = Source::find(self.path.as_deref(), files)?;
        let rulebook = &source.books.rulebook;
        let (warnings, providers) = match &source.provider {
            Some(only) => (check::check_provider(rulebook, only), vec![only.as_str()]),
            None => (check::check_all(rulebook), rulebook.providers().collect()),
        };
        let said: Vec<String> = warnings.iter().map(LoadError::sentence).collect();
        screen.show(&json!({ "providers": providers, "warnings": said }), |_| {
            let mut lines: Vec<String> =
                warnings.iter().map(|warning| format!("warning: {warning}")).collect();
            lines.push(format!("{}, nothing wrong.", counted(providers.len(), "mapping")));
            lines.join("\n")
        })
    }
}

/// So many of something, e.g. `1 mapping`, `2 mappings`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
