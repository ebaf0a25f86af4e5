//! Kinds of events, read from `rules/kinds/*.yaml`: those in the binary, and those of a directory laid over them.
//!
//! Each file has a title and a table of kinds. A directory adds kinds and replaces those of the same name, one by one; a
//! kind that stands in two files of one directory is a mistake in the second.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    fs,
    path::Path,
    str::FromStr,
};

use serde_json::Value;

use super::{
    extend::Files,
    load::Loader,
    node::{At, Key, Kind, Node},
    samples::Shipped,
};
use crate::{
    domain::{
        kind::{EventKind, Kinds, Need, Parameter, Recorded, Verdict, is_own, kind_fault},
        words::UnknownWord,
    },
    load_error::{LoadError, did_you_mean},
};

/// The directory of these files below that of the rules.
const DIRECTORY: &str = "kinds";

/// The kinds that were read, and where each stands.
type Found = BTreeMap<String, EventKind>;

/// The kinds in the binary, overlaid by `<overlay>/kinds/*.yaml`.
///
/// # Errors
/// Everything that is wrong with them.
pub fn load(overlay: Option<&Path>) -> Result<Kinds, Vec<LoadError>> {
    let mut found = read(Shipped::texts(DIRECTORY))?;
    if let Some(directory) = overlay {
        let over = read(texts(&directory.join(DIRECTORY)).map_err(|error| vec![error])?)?;
        let claimed: BTreeSet<&Recorded> =
            over.values().flat_map(|kind| kind.records.iter()).collect();
        for kind in found.values_mut() {
            kind.records.retain(|recorded| !claimed.contains(recorded));
        }
        found.extend(over);
    }
    Ok(Kinds::new(found.into_values()))
}

/// The texts of the files below a directory, by their names relative to that of the rules; none where it is not there.
fn texts(directory: &Path) -> Result<BTreeMap<String, String>, LoadError> {
    let mut found = BTreeMap::new();
    let unreadable = |path: &Path, cause: std::io::Error| {
        LoadError::whole(path.display().to_string(), format!("it cannot be read: {cause}"))
    };
    if !directory.is_dir() {
        return Ok(found);
    }
    let entries = fs::read_dir(directory).map_err(|cause| unreadable(directory, cause))?;
    for entry in entries {
        let path = entry.map_err(|cause| unreadable(directory, cause))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.extension().is_none_or(|kind| kind != "yaml") || name.starts_with('.') {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|cause| unreadable(&path, cause))?;
        found.insert(format!("{DIRECTORY}/{name}"), text);
    }
    Ok(found)
}

/// Reads the files of one directory.
fn read(texts: BTreeMap<String, String>) -> Result<Found, Vec<LoadError>> {
    let (mut found, mut errors) = (Found::new(), Vec::new());
    let mut claimed: BTreeMap<Recorded, String> = BTreeMap::new();
    for (file, text) in texts {
        let files = Files::stored(&file, &text);
        let node = match files.read() {
            Ok(node) => node,
            Err(wrong) => {
                errors.extend(wrong);
                continue;
            }
        };
        let mut loader = Loader::new(&files);
        for (at, kind) in loader.kinds(&node).unwrap_or_default() {
            if found.contains_key(&kind.name) {
                loader.wrong::<()>(at, format!("`{}` has a definition in another file", kind.name));
            }
            for recorded in &kind.records {
                if let Some(other) = claimed.insert(recorded.clone(), kind.name.clone()) {
                    let Recorded { action, verdict } = recorded;
                    let detail = format!("`{action}`, {verdict}, is of the kind `{other}` already");
                    loader.wrong::<()>(at, detail);
                }
            }
            found.insert(kind.name.clone(), kind);
        }
        errors.extend(loader.errors);
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

impl Loader<'_> {
    /// The kinds of a file, and where each stands.
    fn kinds(&mut self, node: &Node) -> Option<Vec<(At, EventKind)>> {
        let table = self.table(node, "a file of kinds", &["title", "kinds"])?;
        match table.get("title") {
            Some(title) => {
                self.text(title, "`title`")?;
            }
            None => return self.wrong(node.at, "`title` is missing: what the kinds are about"),
        }
        let Some(kinds) = table.get("kinds") else {
            return self.wrong(node.at, "`kinds` is missing: a table of kinds by their names");
        };
        let entries = self.entries(kinds, "`kinds`")?;
        Some(
            entries
                .iter()
                .filter_map(|(key, node)| Some((key.at, self.kind(key, node)?)))
                .collect(),
        )
    }

    fn kind(&mut self, key: &Key, node: &Node) -> Option<EventKind> {
        let name = key.text.as_str();
        if let Some(detail) = kind_fault(name) {
            return self.wrong(key.at, detail);
        }
        if is_own(name) {
            return self.wrong(key.at, "kinds that begin with `Alertmill.` need no definition");
        }
        let fields = [
            "description",
            "severity",
            "classification",
            "visibility",
            "list",
            "parameters",
            "records",
        ];
        let table = self.table(node, "a kind", &fields)?;
        let needed = |loader: &mut Self, field: &str| match table.get(field) {
            Some(node) => Some(node),
            None => loader.wrong(key.at, format!("`{name}` needs `{field}`")),
        };
        let description = needed(self, "description")?;
        let description = self.text(description, "`description`")?.to_owned();
        let severity = needed(self, "severity")?;
        let severity = self.one_of(severity, "`severity`")?;
        let classification = needed(self, "classification")?;
        let classification = self.one_of(classification, "`classification`")?;
        let visibility = needed(self, "visibility")?;
        let visibility = self.one_of(visibility, "`visibility`")?;
        let list = needed(self, "list")?;
        let list = self.one_of(list, "`list`")?;
        let parameters = match table.get("parameters") {
            Some(node) => self.parameters(node)?,
            None => Vec::new(),
        };
        let records = match table.get("records") {
            Some(node) => self.records(node)?,
            None => Vec::new(),
        };
        let name = name.to_owned();
        Some(EventKind {
            name,
            description,
            severity,
            classification,
            visibility,
            list,
            parameters,
            records,
        })
    }

    fn parameters(&mut self, node: &Node) -> Option<Vec<Parameter>> {
        let entries = self.entries(node, "`parameters`")?;
        entries.iter().map(|(key, node)| self.parameter(key, node)).collect()
    }

    /// `text`, or a table that says more.
    fn parameter(&mut self, key: &Key, node: &Node) -> Option<Parameter> {
        let name = key.text.clone();
        if let Kind::Scalar(_) = node.kind {
            let holds = self.one_of(node, "what a parameter holds")?;
            return Some(Parameter { name, holds, need: Need::Required, from: None });
        }
        let table = self.table(node, "a parameter", &["holds", "optional", "from"])?;
        let Some(holds) = table.get("holds") else {
            return self.wrong(key.at, format!("`{name}` needs `holds`: text or uint64"));
        };
        let holds = self.one_of(holds, "`holds`")?;
        let optional = table.get("optional").map(|node| self.truth(node, "`optional`"));
        let need = match optional {
            Some(truth) if truth? => Need::Optional,
            Some(_) | None => Need::Required,
        };
        let from = match table.get("from") {
            Some(node) => Some(self.one_of(node, "`from`")?),
            None => None,
        };
        Some(Parameter { name, holds, need, from })
    }

    /// Which records are of a kind: actions, by whether they were done.
    fn records(&mut self, node: &Node) -> Option<Vec<Recorded>> {
        let words: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
        let table = self.table(node, "`records`", &words)?;
        let mut found = Vec::new();
        for verdict in Verdict::ALL.iter().copied() {
            for action in table.get(verdict.as_str()).map(Node::as_list).unwrap_or_default() {
                let action = self.text(action, "an action")?.to_owned();
                found.push(Recorded { action, verdict });
            }
        }
        Some(found)
    }

    /// One of a few words.
    fn one_of<W: FromStr<Err = UnknownWord> + Display>(
        &mut self,
        node: &Node,
        what: &str,
    ) -> Option<W> {
        let word = match &node.kind {
            Kind::Scalar(Value::String(word)) => word.as_str(),
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => {
                return self.wrong(node.at, format!("{what} is a word, not {}", node.describe()));
            }
        };
        match word.parse() {
            Ok(word) => Some(word),
            Err(UnknownWord { found, expected }) => {
                let hint = did_you_mean(&found, expected.split(", "));
                self.wrong(node.at, format!("{what} is one of {expected}, not `{found}`{hint}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kind::{EventSeverity, ParameterType, Part};

    const GOOD: &str = "title: T\nkinds:\n  A.B:\n    description: It happened.\n    severity: info\n    \
                        classification: sec\n    visibility: external\n    list: audit_event\n    parameters:\n      \
                        name: text\n      size: {holds: uint64, optional: true, from: remote}\n    records:\n      \
                        refused: user.login\n";

    fn one(text: &str) -> Result<Found, Vec<LoadError>> {
        read(BTreeMap::from([("kinds/mine.yaml".to_owned(), text.to_owned())]))
    }

    #[test]
    fn the_kinds_in_the_binary_are_right() {
        let kinds = load(None).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let failed = kinds.of_record("user.login", Verdict::Refused);
        assert_eq!(failed.kind, "Security.User.Login.Failed");
        let secret = kinds.get("Software.Project.Secret.Created").unwrap();
        assert_eq!(secret.misfits(&["secret_keys", "secret_name", "project"], &[]), []);
    }

    #[test]
    fn a_kind_says_what_its_events_need_not() {
        let found = one(GOOD).unwrap();
        let kind = &found["A.B"];
        assert_eq!(kind.severity, EventSeverity::Info);
        let size = &kind.parameters[1];
        assert_eq!((size.holds, size.need), (ParameterType::Uint64, Need::Optional));
        assert_eq!(size.from, Some(Part::Remote));
        assert_eq!(kind.records[0].action, "user.login");
    }

    #[test]
    fn every_mistake_has_its_place() {
        for (from, to, place, word) in [
            ("severity: info", "severity: ifno", (5, 15), "did you mean `info`"),
            ("severity: info", "sevrity: info", (5, 5), "did you mean `severity`"),
            ("    severity: info\n", "", (3, 3), "`A.B` needs `severity`"),
            ("A.B", "A..B", (3, 3), "words of letters"),
            ("A.B", "Alertmill.B", (3, 3), "need no definition"),
            ("name: text", "name: txt", (10, 13), "one of text, uint64"),
            ("refused:", "denied:", (13, 7), "it has `done` or `refused`"),
            ("holds: uint64, ", "", (11, 7), "needs `holds`"),
        ] {
            let errors = one(&GOOD.replace(from, to)).unwrap_err();
            let error = &errors[0];
            assert_eq!((error.line, error.column), place, "{error}");
            assert!(error.detail.contains(word), "{error}");
        }
        assert_eq!(one("title: T").unwrap_err()[0].line, 1);
        assert_eq!(one("").unwrap_err()[0].detail, "it is empty");
    }

    #[test]
    fn a_directory_replaces_kinds_one_by_one() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("kinds")).unwrap();
        fs::write(directory.path().join("kinds/mine.yaml"), GOOD).unwrap();
        let kinds = load(Some(directory.path())).unwrap();
        assert_eq!(kinds.of_record("user.login", Verdict::Refused).kind, "A.B");
        assert!(kinds.get("Software.Project.Secret.Created").is_some());
        fs::write(directory.path().join("kinds/other.yaml"), GOOD).unwrap();
        let errors = load(Some(directory.path())).unwrap_err();
        assert_eq!(errors[0].file, "kinds/other.yaml");
        assert!(errors[0].detail.contains("in another file"), "{}", errors[0]);
    }
}
