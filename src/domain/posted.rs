//! What other services report of what was done in them: the parts that have rules.

mod event;

use super::words::words;

pub use self::event::{OURSELVES, PostedEvent, written};

words! {
    /// What set off what is reported.
    Origin {
        /// A request of someone.
        Api = "TYPE_API",
        /// The system itself.
        System = "TYPE_SYSTEM",
    }
}

/// The longest name of a piece of metadata, in characters.
const LONGEST_KEY: usize = 63;

/// What is wrong with the name of a piece of metadata; `None` where nothing is.
pub fn key_fault(key: &str) -> Option<String> {
    let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let bytes = key.as_bytes();
    let what = match (bytes.first(), bytes.last()) {
        _ if bytes.is_empty() || key.chars().count() > LONGEST_KEY => {
            format!("have 1 to {LONGEST_KEY} characters")
        }
        _ if !bytes.iter().all(is_inner) => {
            "have only lower-case letters, digits and underscores".to_owned()
        }
        (Some(first), _) if !first.is_ascii_lowercase() => "begin with a letter".to_owned(),
        (_, Some(b'_')) => "end with a letter or a digit".to_owned(),
        _ => return None,
    };
    Some(format!("the metadata key `{}` must {what}", shortened(key)))
}

/// As much of a text of the sender's as a message repeats.
fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The identifier of an event as it is kept, if it is a UUID of version 4 (RFC 9562): in lower case.
pub fn event_id(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_shaped = bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
            _ => byte.is_ascii_hexdigit(),
        });
    is_shaped.then(|| text.to_ascii_lowercase())
}

/// What is wrong with the name of what was acted on; `None` where nothing is.
pub fn resource_fault(resource: &str) -> Option<&'static str> {
    let relative = match resource.strip_prefix("//") {
        Some(rest) => match rest.split_once('/') {
            Some((service, name)) if !service.is_empty() => name,
            _ => return Some("behind `//` come the service, `/` and a name"),
        },
        None if resource.contains("://") => return Some("it has no scheme: it begins with `//`"),
        None => resource,
    };
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    if relative.split('/').any(str::is_empty) || resource.contains(is_odd) {
        return Some(
            "its parts are neither empty nor have they white space, as in `//service/workspaces/w/engines/e`",
        );
    }
    None
}

/// The workspace that the name of a resource lies in: `workspaces/w` of `//service/workspaces/w/engines/e`.
pub fn workspace_of(resource: &str) -> Option<&str> {
    let name = match resource.strip_prefix("//") {
        Some(rest) => rest.split_once('/')?.1,
        None => resource,
    };
    // A name is made of pairs: a collection, and one of what it holds.
    let mut at = 0;
    let mut parts = name.split('/');
    while let (Some(collection), Some(one)) = (parts.next(), parts.next()) {
        let end = at + collection.len() + 1 + one.len();
        if collection == "workspaces" && !one.is_empty() {
            return name.get(at..end);
        }
        at = end + 1;
    }
    None
}

/// Whether a text names a workspace: `workspaces/` and a name.
pub fn is_workspace(text: &str) -> bool {
    workspace_of(text) == Some(text) && resource_fault(text).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_keys_are_short_and_plain() {
        let longest = "a".repeat(63);
        for key in ["a", "z9", "a_b", "engine_type", "a__b", longest.as_str()] {
            assert_eq!(key_fault(key), None, "{key}");
        }
        let too_long = "a".repeat(64);
        for (key, why) in [
            ("", "1 to 63"),
            (too_long.as_str(), "1 to 63"),
            ("Invalid-Key", "only lower-case"),
            ("a-b", "only lower-case"),
            ("é", "only lower-case"),
            ("a b", "only lower-case"),
            ("1a", "begin with a letter"),
            ("_a", "begin with a letter"),
            ("a_", "end with"),
        ] {
            let fault = key_fault(key).unwrap();
            assert!(fault.contains(why), "{key}: {fault}");
        }
    }

    #[test]
    fn only_a_uuid_of_version_4_names_an_event() {
        let id = "b096430b-c7a8-47f2-a129-d9ae58cf454f";
        assert_eq!(event_id(id).as_deref(), Some(id));
        assert_eq!(event_id(&id.to_uppercase()).as_deref(), Some(id));
        for id in [
            "",
            "invalid-id",
            "b096430bc7a847f2a129d9ae58cf454f",
            "{b096430b-c7a8-47f2-a129-d9ae58cf454f}",
            "b096430b-c7a8-17f2-a129-d9ae58cf454f",
            "b096430b-c7a8-77f2-a129-d9ae58cf454f",
            "b096430b-c7a8-47f2-c129-d9ae58cf454f",
            "b096430b-c7a8-47f2-a129-d9ae58cf454g",
            "b096430b-c7a8-47f2-a129-d9ae58cf454f ",
        ] {
            assert_eq!(event_id(id), None, "{id}");
        }
    }

    #[test]
    fn the_workspace_is_read_off_the_resource() {
        for (resource, workspace) in [
            (
                "//engine-manager/workspaces/my-workspace/daiEngines/my-engine",
                Some("workspaces/my-workspace"),
            ),
            ("//engine-manager/workspaces/w/daiEngines", Some("workspaces/w")),
            ("//engine-manager/organizations/o/workspaces/w", Some("workspaces/w")),
            ("workspaces/w1/daiEngines/e1", Some("workspaces/w1")),
            ("//engine-manager/workspaces", None),
            ("//workspaces/w/engines/e", None),
            ("//engine-manager/engines/workspaces/x", None),
            ("//engine-manager", None),
            ("", None),
        ] {
            assert_eq!(workspace_of(resource), workspace, "{resource}");
        }
        assert!(is_workspace("workspaces/w"));
        for text in
            ["", "w", "workspaces/", "workspaces", "workspaces/w/engines/e", "workspaces/a b"]
        {
            assert!(!is_workspace(text), "{text}");
        }
    }

    #[test]
    fn a_resource_has_a_name_and_no_scheme() {
        for resource in ["//a/b", "//engine-manager/workspaces/w/daiEngines", "workspaces/w"] {
            assert_eq!(resource_fault(resource), None, "{resource}");
        }
        for resource in
            ["//", "//a", "//a/", "///b", "https://a/b", "/a/b", "//a//b", "//a/b c", "a\n"]
        {
            assert!(resource_fault(resource).is_some(), "{resource}");
        }
    }
}
