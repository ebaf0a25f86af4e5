//! Every plugin we have, by name: those in the binary, and those that a directory puts in their place.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rust_embed::RustEmbed;
use serde_saphyr::{Location, MessageFormatter, UserMessageFormatter};

use super::manifest::{Manifest, Plugin};

/// The file that says how a provider talks.
const MANIFEST: &str = "plugin.yaml";

/// The manifests in the binary.
#[derive(RustEmbed)]
#[folder = "plugins/"]
struct Embedded;

/// Every plugin we have, by name.
#[derive(Debug, Default)]
pub struct PluginBook {
    plugins: BTreeMap<String, Arc<Plugin>>,
}

/// Why a manifest was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// The file, or the directory that could not be read.
    pub file: String,
    /// The line, from one; zero where the file as a whole is meant.
    pub line: u32,
    /// The column, from one; zero where the file as a whole is meant.
    pub column: u32,
    /// What is wrong, and what was expected.
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

impl PluginBook {
    /// The plugins in the binary.
    pub fn embedded() -> Result<Self, Vec<LoadError>> {
        Self::load(None)
    }

    /// The plugins in the binary, and in their place or beside them those of the directory `overlay`.
    ///
    /// # Errors
    /// Every mistake in every manifest; nothing is loaded where there is one.
    pub fn load(overlay: Option<&Path>) -> Result<Self, Vec<LoadError>> {
        let mut book = Self::default();
        let mut mistakes = Vec::new();
        for path in Embedded::iter() {
            let Some(name) = path.strip_suffix(MANIFEST).and_then(|dir| dir.strip_suffix('/'))
            else {
                continue;
            };
            let Some(file) = Embedded::get(&path) else { continue };
            let added = book.add(name, &format!("plugins/{path}"), &file.data);
            mistakes.extend(added.err());
        }
        if let Some(overlay) = overlay {
            mistakes.extend(book.overlay(overlay));
        }
        if mistakes.is_empty() { Ok(book) } else { Err(mistakes) }
    }

    /// The plugin called `name`.
    pub fn get(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.plugins.get(name)
    }

    /// The names of all plugins, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.plugins.keys().map(String::as_str)
    }

    /// Adds what the directory `dir` holds; tells every mistake in it.
    fn overlay(&mut self, dir: &Path) -> Vec<LoadError> {
        let manifests = match manifests_in(dir) {
            Ok(manifests) => manifests,
            Err(fault) => return vec![whole(dir, format!("cannot be read: {fault}"))],
        };
        let mut mistakes = Vec::new();
        for (name, file) in manifests {
            let added = match fs::read(&file) {
                Ok(text) => self.add(&name, &file.display().to_string(), &text),
                Err(fault) => Err(whole(&file, format!("cannot be read: {fault}"))),
            };
            mistakes.extend(added.err());
        }
        mistakes
    }

    fn add(&mut self, name: &str, file: &str, text: &[u8]) -> Result<(), LoadError> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            let wanted = "expected lower-case letters, digits and `-`";
            return Err(whole(Path::new(file), format!("`{name}` is no plugin's name; {wanted}")));
        }
        let manifest = parse(file, text)?;
        self.plugins.insert(name.to_owned(), Arc::new(Plugin::new(name, manifest)));
        Ok(())
    }
}

/// The manifests one level below `dir`, by the name of their directory.
fn manifests_in(dir: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let manifest = entry.path().join(MANIFEST);
        if manifest.is_file() {
            found.insert(entry.file_name().to_string_lossy().into_owned(), manifest);
        }
    }
    Ok(found)
}

fn parse(file: &str, text: &[u8]) -> Result<Manifest, LoadError> {
    let text = std::str::from_utf8(text).map_err(|fault| {
        whole(Path::new(file), format!("is no UTF-8 from byte {} on", fault.valid_up_to()))
    })?;
    serde_saphyr::from_str(text).map_err(|fault| {
        let place = fault.location().unwrap_or(Location::UNKNOWN);
        LoadError {
            file: file.to_owned(),
            line: u32::try_from(place.line()).unwrap_or_default(),
            column: u32::try_from(place.column()).unwrap_or_default(),
            detail: UserMessageFormatter.format_message(fault.without_snippet()).into_owned(),
        }
    })
}

fn whole(file: &Path, detail: String) -> LoadError {
    LoadError { file: file.display().to_string(), line: 0, column: 0, detail }
}
