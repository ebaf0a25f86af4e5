//! What the program counts about itself, in the text format of Prometheus.

use std::{fmt, sync::atomic::Ordering, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// The labels of a counter of deliveries.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct DeliveryLabels {
    /// The webhook they were posted to.
    pub webhook_id: String,
    /// What became of them.
    pub outcome: &'static str,
}

/// The labels of a counter of what has one reason, type or severity.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct KindLabels {
    /// The reason, type or severity.
    pub kind: &'static str,
}

/// The label of the rules and plugins that are live.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct VersionLabels {
    /// A digest of them all.
    pub version: String,
}

/// The labels of what is counted of a mapping.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct MappingLabels {
    /// The provider whose mapping it is; one of those that are loaded, so there are never many.
    pub provider: String,
}

/// The labels of a timing of HTTP requests.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct HttpLabels {
    /// The pattern of the route, never the path, since a path may hold a key.
    pub route: String,
    /// The status that was answered.
    pub status: u16,
}

/// What the program counts about itself.
pub struct Metrics {
    registry: Registry,
    /// Deliveries, by webhook and by what became of them.
    pub deliveries: Family<DeliveryLabels, Counter>,
    /// Events, by type.
    pub events: Family<KindLabels, Counter>,
    /// Open alerts, by severity.
    pub alerts_open: Family<KindLabels, Gauge>,
    /// Requests that were refused at the door, by reason.
    pub rejected: Family<KindLabels, Counter>,
    /// How often rules and plugins were loaded again, by what came of it.
    pub reloads: Family<KindLabels, Counter>,
    /// Which rules and plugins are live.
    pub rules_loaded: Family<VersionLabels, Gauge>,
    /// How long a commit took, in seconds.
    pub commit_seconds: Histogram,
    /// How many units of work shared a commit.
    pub commit_jobs: Histogram,
    /// How many units of work wait.
    pub queue_depth: Gauge,
    /// How many reads of the store are under way.
    pub queries_running: Gauge,
    /// How many reads of the store were stopped before they were done, by reason.
    pub queries_stopped: Family<KindLabels, Counter>,
    /// How often a `map` met a word that it does not know, by mapping. It starts again with each load of the rules.
    pub mapping_unknown_values: Family<MappingLabels, Counter>,
    /// How many paths that a mapping reads used to be in its payloads and are not any more, by mapping.
    pub mapping_paths_gone: Family<MappingLabels, Gauge>,
    /// How many readers watch the stream.
    pub streams: Gauge,
    /// How many streams the server ended, by reason.
    pub streams_dropped: Family<KindLabels, Counter>,
    /// Attempts to send messages, by what came of them.
    pub messages: Family<KindLabels, Counter>,
    /// What was removed because it was old, by kind.
    pub removed: Family<KindLabels, Counter>,
    /// How long HTTP requests took, in seconds, by route pattern and status.
    pub http_seconds: Family<HttpLabels, Histogram, fn() -> Histogram>,
}

fn request_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 14))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("alertmill");
        let metrics = Self {
            registry: Registry::default(),
            deliveries: Family::default(),
            events: Family::default(),
            alerts_open: Family::default(),
            rejected: Family::default(),
            reloads: Family::default(),
            rules_loaded: Family::default(),
            commit_seconds: Histogram::new(exponential_buckets(0.0001, 2.0, 16)),
            commit_jobs: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            queue_depth: Gauge::default(),
            queries_running: Gauge::default(),
            queries_stopped: Family::default(),
            mapping_unknown_values: Family::default(),
            mapping_paths_gone: Family::default(),
            messages: Family::default(),
            removed: Family::default(),
            streams: Gauge::default(),
            streams_dropped: Family::default(),
            http_seconds: Family::new_with_constructor(request_buckets),
        };
        registry.register(
            "deliveries",
            "Deliveries by webhook and outcome",
            metrics.deliveries.clone(),
        );
        registry.register("events", "Events by type", metrics.events.clone());
        registry.register(
            "messages",
            "Attempts to send messages by what came of them",
            metrics.messages.clone(),
        );
        registry.register("alerts_open", "Open alerts by severity", metrics.alerts_open.clone());
        registry.register(
            "rejected",
            "Requests refused at the door by reason",
            metrics.rejected.clone(),
        );
        registry.register(
            "rules_reloads",
            "Reloads of rules and plugins by outcome",
            metrics.reloads.clone(),
        );
        registry.register(
            "rules_loaded",
            "One for the version of rules and plugins that is live",
            metrics.rules_loaded.clone(),
        );
        let (commit, jobs) = (metrics.commit_seconds.clone(), metrics.commit_jobs.clone());
        registry.register_with_unit("commit", "Duration of a commit", Unit::Seconds, commit);
        registry.register("commit_jobs", "Units of work that shared a commit", jobs);
        registry.register("queue_depth", "Units of work that wait", metrics.queue_depth.clone());
        metrics.register_queries(&mut registry);
        metrics.register_mappings(&mut registry);
        metrics.register_streams(&mut registry);
        let http = metrics.http_seconds.clone();
        registry.register_with_unit("http", "Duration of HTTP requests", Unit::Seconds, http);
        Self { registry, ..metrics }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    fn register_mappings(&self, registry: &mut Registry) {
        registry.register(
            "mapping_unknown_values",
            "Words that a map of a mapping does not know",
            self.mapping_unknown_values.clone(),
        );
        registry.register(
            "mapping_paths_gone",
            "Paths of a mapping that used to be in payloads and are not any more",
            self.mapping_paths_gone.clone(),
        );
    }

    fn register_streams(&self, registry: &mut Registry) {
        registry.register("removed", "What was removed, being old", self.removed.clone());
        registry.register("streams", "Readers of the stream", self.streams.clone());
        registry.register(
            "streams_dropped",
            "Streams that the server ended by reason",
            self.streams_dropped.clone(),
        );
    }

    fn register_queries(&self, registry: &mut Registry) {
        let (running, stopped) = (self.queries_running.clone(), self.queries_stopped.clone());
        registry.register("queries_running", "Reads of the store that are under way", running);
        let help = "Reads of the store stopped before they were done by reason";
        registry.register("queries_stopped", help, stopped);
    }

    /// Counts one commit that `jobs` units of work shared.
    pub fn committed(&self, jobs: usize, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.commit_jobs.observe(f64::from(u32::try_from(jobs).unwrap_or(u32::MAX)));
    }

    /// Notes which rules and plugins are live.
    pub fn loaded(&self, live: &VersionLabels) {
        self.rules_loaded.clear();
        self.rules_loaded.get_or_create(live).set(1);
    }

    /// Says how often the `map`s of a mapping met words that they do not know, and how many of its paths are gone.
    pub fn mapping(&self, provider: &str, unknown: u64, gone: usize) {
        let labels = MappingLabels { provider: provider.to_owned() };
        let counter = self.mapping_unknown_values.get_or_create(&labels);
        counter.inner().store(unknown, Ordering::Relaxed);
        let gone = i64::try_from(gone).unwrap_or(i64::MAX);
        self.mapping_paths_gone.get_or_create(&labels).set(gone);
    }

    /// All of it, as Prometheus reads it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(fmt::Error) => String::new(),
        }
    }
}
