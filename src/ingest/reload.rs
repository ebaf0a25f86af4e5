//! Loading rules and plugins again while deliveries come in: all of them, or none.
//!
//! A delivery is read from beginning to end by the books that were live when it came, so a swap mixes nothing. What is
//! refused leaves the old books live.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::{Books, Intake};
use crate::{
    clock::Timestamp,
    digest::{Digest, hex, sha256},
    load_error::LoadError,
    metrics::{KindLabels, VersionLabels},
    rules::Rulebook,
};

/// How often files are read that change while they are read.
const TRIES: usize = 3;

/// Which files of a provider's directory count.
const KINDS: [&str; 4] = ["yaml", "yml", "json", "js"];

/// Where rules and plugins are loaded from, and what came of it.
#[derive(Debug)]
pub struct Shelves {
    rules: Option<PathBuf>,
    plugins: Option<PathBuf>,
    standing: ArcSwap<Standing>,
    recorded: ArcSwapOption<String>,
    /// Held while files are loaded, so that two reloads do not overtake each other.
    turn: Mutex<()>,
}

/// What is live, and what was refused since.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Which rules and plugins are live: a digest of them all.
    pub version: String,
    /// When they were loaded.
    pub loaded_at: Timestamp,
    /// What was refused after that; `None` where nothing was.
    pub refused: Option<Refusal>,
    files: Files,
}

/// Rules or plugins that were not loaded, since they have mistakes.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// When.
    pub at: Timestamp,
    /// Every mistake.
    pub mistakes: Vec<LoadError>,
    files: Files,
}

/// What came of loading again.
#[derive(Clone, Debug)]
pub enum Reloaded {
    /// No file has changed.
    Unchanged,
    /// The files say again what is live; what they said in between was refused.
    Restored,
    /// What the files say is live from now on.
    Swapped(Swap),
    /// The files have mistakes; what was live is live still.
    Refused(Refusal),
}

/// What is different since rules and plugins were loaded again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swap {
    /// Which rules and plugins are live now.
    pub version: String,
    /// The files that were added, changed or removed, e.g. `rules/mine/mapping.yaml`.
    pub files: Vec<String>,
    /// What was most likely not meant.
    pub warnings: Vec<String>,
}

/// Who wants to load again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A person or a program, who wants to hear what came of it.
    Asked,
    /// The files, which may not have changed after all; what was said once is not said again.
    Watched,
}

/// The digests of files, by their path below `rules/` or `plugins/`.
type Files = BTreeMap<String, Digest>;

impl Shelves {
    /// Loads rules and plugins for the first time: those in the binary, overlaid by directories.
    ///
    /// # Errors
    /// Every mistake in any file.
    pub fn open(
        rules: Option<&Path>,
        plugins: Option<&Path>,
        now: Timestamp,
    ) -> Result<(Self, Books), Vec<LoadError>> {
        let (rules, plugins) = (rules.map(PathBuf::from), plugins.map(PathBuf::from));
        let (files, books) = load(&Books::default(), (rules.as_deref(), plugins.as_deref()));
        let books = books?;
        let version = version(&files);
        let standing = Standing { version, loaded_at: now, refused: None, files };
        let standing = ArcSwap::from_pointee(standing);
        let recorded = ArcSwapOption::empty();
        Ok((Self { rules, plugins, standing, recorded, turn: Mutex::default() }, books))
    }

    /// Shelves that nothing is loaded from: for those who bring their books along.
    pub fn none(now: Timestamp) -> Self {
        let (version, files) = (String::new(), Files::new());
        let standing = Standing { version, loaded_at: now, refused: None, files };
        let standing = ArcSwap::from_pointee(standing);
        let recorded = ArcSwapOption::empty();
        Self { rules: None, plugins: None, standing, recorded, turn: Mutex::default() }
    }

    /// How rules and plugins stand.
    pub fn standing(&self) -> Arc<Standing> {
        self.standing.load_full()
    }

    /// The version that the audit trail tells of, as far as that is known.
    pub fn recorded(&self) -> Option<Arc<String>> {
        self.recorded.load_full()
    }

    /// The audit trail tells of this version now.
    pub fn is_recorded(&self, version: &str) {
        self.recorded.store(Some(Arc::new(version.to_owned())));
    }

    /// The directories that overlay the binary.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        [&self.rules, &self.plugins].into_iter().filter_map(|directory| directory.as_deref())
    }
}

impl Standing {
    /// Whether a file is one of a directory, not of the binary, e.g. `rules/mine/mapping.yaml`.
    pub fn overlays(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }
}

/// Loads rules and plugins again, and swaps them in whole if they have no mistakes. Reads files, so it may block.
pub fn reload(intake: &Intake, prompt: Prompt, now: Timestamp) -> Reloaded {
    let shelves = &intake.shelves;
    let _turn = shelves.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let standing = shelves.standing();
    if prompt == Prompt::Watched {
        let found = files(shelves.rules.as_deref(), shelves.plugins.as_deref());
        let last = standing.refused.as_ref().map_or(&standing.files, |refused| &refused.files);
        if found == *last {
            return Reloaded::Unchanged;
        }
    }
    let before = intake.books.load_full();
    let (files, loaded) = load(&before, (shelves.rules.as_deref(), shelves.plugins.as_deref()));
    let stands =
        |refused| shelves.standing.store(Arc::new(Standing { refused, ..(*standing).clone() }));
    let reloaded = match loaded {
        Err(mistakes) => {
            let refusal = Refusal { at: now, mistakes, files };
            stands(Some(refusal.clone()));
            Reloaded::Refused(refusal)
        }
        Ok(_) if files == standing.files => {
            stands(None);
            if standing.refused.is_some() { Reloaded::Restored } else { Reloaded::Unchanged }
        }
        Ok(books) => {
            let swap = Swap {
                version: version(&files),
                files: differing(&standing.files, &files),
                warnings: missed(intake, &before, &books),
            };
            let version = swap.version.clone();
            intake.books.store(Arc::new(books));
            let standing = Standing { version, loaded_at: now, refused: None, files };
            shelves.standing.store(Arc::new(standing));
            Reloaded::Swapped(swap)
        }
    };
    count(intake, &reloaded);
    reloaded
}

fn count(intake: &Intake, reloaded: &Reloaded) {
    let kind = match reloaded {
        Reloaded::Unchanged => "unchanged",
        Reloaded::Restored => "restored",
        Reloaded::Swapped(_) => "swapped",
        Reloaded::Refused(_) => "refused",
    };
    intake.metrics.reloads.get_or_create(&KindLabels { kind }).inc();
    if let Reloaded::Swapped(swap) = reloaded {
        intake.metrics.loaded(&VersionLabels { version: swap.version.clone() });
    }
}

/// Loads what the directories hold, and tells which files that was. Files that change meanwhile are read again, so that
/// no half of one change is loaded with half of another.
fn load(
    known: &Books,
    (rules, plugins): (Option<&Path>, Option<&Path>),
) -> (Files, Result<Books, Vec<LoadError>>) {
    let mut before = files(rules, plugins);
    let mut tries = 1;
    loop {
        let books = known.reload(rules, plugins);
        let after = files(rules, plugins);
        if before == after || tries >= TRIES {
            return (before, books);
        }
        before = after;
        tries += 1;
    }
}

/// The files that count, of both directories.
fn files(rules: Option<&Path>, plugins: Option<&Path>) -> Files {
    let mut found = Files::new();
    for (name, directory) in [("rules", rules), ("plugins", plugins)] {
        let Some(directory) = directory else { continue };
        for provider in names(directory) {
            for file in names(&directory.join(&provider)) {
                let path = directory.join(&provider).join(&file);
                let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
                if !KINDS.contains(&kind) || path.is_dir() {
                    continue;
                }
                // What cannot be read is said by who loads it.
                let digest = fs::read(&path).map(|text| sha256(&text)).unwrap_or_default();
                found.insert(format!("{name}/{provider}/{file}"), digest);
            }
        }
    }
    found
}

/// What a directory holds, but for what is hidden, such as the directories behind a `ConfigMap`.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// A digest of everything that is loaded: of what is in the binary, and of the files over it.
fn version(files: &Files) -> String {
    let mut all = format!("{} {}\n", env!("CARGO_PKG_VERSION"), Rulebook::built_in());
    for (file, digest) in files {
        let _ = writeln!(all, "{file} {}", hex(digest));
    }
    hex(&sha256(all.as_bytes())[..8])
}

/// The files that are not the same.
fn differing(before: &Files, after: &Files) -> Vec<String> {
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    all.into_iter().filter(|file| before.get(*file) != after.get(*file)).cloned().collect()
}

/// What webhooks miss from now on.
fn missed(intake: &Intake, before: &Books, now: &Books) -> Vec<String> {
    let mut without_plugin: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without_mapping: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for webhook in intake.store.snapshots().webhooks.all() {
        let Some(plugin_before) = before.plugins.get(&webhook.plugin) else { continue };
        let name = webhook.webhook_id.to_string();
        match now.plugins.get(&webhook.plugin) {
            None => without_plugin.entry(webhook.plugin.clone()).or_default().push(name),
            Some(plugin) => {
                let had = before.rulebook.get(plugin_before.mapping()).is_some();
                if had && now.rulebook.get(plugin.mapping()).is_none() {
                    let mapping = plugin.mapping().to_owned();
                    without_mapping.entry(mapping).or_default().push(name);
                }
            }
        }
    }
    let plugins = without_plugin.into_iter().map(|(plugin, webhooks)| {
        format!(
            "plugin `{plugin}` is gone, and {} still need it: what is posted to them is answered 503 and not kept until it is back",
            webhooks.join(", ")
        )
    });
    let mappings = without_mapping.into_iter().map(|(mapping, webhooks)| {
        format!(
            "mapping `{mapping}` is gone, and {} still need it: what is posted to them is kept, dead, and can be redriven once it is back",
            webhooks.join(", ")
        )
    });
    plugins.chain(mappings).collect()
}
