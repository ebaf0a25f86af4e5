//! How fast a webhook may be posted to: a token bucket each, as large as one second's worth.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

use crate::{
    domain::webhook::Webhook,
    error::{Code, Error, Result},
    id::Id,
    store::Snapshots,
};

/// The buckets of the webhooks that have a limit.
#[derive(Debug, Default)]
pub(super) struct RateLimits {
    buckets: Mutex<HashMap<Id<Webhook>, Bucket>>,
    clock: DefaultClock,
}

#[derive(Clone, Debug)]
struct Bucket {
    per_second: NonZeroU32,
    limiter: Arc<DefaultDirectRateLimiter>,
}

impl RateLimits {
    /// Takes one delivery out of the bucket of `webhook`, whose limit is its own or else `server_wide`.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_REQUESTS` where the bucket is empty.
    pub(super) fn take(
        &self,
        webhook: &Webhook,
        server_wide: Option<u32>,
        snapshots: &Snapshots,
    ) -> Result<()> {
        let limit = webhook.options.rate_limit.or(server_wide);
        let Some(per_second) = limit.and_then(NonZeroU32::new) else { return Ok(()) };
        let bucket = self.bucket(webhook, per_second, snapshots);
        let Err(early) = bucket.limiter.check() else { return Ok(()) };
        let wait = early.wait_time_from(self.clock.now()).as_secs_f64().ceil();
        // A second's worth refills in a second, so the wait is never longer.
        let retry_after = if wait > 1.0 { 2 } else { 1 };
        let detail = format!("this webhook takes {per_second} deliveries a second");
        Err(Error { retry_after: Some(retry_after), ..Error::new(Code::TooManyRequests, detail) })
    }

    fn bucket(&self, webhook: &Webhook, per_second: NonZeroU32, snapshots: &Snapshots) -> Bucket {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(&webhook.webhook_id)
            && bucket.per_second == per_second
        {
            return bucket.clone();
        }
        if buckets.len() > snapshots.webhooks.len() {
            buckets.retain(|id, _| snapshots.webhooks.get(id).is_some());
        }
        let limiter = Arc::new(RateLimiter::direct(Quota::per_second(per_second)));
        let bucket = Bucket { per_second, limiter };
        buckets.insert(webhook.webhook_id.clone(), bucket.clone());
        bucket
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        clock::from_millis,
        domain::{scope::Home, webhook::WebhookOptions, words::WebhookState},
    };

    fn webhook(rate_limit: Option<u32>) -> Webhook {
        Webhook {
            webhook_id: "webhook-1".into(),
            name: "prod".to_owned(),
            state: WebhookState::Enabled,
            access_keys: Vec::new(),
            plugin: "any".to_owned(),
            options: WebhookOptions { rate_limit, ..WebhookOptions::default() },
            home: Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "p".into() },
            tags: BTreeMap::new(),
            created_at: from_millis(0),
        }
    }

    #[test]
    fn beyond_its_limit_a_sender_is_told_when_to_come_back() {
        let (limits, snapshots) = (RateLimits::default(), Snapshots::default());
        let limited = webhook(Some(1));
        assert!(limits.take(&limited, None, &snapshots).is_ok());
        let refused = limits.take(&limited, None, &snapshots).unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (Code::TooManyRequests, Some(1)));
    }

    #[test]
    fn there_is_no_limit_unless_one_is_set() {
        let (limits, snapshots) = (RateLimits::default(), Snapshots::default());
        for _ in 0..10_000 {
            assert!(limits.take(&webhook(None), None, &snapshots).is_ok());
        }
        assert!(limits.take(&webhook(None), Some(1), &snapshots).is_ok());
        assert!(limits.take(&webhook(None), Some(1), &snapshots).is_err());
    }
}
