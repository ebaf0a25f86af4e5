//! A webhook as the outside sees it: no key, no digest, no signing secret.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::{Call, Moment, call::Refused};
use crate::{
    domain::{
        project::{Domain, Project, Workspace},
        scope::Home,
        secret::AccessKey,
        webhook::{Overrides, Webhook, WebhookOptions},
        words::{Severity, WebhookState},
    },
    id::Id,
};

/// What stands in an address instead of a key.
const MASK: &str = "********";

/// An address that one monitoring system posts to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WebhookInfo {
    /// Its identifier.
    pub webhook_id: Id<Webhook>,
    /// What people call it; unique in its project.
    pub name: String,
    /// Whether it takes deliveries.
    pub state: WebhookState,
    /// Its address, without the key.
    pub webhook_url: String,
    /// The plugin that reads its deliveries.
    pub provider: String,
    /// The same as the original has it.
    pub plugin_info: PluginInfo,
    /// Always empty; for clients of the original.
    pub capability: Map<String, Value>,
    /// What is set for it alone.
    pub options: OptionsInfo,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// How many deliveries it took.
    pub requests: RequestsInfo,
    /// Its keys, newest last; the keys themselves are not kept.
    pub access_keys: Vec<AccessKeyInfo>,
    /// What was refused at its door lately, newest first; only where one webhook is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Vec<RefusedInfo>>,
    /// Where its events go.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
}

/// A plugin, as the original names it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PluginInfo {
    /// The plugin that reads its deliveries.
    pub plugin_id: String,
    /// Always empty; what is set for a webhook is in its own `options`.
    pub options: Map<String, Value>,
}

/// What is set for one webhook alone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OptionsInfo {
    /// How many secrets its sender may sign with; the secrets themselves are not shown.
    pub signing_secrets: usize,
    /// The zone of times that name none; UTC where null.
    pub time_zone: Option<String>,
    /// How many deliveries a second it takes at most; no limit where null.
    pub rate_limit: Option<u32>,
    /// Whether a confirmation address that a handshake carries may be fetched.
    pub confirm_subscriptions: bool,
    /// After how many seconds without an event its alerts expire; what the project says where null.
    pub stale_after: Option<u32>,
    /// What a word for how bad it is means here, by the word in lower case.
    pub severity_map: BTreeMap<String, Severity>,
    /// Fields that each of its events carries beside those that the mapping gives it.
    pub additional_info: Map<String, Value>,
}

/// How many deliveries a webhook took.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct RequestsInfo {
    /// All of them.
    pub total: u64,
    /// Those that were not wholly understood.
    pub error: u64,
}

/// A key of a webhook, without the key.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccessKeyInfo {
    /// Its identifier.
    pub key_id: Id<AccessKey>,
    /// When it was made.
    pub created_at: Moment,
    /// When it stops working; never where null.
    pub expires_at: Option<Moment>,
}

/// A delivery that was refused at the door.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RefusedInfo {
    /// The webhook it was for, as the sender named it.
    pub webhook_id: String,
    /// When.
    pub refused_at: Moment,
    /// The address it came from.
    pub remote: String,
    /// Why.
    pub reason: String,
}

impl From<Refused> for RefusedInfo {
    fn from(refused: Refused) -> Self {
        let Refused { at, webhook_id, remote, reason } = refused;
        Self { webhook_id, refused_at: at.into(), remote, reason }
    }
}

impl WebhookInfo {
    pub(super) fn new(webhook: &Webhook, call: &Call) -> Self {
        let Webhook {
            webhook_id,
            name,
            state,
            access_keys,
            plugin,
            options,
            home,
            tags,
            created_at,
        } = webhook.clone();
        let Home { domain_id, workspace_id, project_id } = home;
        let requests = (call.requests)(&webhook_id);
        Self {
            webhook_url: url(call, &webhook_id, MASK),
            webhook_id,
            name,
            state,
            plugin_info: PluginInfo { plugin_id: plugin.clone(), options: Map::new() },
            provider: plugin,
            capability: Map::new(),
            options: options.into(),
            tags: tags.into_iter().collect(),
            requests: RequestsInfo { total: requests.total, error: requests.error },
            access_keys: access_keys.into_iter().map(AccessKeyInfo::from).collect(),
            refused: None,
            project_id,
            workspace_id,
            domain_id,
            created_at: created_at.into(),
        }
    }

    /// The same with what was refused at its door lately.
    pub(super) fn with_refused(self, call: &Call) -> Self {
        let refused = (call.refused)(Some(&self.webhook_id));
        Self { refused: Some(refused.into_iter().map(RefusedInfo::from).collect()), ..self }
    }
}

/// The address to post to with `key`.
pub(super) fn url(call: &Call, webhook: &Id<Webhook>, key: &str) -> String {
    let public = call.public_url.trim_end_matches('/');
    format!("{public}/monitoring/v1/webhook/{webhook}/{key}/events")
}

impl From<WebhookOptions> for OptionsInfo {
    fn from(options: WebhookOptions) -> Self {
        let WebhookOptions {
            signing_secrets,
            time_zone,
            rate_limit,
            confirm_subscriptions,
            stale_after,
            overrides: Overrides { severity_map, additional_info },
        } = options;
        Self {
            signing_secrets: signing_secrets.len(),
            time_zone,
            rate_limit,
            confirm_subscriptions,
            stale_after,
            severity_map,
            additional_info: additional_info.into_iter().collect(),
        }
    }
}

impl From<AccessKey> for AccessKeyInfo {
    fn from(key: AccessKey) -> Self {
        let AccessKey { key_id, digest: _, created_at, expires_at } = key;
        Self { key_id, created_at: created_at.into(), expires_at: expires_at.map(Moment) }
    }
}
