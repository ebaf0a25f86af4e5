//! What is wrong with a file that people write, and where.

mod words;
mod yaml;

use std::fmt;

pub use words::did_you_mean;

/// How many letters of a line are shown at most; a longer one is cut around the column.
const SHOWN: usize = 100;

/// A mistake in a rule file or a manifest: what is wrong, what was expected, and what may have been meant.
///
/// It prints as `file:line:column: detail`, then the line itself with a caret under the column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// The file, relative to its directory; or the directory that cannot be read.
    pub file: String,
    /// The line, from one; zero where the file as a whole is meant.
    pub line: u32,
    /// The column in letters, from one; zero where the file as a whole is meant.
    pub column: u32,
    /// What is wrong, what was expected, and what may have been meant.
    pub detail: String,
    /// The line as it stands in the file; `None` where the file as a whole is meant.
    pub excerpt: Option<String>,
}

impl LoadError {
    /// A mistake that is the file's as a whole.
    pub fn whole(file: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0, detail: detail.into(), excerpt: None }
    }

    /// A mistake at a line and a column, both from one, of a file that says `text`.
    pub fn at(
        file: impl Into<String>,
        text: &str,
        (line, column): (u32, u32),
        detail: impl Into<String>,
    ) -> Self {
        let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
        let excerpt = index.and_then(|index| text.lines().nth(index)).map(ToOwned::to_owned);
        Self { file: file.into(), line, column, detail: detail.into(), excerpt }
    }

    /// The same, but at the first place from there on where `piece` stands, in what is indented as deep; where it stands
    /// nowhere, unchanged.
    #[must_use]
    pub fn moved_to(self, text: &str, piece: &str) -> Self {
        let index = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
        let (Some(line), Some(column)) = (index(self.line), index(self.column)) else {
            return self;
        };
        if piece.is_empty() {
            return self;
        }
        for (number, found) in text.lines().enumerate().skip(line).take(20) {
            let from = if number == line { column } else { 0 };
            let indent = found.chars().take_while(|letter| matches!(letter, ' ' | '-')).count();
            if number > line && !found.trim().is_empty() && indent < column {
                break;
            }
            let start = found.char_indices().nth(from).map_or(found.len(), |(start, _)| start);
            if let Some(at) = found[start..].find(piece) {
                let column = found[..start + at].chars().count() + 1;
                let narrow = |number| u32::try_from(number).unwrap_or_default();
                return Self::at(
                    self.file,
                    text,
                    (narrow(number + 1), narrow(column)),
                    self.detail,
                );
            }
        }
        self
    }

    /// The same, said to be a warning: `file:line:column: warning: detail`.
    #[must_use]
    pub fn as_warning(&self) -> Self {
        Self { detail: format!("warning: {}", self.detail), ..self.clone() }
    }

    /// The place and the sentence, without the line of the file.
    pub fn sentence(&self) -> String {
        let Self { file, line, column, detail, .. } = self;
        if *line == 0 {
            return format!("{file}: {detail}");
        }
        format!("{file}:{line}:{column}: {detail}")
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        let Some(excerpt) = self.excerpt.as_ref().filter(|line| !line.trim().is_empty()) else {
            return Ok(());
        };
        let column = usize::try_from(self.column).unwrap_or_default().saturating_sub(1);
        let (shown, before) = cut(excerpt, column);
        // A tab is as wide as the terminal likes, so the caret is led there by tabs too.
        let lead: String = shown
            .chars()
            .chain(std::iter::repeat(' '))
            .take(before)
            .map(|letter| if letter == '\t' { '\t' } else { ' ' })
            .collect();
        let number = self.line;
        let margin = " ".repeat(number.to_string().len());
        write!(f, "\n  {number} | {shown}\n  {margin} | {lead}^")
    }
}

/// A line as it is shown, and how many letters of that stand before the column.
fn cut(line: &str, column: usize) -> (String, usize) {
    // A file may hold what would move a cursor.
    let shown =
        |letter: char| if letter.is_control() && letter != '\t' { '\u{fffd}' } else { letter };
    let letters: Vec<char> = line.trim_end().chars().map(shown).collect();
    let column = column.min(letters.len());
    if letters.len() <= SHOWN {
        return (letters.into_iter().collect(), column);
    }
    let begin = column.saturating_sub(SHOWN / 2).min(letters.len() - SHOWN);
    let end = begin + SHOWN;
    let mut shown = String::new();
    if begin > 0 {
        shown.push('…');
    }
    let before = column - begin + shown.chars().count();
    shown.extend(&letters[begin..end]);
    if end < letters.len() {
        shown.push('…');
    }
    (shown, before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_shown_with_a_caret_under_the_column() {
        let error = LoadError::at("a/mapping.yaml", "title: A\n\tsevrity: x\n", (2, 2), "unknown");
        assert_eq!(error.to_string(), "a/mapping.yaml:2:2: unknown\n  2 | \tsevrity: x\n    | \t^");
        assert_eq!(error.sentence(), "a/mapping.yaml:2:2: unknown");
    }

    #[test]
    fn a_mistake_of_a_whole_file_shows_no_line() {
        assert_eq!(LoadError::whole("a", "it is empty").to_string(), "a: it is empty");
        let beyond = LoadError::at("a", "x\n", (9, 1), "unexpected end");
        assert_eq!(beyond.to_string(), "a:9:1: unexpected end");
    }

    #[test]
    fn a_mistake_moves_to_what_it_is_about() {
        let text = "a:\n  - b: x y\n    c: é y\nd: y\n";
        let place = |at, piece| {
            let error = LoadError::at("f", text, at, "d").moved_to(text, piece);
            (error.line, error.column)
        };
        assert_eq!(place((2, 5), "y"), (2, 10));
        assert_eq!(place((2, 5), "c:"), (3, 5));
        assert_eq!(place((3, 5), "y"), (3, 10));
        assert_eq!(place((2, 5), "d:"), (2, 5));
    }

    #[test]
    fn a_long_line_is_cut_around_the_column() {
        for column in [1, 60, 150, 300] {
            let text: String = (1..=300).map(|at| if at == column { 'X' } else { 'é' }).collect();
            let shown = LoadError::at("a", &text, (1, column), "wrong").to_string();
            let lines: Vec<&str> = shown.lines().collect();
            assert!(lines[1].chars().count() <= SHOWN + 10, "{shown}");
            let caret = lines[2].chars().position(|letter| letter == '^').unwrap();
            assert_eq!(lines[1].chars().nth(caret), Some('X'), "{shown}");
        }
    }
}
