//! Where deliveries come in: an address that one monitoring system posts to.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use super::{
    scope::Home,
    secret::AccessKey,
    words::{Severity, WebhookState},
};
use crate::{
    clock::Timestamp,
    digest::Digest,
    id::{Id, Identified},
};

/// The webhook that Alertmill's own events come through. It has no access key, so nobody else's do.
pub const OWN_WEBHOOK: &str = "webhook-alertmill";

/// The webhook that chosen records of the audit trail come through, in the same project. Nobody has a key of it either.
pub const AUDIT_WEBHOOK: &str = "webhook-audit";

/// The plugin of webhooks that are fed with the audit trail of their domain.
pub const AUDIT_PLUGIN: &str = "alertmill-audit";

/// An address that one monitoring system posts to.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its identifier.
    pub webhook_id: Id<Webhook>,
    /// What people call it; unique in its project.
    pub name: String,
    /// Whether it takes deliveries.
    pub state: WebhookState,
    /// The keys that open it, newest last.
    pub access_keys: Vec<AccessKey>,
    /// Which plugin reads its deliveries, e.g. the directory name below `plugins/`.
    pub plugin: String,
    /// What is set for this webhook alone.
    pub options: WebhookOptions,
    /// Where its events go.
    pub home: Home,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is set for one webhook alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebhookOptions {
    /// The secrets its sender signs with; any of them may have signed. Empty where the sender signs nothing.
    pub signing_secrets: Vec<SigningSecret>,
    /// The zone of times that name none, as in the IANA database, e.g. `Asia/Seoul`; UTC where absent.
    pub time_zone: Option<String>,
    /// How many deliveries a second it takes at most; no limit where absent.
    pub rate_limit: Option<u32>,
    /// Whether a confirmation address that a handshake carries may be fetched.
    pub confirm_subscriptions: bool,
    /// After how many seconds without an event its alerts expire: for a sender that sends no recoveries. What the project
    /// says where absent.
    pub stale_after: Option<u32>,
    /// What it says over its mapping.
    pub overrides: Overrides,
}

/// What a webhook says over the mapping that reads its deliveries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// What a word for how bad it is means here, by the word in lower case: one of the sender's, asked for before the
    /// mapping's own words, or one of our severities, which then stands for another.
    pub severity_map: BTreeMap<String, Severity>,
    /// Fields that each event carries beside those that the mapping gives it; these win.
    pub additional_info: BTreeMap<String, Value>,
}

impl Overrides {
    /// Nothing.
    pub const NONE: &'static Self =
        &Self { severity_map: BTreeMap::new(), additional_info: BTreeMap::new() };
}

/// A secret that a sender signs with. It must be readable to verify, so it is kept as it is and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(pub String);

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

impl Identified for Webhook {
    const PREFIX: &'static str = "webhook";
}

impl Webhook {
    /// Whether the key whose digest is `presented` opens it at `now`. Looks at every key, so that the time
    /// taken does not tell which one matched.
    pub fn accepts_key(&self, presented: &Digest, now: Timestamp) -> bool {
        let mut accepted = false;
        for key in &self.access_keys {
            accepted |= key.is(presented) & key.is_live(now);
        }
        accepted
    }

    /// Whether Alertmill's own events come through it; nobody may change it then.
    pub fn is_own(&self) -> bool {
        [OWN_WEBHOOK, AUDIT_WEBHOOK].contains(&self.webhook_id.as_str())
    }

    /// Whether it is fed with the audit trail of its domain.
    pub fn is_fed(&self) -> bool {
        self.plugin == AUDIT_PLUGIN
    }

    /// Whether it takes deliveries.
    pub fn is_enabled(&self) -> bool {
        self.state == WebhookState::Enabled
    }
}
