//! Whether samples of one problem share their key, and no other problem has it.
//!
//! Each row of `rules/<provider>/samples/problems.yaml` names the samples of one problem, e.g. `[firing, resolved]`: what
//! stands beside the samples says what they become, this says which of them belong together.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::Spanned;

use super::{
    posted::Posted,
    samples::{Checked, SampleResult, Verdict, request_of},
};
use crate::{ingest::Books, load_error::LoadError};

/// The file that says so, beside the samples.
const FILE: &str = "/samples/problems.yaml";

/// The files of a shelf, by their paths.
type Files = BTreeMap<String, Vec<u8>>;

/// Holds the samples of a provider to its problems, one result a row; those of all providers where none is named.
pub(super) fn check_problems(
    files: &Files,
    books: &Books,
    only: Option<&str>,
) -> Vec<SampleResult> {
    let mut results = Vec::new();
    for (file, text) in files {
        let Some(provider) = file.strip_suffix(FILE) else { continue };
        if only.is_none_or(|only| only == provider) {
            let rows = rows(provider, text);
            results.extend(rows.map_or_else(
                |unreadable| vec![unreadable],
                |rows| held(provider, rows, (files, books)),
            ));
        }
    }
    results
}

/// A row, and where it stands.
struct Row {
    line: u64,
    cases: Vec<String>,
}

/// What the file says; a result that says why, where it cannot be read.
fn rows(provider: &str, text: &[u8]) -> Result<Vec<Row>, SampleResult> {
    let broken = |why: String| result(provider, "problems", Verdict::Broken(why));
    let text = std::str::from_utf8(text).map_err(|error| broken(error.to_string()))?;
    // As rule files are read: `no` is a word.
    let options = serde_saphyr::options! { strict_booleans: true };
    let rows: Vec<Spanned<Vec<String>>> = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| {
            let LoadError { line, column, detail, .. } = LoadError::of_yaml(FILE, text, &error);
            broken(format!(
                "line {line}, column {column}: expected rows of samples such as `- [firing, resolved]` (YAML: {detail})"
            ))
        })?;
    let row = |row: Spanned<Vec<String>>| Row { line: row.defined.line(), cases: row.value };
    Ok(rows.into_iter().map(row).collect())
}

fn held(provider: &str, rows: Vec<Row>, (files, books): (&Files, &Books)) -> Vec<SampleResult> {
    // Whose key it is: the row that had it first.
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut results = Vec::new();
    for Row { line, cases } in rows {
        let name = cases.join(", ");
        let keys = |case: &str| keys(provider, case, (files, books));
        let faults = match shared(&cases, keys) {
            Err(faults) => faults,
            Ok(keys) => {
                let others = keys.iter().filter_map(|key| Some((key, taken.get(key)?)));
                let faults = others.map(|(key, other)| {
                    format!("its key `{key}` is that of [{other}] too, which is another problem")
                });
                let faults: Vec<String> = faults.collect();
                taken.extend(keys.into_iter().map(|key| (key, name.clone())));
                faults
            }
        };
        let verdict = if faults.is_empty() {
            Verdict::Holds
        } else {
            Verdict::Broken(format!("line {line}, [{name}]: {}", faults.join("; ")))
        };
        results.push(result(provider, &format!("problem: {name}"), verdict));
    }
    results
}

/// The keys that all of these samples have; why they share none, where they do not.
fn shared(
    cases: &[String],
    keys: impl Fn(&str) -> Result<BTreeSet<String>, String>,
) -> Result<BTreeSet<String>, Vec<String>> {
    let Some((first, others)) = cases.split_first() else {
        return Err(vec!["expected the name of a sample".to_owned()]);
    };
    let wanted = keys(first).map_err(|why| vec![why])?;
    let listed = |keys: &BTreeSet<String>| {
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        keys.join(", ")
    };
    let faults = others.iter().filter_map(|case| match keys(case) {
        Err(why) => Some(why),
        Ok(found) if found == wanted => None,
        Ok(found) => Some(format!(
            "`{case}` has the key {}, and `{first}` has {}; expected one, so that a recovery meets its problem",
            listed(&found),
            listed(&wanted)
        )),
    });
    let faults: Vec<String> = faults.collect();
    if faults.is_empty() { Ok(wanted) } else { Err(faults) }
}

/// The keys of the events of a sample.
fn keys(
    provider: &str,
    case: &str,
    (files, books): (&Files, &Books),
) -> Result<BTreeSet<String>, String> {
    let file = |kind: &str| files.get(&format!("{provider}/samples/{case}.{kind}"));
    let body =
        file("json").or(file("body")).ok_or_else(|| format!("there is no sample `{case}`"))?;
    let request = request_of(file("request.yaml"))?;
    let read = Posted::sample(provider, body.clone(), request)?.read(books);
    let keys: BTreeSet<String> =
        read.items.into_iter().flatten().map(|mapped| mapped.draft.event_key).collect();
    if keys.is_empty() {
        return Err(format!("`{case}` becomes no event, so it has no key"));
    }
    Ok(keys)
}

fn result(provider: &str, case: &str, verdict: Verdict) -> SampleResult {
    SampleResult {
        checked: Checked::Problem,
        file: format!("{provider}{FILE}"),
        provider: provider.to_owned(),
        case: case.to_owned(),
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rulebook;

    /// What is told of these problems, whose samples have the keys that their names begin with.
    fn told(problems: &str) -> Vec<String> {
        let text = "title: T\nevents:\n  - name: a\n    when: { $.key: { exists: true } }\n    set:\n      event_key: $.key\n";
        let rulebook = Rulebook::from_texts([("mine".to_owned(), text.to_owned())]).unwrap();
        let books = Books { rulebook, ..Books::default() };
        let mut files = Files::from([(format!("mine{FILE}"), problems.as_bytes().to_vec())]);
        for case in ["a1", "a2", "b1"] {
            let body = format!("{{\"key\": \"{}\"}}", &case[..1]);
            files.insert(format!("mine/samples/{case}.json"), body.into_bytes());
        }
        files.insert("mine/samples/none.body".to_owned(), b"{}".to_vec());
        let results = check_problems(&files, &books, None);
        assert!(check_problems(&files, &books, Some("yours")).is_empty());
        results.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_problem_and_its_recovery_that_have_one_key_hold() {
        let file = format!("mine{FILE}");
        assert_eq!(
            told("- [a1, a2]\n- [b1]\n"),
            [format!("{file}: holds"), format!("{file}: holds")]
        );
    }

    #[test]
    fn what_is_wrong_with_a_problem_is_told_with_its_row() {
        let rows = "- [a1, b1]\n- [a1]\n- [a2]\n- [a1, c1]\n- [none]\n- []\n";
        insta::assert_snapshot!(told(rows).join("\n"), @r"
        mine/samples/problems.yaml: line 1, [a1, b1]: `b1` has the key `b`, and `a1` has `a`; expected one, so that a recovery meets its problem
        mine/samples/problems.yaml: holds
        mine/samples/problems.yaml: line 3, [a2]: its key `a` is that of [a1] too, which is another problem
        mine/samples/problems.yaml: line 4, [a1, c1]: there is no sample `c1`
        mine/samples/problems.yaml: line 5, [none]: `none` becomes no event, so it has no key
        mine/samples/problems.yaml: line 6, []: expected the name of a sample
        ");
        let file = "mine/samples/problems.yaml: line 1, column 3: expected rows of samples such as `- [firing, resolved]`";
        assert!(told("- a1\n")[0].starts_with(file), "{:?}", told("- a1\n"));
    }
}
