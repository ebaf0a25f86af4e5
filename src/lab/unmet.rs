//! Words of samples that a mapping does not know: what `rules check` warns of beside what it sees in the rules alone.

use std::{collections::BTreeMap, io};

use chrono_tz::Tz;

use super::samples::{Decode, Shelf, received_at, request_of};
use crate::{
    load_error::LoadError,
    rules::{Input, Overrides, Rulebook, Tally, check, samples::case_of},
};

/// Where samples of a shelf say what a `map` without an `else` does not know.
///
/// # Errors
/// Where a directory cannot be read.
pub fn unmet_words(
    shelf: &Shelf,
    rulebook: &Rulebook,
    decode: &Decode<'_>,
) -> io::Result<Vec<LoadError>> {
    let files = shelf.files()?;
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for (file, body) in &files {
        let Some((provider, case)) = case_of(file) else { continue };
        let Some(mapping) = rulebook.get(provider) else { continue };
        // What is wrong with a sample itself, its test tells.
        let Ok(request) = request_of(files.get(&format!("{provider}/samples/{case}.request.yaml")))
        else {
            continue;
        };
        let (Ok(payload), Ok(received_at)) =
            (decode(provider, body, request.content_type.as_deref()), received_at(&request))
        else {
            continue;
        };
        let (headers, query, zone) = (&request.headers, &request.query, Tz::UTC);
        let overrides = Overrides::NONE;
        let input = Input { payload: &payload, headers, query, received_at, zone, overrides };
        let tally = tallies.entry(provider).or_insert_with(|| mapping.tally());
        mapping.apply_tallied(&input, tally);
    }
    let counted =
        tallies.iter().filter_map(|(provider, tally)| Some((rulebook.get(provider)?, tally)));
    Ok(counted.flat_map(|(mapping, tally)| check::unmet(mapping, &tally.report(mapping))).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::lab::samples::decode_json;

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
            let book = Rulebook::from_texts([("mine".to_owned(), text.to_owned())]).unwrap();
            let decode = |_: &str, body: &[u8], _: Option<&str>| decode_json(body);
            let unmet = unmet_words(&shelf, &book, &decode).unwrap();
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
