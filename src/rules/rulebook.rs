//! Every mapping, by provider: those in the binary, and those of a directory laid over them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    compile::compile,
    coverage::{Drift, PathUse},
    mapping::Mapping,
    samples::Shipped,
};
use crate::{load_error::LoadError, metrics::Metrics};

/// Every mapping, by provider; immutable once loaded.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    mappings: BTreeMap<String, Arc<Mapping>>,
}

impl Rulebook {
    /// The mappings in the binary.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn embedded() -> Result<Self, Vec<LoadError>> {
        Self::load(None)
    }

    /// The mappings in the binary, overlaid by `<overlay>/<provider>/mapping.yaml`.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn load(overlay: Option<&Path>) -> Result<Self, Vec<LoadError>> {
        let mut texts: BTreeMap<String, String> = Shipped::mappings().collect();
        if let Some(directory) = overlay {
            texts.extend(read_overlay(directory).map_err(|error| vec![error])?);
        }
        Self::from_texts(texts)
    }

    /// The mappings of these texts, by provider.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn from_texts(
        texts: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<LoadError>> {
        let mut book = Self::default();
        let mut errors = Vec::new();
        for (provider, text) in texts {
            match compile(&provider, &format!("{provider}/mapping.yaml"), &text) {
                Ok(mapping) => {
                    book.mappings.insert(provider, Arc::new(mapping));
                }
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(book) } else { Err(errors) }
    }

    /// The mapping of a provider.
    pub fn get(&self, provider: &str) -> Option<&Arc<Mapping>> {
        self.mappings.get(provider)
    }

    /// Keeps what is counted of each mapping that is the same in `before`, so that a reload forgets nothing of those that
    /// it does not change.
    pub fn keep_counts(&mut self, before: &Self) {
        for (provider, mapping) in &mut self.mappings {
            if let Some(known) = before.get(provider)
                && known.version() == mapping.version()
            {
                *mapping = Arc::clone(known);
            }
        }
    }

    /// Says in the metrics what was counted of the mappings that have read something.
    pub fn count(&self, metrics: &Metrics) {
        for (provider, mapping) in &self.mappings {
            let coverage = mapping.live().report(mapping);
            if coverage.payloads > 0 {
                let is_gone = |path: &&PathUse| path.drift() == Some(Drift::Gone);
                let gone = coverage.paths.iter().filter(is_gone).count();
                metrics.mapping(provider, mapping.live().unknown(), gone);
            }
        }
    }

    /// The providers that have a mapping.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.mappings.keys().map(String::as_str)
    }
}

/// The mapping files below a directory, by provider.
fn read_overlay(directory: &Path) -> Result<Vec<(String, String)>, LoadError> {
    let unreadable = |path: PathBuf, error: std::io::Error| LoadError {
        file: path.display().to_string(),
        line: 0,
        column: 0,
        detail: format!("it cannot be read: {error}"),
    };
    let mut found = Vec::new();
    let entries =
        fs::read_dir(directory).map_err(|error| unreadable(directory.to_owned(), error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory.to_owned(), error))?;
        let path = entry.path().join("mapping.yaml");
        let (true, Ok(provider)) = (path.is_file(), entry.file_name().into_string()) else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(|error| unreadable(path, error))?;
        found.push((provider, text));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_are_right() {
        let book = Rulebook::embedded().unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert!(book.providers().count() > 0);
    }
}
