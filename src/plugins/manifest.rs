//! What a provider's `plugin.yaml` says: how it talks, never what it means.

use serde::Deserialize;
use serde_json::Value;

use super::{
    body_path::BodyPath,
    decode::{self, BodyFormat},
    handshake::{self, Handshake, Rule},
    scheme::Scheme,
    verify::{self, Refusal},
};
use crate::{
    clock::Timestamp,
    digest::{hex, sha256},
    domain::{delivery::Delivery, receipt::Unreadable, webhook::SigningSecret},
};

/// How many characters a sender's own identifier of a delivery has at most; a longer one is hashed.
const SENDER_ID_LENGTH: usize = 200;

/// How one provider talks.
#[derive(Debug)]
pub struct Plugin {
    name: String,
    manifest: Manifest,
}

/// A `plugin.yaml`, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// What people call the provider.
    title: String,
    /// Whose mapping reads its bodies; its own where absent.
    mapping: Option<String>,
    /// How its bodies are encoded.
    #[serde(default)]
    body: BodyFormat,
    /// Where a body or its headers carry what the sender calls this delivery; the first that is there counts.
    #[serde(default)]
    sender_id: Vec<Place>,
    /// How it may sign; one that fits is enough.
    #[serde(default)]
    signatures: Vec<Scheme>,
    /// What it asks before it sends events.
    #[serde(default)]
    handshakes: Vec<Rule>,
    /// What to paste into its own configuration.
    setup: Option<String>,
}

/// Where a delivery carries something.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// In this header.
    Header(HeaderName),
    /// At this place of the decoded body.
    Body(BodyPath),
}

/// The name of a header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct HeaderName(String);

/// Why a text is no header's name.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no header's name; expected letters, digits and `-`")]
pub(super) struct BadHeaderName(String);

impl TryFrom<String> for HeaderName {
    type Error = BadHeaderName;

    fn try_from(name: String) -> Result<Self, BadHeaderName> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(fits) {
            return Err(BadHeaderName(name));
        }
        Ok(Self(name.to_ascii_lowercase()))
    }
}

impl HeaderName {
    /// Its value in `delivery`.
    pub(super) fn of<'d>(&self, delivery: &'d Delivery) -> Option<&'d str> {
        delivery.header(&self.0)
    }

    /// The name in lower case.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Place {
    /// The text that `delivery` carries there.
    pub(super) fn text(&self, delivery: &Delivery, payload: Option<&Value>) -> Option<String> {
        match self {
            Self::Header(name) => name.of(delivery).map(str::to_owned),
            Self::Body(path) => path.text(payload?),
        }
    }
}

impl Plugin {
    /// The plugin called `name`, which talks as `manifest` says.
    pub(super) fn new(name: &str, manifest: Manifest) -> Self {
        Self { name: name.to_owned(), manifest }
    }

    /// A plugin that posts plain JSON, for a mapping that no plugin reads by.
    pub fn plain(name: &str) -> Self {
        Self::new(name, Manifest { title: name.to_owned(), ..Manifest::default() })
    }

    /// Its name: the directory's below `plugins/`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What people call the provider.
    pub fn title(&self) -> &str {
        &self.manifest.title
    }

    /// Whose mapping reads its bodies: the directory's name below `rules/`.
    pub fn mapping(&self) -> &str {
        self.manifest.mapping.as_deref().unwrap_or(&self.name)
    }

    /// Whether the provider can sign, so that a signing secret makes sense.
    pub fn can_sign(&self) -> bool {
        !self.manifest.signatures.is_empty()
    }

    /// What to paste into the sender's own configuration, so that it posts to `url`, which holds `key`.
    pub fn setup_snippet(&self, url: &str, key: &str) -> Option<String> {
        let keyless =
            if key.is_empty() { url.to_owned() } else { url.replacen(&format!("/{key}"), "", 1) };
        let setup = self.manifest.setup.as_deref()?;
        Some(setup.replace("{keyless_url}", &keyless).replace("{url}", url).replace("{key}", key))
    }

    /// What a body says, as JSON.
    pub fn decode(&self, body: &[u8], content_type: Option<&str>) -> Result<Value, Unreadable> {
        decode::decode(&self.manifest.body, body, content_type)
    }

    /// Whether one of `secrets` signed the delivery, lately. A webhook without secrets asks for no signature.
    pub fn verify(
        &self,
        secrets: &[SigningSecret],
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        verify::verify(&self.manifest.signatures, secrets, delivery, now)
    }

    /// What the sender calls this delivery, by which a second try is known; at most 200 characters.
    pub fn sender_id(&self, delivery: &Delivery, payload: Option<&Value>) -> Option<String> {
        let mut texts =
            self.manifest.sender_id.iter().filter_map(|place| place.text(delivery, payload));
        let id = texts.find(|text| !text.is_empty())?;
        if id.chars().count() > SENDER_ID_LENGTH {
            return Some(format!("sha256:{}", hex(&sha256(id.as_bytes()))));
        }
        Some(id)
    }

    /// The answer to a delivery that is no event but a question that comes before events; `None` where it is none.
    pub fn handshake(&self, delivery: &Delivery, payload: Option<&Value>) -> Option<Handshake> {
        handshake::answer(&self.manifest.handshakes, delivery, payload)
    }
}
