//! Every plugin we have, by name: those in the binary, and those that a directory puts in their place.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rust_embed::RustEmbed;

use super::{
    manifest::{Manifest, Plugin},
    script::Script,
};
use crate::load_error::LoadError;

/// The file that says how a provider talks.
const MANIFEST: &str = "plugin.yaml";

/// The file that computes what a manifest cannot say.
const SCRIPT: &str = "main.js";

/// The manifests and scripts in the binary.
#[derive(RustEmbed)]
#[folder = "plugins/"]
struct Embedded;

/// Every plugin we have, by name.
#[derive(Clone, Debug, Default)]
pub struct PluginBook {
    plugins: BTreeMap<String, Arc<Plugin>>,
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
            let Some(manifest) = Embedded::get(&path) else { continue };
            let script = Embedded::get(&format!("{name}/{SCRIPT}"));
            // A program that runs no scripts does without our plugins that need one; those of people it refuses.
            if script.is_some() && !cfg!(feature = "plugins-js") {
                continue;
            }
            let files = Files {
                manifest: (&format!("plugins/{path}"), &manifest.data),
                script: script.as_ref().map(|script| &*script.data),
            };
            mistakes.extend(book.add(name, &files).err());
        }
        if let Some(overlay) = overlay {
            mistakes.extend(book.overlay(overlay));
        }
        if mistakes.is_empty() { Ok(book) } else { Err(mistakes) }
    }

    /// The same plugins, with this manifest in place of that of `name`, or beside the others. A script stays as it is:
    /// code comes from files alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn with_text(&self, name: &str, text: &str) -> Result<Self, LoadError> {
        let mut book = self.clone();
        let file = format!("{name}/{MANIFEST}");
        let script = self.get(name).and_then(|plugin| plugin.script()).map(Script::text);
        let script = script.map(str::as_bytes);
        book.add(name, &Files { manifest: (&file, text.as_bytes()), script })?;
        Ok(book)
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
            mistakes.extend(self.overlay_one(&name, &file).err());
        }
        mistakes
    }

    /// Adds what stands in one directory.
    fn overlay_one(&mut self, name: &str, file: &Path) -> Result<(), LoadError> {
        let read = |file: &Path| {
            fs::read(file).map_err(|fault| whole(file, format!("cannot be read: {fault}")))
        };
        let beside = file.with_file_name(SCRIPT);
        let script = if beside.is_file() { Some(read(&beside)?) } else { None };
        if !file.is_file() {
            return Err(whole(&beside, format!("has no `{MANIFEST}` beside it")));
        }
        let (shown, text) = (file.display().to_string(), read(file)?);
        self.add(name, &Files { manifest: (&shown, &text), script: script.as_deref() })
    }

    fn add(&mut self, name: &str, files: &Files<'_>) -> Result<(), LoadError> {
        let (file, text) = files.manifest;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(fits) {
            let wanted = "expected lower-case letters, digits and `-`";
            return Err(whole(Path::new(file), format!("`{name}` is no plugin's name; {wanted}")));
        }
        let mut plugin = Plugin::new(name, parse(file, text)?);
        if let Some(script) = files.script {
            let beside = Path::new(file).with_file_name(SCRIPT);
            let script = Script::load(&format!("plugins/{name}/{SCRIPT}"), script);
            // Where it is found counts now; what it is called counts later, for people who do not see our directories.
            let script = script
                .map_err(|error| LoadError { file: beside.display().to_string(), ..error })?;
            plugin =
                plugin.with_script(script).map_err(|detail| whole(&beside, detail.to_owned()))?;
        }
        self.plugins.insert(name.to_owned(), Arc::new(plugin));
        Ok(())
    }
}

/// The files of one plugin.
struct Files<'a> {
    /// The manifest, after the path that is shown of it.
    manifest: (&'a str, &'a [u8]),
    /// The script, where there is one.
    script: Option<&'a [u8]>,
}

/// The manifests one level below `dir`, by the name of their directory.
fn manifests_in(dir: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let manifest = entry.path().join(MANIFEST);
        if manifest.is_file() || entry.path().join(SCRIPT).is_file() {
            found.insert(entry.file_name().to_string_lossy().into_owned(), manifest);
        }
    }
    Ok(found)
}

fn parse(file: &str, text: &[u8]) -> Result<Manifest, LoadError> {
    let text = std::str::from_utf8(text).map_err(|fault| {
        whole(Path::new(file), format!("is no UTF-8 from byte {} on", fault.valid_up_to()))
    })?;
    serde_saphyr::from_str(text).map_err(|fault| LoadError::of_yaml(file, text, &fault))
}

fn whole(file: &Path, detail: String) -> LoadError {
    LoadError::whole(file.display().to_string(), detail)
}

#[cfg(test)]
mod tests {
    use super::{super::setup_snippet, *};

    fn overlay(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::create_dir_all(dir.path().join(name)).unwrap();
            fs::write(dir.path().join(name).join(MANIFEST), text).unwrap();
        }
        dir
    }

    /// The mistakes in a manifest, without its directory.
    fn mistake(manifest: &str) -> String {
        let dir = overlay(&[("mine", manifest)]);
        let mistakes = PluginBook::load(Some(dir.path())).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        mistakes[0].to_string().replace(&format!("{}/", dir.path().display()), "")
    }

    #[test]
    fn a_directory_adds_plugins_and_takes_the_place_of_embedded_ones() {
        let embedded = PluginBook::embedded().unwrap();
        let first = embedded.names().next().unwrap().to_owned();
        let dir = overlay(&[(&first, "title: Mine"), ("mine", "{title: X, mapping: theirs}")]);
        let book = PluginBook::load(Some(dir.path())).unwrap();
        assert_eq!(book.names().count(), embedded.names().count() + 1);
        assert_eq!(book.get(&first).unwrap().title(), "Mine");
        assert_eq!(book.get(&first).unwrap().mapping(), first);
        assert_eq!(book.get("mine").unwrap().mapping(), "theirs");
        assert!(book.get("yours").is_none());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (manifest, expected) in [
            ("title: X\nbodi: json\n", "mine/plugin.yaml:2:1: "),
            ("title: X\ntitle: Y\n", "mine/plugin.yaml:2:1: "),
            ("title: X\nbody: jsom\n", "mine/plugin.yaml:2:7: "),
            ("title: X\nsender_id:\n  - body: Id\n", "mine/plugin.yaml:3:11: "),
            (
                "title: X\nsignatures:\n  - hmac: {header: S, signed: x}\n",
                "mine/plugin.yaml:3:23: ",
            ),
            ("body: json\n", "mine/plugin.yaml:1:1: "),
            ("title: [\n", "mine/plugin.yaml:"),
            ("", "mine/plugin.yaml: it is empty"),
        ] {
            let found = mistake(manifest);
            assert!(found.starts_with(expected), "{manifest:?}: {found}");
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let dir = overlay(&[("a", "x: 1"), ("B", "title: B"), ("c", "title: [")]);
        assert_eq!(PluginBook::load(Some(dir.path())).unwrap_err().len(), 3);
        let missing = PluginBook::load(Some(&dir.path().join("none"))).unwrap_err();
        assert!(missing[0].to_string().contains("none: cannot be read"), "{}", missing[0]);
    }

    #[test]
    fn the_setup_names_the_address_and_the_key() {
        let setup = "title: X\nsetup: '{url} {keyless_url} {key} {OTHER}'\n";
        let dir = overlay(&[("mine", setup), ("none", "title: X")]);
        let book = PluginBook::load(Some(dir.path())).unwrap();
        let setup = book.get("mine").unwrap().setup().unwrap();
        let expected = "https://a/w/1/k3y/events https://a/w/1/events k3y {OTHER}";
        assert_eq!(setup_snippet(setup, "https://a/w/1/k3y/events", "k3y"), expected);
        assert_eq!(book.get("none").unwrap().setup(), None);
    }

    #[test]
    fn a_long_identifier_is_hashed() {
        let dir = overlay(&[("mine", "title: X\nsender_id: [{header: A}, {header: B}]")]);
        let book = PluginBook::load(Some(dir.path())).unwrap();
        let id = |a: &str| {
            let delivery = super::super::cases::delivery(&[("A", a), ("B", "b")], "");
            book.get("mine").unwrap().sender_id(&delivery, None).unwrap()
        };
        assert_eq!(id(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(id(&"x".repeat(201)).len(), "sha256:".len() + 64);
        assert_eq!(id(""), "b");
    }
}
