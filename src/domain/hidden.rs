//! Characters that nobody sees, with which one name can be made to look like another.

/// The characters of Unicode 16 that format other text (Cf), and those beyond that are drawn as nothing: the joiner of
/// graphemes, fillers, and selectors of variants.
const HIDDEN: [(char, char); 26] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character controls or formats other text, or is drawn as nothing.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control() || HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&letter))
}

/// A text as it is compared where it must not be taken for another: no matter the case, without what nobody sees in it, and
/// without blanks around it.
pub fn looked_at(text: &str) -> String {
    let seen = text.chars().filter(|letter| !is_hidden(*letter));
    seen.flat_map(char::to_lowercase).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_hidden_and_letters_are_not() {
        for letter in
            "\u{0}\n\u{7f}\u{85}\u{ad}\u{200b}\u{200d}\u{202e}\u{2066}\u{feff}\u{e0041}\u{3164}"
                .chars()
        {
            assert!(is_hidden(letter), "{letter:?}");
        }
        for letter in "aZ0 @.-_äßéñ日本ع🙂\u{a0}".chars() {
            assert!(!is_hidden(letter), "{letter:?}");
        }
    }

    #[test]
    fn a_text_is_looked_at_as_people_do() {
        for text in ["alertmill", " AlertMill\u{200b} ", "alert\u{202e}mill\n", "\u{feff}ALERTMILL"]
        {
            assert_eq!(looked_at(text), "alertmill", "{text:?}");
        }
        assert_ne!(looked_at("alert mill"), "alertmill");
    }
}
