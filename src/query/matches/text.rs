//! Texts in texts, in whatever case.

/// Whether `text` contains `part`, which is in lower case, in whatever case.
pub fn contains_lowered(text: &str, part: &str) -> bool {
    if text.is_ascii() {
        return contains_ascii(text.as_bytes(), part.as_bytes());
    }
    text.to_lowercase().contains(part)
}

/// Whether `text` contains one of `parts`, which are in lower case, in whatever case.
pub(super) fn contains_one(text: &str, parts: &[String]) -> bool {
    if text.is_ascii() {
        return parts.iter().any(|part| contains_ascii(text.as_bytes(), part.as_bytes()));
    }
    let lowered = text.to_lowercase();
    parts.iter().any(|part| lowered.contains(part.as_str()))
}

/// The same where letters have two cases of one byte each: what is longer than a byte is not in it.
fn contains_ascii(text: &[u8], part: &[u8]) -> bool {
    let Some(first) = part.first() else { return true };
    text.windows(part.len())
        .any(|window| window[0].to_ascii_lowercase() == *first && window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quick_way_and_the_slow_way_agree(text in "[a-cA-C ]{0,12}|.{0,6}", part in "[a-c ]{0,3}|.{0,2}") {
            let part = part.to_lowercase();
            prop_assert_eq!(contains_lowered(&text, &part), text.to_lowercase().contains(&part));
            prop_assert_eq!(contains_one(&text, std::slice::from_ref(&part)), contains_lowered(&text, &part));
        }
    }
}
