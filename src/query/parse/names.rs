//! Names that nobody knows, and the known ones that were likely meant.

/// What is said of a name that is none of the known ones.
pub(in crate::query) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    if let Some(near) = closest(name, known.clone()) {
        return format!("unknown {what} `{name}`; did you mean `{near}`?");
    }
    let all: Vec<_> = known.collect();
    format!("unknown {what} `{name}`; there are {}", all.join(", "))
}

/// The word of `known` that `word` is likely a slip of.
fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(64).collect();
    let slips = known.map(|candidate| (distance(&word, candidate), candidate));
    let (slips, candidate) = slips.min_by_key(|(slips, _)| *slips)?;
    (slips * 3 <= word.len().max(3)).then_some(candidate)
}

/// How many letters must be put in, left out or changed to make one word of the other (Levenshtein).
fn distance(word: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (line, letter) in other.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, mine) in word.iter().enumerate() {
            let changed = diagonal + usize::from(*mine != letter);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[word.len()]
}
