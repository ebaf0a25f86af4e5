//! The rules of a moment: what payloads mean and how providers talk, loaded together and swapped together.

use std::path::Path;

use crate::{
    load_error::LoadError,
    plugins::{PluginBook, Script},
    rules::{Mapping, Rulebook},
};

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
            (Ok(rulebook), Ok(plugins)) => Self::of(rulebook, plugins),
            (rulebook, plugins) => {
                let mut mistakes = rulebook.err().unwrap_or_default();
                mistakes.extend(plugins.err().unwrap_or_default());
                Err(mistakes)
            }
        }
    }

    /// These, and among the rules what the scripts of the plugins mean.
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
                Ok(mapping) => rulebook = rulebook.with(name, mapping),
                Err(found) => mistakes.extend(found),
            }
        }
        if mistakes.is_empty() { Ok(Self { rulebook, plugins }) } else { Err(mistakes) }
    }
}
