//! Words of samples that a mapping does not know: what `rules check` warns of beside what it sees in the rules alone.

use std::{collections::BTreeMap, io};

use super::{
    posted::Posted,
    samples::{Shelf, request_of},
};
use crate::{
    ingest::Books,
    load_error::LoadError,
    rules::{Tally, check, samples::case_of},
};

/// Where samples of a shelf say what a `map` without an `else` does not know.
///
/// # Errors
/// Where a directory cannot be read.
pub fn unmet_words(shelf: &Shelf, books: &Books) -> io::Result<Vec<LoadError>> {
    let files = shelf.files()?;
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for (file, body) in &files {
        let Some((provider, case)) = case_of(file) else { continue };
        let Some(mapping) = books.rulebook.get(provider) else { continue };
        // What is wrong with a sample itself, its test tells.
        let request = request_of(files.get(&format!("{provider}/samples/{case}.request.yaml")));
        let posted = request.and_then(|request| Posted::sample(provider, body.clone(), request));
        let Ok(posted) = posted else { continue };
        let tally = tallies.entry(provider).or_insert_with(|| mapping.tally());
        posted.read_tallied(books, tally);
    }
    let counted =
        tallies.iter().filter_map(|(name, tally)| Some((books.rulebook.get(name)?, tally)));
    Ok(counted.flat_map(|(mapping, tally)| check::unmet(mapping, &tally.report(mapping))).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::rules::Rulebook;

    #[test]
    fn a_word_of_a_sample_that_a_map_does_not_know_is_told() {
        let text = "title: T\nevents:\n  - name: a\n    set:\n      event_key: $.id\n      severity:\n        from: $.level\n        map:\n          high: ERROR\n";
        let directory = tempfile::tempdir().unwrap();
        let samples = directory.path().join("mine/samples");
        fs::create_dir_all(&samples).unwrap();
        fs::write(samples.join("low.json"), r#"{"id": 1, "level": "low"}"#).unwrap();
        fs::write(samples.join("high.json"), r#"{"id": 1, "level": "HIGH"}"#).unwrap();
        let shelf = Shelf::Directory(directory.path().to_owned());
        let told = |text: &str| {
            let rulebook = Rulebook::from_texts([("mine".to_owned(), text.to_owned())]).unwrap();
            let books = Books { rulebook, ..Books::default() };
            let unmet = unmet_words(&shelf, &books).unwrap();
            unmet.iter().map(LoadError::sentence).collect::<Vec<_>>()
        };
        assert_eq!(
            told(text),
            [
                "mine/mapping.yaml:8:9: a sample says `low`, which this `map` does not know, and there is no `else`"
            ]
        );
        assert!(told(&format!("{text}        else: NONE\n")).is_empty());
    }
}
