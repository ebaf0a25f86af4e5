//! What a provider's `plugin.yaml` says: how it talks, never what it means.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    decode::{self, BodyFormat},
    defaults::Defaults,
    handshake::{self, Handshake, HostPattern, Method, Question, Rule},
    place::{Place, Said},
    scheme::Scheme,
    script::{Asked, Posted, Script},
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
    script: Option<Script>,
}

/// A `plugin.yaml`, as written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
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
    /// What the whole host of an address must match that its script's handshake wants confirmed.
    #[serde(default)]
    confirm_hosts: Vec<HostPattern>,
    /// What to paste into its own configuration.
    setup: Option<String>,
    /// Rules that a project gets with its first webhook of the provider.
    #[serde(default)]
    defaults: Defaults,
}

/// What a manifest says of the sender's own configuration, for a webhook whose address is `url`, which holds `key`.
pub fn setup_snippet(setup: &str, url: &str, key: &str) -> String {
    let keyless =
        if key.is_empty() { url.to_owned() } else { url.replacen(&format!("/{key}"), "", 1) };
    setup.replace("{keyless_url}", &keyless).replace("{url}", url).replace("{key}", key)
}

impl Plugin {
    /// The plugin called `name`, which talks as `manifest` says.
    pub(super) fn new(name: &str, manifest: Manifest) -> Self {
        Self { name: name.to_owned(), manifest, script: None }
    }

    /// The same with a script.
    ///
    /// # Errors
    /// Where both the manifest and the script say the same thing: why.
    pub(super) fn with_script(self, script: Script) -> Result<Self, &'static str> {
        if script.verifies() && !self.manifest.signatures.is_empty() {
            return Err(
                "exports `verify`, and the manifest has `signatures`; expected one of them",
            );
        }
        if script.maps() && self.manifest.mapping.is_some() {
            return Err("exports `map`, and the manifest has a `mapping`; expected one of them");
        }
        Ok(Self { script: Some(script), ..self })
    }

    /// Its script, where it has one.
    pub fn script(&self) -> Option<&Script> {
        self.script.as_ref()
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
        !self.manifest.signatures.is_empty() || self.verifying().is_some()
    }

    /// The script that says who signed.
    fn verifying(&self) -> Option<&Script> {
        self.script.as_ref().filter(|script| script.verifies())
    }

    /// What to paste into the sender's own configuration, with `{url}`, `{keyless_url}` and `{key}` where those of its
    /// webhook belong.
    pub fn setup(&self) -> Option<&str> {
        self.manifest.setup.as_deref()
    }

    /// The rules that a project gets with its first webhook of the provider.
    pub fn defaults(&self) -> &Defaults {
        &self.manifest.defaults
    }

    /// What a body says, as JSON.
    pub fn decode(&self, body: &[u8], content_type: Option<&str>) -> Result<Value, Unreadable> {
        decode::decode(&self.manifest.body, body, content_type)
    }

    /// Whether one of `secrets` signed the delivery, lately. A webhook without secrets asks for no signature, and neither
    /// does a provider that signs nothing but asks for proof that we know the secret. The body is decoded only for
    /// providers that sign fields of it.
    pub fn verify<'a>(
        &self,
        secrets: &[SigningSecret],
        (delivery, payload): (&'a Delivery, &'a dyn Fn() -> Option<&'a Value>),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if let Some(script) = self.verifying() {
            if secrets.is_empty() {
                return Ok(());
            }
            let posted = Posted { delivery, payload: payload() };
            return script.verify(Asked::of(posted).with_secrets(secrets));
        }
        let manifest = &self.manifest;
        if manifest.signatures.is_empty() && manifest.handshakes.iter().any(Rule::needs_secret) {
            return Ok(());
        }
        verify::verify(&manifest.signatures, secrets, Said { delivery, payload }, now)
    }

    /// What the sender calls this delivery, by which a second try is known; at most 200 characters.
    pub fn sender_id(&self, delivery: &Delivery, payload: Option<&Value>) -> Option<String> {
        let said = Said { delivery, payload: &|| payload };
        let mut texts = self.manifest.sender_id.iter().filter_map(|place| place.text(said));
        let id = texts.find(|text| !text.is_empty())?;
        if id.chars().count() > SENDER_ID_LENGTH {
            return Some(format!("sha256:{}", hex(&sha256(id.as_bytes()))));
        }
        Some(id)
    }

    /// The answer to what is no event but a question that comes before events; `None` where it is none.
    pub fn handshake(
        &self,
        method: Method,
        (delivery, payload): (&Delivery, Option<&Value>),
        secrets: &[SigningSecret],
    ) -> Option<Handshake> {
        let said = Said { delivery, payload: &|| payload };
        let question = Question { method, said, secrets };
        handshake::answer(&self.manifest.handshakes, question).or_else(|| {
            let asked = Asked::of(Posted { delivery, payload }).by(method);
            match self.script.as_ref()?.handshake(asked, &self.manifest.confirm_hosts) {
                Ok(answer) => answer,
                Err(reason) => {
                    // What might be an event must not be lost because a question could not be answered.
                    tracing::warn!(
                        plugin = self.name,
                        reason,
                        "a script failed to answer a handshake"
                    );
                    None
                }
            }
        })
    }
}
