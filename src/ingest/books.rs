//! The rules of a moment: what payloads mean and how providers talk, loaded together and swapped together.

use std::{path::Path, sync::Arc};

use crate::{
    domain::kind::Kinds,
    load_error::LoadError,
    plugins::{PluginBook, Script},
    rules::{Mapping, Rulebook, kinds},
};

/// Every mapping and every plugin. A delivery is read by one of these from beginning to end.
#[derive(Debug, Default)]
pub struct Books {
    /// What payloads mean.
    pub rulebook: Rulebook,
    /// How providers talk.
    pub plugins: PluginBook,
    /// What is known of events that are named by a kind.
    pub kinds: Arc<Kinds>,
}

impl Books {
    /// Those in the binary, overlaid by directories.
    ///
    /// # Errors
    /// Every mistake in any file; nothing is loaded where there is one.
    pub fn load(rules: Option<&Path>, plugins: Option<&Path>) -> Result<Self, Vec<LoadError>> {
        Self::default().reload(rules, plugins)
    }

    /// The same loaded again, with what was counted of mappings that are still the same.
    ///
    /// # Errors
    /// Every mistake in any file; nothing is loaded where there is one.
    pub fn reload(
        &self,
        rules: Option<&Path>,
        plugins: Option<&Path>,
    ) -> Result<Self, Vec<LoadError>> {
        match (self.rulebook.reload(rules), PluginBook::load(plugins), kinds::load(rules)) {
            (Ok(rulebook), Ok(plugins), Ok(kinds)) => {
                let mut books = Self::of(rulebook, plugins)?;
                books.rulebook.keep_counts(&self.rulebook);
                books.kinds = Arc::new(kinds);
                Ok(books)
            }
            (rulebook, plugins, kinds) => {
                let mut mistakes = rulebook.err().unwrap_or_default();
                mistakes.extend(plugins.err().unwrap_or_default());
                mistakes.extend(kinds.err().unwrap_or_default());
                Err(mistakes)
            }
        }
    }

    /// These, and among the rules what the scripts of the plugins mean; without kinds.
    ///
    /// # Errors
    /// Where both a mapping and a script say what a provider's bodies mean.
    pub fn of(mut rulebook: Rulebook, plugins: PluginBook) -> Result<Self, Vec<LoadError>> {
        let mut mistakes = Vec::new();
        for plugin in plugins.names().filter_map(|name| plugins.get(name)) {
            let (name, theirs) = (plugin.name(), plugins.get(plugin.mapping()));
            let Some(script) = plugin.script().filter(|script| script.maps()) else {
                let theirs = theirs.and_then(|theirs| theirs.script());
                if plugin.mapping() != name && theirs.is_some_and(Script::maps) {
                    let file = format!("plugins/{name}/plugin.yaml");
                    let other = plugin.mapping();
                    let detail = format!(
                        "its `mapping` is that of `{other}`, which only the script of that plugin makes"
                    );
                    mistakes.push(LoadError::whole(file, detail));
                }
                continue;
            };
            if rulebook.get(name).is_some() {
                let detail = format!(
                    "exports `map`, and there is `{name}/mapping.yaml`; expected one of them"
                );
                mistakes.push(LoadError::whole(script.file(), detail));
                continue;
            }
            let about = (plugin.title(), script.file(), script.map_line());
            match Mapping::scripted(name, about, script.text()) {
                Ok(mapping) => rulebook = rulebook.with(name, Arc::new(mapping)),
                Err(found) => mistakes.extend(found),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(Self { rulebook, plugins, kinds: Arc::default() })
    }
}

#[cfg(test)]
#[cfg(feature = "plugins-js")]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;
    use crate::lab::posted::Posted;

    /// A directory with these files, by path.
    fn directory(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let path = directory.path().to_owned();
        (directory, path)
    }

    fn script(title: &str) -> String {
        format!("export function map() {{\n  return [{{event_key: 'k', title: '{title}'}}];\n}}\n")
    }

    /// The plugins of a directory, with a mapping for `mine` where there is a text for one.
    fn load(plugins: &Path, mapping: Option<&str>) -> Result<Books, Vec<LoadError>> {
        let texts = mapping.map(|text| ("mine".to_owned(), text.to_owned()));
        Books::of(Rulebook::from_texts(texts)?, PluginBook::load(Some(plugins))?)
    }

    fn titles(books: &Books) -> Vec<Option<String>> {
        let read = Posted::new("mine", b"{}".to_vec()).read(books);
        read.items.into_iter().map(|item| item.unwrap().draft.title).collect()
    }

    #[test]
    fn a_delivery_is_read_by_the_script_that_read_it_in_its_time() {
        let manifest = ("mine/plugin.yaml", "title: Mine");
        let (_dir, before) = directory(&[manifest, ("mine/main.js", &script("before"))]);
        let before = load(&before, None).unwrap();
        let (_dir, now) = directory(&[manifest, ("mine/main.js", &script("now"))]);
        let now = load(&now, None).unwrap();
        assert_eq!(titles(&now), [Some("now".to_owned())]);
        let kept = before.rulebook.get("mine").unwrap().text();
        let restored = Rulebook::restore("mine", kept).unwrap();
        let then = Books { rulebook: now.rulebook.with("mine", Arc::new(restored)), ..now };
        assert_eq!(titles(&then), [Some("before".to_owned())]);
    }

    #[test]
    fn what_a_script_makes_has_its_origin_there() {
        let files = [("mine/plugin.yaml", "title: Mine"), ("mine/main.js", &script("x"))];
        let (_dir, plugins) = directory(&files);
        let books = load(&plugins, None).unwrap();
        let read = Posted::new("mine", b"{}".to_vec()).read_traced(&books);
        let origin = read.items[0].as_ref().unwrap().origins["title"].clone();
        assert_eq!((origin.file.as_str(), origin.line), ("plugins/mine/main.js", 1));
        assert_eq!(origin.path.as_deref(), Some("$[0].title"));
    }

    #[test]
    fn who_says_the_same_twice_is_refused() {
        let mapping = "title: Mine\nevents:\n  - name: all\n    set:\n      event_key: $.k\n";
        let verify = "export function verify() { return true; }";
        let signed = "title: Mine\nsignatures:\n  - token: {header: X}\n";
        let borrowed = "title: Mine\nmapping: other\n";
        let map = script("x");
        for (manifest, script, expected) in [
            (
                "title: Mine\n",
                map.as_str(),
                "mine/main.js: exports `map`, and there is `mine/mapping.yaml`",
            ),
            (signed, verify, "exports `verify`, and the manifest has `signatures`"),
            (borrowed, &map, "exports `map`, and the manifest has a `mapping`"),
            ("title: Mine\n", "export function map( {}", "main.js:1:"),
        ] {
            let files = [("mine/plugin.yaml", manifest), ("mine/main.js", script)];
            let (_dir, plugins) = directory(&files);
            let mistakes = load(&plugins, Some(mapping)).unwrap_err();
            let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            assert!(said.iter().any(|one| one.contains(expected)), "{expected}: {said:?}");
        }
        let (_dir, alone) = directory(&[("mine/main.js", &map)]);
        let mistakes = load(&alone, None).unwrap_err();
        assert!(mistakes[0].to_string().ends_with("main.js: has no `plugin.yaml` beside it"));
        let files = [
            ("mine/plugin.yaml", "title: Mine"),
            ("mine/main.js", &map),
            ("other/plugin.yaml", "{title: Other, mapping: mine}"),
        ];
        let (_dir, lent) = directory(&files);
        let mistakes = load(&lent, None).unwrap_err();
        assert!(mistakes[0].to_string().contains("only the script of that plugin makes"));
    }
}
