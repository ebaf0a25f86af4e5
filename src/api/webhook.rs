//! `webhook.*`: where deliveries come in.

mod info;
mod options;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::options::OptionsRequest;
use super::{
    Call, Done, Page, Shown, StatInfo,
    alert::alerted,
    along,
    asked::{self, list_request},
    audit,
    call::seen,
    defaults::{self, BroughtInfo},
};
use crate::{
    care::{Hand, heartbeat},
    clock::Timestamp,
    digest::{new_secret, sha256},
    domain::{
        project::{Domain, Project, Workspace},
        secret::{AccessKey, LIVE_KEYS},
        webhook::{Webhook, WebhookOptions},
        words::WebhookState,
    },
    error::{Code, Error, Result},
    id::Id,
    load_error::did_you_mean,
    query::WEBHOOKS,
    store::Tx,
};

pub use self::info::{RefusedInfo, WebhookInfo};

/// The project that is meant where none is named.
const DEFAULT_PROJECT: &str = "default";

/// A webhook with a key that was made just now, which is shown this once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewKey {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookInfo,
    /// The key; nobody can show it again.
    pub access_key: String,
    /// The address to post to; it holds the key and works alone.
    pub url: String,
    /// The rules that the project got with its first webhook of the provider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_rules: Vec<BroughtInfo>,
}

/// Asks for a new webhook.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// What people call it; unique in its project.
    name: String,
    /// Where its events go; `default` where absent.
    project_id: Option<Id<Project>>,
    /// The plugin that reads its deliveries, e.g. `alertmanager`.
    provider: Option<String>,
    /// The same as the original has it.
    plugin_info: Option<PluginRequest>,
    /// What is set for it alone.
    #[serde(default)]
    options: OptionsRequest,
    /// The users' own labels.
    #[serde(default)]
    tags: Map<String, Value>,
    /// Whether the project gets the rules of the provider with its first webhook of it; true where absent.
    default_rules: Option<bool>,
}

/// A plugin, as the original names it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PluginRequest {
    /// The plugin that reads its deliveries.
    plugin_id: String,
    /// Taken from clients of the original, and not used: plugins come with the program.
    #[serde(default, rename = "version")]
    _version: Option<String>,
    /// Taken from clients of the original, and not used.
    #[serde(default, rename = "upgrade_mode")]
    _upgrade_mode: Option<String>,
    /// Taken from clients of the original, and not used.
    #[serde(default, rename = "options")]
    _options: Map<String, Value>,
    /// Taken from clients of the original, and not used.
    #[serde(default, rename = "metadata")]
    _metadata: Map<String, Value>,
}

/// Makes a webhook and its first key.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateWebhook) -> Result<NewKey> {
    let CreateWebhook { name, project_id, provider, plugin_info, options, tags, default_rules } =
        request;
    let name = asked::name("name", &name)?;
    let project_id = project_id.unwrap_or_else(|| DEFAULT_PROJECT.into());
    let config = alerted(tx, call, &project_id)?;
    let (key, access_key) = minted(call)?;
    let webhook = Webhook {
        webhook_id: call.mint.id(call.now),
        name,
        state: WebhookState::Enabled,
        access_keys: vec![key],
        plugin: plugin(call, provider, plugin_info)?,
        options: options.over(WebhookOptions::default())?,
        home: config.home,
        tags: tags.into_iter().collect(),
        created_at: call.now,
    };
    call.touches("webhook", &webhook.webhook_id);
    if webhook.is_fed() {
        audit::admit(call)?;
    }
    tx.put_webhook(&webhook)?;
    let view = WebhookInfo::new(&webhook, call);
    call.touched("webhook", &webhook.webhook_id, None, seen(&view));
    if webhook.is_fed() {
        let newest = defaults::newest(tx, &webhook.home)?;
        tx.put_fed(&webhook.webhook_id, newest)?;
    }
    let mut made = with_key(view, access_key, call);
    if default_rules.unwrap_or(true) {
        made.default_rules = defaults::given(tx, call, &webhook)?;
    }
    Ok(made)
}

fn with_key(webhook: WebhookInfo, access_key: String, call: &Call) -> NewKey {
    let url = info::url(call, &webhook.webhook_id, &access_key);
    NewKey { webhook, access_key, url, default_rules: Vec::new() }
}

/// The plugin that is meant, by either name.
fn plugin(
    call: &Call,
    provider: Option<String>,
    plugin_info: Option<PluginRequest>,
) -> Result<String> {
    let plugin_id = plugin_info.map(|plugin| plugin.plugin_id);
    let (pointer, plugin) = match (provider, plugin_id) {
        (Some(provider), Some(plugin)) if provider != plugin => {
            let detail = "`provider` and `plugin_info.plugin_id` mean the same: give one of them";
            return Err(Error::at(Code::InvalidParameter, "/plugin_info/plugin_id", detail));
        }
        (Some(provider), _) => ("/provider", provider),
        (None, Some(plugin)) => ("/plugin_info/plugin_id", plugin),
        (None, None) => return Err(Error::required("provider")),
    };
    if call.plugins.contains(&plugin) {
        return Ok(plugin);
    }
    let all: Vec<&str> = call.plugins.iter().map(String::as_str).collect();
    let near = did_you_mean(&plugin, all.iter().copied());
    let there_are = if near.is_empty() { "; there are" } else { " There are" };
    let detail = format!("there is no plugin `{plugin}`{near}{there_are} {}", all.join(", "));
    Err(Error::at(Code::InvalidParameter, pointer, detail))
}

/// A new key, and its text.
fn minted(call: &Call) -> Result<(AccessKey, String)> {
    let text = new_secret("").map_err(Error::internal)?;
    let key = AccessKey {
        key_id: call.mint.id(call.now),
        digest: sha256(text.as_bytes()),
        created_at: call.now,
        expires_at: None,
    };
    Ok((key, text))
}

/// Asks to change a webhook; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWebhook {
    /// Its identifier.
    webhook_id: Id<Webhook>,
    /// What people call it; unique in its project.
    name: Option<String>,
    /// What is set for it alone.
    #[serde(default)]
    options: OptionsRequest,
    /// The users' own labels, all of them.
    tags: Option<Map<String, Value>>,
}

/// Changes a webhook.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateWebhook) -> Result<WebhookInfo> {
    let UpdateWebhook { webhook_id, name, options, tags } = request;
    let before = changeable(tx, call, &webhook_id)?;
    let mut webhook = before.clone();
    if let Some(name) = asked::text(name) {
        webhook.name = asked::name("name", &name)?;
    }
    webhook.options = options.over(webhook.options)?;
    if let Some(tags) = tags {
        webhook.tags = tags.into_iter().collect();
    }
    let kept = keep(tx, call, &before, &webhook)?;
    if let Some(seconds) = webhook.options.stale_after
        && before.options.stale_after != webhook.options.stale_after
    {
        tx.watch_webhook(&webhook_id, TimeDelta::seconds(seconds.into()))?;
    }
    Ok(kept)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Webhook>) -> Result<Webhook> {
    call.touches("webhook", id);
    tx.webhook(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("webhook", id))
}

/// A webhook that is about to be changed.
fn changeable(tx: &dyn Tx, call: &Call, id: &Id<Webhook>) -> Result<Webhook> {
    let webhook = existing(tx, call, id)?;
    if webhook.is_own() {
        let detail =
            "what Alertmill has to say of itself comes through this webhook; it stays as it is";
        return Err(Error::new(Code::PermissionDenied, detail));
    }
    Ok(webhook)
}

fn keep(tx: &mut dyn Tx, call: &Call, before: &Webhook, after: &Webhook) -> Result<WebhookInfo> {
    tx.put_webhook(after)?;
    let (before, after) = (WebhookInfo::new(before, call), WebhookInfo::new(after, call));
    call.touched("webhook", &after.webhook_id, seen(&before), seen(&after));
    Ok(after)
}

/// Names one webhook.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneWebhook {
    /// Its identifier.
    webhook_id: Id<Webhook>,
}

/// Lets a webhook take deliveries.
pub fn enable(tx: &mut dyn Tx, call: &Call, request: OneWebhook) -> Result<WebhookInfo> {
    switch(tx, call, &request.webhook_id, WebhookState::Enabled)
}

/// Lets a webhook take no deliveries until it is enabled again.
pub fn disable(tx: &mut dyn Tx, call: &Call, request: OneWebhook) -> Result<WebhookInfo> {
    switch(tx, call, &request.webhook_id, WebhookState::Disabled)
}

fn switch(
    tx: &mut dyn Tx,
    call: &Call,
    id: &Id<Webhook>,
    state: WebhookState,
) -> Result<WebhookInfo> {
    let before = changeable(tx, call, id)?;
    let after = Webhook { state, ..before.clone() };
    keep(tx, call, &before, &after)
}

/// Deletes a webhook; its events and alerts stay.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneWebhook) -> Result<Done> {
    let webhook = changeable(tx, call, &request.webhook_id)?;
    let hand = Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor };
    along::webhook(tx, call, &webhook)?;
    heartbeat::orphaned(tx, &webhook, &hand)?;
    tx.delete_webhook(&webhook.webhook_id, call.now)?;
    call.touched("webhook", &webhook.webhook_id, seen(&WebhookInfo::new(&webhook, call)), None);
    Ok(Done {})
}

/// One webhook, with what was refused at its door lately.
pub fn get(tx: &dyn Tx, call: &Call, request: OneWebhook) -> Result<WebhookInfo> {
    let webhook = existing(tx, call, &request.webhook_id)?;
    Ok(WebhookInfo::new(&webhook, call).with_refused(call))
}

list_request! {
    /// Asks for webhooks.
    ListWebhooks: Asked,
    /// Asks for statistics of webhooks.
    StatWebhooks: AskedStat
    of WEBHOOKS {
        /// Only the one with this identifier.
        webhook_id: Id<Webhook>,
        /// Only those of exactly this name.
        name: String,
        /// Only those in this state.
        state: WebhookState,
        /// Only those with this plugin.
        provider: String,
        /// Only those of this project.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Webhooks, by name where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListWebhooks) -> Result<Page<Shown<WebhookInfo>>> {
    let query = request.checked(call.now)?;
    let webhooks = tx.webhooks(&call.caller.scope)?;
    let views = webhooks.iter().map(|webhook| WebhookInfo::new(webhook, call));
    Page::listed(views, &query, &WEBHOOKS)
}

/// Statistics of webhooks.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatWebhooks) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    let webhooks = tx.webhooks(&call.caller.scope)?;
    let views = webhooks.iter().map(|webhook| WebhookInfo::new(webhook, call));
    StatInfo::of(views, &stat)
}

/// Asks for a new key of a webhook.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// Its identifier.
    webhook_id: Id<Webhook>,
    /// For how many seconds the key in use still works; it stops at once where absent.
    #[serde(default)]
    expire_old_after: u32,
}

/// Gives a webhook a new key. The one in use may go on for a while; any older one stops.
pub fn rotate_key(tx: &mut dyn Tx, call: &Call, request: RotateKey) -> Result<NewKey> {
    let before = changeable(tx, call, &request.webhook_id)?;
    let (key, access_key) = minted(call)?;
    let grace = TimeDelta::seconds(request.expire_old_after.into());
    let keys = rotated(before.access_keys.clone(), key, grace, call.now);
    let after = Webhook { access_keys: keys, ..before.clone() };
    let view = keep(tx, call, &before, &after)?;
    Ok(with_key(view, access_key, call))
}

/// The keys once `new` is one of them: what is left of the newest old ones, as many as may be live beside it.
fn rotated(
    old: Vec<AccessKey>,
    new: AccessKey,
    grace: TimeDelta,
    now: Timestamp,
) -> Vec<AccessKey> {
    let end = now + grace;
    let mut kept: Vec<AccessKey> = old
        .into_iter()
        .map(|key| AccessKey {
            expires_at: Some(key.expires_at.map_or(end, |at| at.min(end))),
            ..key
        })
        .filter(|key| key.is_live(now))
        .collect();
    kept.sort_by_key(|key| key.created_at);
    let surplus = (kept.len() + 1).saturating_sub(LIVE_KEYS);
    kept.drain(..surplus);
    kept.push(new);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn key(name: &str, created: i64) -> AccessKey {
        AccessKey {
            key_id: name.into(),
            digest: sha256(name.as_bytes()),
            created_at: from_millis(created),
            expires_at: None,
        }
    }

    fn names(keys: &[AccessKey]) -> Vec<&str> {
        keys.iter().map(|key| key.key_id.as_str()).collect()
    }

    #[test]
    fn the_old_key_stops_at_once_unless_it_is_given_time() {
        let now = from_millis(100);
        let keys = rotated(vec![key("a", 1)], key("b", 100), TimeDelta::zero(), now);
        assert_eq!(names(&keys), ["b"]);
        let keys = rotated(vec![key("a", 1)], key("b", 100), TimeDelta::seconds(60), now);
        assert_eq!(names(&keys), ["a", "b"]);
        assert_eq!(keys[0].expires_at, Some(from_millis(60_100)));
        assert_eq!(keys[1].expires_at, None);
    }

    #[test]
    fn no_more_than_two_keys_are_live_and_no_rotation_lengthens_a_life() {
        let now = from_millis(100);
        let soon = AccessKey { expires_at: Some(from_millis(200)), ..key("a", 1) };
        let keys = rotated(vec![soon.clone()], key("b", 100), TimeDelta::seconds(60), now);
        assert_eq!(keys[0].expires_at, Some(from_millis(200)));
        let keys = rotated(vec![soon, key("b", 50)], key("c", 100), TimeDelta::seconds(60), now);
        assert_eq!(names(&keys), ["b", "c"]);
    }
}
