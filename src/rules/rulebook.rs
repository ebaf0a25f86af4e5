//! Every mapping, by provider: those in the binary, and those of a directory laid over them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, OnceLock},
};

use super::{
    Drift, PathUse,
    compile::{compile, compile_files},
    extend::Files,
    load::did_you_mean,
    mapping::Mapping,
    samples::Shipped,
    scripted::is_script,
};
use crate::{
    digest::{hex, sha256},
    load_error::LoadError,
    metrics::Metrics,
};

/// Every mapping, by provider; immutable once loaded. Those in the binary, which are known to be right, are compiled when
/// they are first asked for: few installations need more than a handful of them.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    mappings: BTreeMap<String, Entry>,
}

/// A mapping of a rulebook.
#[derive(Clone, Debug)]
enum Entry {
    /// It was compiled when the rulebook was loaded.
    Loaded(Arc<Mapping>),
    /// It is in the binary; this rulebook's copy of it, which counts for itself, once somebody asked for it.
    Shipped(Arc<OnceLock<Option<Arc<Mapping>>>>),
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
        Self::default().reload(overlay)
    }

    /// The same loaded again. A mapping whose text is the same is taken over, with what was counted of it.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn reload(&self, overlay: Option<&Path>) -> Result<Self, Vec<LoadError>> {
        let overlay = match overlay {
            Some(directory) => read_overlay(directory).map_err(|error| vec![error])?,
            None => BTreeMap::new(),
        };
        let mut book = Self::default();
        for provider in SHIPPED.keys() {
            let known = self.mappings.get(provider);
            let copy = known.and_then(Entry::shipped).unwrap_or_default();
            book.mappings.insert(provider.clone(), Entry::Shipped(copy));
        }
        let mut changed = Vec::new();
        for (provider, text) in &overlay {
            // The text of one that extends another is longer than its file's.
            let same = self.mappings.get(provider).filter(|entry| entry.was_loaded_from(text));
            match same {
                Some(same) => {
                    book.mappings.insert(provider.clone(), same.clone());
                }
                None => changed.push(provider.clone()),
            }
        }
        let shelves = Shelves { shipped: TEXTS.clone(), overlay };
        book.compile(&shelves, changed)?;
        Ok(book)
    }

    /// The mappings of these texts, by provider.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn from_texts(
        texts: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<LoadError>> {
        let shipped: BTreeMap<String, String> = texts.into_iter().collect();
        let providers: Vec<String> = shipped.keys().cloned().collect();
        let mut book = Self::default();
        book.compile(&Shelves { shipped, overlay: BTreeMap::new() }, providers)?;
        Ok(book)
    }

    /// The mapping that had this text, which holds all that is needed: also what the mapping extends.
    ///
    /// # Errors
    /// Everything that is wrong with it, which is nothing unless the language has changed since.
    pub fn restore(provider: &str, text: &str) -> Result<Mapping, Vec<LoadError>> {
        if is_script(text) {
            let file = format!("plugins/{provider}/main.js");
            return Mapping::scripted(provider, (provider, &file, 1), text);
        }
        compile(provider, &file_of(provider), text)
    }

    /// Adds these providers' mappings.
    fn compile(&mut self, shelves: &Shelves, providers: Vec<String>) -> Result<(), Vec<LoadError>> {
        let mut errors: Vec<LoadError> = Vec::new();
        for provider in providers {
            match shelves.compile(&provider) {
                Ok(mapping) => {
                    self.mappings.insert(provider, Entry::Loaded(Arc::new(mapping)));
                }
                // What is wrong with a base is wrong with each that extends it; once is enough.
                Err(found) => {
                    for error in found {
                        if !errors.contains(&error) {
                            errors.push(error);
                        }
                    }
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The same rules, with this text in place of a provider's mapping. It may extend any of them, or its own built-in one.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn with_text(&self, provider: &str, text: &str) -> Result<Self, Vec<LoadError>> {
        let mut files = Files::stored(&file_of(provider), text);
        if let Some((base, place)) = files.missing_base().map_err(|error| vec![error])? {
            let extended =
                if base == provider { shipped(provider) } else { self.get(&base).map(Arc::as_ref) };
            let Some(extended) = extended else {
                let names = self.providers().filter(|name| *name != provider);
                let hint = did_you_mean(&base, names);
                let detail = format!("there is no mapping `{base}` to extend{hint}");
                return Err(vec![files.error(place, detail)]);
            };
            files.append(Files::stored(extended.file(), extended.text()));
        }
        Ok(self.with(provider, Arc::new(compile_files(provider, &files)?)))
    }

    /// The same rules, with this mapping in place of a provider's.
    #[must_use]
    pub fn with(&self, provider: &str, mapping: Arc<Mapping>) -> Self {
        let mut book = self.clone();
        book.mappings.insert(provider.to_owned(), Entry::Loaded(mapping));
        book
    }

    /// The mapping of a provider.
    pub fn get(&self, provider: &str) -> Option<&Arc<Mapping>> {
        match self.mappings.get(provider)? {
            Entry::Loaded(mapping) => Some(mapping),
            Entry::Shipped(copy) => {
                copy.get_or_init(|| Some(Arc::new(shipped(provider)?.uncounted()))).as_ref()
            }
        }
    }

    /// Keeps what is counted of each mapping that is the same in `before`, so that a reload forgets nothing of those that
    /// it does not change.
    pub fn keep_counts(&mut self, before: &Self) {
        for (provider, entry) in &mut self.mappings {
            let Some(known) = before.mappings.get(provider) else { continue };
            let is_same = match (&*entry, known) {
                (Entry::Shipped(_), Entry::Shipped(_)) => true,
                (Entry::Loaded(mapping), Entry::Loaded(known)) => {
                    mapping.version() == known.version()
                }
                (Entry::Shipped(_), Entry::Loaded(_)) | (Entry::Loaded(_), Entry::Shipped(_)) => {
                    false
                }
            };
            if is_same {
                *entry = known.clone();
            }
        }
    }

    /// Says in the metrics what was counted of the mappings that have read something.
    pub fn count(&self, metrics: &Metrics) {
        for (provider, entry) in &self.mappings {
            let Some(mapping) = entry.compiled() else { continue };
            let coverage = mapping.live().report(mapping);
            if coverage.payloads > 0 {
                let is_gone = |path: &&PathUse| path.drift() == Some(Drift::Gone);
                let gone = coverage.paths.iter().filter(is_gone).count();
                metrics.mapping(provider, mapping.live().unknown(), gone);
            }
        }
    }

    /// What tells the mappings in this binary from those in another.
    pub fn built_in() -> &'static str {
        static DIGEST: LazyLock<String> = LazyLock::new(|| {
            let all: String = TEXTS.iter().flat_map(|(name, text)| [name.as_str(), text]).collect();
            hex(&sha256(all.as_bytes()))
        });
        &DIGEST
    }

    /// The providers that have a mapping.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.mappings.keys().map(String::as_str)
    }
}

impl Entry {
    /// The mapping, if anybody has needed it yet.
    fn compiled(&self) -> Option<&Arc<Mapping>> {
        match self {
            Self::Loaded(mapping) => Some(mapping),
            Self::Shipped(copy) => copy.get()?.as_ref(),
        }
    }

    /// This rulebook's copy of what is in the binary.
    fn shipped(&self) -> Option<Arc<OnceLock<Option<Arc<Mapping>>>>> {
        match self {
            Self::Shipped(copy) => Some(Arc::clone(copy)),
            Self::Loaded(_) => None,
        }
    }

    /// Whether it was made of this text alone.
    fn was_loaded_from(&self, text: &str) -> bool {
        match self {
            Self::Loaded(mapping) => mapping.text() == text,
            Self::Shipped(_) => false,
        }
    }
}

/// The texts of the mappings in the binary.
static TEXTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| Shipped::mappings().collect());

/// The mappings in the binary, each compiled at most once.
static SHIPPED: LazyLock<BTreeMap<String, OnceLock<Option<Mapping>>>> =
    LazyLock::new(|| TEXTS.keys().map(|name| (name.clone(), OnceLock::new())).collect());

/// A mapping in the binary.
fn shipped(provider: &str) -> Option<&'static Mapping> {
    let compile = || {
        let shelves = Shelves { shipped: TEXTS.clone(), overlay: BTreeMap::new() };
        shelves.compile(provider).ok()
    };
    SHIPPED.get(provider)?.get_or_init(compile).as_ref()
}

/// The texts of all mappings, by provider.
struct Shelves {
    /// Those in the binary.
    shipped: BTreeMap<String, String>,
    /// Those of the directory laid over it.
    overlay: BTreeMap<String, String>,
}

/// Which shelf a text is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shelf {
    Shipped,
    Overlay,
}

impl Shelves {
    fn text(&self, on: Shelf, provider: &str) -> Option<&String> {
        match on {
            Shelf::Shipped => self.shipped.get(provider),
            Shelf::Overlay => self.overlay.get(provider),
        }
    }

    /// A provider's mapping.
    fn compile(&self, provider: &str) -> Result<Mapping, Vec<LoadError>> {
        let files = self.files(provider).map_err(|error| vec![error])?;
        compile_files(provider, &files)
    }

    /// The files that a provider's mapping is made of: its own, and what that extends.
    fn files(&self, provider: &str) -> Result<Files, LoadError> {
        let is_overlaid = self.overlay.contains_key(provider);
        let mut at =
            (if is_overlaid { Shelf::Overlay } else { Shelf::Shipped }, provider.to_owned());
        let mut files = Files::default();
        let mut seen = Vec::new();
        while let Some(text) = self.text(at.0, &at.1) {
            let is_built_in = is_overlaid && at.0 == Shelf::Shipped;
            let note = if is_built_in { " (built in)" } else { "" };
            files.push(&format!("{}{note}", file_of(&at.1)), text);
            let Some((base, place)) = files.missing_base()? else { break };
            let next = match self.base(&at, &base) {
                Ok(next) => next,
                Err(detail) => return Err(files.error(place, detail)),
            };
            seen.push(at);
            if seen.contains(&next) {
                let round: Vec<&str> = seen.iter().map(|(_, name)| name.as_str()).collect();
                let detail = format!("mappings extend each other: {}, {base}", round.join(", "));
                return Err(files.error(place, detail));
            }
            at = next;
        }
        Ok(files)
    }

    /// Where the base is that the mapping at a place extends, or why there is none. What extends its own name extends the
    /// mapping in the binary.
    fn base(&self, at: &(Shelf, String), base: &str) -> Result<(Shelf, String), String> {
        let is_own = at.1 == base;
        let shelves = match at.0 {
            Shelf::Overlay if !is_own => &[Shelf::Overlay, Shelf::Shipped][..],
            Shelf::Overlay => &[Shelf::Shipped],
            Shelf::Shipped if !is_own => &[Shelf::Shipped],
            Shelf::Shipped => &[],
        };
        let found = shelves.iter().find(|shelf| self.text(**shelf, base).is_some());
        if let Some(shelf) = found {
            return Ok((*shelf, base.to_owned()));
        }
        if is_own {
            return Err(format!(
                "there is no built-in mapping `{base}` that this one could extend"
            ));
        }
        let names = self.shipped.keys().chain(self.overlay.keys()).filter(|name| **name != at.1);
        let hint = did_you_mean(base, names.map(String::as_str));
        Err(format!(
            "there is no mapping `{base}` to extend; `alertmill rules list` shows all{hint}"
        ))
    }
}

/// The name of a provider's rule file, relative to its rules directory.
fn file_of(provider: &str) -> String {
    format!("{provider}/mapping.yaml")
}

/// The mapping files below a directory, by provider.
fn read_overlay(directory: &Path) -> Result<BTreeMap<String, String>, LoadError> {
    let unreadable = |path: PathBuf, error: std::io::Error| {
        LoadError::whole(path.display().to_string(), format!("it cannot be read: {error}"))
    };
    let mut found = BTreeMap::new();
    let entries =
        fs::read_dir(directory).map_err(|error| unreadable(directory.to_owned(), error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory.to_owned(), error))?;
        let path = entry.path().join("mapping.yaml");
        let (true, Ok(provider)) = (path.is_file(), entry.file_name().into_string()) else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(|error| unreadable(path, error))?;
        found.insert(provider, text);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_changed_is_not_compiled_again() {
        let directory = tempfile::tempdir().unwrap();
        let write = |provider: &str, text: &str| {
            fs::create_dir_all(directory.path().join(provider)).unwrap();
            fs::write(directory.path().join(provider).join("mapping.yaml"), text).unwrap();
        };
        let text = "title: T\nevents:\n  - name: a\n    set: { event_key: \"$.a\" }\n";
        for provider in ["base", "same", "grafana"] {
            write(provider, text);
        }
        write("child", "title: C\nextend: base\n");
        let first = Rulebook::load(Some(directory.path())).unwrap();
        write("base", &text.replace("$.a", "$.b"));
        fs::remove_dir_all(directory.path().join("grafana")).unwrap();
        let version = |book: &Rulebook, name: &str| book.get(name).unwrap().version().clone();
        let names = ["base", "child", "same", "grafana", "zabbix"];
        let before = names.map(|name| version(&first, name));
        let second = first.reload(Some(directory.path())).unwrap();
        for (name, before) in names.into_iter().zip(before) {
            let has_changed = ["base", "child", "grafana"].contains(&name);
            let taken_over = Arc::ptr_eq(first.get(name).unwrap(), second.get(name).unwrap());
            assert_eq!(taken_over, !has_changed, "{name}");
            assert_eq!(version(&second, name) == before, !has_changed, "{name}");
        }
    }

    #[test]
    fn the_shipped_rules_are_right() {
        let book = Rulebook::from_texts(Shipped::mappings());
        let book = book.unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert!(book.providers().count() > 0);
    }

    #[test]
    fn each_rulebook_counts_for_itself() {
        let (one, other) = (Rulebook::embedded().unwrap(), Rulebook::embedded().unwrap());
        let name = one.providers().next().unwrap().to_owned();
        let (mine, theirs) = (one.get(&name).unwrap(), other.get(&name).unwrap());
        assert_eq!(mine.version(), theirs.version());
        assert!(!Arc::ptr_eq(mine, theirs));
        assert!(Arc::ptr_eq(mine, one.clone().get(&name).unwrap()));
    }
}
