//! Bodies in another character set than UTF-8.

use std::borrow::Cow;

use super::unreadable;
use crate::domain::receipt::Unreadable;

/// Names of ISO 8859-1, each byte of which is the character of the same number.
const LATIN_1: &[&str] = &["iso-8859-1", "iso_8859-1", "iso8859-1", "latin1", "latin-1", "l1"];

/// `body` in UTF-8. What already is UTF-8 stays, whatever its sender calls it; what no charset was said of stays too, so
/// that its format can tell where it goes wrong.
pub(super) fn to_utf8<'b>(
    body: &'b [u8],
    content_type: Option<&str>,
) -> Result<Cow<'b, [u8]>, Unreadable> {
    // A text in UTF-16 is valid UTF-8 as long as it is English, but full of zeros.
    let is_utf8 = std::str::from_utf8(body).is_ok() && !body.contains(&0);
    let said = content_type.and_then(charset).or_else(|| xml_encoding(body));
    match said.as_deref() {
        _ if is_utf8 => Ok(Cow::Borrowed(body)),
        None | Some("utf-8" | "utf8" | "us-ascii" | "") => Ok(Cow::Borrowed(body)),
        Some(said) if LATIN_1.contains(&said) => {
            let text: String = body.iter().map(|byte| char::from(*byte)).collect();
            Ok(Cow::Owned(text.into_bytes()))
        }
        Some(said) => {
            let said: String = said.chars().take(40).collect();
            let expected = "expected UTF-8 or ISO-8859-1";
            Err(unreadable(format!("the body is in the character set `{said}`; {expected}")))
        }
    }
}

/// The character set that a content type names, in lower case.
fn charset(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })
}

/// The encoding that an XML document names in its first line, in lower case.
fn xml_encoding(body: &[u8]) -> Option<String> {
    let head = body.strip_prefix(b"<?xml")?;
    let head = String::from_utf8_lossy(&head[..head.len().min(200)]).to_ascii_lowercase();
    let (declaration, _) = head.split_once("?>")?;
    let (_, named) = declaration.split_once("encoding")?;
    let mut quoted = named.trim_start().strip_prefix('=')?.split(['"', '\'']);
    quoted.nth(1).map(str::to_owned)
}
