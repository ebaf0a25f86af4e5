//! Every plugin against its own cases: `plugins/<name>/cases.yaml` says what a delivery is to its plugin.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::Deserialize;

use super::{Method, PluginBook};
use crate::{
    clock::{Clock, from_millis},
    domain::{
        delivery::{Delivery, PresentedKey},
        webhook::SigningSecret,
    },
};

/// A delivery, and what it is to its plugin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "case")]
    title: String,
    /// The HTTP method.
    #[serde(default = "post")]
    method: Method,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    secrets: Vec<String>,
    /// Seconds since 1970.
    #[serde(default)]
    now: i64,
    /// A part of why it is refused.
    refused: Option<String>,
    /// A part of why it cannot be decoded.
    unreadable: Option<String>,
    sender_id: Option<String>,
    handshake: Option<ExpectedHandshake>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedHandshake {
    reason: String,
    body: String,
    /// Headers of the answer.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    confirm: Option<String>,
}

const fn post() -> Method {
    Method::Post
}

/// A delivery with these headers and this body.
pub(super) fn delivery(headers: &[(&str, &str)], body: &str) -> Delivery {
    let headers = headers.iter().map(|(name, text)| (name.to_lowercase(), (*text).to_owned()));
    Delivery {
        delivery_id: Clock::manual(from_millis(0)).mint().id(from_millis(0)),
        webhook_id: "webhook-1".into(),
        presented: PresentedKey([0; 32]),
        headers: headers.collect(),
        query: BTreeMap::new(),
        body: body.as_bytes().to_vec(),
        remote: "192.0.2.1".to_owned(),
        received_at: from_millis(0),
    }
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("plugins")
}

#[test]
fn every_plugin_takes_its_own_cases_as_they_say() {
    let book = PluginBook::embedded().unwrap();
    for name in book.names() {
        let file = directory().join(name).join("cases.yaml");
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let cases: Vec<Case> = serde_saphyr::from_str(&text).unwrap();
        for case in cases {
            check(&book, name, &case);
        }
    }
}

fn check(book: &PluginBook, name: &str, case: &Case) {
    let plugin = book.get(name).unwrap();
    let what = format!("{name}: {}", case.title);
    let headers: Vec<_> = case.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let delivery = Delivery { query: case.query.clone(), ..delivery(&headers, &case.body) };
    let secrets: Vec<_> = case.secrets.iter().cloned().map(SigningSecret).collect();
    let decoded = plugin.decode(&delivery.body, delivery.header("content-type"));
    let payload = || decoded.as_ref().ok();

    if case.method == Method::Post {
        let now = from_millis(case.now * 1000);
        let refused = plugin.verify(&secrets, (&delivery, &payload), now).err();
        let refused = refused.map(|refusal| refusal.to_string());
        assert_contains(&what, refused.as_deref(), case.refused.as_deref());

        let unreadable = decoded.as_ref().err().map(|fault| fault.reason.as_str());
        assert_contains(&what, unreadable, case.unreadable.as_deref());
        assert_eq!(plugin.sender_id(&delivery, payload()), case.sender_id, "{what}");
    }

    let handshake = plugin.handshake(case.method, (&delivery, payload()), &secrets);
    match (&handshake, &case.handshake) {
        (Some(found), Some(expected)) => {
            assert_contains(&what, Some(&found.reason), Some(&expected.reason));
            let headers: BTreeMap<_, _> = found.headers.iter().cloned().collect();
            assert_eq!(
                (&found.body, &headers, &found.confirm),
                (&expected.body, &expected.headers, &expected.confirm),
                "{what}"
            );
        }
        (None, None) => {}
        (found, expected) => panic!("{what}: {found:?} in place of {expected:?}"),
    }
}

fn assert_contains(what: &str, found: Option<&str>, expected: Option<&str>) {
    let fits = match (found, expected) {
        (Some(found), Some(expected)) => found.contains(expected),
        (found, expected) => found == expected,
    };
    assert!(fits, "{what}: {found:?} in place of {expected:?}");
}

#[test]
fn every_plugin_has_a_readme_that_shows_what_is_printed() {
    let book = PluginBook::embedded().unwrap();
    assert!(book.names().next().is_some());
    for name in book.names() {
        let readme = fs::read_to_string(directory().join(name).join("README.md")).unwrap();
        assert!(shows(&readme, name), "{name}");
    }
}

/// Whether `readme` holds the setup of the manifest of `name`, as it is written there.
fn shows(readme: &str, name: &str) -> bool {
    #[derive(Deserialize)]
    struct Setup {
        setup: String,
    }
    let manifest = fs::read_to_string(directory().join(name).join("plugin.yaml")).unwrap();
    readme.contains(&serde_saphyr::from_str::<Setup>(&manifest).unwrap().setup)
}
