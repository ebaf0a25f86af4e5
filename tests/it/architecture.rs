//! The rules of the code that a compiler does not check.

use std::{collections::BTreeSet, fs, path::Path};

/// Each line of modules, outermost first. A module uses only lines below its own.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["http"],
    &["app"],
    &["config"],
    // The sandbox runs what happens by itself, too.
    &["lab"],
    &["jobs"],
    &["notify"],
    &["api", "export", "ingest"],
    &["care"],
    &["rules", "plugins", "store"],
    &["domain"],
    &["query", "value"],
    // What calls out keeps secrets as others do.
    &["outbound", "password"],
    &["error", "clock", "id", "digest", "bus", "metrics"],
    &["load_error"],
];

/// Neighbours that use each other: a clock holds what makes identifiers, and an identifier is made of a time.
const NEIGHBOURS: &[(&str, &str)] = &[("clock", "id"), ("id", "clock")];

/// Where each dependency may be named.
const HOMES: &[(&str, &[&str])] = &[
    // The commands run on its runtime.
    ("actix_web::", &["http/", "cli/serve.rs", "cli/mod.rs"]),
    ("actix_http::", &["http/"]),
    ("actix_tls::", &["http/"]),
    ("rusqlite::", &["store/sqlite/"]),
    ("jsonpath_rust::", &["value/path.rs"]),
    ("argon2::", &["password.rs"]),
    ("hmac::", &["digest.rs"]),
    ("sha2::", &["digest.rs"]),
    ("subtle::", &["digest.rs"]),
    ("reqwest::", &["outbound/", "cli/client.rs", "cli/tail.rs"]),
    ("ring::hmac", &["digest.rs"]),
    ("ring::signature", &["digest.rs"]),
    ("rquickjs::", &["plugins/script/"]),
    ("notify_debouncer_full::", &["jobs/watch.rs"]),
    ("lettre::", &["notify/"]),
    ("minijinja::", &["value/template.rs"]),
    ("rrule::", &["domain/calendar"]),
    ("governor::", &["http/rate.rs"]),
    ("comfy_table::", &["cli/"]),
    ("Utc::now", &["clock.rs"]),
    ("SystemTime::now", &["clock.rs"]),
    ("Instant::now", &["clock.rs"]),
    ("env::var", &["config.rs"]),
    ("env::vars", &["config.rs"]),
];

/// Files that may name a provider, and folders of them: API dialects, whose names are those of the systems that speak
/// them, formats of files, the systems that messages are sent to, the greeting, whose commands are an example to paste, and the sandbox,
/// which posts what is normalized already.
const MAY_NAME: &[&str] = &[
    "http/cloudforet.rs",
    "export/",
    "cli/audit_export.rs",
    "cli/serve.rs",
    "lab/simulate/furnish.rs",
    "notify/",
    "domain/channel/",
];

struct Source {
    /// Its path below `src/`.
    file: String,
    text: String,
}

impl Source {
    /// The module of the first level that it belongs to.
    fn module(&self) -> &str {
        self.file.split(['/', '.']).next().unwrap()
    }

    /// Its production code: no comments, nothing from the first `#[cfg(test)]` on, no file of tests.
    fn code(&self) -> String {
        if self.file.ends_with("tests.rs") || self.file.contains("/tests/") {
            return String::new();
        }
        let lines = self.text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        lines.map(without_comment).collect::<Vec<_>>().join("\n")
    }
}

fn without_comment(line: &str) -> &str {
    let is_comment = line.trim_start().starts_with("//");
    if is_comment { "" } else { line.split(" // ").next().unwrap_or(line) }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    found.sort_by(|a, b| a.file.cmp(&b.file));
    assert!(!found.is_empty(), "no sources below {}", std::env::current_dir().unwrap().display());
    found
}

fn walk(directory: &Path, found: &mut Vec<Source>) {
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix("src").unwrap().to_str().unwrap().to_owned();
            found.push(Source { file, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Every `x` of `crate::x` in `code`, also when grouped as `crate::{x, y::z}`.
fn used(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for prefix in ["crate::", "alertmill::"] {
        for (at, _) in code.match_indices(prefix) {
            let rest = &code[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(group) => names.extend(first_words(group)),
                None => names.extend([word(rest)]),
            }
        }
    }
    names.retain(|name| layer(name).is_some());
    names
}

/// The first word of each item of a group, up to its closing brace.
fn first_words(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut items = vec![String::new()];
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ if depth == 0 => items.last_mut().unwrap().push(letter),
            _ => {}
        }
    }
    items.iter().map(|item| word(item.trim())).collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| is_part_of_a_word(*c)).collect()
}

fn is_part_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether `word` stands in `text` by itself, not as part of a longer word; a path may go on after its `::`.
fn names(text: &str, word: &str) -> bool {
    let goes_on = word.ends_with("::");
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part_of_a_word) && (goes_on || !after.is_some_and(is_part_of_a_word))
    })
}

fn providers() -> BTreeSet<String> {
    let directories = ["rules", "plugins"].into_iter().flat_map(|root| fs::read_dir(root).unwrap());
    // A directory of rules that holds no mapping is about kinds of events, not about a provider.
    let is_one =
        |path: &Path| ["mapping.yaml", "plugin.yaml"].iter().any(|it| path.join(it).is_file());
    let directories = directories.map(Result::unwrap).filter(|entry| is_one(&entry.path()));
    let names = directories.map(|entry| entry.file_name().into_string().unwrap());
    // What Alertmill says of itself is no provider's.
    names.filter(|name| name != alertmill::domain::webhook::AUDIT_PLUGIN).collect()
}

#[test]
fn every_module_has_its_layer() {
    for source in sources() {
        let module = source.module();
        assert!(layer(module).is_some() || module == "lib", "{module} is on no line of LAYERS");
    }
}

#[test]
fn arrows_point_inwards() {
    let mut wrong = Vec::new();
    for source in sources() {
        let (from, code) = (source.module(), source.code());
        let Some(at) = layer(from) else { continue };
        for to in used(&code) {
            let is_above = layer(&to).is_some_and(|to| to <= at);
            if to != from && is_above && !NEIGHBOURS.contains(&(from, to.as_str())) {
                wrong.push(format!("{} uses {to}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_dependency_has_one_home() {
    let mut wrong = Vec::new();
    for source in sources() {
        let code = source.code();
        for (dependency, homes) in HOMES {
            let is_home = homes.iter().any(|home| source.file.starts_with(home));
            if !is_home && names(&code, dependency) {
                wrong.push(format!("{} names {dependency}, whose home is {homes:?}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_edges_are_async() {
    let edges = ["main.rs", "cli/", "http/", "app.rs", "jobs/", "notify/", "outbound/"];
    // The journey waits for the store and for nothing else, and so does the sandbox.
    let waits_for_the_store = ["store/mod.rs", "ingest/", "lab/simulate/"];
    let mut wrong = Vec::new();
    for source in sources() {
        let may = edges.iter().chain(&waits_for_the_store).any(|at| source.file.starts_with(at));
        if !may && names(&source.code(), "async fn") {
            wrong.push(source.file);
        }
    }
    assert!(wrong.is_empty(), "async in {wrong:#?}");
}

#[test]
fn the_engine_names_no_provider() {
    let providers = providers();
    assert!(providers.len() >= 5, "{providers:?}");
    let mut wrong = Vec::new();
    for source in sources() {
        if MAY_NAME.iter().any(|may| source.file.starts_with(may)) {
            continue;
        }
        for (number, line) in source.code().lines().enumerate() {
            let line = line.to_lowercase();
            for provider in providers.iter().filter(|provider| names(&line, provider)) {
                wrong.push(format!("{}:{} names {provider}", source.file, number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_small() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|source| (source.text.lines().count(), source.file))
        .filter(|(lines, _)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "longer than 500 lines: {long:?}");
}

#[test]
fn the_first_line_of_a_file_says_what_it_is_for() {
    let silent: Vec<_> =
        sources().into_iter().filter(|source| !source.text.starts_with("//! ")).collect();
    let silent: Vec<_> = silent.iter().map(|source| &source.file).collect();
    assert!(silent.is_empty(), "no `//!` on the first line of {silent:?}");
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let directory = fs::read_dir("src/store/sqlite/migrations").unwrap();
    let mut files: Vec<String> =
        directory.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert!(!files.is_empty());
    for (number, file) in (1..).zip(&files) {
        let found: usize = file.split('_').next().unwrap().parse().unwrap();
        assert_eq!(found, number, "{files:?}");
    }
}

#[test]
fn sql_stands_in_the_store_alone() {
    let statements = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "UPDATE ", "BEGIN IMMEDIATE"];
    let mut wrong = Vec::new();
    for source in sources() {
        let code = source.code();
        let speaks_sql = statements.iter().any(|statement| code.contains(statement));
        if speaks_sql && !source.file.starts_with("store/sqlite/") {
            wrong.push(source.file);
        }
    }
    assert!(wrong.is_empty(), "SQL in {wrong:#?}");
}

#[test]
fn the_checks_see_what_they_look_for() {
    let code = "use crate::{\n    api::{Call, x},\n    app::App,\n};\nfn f() { crate::http::x() }";
    let found: Vec<String> = used(code).into_iter().collect();
    assert_eq!(found, ["api", "app", "http"]);
    assert!(names("the zabbix way", "zabbix") && !names("azabbixe", "zabbix"));
    assert_eq!(without_comment("let a = 1; // grafana"), "let a = 1;");
}
