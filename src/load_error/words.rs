//! The word that may have been meant.

/// A hint at the word that may have been meant; empty where none is near.
pub fn did_you_mean<'w>(found: &str, words: impl Iterator<Item = &'w str>) -> String {
    let near = words.map(|word| (distance(found, word), word)).min();
    match near {
        Some((distance, word)) if distance <= 1 + word.len() / 4 && distance < word.len() => {
            format!("; did you mean `{word}`?")
        }
        _ => String::new(),
    }
}

/// How many letters differ, letter case ignored; two neighbours that changed places count as one.
fn distance(a: &str, b: &str) -> usize {
    let letters = |word: &str| word.to_lowercase().chars().take(64).collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (at, letter) in a.iter().enumerate() {
        let mut row = vec![at + 1];
        for (column, other) in b.iter().enumerate() {
            let replaced = rows[at][column] + usize::from(letter != other);
            let mut least = replaced.min(rows[at][column + 1] + 1).min(row[column] + 1);
            if at > 0 && column > 0 && *letter == b[column - 1] && a[at - 1] == *other {
                least = least.min(rows[at - 1][column - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested() {
        let words = ["severity", "title"];
        assert_eq!(did_you_mean("sevrity", words.into_iter()), "; did you mean `severity`?");
        assert_eq!(did_you_mean("oen", ["one"].into_iter()), "; did you mean `one`?");
        assert_eq!(did_you_mean("account", words.into_iter()), "");
    }
}
