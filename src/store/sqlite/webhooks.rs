//! Webhooks and their access keys.

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    live::Kind,
    rows::{self, Columns, json, maybe_millis, millis},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        scope::Scope,
        secret::AccessKey,
        webhook::{Overrides, SigningSecret, Webhook, WebhookOptions},
        words::Severity,
    },
    error::{Code, Error, Result},
    id::Id,
    store::Webhooks,
};

const SELECT: &str = "SELECT w.webhook, w.webhook_id, w.name, w.state, w.plugin, w.options,
        d.domain_id, s.workspace_id, p.project_id, w.tags, w.created_at
 FROM webhook w JOIN project p USING (project) JOIN workspace s USING (workspace) JOIN domain d USING (domain)
 WHERE w.deleted_at IS NULL";

/// The options of a webhook as the file keeps them.
#[derive(Serialize, Deserialize)]
struct KeptOptions {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signing_secrets: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_limit: Option<u32>,
    #[serde(default)]
    confirm_subscriptions: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stale_after: Option<u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    severity_map: BTreeMap<String, Severity>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    additional_info: BTreeMap<String, Value>,
}

impl From<&WebhookOptions> for KeptOptions {
    fn from(options: &WebhookOptions) -> Self {
        let WebhookOptions {
            signing_secrets,
            time_zone,
            rate_limit,
            confirm_subscriptions,
            stale_after,
            overrides: Overrides { severity_map, additional_info },
        } = options;
        Self {
            signing_secrets: signing_secrets.iter().map(|secret| secret.0.clone()).collect(),
            time_zone: time_zone.clone(),
            rate_limit: *rate_limit,
            confirm_subscriptions: *confirm_subscriptions,
            stale_after: *stale_after,
            severity_map: severity_map.clone(),
            additional_info: additional_info.clone(),
        }
    }
}

impl From<KeptOptions> for WebhookOptions {
    fn from(kept: KeptOptions) -> Self {
        let KeptOptions {
            signing_secrets,
            time_zone,
            rate_limit,
            confirm_subscriptions,
            stale_after,
            severity_map,
            additional_info,
        } = kept;
        Self {
            signing_secrets: signing_secrets.into_iter().map(SigningSecret).collect(),
            time_zone,
            rate_limit,
            confirm_subscriptions,
            stale_after,
            overrides: Overrides { severity_map, additional_info },
        }
    }
}

impl Work {
    /// The row of a webhook, deleted ones included.
    pub(super) fn webhook_row(&self, id: &Id<Webhook>) -> Result<i64> {
        let sql = "SELECT webhook FROM webhook WHERE webhook_id = ?1";
        self.row_of(Kind::Webhook, id.as_str(), sql)?.ok_or_else(|| Error::not_found("webhook", id))
    }

    /// The access keys of one webhook, or of all, oldest first.
    fn access_keys(&self, webhook: Option<i64>) -> Result<BTreeMap<i64, Vec<AccessKey>>> {
        let mut keys: BTreeMap<i64, Vec<AccessKey>> = BTreeMap::new();
        let found = self.many(
            "SELECT webhook, key_id, digest, created_at, expires_at FROM access_key
             WHERE ?1 IS NULL OR webhook = ?1 ORDER BY created_at, key_id",
            [webhook],
            |row| {
                let mut columns = Columns::of(row);
                let webhook: i64 = columns.get()?;
                let key = AccessKey {
                    key_id: columns.id()?,
                    digest: columns.digest()?,
                    created_at: columns.time()?,
                    expires_at: columns.maybe_time()?,
                };
                Ok((webhook, key))
            },
        )?;
        for (webhook, key) in found {
            keys.entry(webhook).or_default().push(key);
        }
        Ok(keys)
    }
}

impl Webhooks for Work {
    fn webhook(&self, scope: &Scope, id: &Id<Webhook>) -> Result<Option<Webhook>> {
        let sql = format!("{SELECT} AND w.webhook_id = ?1");
        let Some((row, mut webhook)) = self.one(&sql, [id.as_str()], webhook)? else {
            return Ok(None);
        };
        webhook.access_keys = self.access_keys(Some(row))?.remove(&row).unwrap_or_default();
        Ok(Some(webhook).filter(|webhook| scope.contains(&webhook.home)))
    }

    fn webhooks(&self, scope: &Scope) -> Result<Vec<Webhook>> {
        let sql = format!("{SELECT} ORDER BY w.name, w.webhook");
        let mut keys = self.access_keys(None)?;
        let found = self.many(&sql, [], webhook)?;
        let found = found.into_iter().filter(|(_, webhook)| scope.contains(&webhook.home));
        Ok(found
            .map(|(row, webhook)| Webhook {
                access_keys: keys.remove(&row).unwrap_or_default(),
                ..webhook
            })
            .collect())
    }

    fn put_webhook(&mut self, webhook: &Webhook) -> Result<()> {
        let put = self.put(
            "INSERT INTO webhook (webhook_id, project, name, state, plugin, options, tags, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (webhook_id) DO UPDATE SET name = excluded.name, state = excluded.state,
                 plugin = excluded.plugin, options = excluded.options, tags = excluded.tags",
            params![
                webhook.webhook_id.as_str(),
                self.project_row(&webhook.home.project_id)?,
                webhook.name,
                webhook.state.as_str(),
                webhook.plugin,
                json(&KeptOptions::from(&webhook.options))?,
                json(&webhook.tags)?,
                millis(webhook.created_at)
            ],
        );
        put.map_err(|error| {
            rows::if_constraint(error, || {
                let detail = format!("its project has another webhook `{}`", webhook.name);
                Error::at(Code::NotUnique, "/name", detail)
            })
        })?;
        let row = self.webhook_row(&webhook.webhook_id)?;
        self.put("DELETE FROM access_key WHERE webhook = ?1", [row])?;
        for key in &webhook.access_keys {
            self.put(
                "INSERT INTO access_key (key_id, webhook, digest, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    key.key_id.as_str(),
                    row,
                    key.digest.as_slice(),
                    millis(key.created_at),
                    maybe_millis(key.expires_at)
                ],
            )?;
        }
        self.webhook_changed(&webhook.webhook_id)
    }

    fn delete_webhook(&mut self, id: &Id<Webhook>, now: Timestamp) -> Result<()> {
        let row = self.webhook_row(id)?;
        self.put("UPDATE webhook SET deleted_at = ?2 WHERE webhook = ?1", [row, millis(now)])?;
        self.put("DELETE FROM access_key WHERE webhook = ?1", [row])?;
        self.delete_rules_of_webhook(row)?;
        self.forget_heartbeats(row)?;
        self.webhook_changed(id)
    }
}

fn webhook(row: &Row<'_>) -> Result<(i64, Webhook)> {
    let mut columns = Columns::of(row);
    let webhook = columns.get()?;
    Ok((
        webhook,
        Webhook {
            webhook_id: columns.id()?,
            name: columns.text()?,
            state: columns.word()?,
            access_keys: Vec::new(),
            plugin: columns.text()?,
            options: columns.json::<KeptOptions>()?.into(),
            home: columns.home()?,
            tags: columns.json()?,
            created_at: columns.time()?,
        },
    ))
}
