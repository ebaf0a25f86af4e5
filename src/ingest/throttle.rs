//! How fast each webhook may be posted to: a token bucket each, off unless set.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::{domain::webhook::Webhook, id::Id};

/// How many buckets are kept; beyond, full ones are forgotten first.
const MAX_BUCKETS: usize = 100_000;

/// How fast each webhook may be posted to.
pub struct Throttle {
    /// The limit of webhooks that set none, in deliveries per second.
    default: Option<NonZeroU32>,
    buckets: Mutex<HashMap<Id<Webhook>, Bucket>>,
}

struct Bucket {
    limit: NonZeroU32,
    limiter: DefaultDirectRateLimiter,
}

impl Throttle {
    /// A throttle that limits webhooks without a limit of their own to `default` deliveries per second.
    pub fn new(default: Option<NonZeroU32>) -> Self {
        Self { default, buckets: Mutex::default() }
    }

    /// Takes one delivery of a webhook, or says after how many seconds to try again.
    pub(super) fn admit(&self, webhook: &Webhook) -> Result<(), u32> {
        let own = webhook.options.rate_limit.and_then(NonZeroU32::new);
        let Some(limit) = own.or(self.default) else { return Ok(()) };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > MAX_BUCKETS {
            buckets.clear();
        }
        let bucket = buckets.entry(webhook.webhook_id.clone()).or_insert_with(|| Bucket::of(limit));
        if bucket.limit != limit {
            *bucket = Bucket::of(limit);
        }
        bucket.limiter.check().map_err(|refused| {
            let wait = refused.wait_time_from(bucket.limiter.clock().now());
            u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)
        })
    }
}

impl Bucket {
    fn of(limit: NonZeroU32) -> Self {
        Self { limit, limiter: RateLimiter::direct(Quota::per_second(limit)) }
    }
}
