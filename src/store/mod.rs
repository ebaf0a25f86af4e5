//! What we remember. This file is the contract; a folder beside it keeps it.
//!
//! A [`Tx`] is one unit of work: all of it happens or none does. `&dyn Tx`
//! reads and `&mut dyn Tx` writes, so the type of a function's first argument
//! says which it is, and the compiler holds it to that. Whatever belongs to
//! someone is read within a [`Scope`]; what lies outside looks absent.

mod audits;
mod care;
mod changes;
mod channels;
mod declared;
mod directory;
mod event_rules;
mod explain;
mod feeds;
pub mod files;
mod group_rules;
mod happenings;
mod heartbeats;
mod limit;
mod lives;
mod notes;
mod outbox;
mod payload;
mod people;
mod policies;
mod posted;
mod scan;
mod sqlite;
mod suppression;
mod transfer;
mod unit;
mod upkeep;
mod users;
mod verification;

use std::{ops::ControlFlow, path::Path, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};

pub use self::{
    audits::{Accepted, Audits, Posting},
    care::{Histories, Hit, HitKind, Hits, Setups, Timers},
    changes::{Changed, Changes},
    channels::Channels,
    declared::IndexedFields,
    directory::{Directory, Requests, Snapshots},
    event_rules::EventRules,
    explain::{Explainable, Explained, Explains},
    feeds::{Feed, Feeds},
    group_rules::GroupRules,
    happenings::{Between, EachHappened, Happened, Happenings},
    heartbeats::Heartbeats,
    lives::Lives,
    notes::Notes,
    outbox::{Due, Heard, MOST_GATHERED, MessageQuery, Outbox, Put, Settled, Writing},
    payload::{Packing, Payload, Posted},
    people::People,
    policies::EscalationPolicies,
    posted::{Arrival, DeliveryQuery, Filing, Kept, KeptPosted, PostedPage, Redriven, Window},
    scan::Scan,
    suppression::{InhibitedByKey, OpenPage, OpenPlace, Suppression, Which},
    transfer::{Bulk, EachPlaced, Exports, Imports, Placed, Rows, Stretch, Way},
    upkeep::{Mark, Old, Sweep, Swept, Upkeep},
    users::Users,
    verification::{Verification, Verified},
};
use self::{
    limit::{READS, Stop, Waiting, Watch},
    unit::{Once, Repeatable, Unit, WriteJob},
};
use crate::{
    clock::Timestamp,
    digest::Digest,
    domain::{
        alert::{Alert, Ending, Standing},
        audit::SealKey,
        correlate::Past,
        delivery::Delivery,
        event::{Event, MappingVersion},
        project::{Domain, Project, ProjectAlertConfig, Workspace},
        receipt::{Receipt, Unreadable},
        scope::Scope,
        token::Token,
        webhook::Webhook,
    },
    error::{Code, Error, Result},
    id::Id,
    metrics::{KindLabels, Metrics},
    query::{Query, Stat},
};

/// One page of what a query found.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// The page.
    pub rows: Vec<T>,
    /// How many there are in all, as far as they were counted.
    pub total: Total,
    /// Where the next page begins; `None` on the last page.
    pub next_cursor: Option<String>,
}

/// How many rows a query has in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Exactly so many.
    Exact(u64),
    /// At least so many; nobody counted further.
    AtLeast(u64),
    /// Nobody counted.
    Unknown,
}

/// What is done with each record of a scan: an object as its view shows it, with the fields that were asked for.
pub type Each<'a> = dyn FnMut(Value) -> Result<ControlFlow<()>> + 'a;

/// Domains, workspaces and projects.
pub trait Projects {
    /// The domains in `scope`, by identifier.
    fn domains(&self, scope: &Scope) -> Result<Vec<Domain>>;
    /// The number of a domain, which is its own for ever, if it exists in `scope`.
    fn domain_number(&self, scope: &Scope, id: &Id<Domain>) -> Result<Option<u64>>;
    /// Adds or replaces a domain.
    fn put_domain(&mut self, domain: &Domain) -> Result<()>;
    /// Removes a domain; `ERROR_EXIST_RESOURCE` while something is in it.
    fn delete_domain(&mut self, id: &Id<Domain>) -> Result<()>;
    /// The workspaces in `scope`, by identifier.
    fn workspaces(&self, scope: &Scope) -> Result<Vec<Workspace>>;
    /// Adds or replaces a workspace.
    fn put_workspace(&mut self, workspace: &Workspace) -> Result<()>;
    /// Removes a workspace; `ERROR_EXIST_RESOURCE` while something is in it.
    fn delete_workspace(&mut self, id: &Id<Workspace>) -> Result<()>;
    /// The project, if it exists in `scope`.
    fn project(&self, scope: &Scope, id: &Id<Project>) -> Result<Option<Project>>;
    /// The projects in `scope`, by identifier.
    fn projects(&self, scope: &Scope) -> Result<Vec<Project>>;
    /// Adds or replaces a project.
    fn put_project(&mut self, project: &Project) -> Result<()>;
    /// Removes a project; `ERROR_EXIST_RESOURCE` while something is in it.
    fn delete_project(&mut self, id: &Id<Project>) -> Result<()>;
    /// How a project is alerted, if alerting is on for it.
    fn alert_config(&self, scope: &Scope, id: &Id<Project>) -> Result<Option<ProjectAlertConfig>>;
    /// How the projects in `scope` are alerted, by project identifier.
    fn alert_configs(&self, scope: &Scope) -> Result<Vec<ProjectAlertConfig>>;
    /// Adds or replaces how a project is alerted.
    fn put_alert_config(&mut self, config: &ProjectAlertConfig) -> Result<()>;
    /// Switches alerting off for a project.
    fn delete_alert_config(&mut self, id: &Id<Project>) -> Result<()>;
}

/// Webhooks.
pub trait Webhooks {
    /// The webhook, if it exists in `scope`.
    fn webhook(&self, scope: &Scope, id: &Id<Webhook>) -> Result<Option<Webhook>>;
    /// The webhooks in `scope`, by name.
    fn webhooks(&self, scope: &Scope) -> Result<Vec<Webhook>>;
    /// Adds or replaces a webhook, its keys included; `ERROR_NOT_UNIQUE` where its project has another of that name.
    fn put_webhook(&mut self, webhook: &Webhook) -> Result<()>;
    /// Removes a webhook; its events and alerts stay.
    fn delete_webhook(&mut self, id: &Id<Webhook>, now: Timestamp) -> Result<()>;
}

/// Tokens.
pub trait Tokens {
    /// The token, if it exists.
    fn token(&self, id: &Id<Token>) -> Result<Option<Token>>;
    /// All tokens, oldest first.
    fn tokens(&self) -> Result<Vec<Token>>;
    /// Adds or replaces a token.
    fn put_token(&mut self, token: &Token) -> Result<()>;
}

/// Deliveries: what was posted, and what became of it.
pub trait Deliveries {
    /// The receipt that a delivery got which the sender called `sender_id`, and the digest of its body.
    fn receipt_of(
        &self,
        webhook: &Id<Webhook>,
        sender_id: &str,
    ) -> Result<Option<(Digest, Receipt)>>;
    /// Adds a delivery. Its events must follow in the same unit of work, in order.
    fn add_delivery(&mut self, filing: &Filing<'_>) -> Result<()>;
    /// Adds an item that was not understood, with the event of type ERROR that says so; or replaces why.
    fn add_dead_item(
        &mut self,
        delivery: &Id<Delivery>,
        item: Option<u32>,
        unreadable: &Unreadable,
        error_event: &Id<Event>,
    ) -> Result<()>;
    /// The delivery, if it exists in `scope`.
    fn delivery(&self, scope: &Scope, id: &Id<Delivery>) -> Result<Option<Kept>>;
    /// The deliveries in `scope`, newest first.
    fn deliveries(&self, scope: &Scope, query: &DeliveryQuery) -> Result<Vec<Kept>>;
    /// What was posted: headers, query and body.
    fn payload(&self, scope: &Scope, id: &Id<Delivery>) -> Result<Option<Payload>>;
    /// What was posted in a window, in `scope`.
    fn posted(&self, scope: &Scope, window: &Window) -> Result<PostedPage>;
    /// Keeps what driving a delivery again changed.
    fn redriven(&mut self, id: &Id<Delivery>, redriven: &Redriven) -> Result<()>;
    /// How many deliveries, of a webhook or of all, have items that are not understood yet; counted up to `most`.
    fn dead_deliveries(&self, webhook: Option<&Id<Webhook>>, most: u32) -> Result<u64>;
}

/// Events.
pub trait Events {
    /// The event, if it exists in `scope`.
    fn event(&self, scope: &Scope, id: &Id<Event>) -> Result<Option<Event>>;
    /// The events in `scope` that `query` asks for.
    fn events(&self, scope: &Scope, query: &Query) -> Result<Found<Event>>;
    /// Gives `each` of the events in `scope` that `scan` asks for, until it breaks off.
    fn visit_events(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()>;
    /// The rows of a statistic about the events in `scope`; a page of it is not taken yet.
    fn event_stat(&self, scope: &Scope, stat: &Stat) -> Result<Vec<Value>>;
    /// Adds an event.
    fn add_event(&mut self, event: &Event) -> Result<()>;
    /// Makes an event that had no alert one of this alert's.
    fn adopt_event(&mut self, id: &Id<Event>, alert: &Id<Alert>) -> Result<()>;
    /// Keeps the text of a mapping that events were read with.
    fn add_mapping(&mut self, mapping: &MappingVersion, text: &str) -> Result<()>;
    /// The text of a mapping that events were read with.
    fn mapping_text(&self, mapping: &MappingVersion) -> Result<Option<String>>;
}

/// Alerts.
pub trait Alerts {
    /// The alert, if it exists in `scope`.
    fn alert(&self, scope: &Scope, id: &Id<Alert>) -> Result<Option<Alert>>;
    /// The alerts in `scope` that `query` asks for.
    fn alerts(&self, scope: &Scope, query: &Query) -> Result<Found<Alert>>;
    /// Gives `each` of the alerts in `scope` that `scan` asks for, until it breaks off.
    fn visit_alerts(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()>;
    /// The rows of a statistic about the alerts in `scope`; a page of it is not taken yet.
    fn alert_stat(&self, scope: &Scope, stat: &Stat) -> Result<Vec<Value>>;
    /// How the open alert of this key stands, if there is one.
    fn open_alert(&self, project: &Id<Project>, event_key: &str) -> Result<Option<Standing>>;
    /// What happened to this key before; of recoveries that matched no alert, the one that occurred last of those that
    /// arrived at `since` or later.
    fn past(&self, project: &Id<Project>, event_key: &str, since: Timestamp) -> Result<Past>;
    /// The open alerts that say that what this webhook's sender posts cannot be read.
    fn unreadable_alerts(&self, webhook: &Id<Webhook>) -> Result<Vec<Alert>>;
    /// Adds an alert and returns its number: the next one of its workspace, or the one it has if it is not zero.
    fn add_alert(&mut self, alert: &Alert) -> Result<u64>;
    /// Keeps how the open alert of an event's key stands with this event, and the event's description if it has one.
    fn join_alert(&mut self, event: &Event, standing: &Standing) -> Result<()>;
    /// Keeps how the open alert of an event's key ended with this event.
    fn end_alert(&mut self, event: &Event, standing: &Standing, ending: &Ending) -> Result<()>;
    /// Replaces an alert; `ERROR_NOT_UNIQUE` where that would leave two open alerts of one key.
    fn put_alert(&mut self, alert: &Alert) -> Result<()>;
    /// Marks an alert as deleted; its events stay.
    fn delete_alert(&mut self, id: &Id<Alert>, now: Timestamp) -> Result<()>;
}

/// One unit of work.
pub trait Tx:
    Projects
    + Webhooks
    + Tokens
    + Deliveries
    + Events
    + Alerts
    + Audits
    + IndexedFields
    + Explains
    + Exports
    + Imports
    + Happenings
    + Upkeep
    + Setups
    + Timers
    + Histories
    + Hits
    + EventRules
    + GroupRules
    + Suppression
    + EscalationPolicies
    + People
    + Heartbeats
    + Channels
    + Users
    + Outbox
    + Notes
    + Lives
    + Feeds
    + Changes
{
    /// Does `part` so that a failure undoes it alone, and tells whether it failed.
    fn attempt(&mut self, part: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()>;
}

/// A unit of work waiting to be done.
type ReadJob = Box<dyn FnOnce(Result<&dyn Tx>) + Send>;

/// What a storage backend provides.
trait Backend: Send + Sync {
    /// Runs `job` against a snapshot, and interrupts it where `watch` says so.
    fn read(&self, job: ReadJob, watch: Arc<Watch>);
    /// Queues `job` to be run alone, then committed or forgotten; refuses at once when the queue is full.
    fn write(&self, job: WriteJob) -> Result<()>;
    /// What the rest of the program looks up without asking the store.
    fn snapshots(&self) -> &Snapshots;
    /// Finishes what is queued, folds the log into the file and stops taking writes.
    fn close(&self);
}

/// How sure a commit must be before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On the disk: what is answered survives a power cut.
    Full,
    /// With the operating system: what is answered survives a killed process, not a power cut.
    Normal,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How sure a commit must be before it is answered.
    pub durability: Durability,
    /// How many units of work may share a commit.
    pub share: usize,
    /// How many units of work may wait.
    pub queue: usize,
    /// How long a read may take unless it says otherwise.
    pub query_timeout: Duration,
    /// What signs how the chains of the audit trail stand.
    pub seal: SealKey,
}

impl Default for Options {
    fn default() -> Self {
        let query_timeout = Duration::from_secs(10);
        let seal = SealKey::default();
        Self { durability: Durability::Full, share: 1024, queue: 4096, query_timeout, seal }
    }
}

/// How much a write is, for the bounds of queue and commit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// About how many bytes it will write.
    pub bytes: usize,
    /// How many events it may write.
    pub events: usize,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
    metrics: Arc<Metrics>,
    /// How long a read may take unless it says otherwise.
    query_timeout: Duration,
    /// How many more reads may begin at this moment.
    reads: Arc<Semaphore>,
}

impl Store {
    /// Opens the store in `file`, creating it if need be and bringing an older one up to date.
    ///
    /// # Errors
    /// Where the file cannot be opened, is no store, is damaged, or was written by a newer Alertmill.
    pub fn open(file: &Path, options: &Options, metrics: Arc<Metrics>) -> Result<Self> {
        let backend = sqlite::Sqlite::open(file, options, Arc::clone(&metrics))?;
        let reads = Arc::new(Semaphore::new(READS));
        let query_timeout = options.query_timeout;
        Ok(Self { backend: Arc::new(backend), metrics, query_timeout, reads })
    }

    /// Opens a store in memory, which is gone with its last copy. Nothing waits in it: each unit of work is done before its
    /// future is.
    ///
    /// # Errors
    /// Where the schema cannot be made.
    pub fn in_memory(metrics: Arc<Metrics>) -> Result<Self> {
        let backend = sqlite::Memory::open(Arc::clone(&metrics))?;
        let reads = Arc::new(Semaphore::new(READS));
        let query_timeout = Options::default().query_timeout;
        Ok(Self { backend: Arc::new(backend), metrics, query_timeout, reads })
    }

    /// What is looked up without asking the store: webhooks, tokens and setups as of the last commit.
    pub fn snapshots(&self) -> &Snapshots {
        self.backend.snapshots()
    }

    /// Does `work` against a snapshot of the store, for as long as a query may take; `ERROR_DEADLINE` beyond that. It
    /// stops when nobody waits for it any more.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Tx) -> Result<T> + Send + 'static,
    {
        self.read_for(self.query_timeout, work).await
    }

    /// The same with a limit of its own, which includes the time until it begins.
    pub async fn read_for<T, F>(&self, limit: Duration, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Tx) -> Result<T> + Send + 'static,
    {
        let watch = Watch::new(Some(limit));
        let began = tokio::time::timeout(limit, Arc::clone(&self.reads).acquire_owned()).await;
        let Ok(place) = began else { return Err(watch.error(Stop::Deadline)) };
        let place = place.map_err(Error::internal)?;
        let held = move |tx: &dyn Tx| {
            let done = work(tx);
            drop(place);
            done
        };
        self.watched(watch, held).await
    }

    async fn watched<T, F>(&self, watch: Arc<Watch>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Tx) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let (metrics, watched) = (Arc::clone(&self.metrics), Arc::clone(&watch));
        let job = move |tx: Result<&dyn Tx>| {
            metrics.queries_running.inc();
            let done = tx.and_then(work);
            metrics.queries_running.dec();
            let why = watched.why();
            if let Some(kind) = why.map(Stop::word) {
                metrics.queries_stopped.get_or_create(&KindLabels { kind }).inc();
            }
            // The work may have met its end in another way than by the limit.
            let is_stopped = |error: &Error| error.code == Code::Deadline;
            let _ = reply.send(done.map_err(|error| match why.filter(|_| is_stopped(&error)) {
                Some(why) => watched.error(why).because(error),
                None => error,
            }));
        };
        let waiting = Waiting(Arc::clone(&watch));
        self.backend.read(Box::new(job), watch);
        let answered = answer.await.map_err(Error::internal)?;
        drop(waiting);
        answered
    }

    /// Does `work`; all of it happens, or none if it returns an error. Returns once it is on disk.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue(Box::new(Once::new(work, reply)), Size::default())?;
        answer.await.map_err(Error::internal)?
    }

    /// Does `work`, which is of this size and may be done again: what is undone because a neighbour failed is repeated,
    /// so it must do the same each time. Returns once it is on disk.
    pub async fn write_repeatable<T, F>(&self, size: Size, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue(Box::new(Repeatable::new(work, reply)), size)?;
        answer.await.map_err(Error::internal)?
    }

    fn queue(&self, unit: Box<dyn Unit>, size: Size) -> Result<()> {
        self.backend.write(WriteJob { unit, size })
    }

    /// Finishes what is queued, folds the log into the file and stops taking writes.
    pub fn close(&self) {
        self.backend.close();
    }
}
