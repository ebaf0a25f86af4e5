//! What the cases begin with: the samples of every provider, the cases of every plugin, and the words of all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use alertmill::rules::samples::{SampleRequest, case_of};
use serde::Deserialize;
use serde_json::Value;

/// Longer ones are no words.
const WORD: usize = 60;

/// What the cases begin with.
#[derive(Debug, Default)]
pub struct Shelf {
    /// What is posted, by plugin.
    pub posts: BTreeMap<String, Vec<Post>>,
    /// The bodies that are JSON, of all plugins.
    pub values: Vec<Value>,
    /// Names and texts that mappings and manifests look for, or that samples hold.
    pub words: Vec<String>,
    /// The names of headers and parameters that somebody looks for.
    pub names: Vec<String>,
    /// The text of every mapping, by provider.
    pub mappings: BTreeMap<String, String>,
    /// The text of every manifest, by plugin.
    pub manifests: BTreeMap<String, String>,
}

/// What is posted to a webhook.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Post {
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// The parameters of its query string.
    pub query: BTreeMap<String, String>,
    /// Its body.
    #[serde(deserialize_with = "bytes")]
    pub body: Vec<u8>,
    /// The webhook's secrets.
    pub secrets: Vec<String>,
    /// When it arrives, in seconds since 1970.
    pub now: i64,
}

fn bytes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    String::deserialize(deserializer).map(String::into_bytes)
}

impl Shelf {
    /// Reads `rules/` and `plugins/` below `root`.
    ///
    /// # Panics
    /// Where one of them cannot be read.
    pub fn read(root: &Path) -> Self {
        let mut shelf = Self::default();
        for (plugin, directory) in below(&root.join("plugins")) {
            let Ok(manifest) = fs::read_to_string(directory.join("plugin.yaml")) else { continue };
            let mapping = line_of(&manifest, "mapping").unwrap_or(&plugin).to_owned();
            let mut posts = samples(&mapping, &root.join("rules").join(&mapping));
            posts.extend(cases(&directory));
            posts.push(Post::default());
            shelf.manifests.insert(plugin.clone(), manifest);
            shelf.posts.insert(plugin, posts);
        }
        for (provider, directory) in below(&root.join("rules")) {
            if let Ok(text) = fs::read_to_string(directory.join("mapping.yaml")) {
                shelf.mappings.insert(provider, text);
            }
        }
        shelf.collect();
        shelf
    }

    /// Collects words from everything that was read.
    fn collect(&mut self) {
        let (mut words, mut names) = (BTreeSet::new(), BTreeSet::new());
        for text in self.mappings.values().chain(self.manifests.values()) {
            let is_word = |letter: char| letter.is_alphanumeric() || "_-./:".contains(letter);
            let found = text.split(|letter| !is_word(letter)).filter(|word| word.len() <= WORD);
            words.extend(found.flat_map(|word| [word, word.rsplit('.').next().unwrap_or(word)]));
        }
        let mut words: BTreeSet<String> = words.into_iter().map(str::to_owned).collect();
        for post in self.posts.values().flatten() {
            names.extend(post.headers.keys().chain(post.query.keys()).cloned());
            words.extend(post.headers.values().chain(post.query.values()).cloned());
            if let Ok(value) = serde_json::from_slice::<Value>(&post.body) {
                words_of(&value, &mut words);
                self.values.push(value);
            }
        }
        words.retain(|word| word.len() <= WORD);
        self.words = words.into_iter().collect();
        self.names = names.into_iter().collect();
    }
}

fn below(directory: &Path) -> BTreeMap<String, PathBuf> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|why| panic!("{}: {why}", directory.display()));
    let named = entries.flatten().filter(|entry| entry.path().is_dir());
    named.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
}

/// What stands behind a key at the beginning of a line.
fn line_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim()))
}

fn samples(provider: &str, directory: &Path) -> Vec<Post> {
    let Ok(entries) = fs::read_dir(directory.join("samples")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut posts = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let path = format!("{provider}/samples/{name}");
        let Some((_, case)) = case_of(&path) else { continue };
        let request = fs::read_to_string(file.with_file_name(format!("{case}.request.yaml")))
            .ok()
            .and_then(|text| SampleRequest::read(case, &text).ok())
            .unwrap_or_default();
        let SampleRequest { mut headers, query, content_type, .. } = request;
        headers.extend(content_type.map(|kind| ("content-type".to_owned(), kind)));
        let body = fs::read(&file).unwrap_or_default();
        posts.push(Post { headers, query, body, ..Post::default() });
    }
    posts
}

/// The cases of a plugin; none where a case is written in a way that is not known here.
fn cases(directory: &Path) -> Vec<Post> {
    let text = fs::read_to_string(directory.join("cases.yaml")).unwrap_or_default();
    let mut posts: Vec<Post> = serde_saphyr::from_str(&text).unwrap_or_default();
    for post in &mut posts {
        let headers = std::mem::take(&mut post.headers);
        post.headers =
            headers.into_iter().map(|(name, text)| (name.to_ascii_lowercase(), text)).collect();
    }
    posts
}

fn words_of(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(words.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| words_of(item, words)),
        Value::Object(fields) => {
            for (name, field) in fields {
                words.insert(name.clone());
                words_of(field, words);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
