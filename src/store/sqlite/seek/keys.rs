//! What can be sought, as numbers: three letters of a text, three digits of an identifier, a resource, a project.
//!
//! The numbers are stored, so how they are made may only change together with a migration that makes them anew. They
//! may meet: what they find is checked.

/// What can be sought, as a number.
pub(super) type Key = u32;

const TEXT: Key = 0;
const DIGITS: Key = 1 << 30;
const RESOURCE: Key = 2 << 30;
const PROJECT: Key = 3 << 30;
const KIND: Key = 3 << 30;

/// How many letters make a number.
pub(super) const LETTERS: usize = 3;

/// How many numbers of one word are looked up at most.
const MOST: usize = 8;

/// How many hexadecimal digits an identifier of our own has.
const ID_DIGITS: usize = 32;

/// The numbers of each three letters of a text that is in lower case.
pub(super) fn of_text(lowered: &str, mut each: impl FnMut(Key)) {
    let (mut before, mut last, mut seen) = (0_u64, 0_u64, 0);
    for letter in lowered.chars() {
        let letter = u64::from(u32::from(letter));
        seen += 1;
        if seen >= LETTERS {
            each(TEXT | mixed(before << 42 | last << 21 | letter, 18));
        }
        (before, last) = (last, letter);
    }
}

/// The number of a resource.
pub(super) fn of_resource(name: &str) -> Key {
    // FNV-1a.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    RESOURCE | mixed(hash, 30)
}

/// The number of a project's row.
pub(super) fn of_project(row: i64) -> Key {
    PROJECT | mixed(row.unsigned_abs(), 30)
}

/// The upper `bits` of a number, well mixed.
fn mixed(number: u64, bits: u32) -> Key {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits);
    Key::try_from(mixed).unwrap_or_default()
}

/// The digits of an identifier of our own making, such as `event-0198c7…`; `None` for one that came from elsewhere.
pub(super) fn digits_of<'a>(id: &'a str, prefix: &str) -> Option<&'a str> {
    let digits = id.strip_prefix(prefix)?.strip_prefix('-')?;
    (digits.len() == ID_DIGITS && is_digits(digits)).then_some(digits)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| value(byte).is_some())
}

fn value(byte: u8) -> Option<u16> {
    match byte {
        b'0'..=b'9' => Some(u16::from(byte - b'0')),
        b'a'..=b'f' => Some(u16::from(byte - b'a') + 10),
        _ => None,
    }
}

/// Each three digits as a number below 4096.
pub(super) fn of_digits(digits: &str) -> impl Iterator<Item = u16> {
    let values: Vec<u16> = digits.bytes().filter_map(value).collect();
    let threes = values.windows(LETTERS).map(|three| three[0] << 8 | three[1] << 4 | three[2]);
    threes.collect::<Vec<_>>().into_iter()
}

/// Where a number of three digits is among all numbers.
pub(super) fn key_of_digits(three: u16) -> Key {
    DIGITS | Key::from(three)
}

/// The three digits of a number, if it is of digits.
pub(super) fn digits_of_key(key: Key) -> Option<u16> {
    (key & KIND == DIGITS).then(|| u16::try_from(key & 0xfff).unwrap_or_default())
}

/// All of these numbers belong to what is sought.
pub(super) type Term = Vec<Key>;

/// The numbers of a word in lower case wherever it stands in a text; `None` where it is too short to have any.
pub(super) fn of_word(word: &str) -> Option<Term> {
    let mut keys = Vec::new();
    of_text(word, |key| keys.push(key));
    (!keys.is_empty()).then(|| some_of(keys))
}

/// The terms one of which holds of every identifier that contains this word in lower case; `None` where that cannot be
/// told. Identifiers from elsewhere are kept like texts.
pub(super) fn of_word_in_id(word: &str, prefix: &str) -> Option<Vec<Term>> {
    let mut terms = vec![of_word(word)?];
    let digits = match word.split_once('-') {
        Some((left, right)) => (prefix.ends_with(left) && is_digits(right)).then_some(right),
        None if prefix.contains(word) => return None,
        None => is_digits(word).then_some(word),
    };
    if let Some(digits) = digits {
        if digits.len() < LETTERS {
            return None;
        }
        terms.push(some_of(of_digits(digits).map(key_of_digits).collect()));
    }
    Some(terms)
}

/// At most so many of them, evenly apart: a few tell nearly as much as all.
fn some_of(keys: Vec<Key>) -> Term {
    let step = keys.len().div_ceil(MOST);
    let mut some: Term = keys.into_iter().step_by(step.max(1)).collect();
    some.sort_unstable();
    some.dedup();
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_no_number_that_a_text_with_it_lacks() {
        for (text, word) in [
            ("CPU of İstanbul is high", "i\u{307}stanbul"),
            ("Straße ΣΑΣ", "straße"),
            ("disk /var 81%", "/var 81%"),
        ] {
            let mut all = Vec::new();
            of_text(&text.to_lowercase(), |key| all.push(key));
            assert!(text.to_lowercase().contains(word), "{text}");
            assert!(of_word(word).unwrap().iter().all(|key| all.contains(key)), "{word}");
        }
        assert_eq!(of_word("ab"), None);
    }

    #[test]
    fn a_word_that_no_identifier_of_ours_holds_is_sought_only_among_those_from_elsewhere() {
        assert_eq!(of_word_in_id("disk", "event").unwrap().len(), 1);
        assert_eq!(of_word_in_id("cafe12", "event").unwrap().len(), 2);
        assert_eq!(of_word_in_id("nt-0198", "event").unwrap().len(), 2);
        assert_eq!(of_word_in_id("alert-0198", "event").unwrap().len(), 1);
        assert_eq!(of_word_in_id("vent", "event"), None);
        assert_eq!(of_word_in_id("event-0", "event"), None);
        assert_eq!(of_word_in_id("event-01x", "event").unwrap().len(), 1);
    }
}
