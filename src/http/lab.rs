//! The methods that try rules out: drafts, comparisons and coverage. None of them changes anything.
//!
//! What reads stored deliveries sees those of the caller's scope only, reads them a page at a time on the blocking pool,
//! and stops when its time is up; the answer says so. Those that cannot begin at once are refused with
//! `ERROR_UNAVAILABLE` and `Retry-After`, so that nobody waits behind a long one. Drafts and comparisons need a token that
//! may write, since they cost time for the sake of who edits rules; coverage needs one that may read.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix_web::web::Data;
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{sync::OwnedSemaphorePermit, task::spawn_blocking};

use super::{
    Front,
    method::{Kind, Method, Work, act, compute},
};
use crate::{
    api::{Call, Moment},
    app::App,
    clock::{Stopwatch, Timestamp},
    config::Span,
    domain::{
        delivery::{Delivery, PresentedKey},
        scope::Scope,
        webhook::Webhook,
    },
    error::{Code, Error, Mistake, Result},
    id::Id,
    ingest::Books,
    lab::{
        coverage::{CoverageInfo, Tallies, live},
        diff::{Again, Comparison, Differ},
        draft::{self, DraftError},
    },
    load_error::LoadError,
    store::{Arrival, KeptPosted, Store, Window},
};

/// How long stored deliveries are read for one answer.
const LONGEST: Duration = Duration::from_secs(45);

/// How many deliveries are read at once.
const PAGE: u32 = 512;

/// After how many bytes of payload a page ends, in bytes as they are stored.
const PAGE_BYTES: usize = 4 << 20;

/// The methods of this file.
pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/rules/draft",
            "rules.draft",
            "Drafts a provider's rules from samples of what it posts.",
            compute(draft_rules),
        ),
        Method::post(
            "/api/v1/rules/diff",
            "rules.diff",
            "Says what edited rules would change of stored deliveries.",
            computing(act(diff)),
        ),
        Method::get(
            "/api/v1/rules/coverage",
            "rules.coverage",
            "Says what of the mappings is used, and which words and paths they miss.",
            act(coverage),
        ),
    ]
}

/// The same work as one that changes nothing.
fn computing(work: Work) -> Work {
    let mut work = work;
    work.kind = Kind::Compute;
    work
}

/// Asks for a draft.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DraftRules {
    /// What the provider is called: lower-case letters, digits and `-`.
    provider: String,
    /// Payloads as they were posted, best a problem, its recovery and a batch.
    samples: Vec<String>,
    /// The list whose elements are one event each, e.g. `$.alerts[*]`; guessed where absent.
    each: Option<String>,
}

/// A draft.
#[derive(Serialize, JsonSchema)]
struct DraftInfo {
    /// The provider.
    provider: String,
    /// The files by their path, e.g. `rules/<provider>/mapping.yaml`.
    files: BTreeMap<String, String>,
    /// What the draft makes of the samples, one sentence each.
    findings: Vec<String>,
    /// What is most likely not meant.
    warnings: Vec<String>,
}

fn draft_rules(_: &App, _: &Call, request: DraftRules) -> Result<DraftInfo> {
    let DraftRules { provider, samples, each } = request;
    let named = samples.into_iter().zip(1..);
    let posted: Vec<draft::Posted> = named
        .map(|(text, at)| draft::Posted { name: format!("sample-{at}"), body: text.into_bytes() })
        .collect();
    let drafted = draft::draft_each(&provider, &posted, each.as_deref());
    let drafted = drafted.map_err(|error| match error {
        DraftError::Name(_) => Error::at(Code::InvalidParameter, "/provider", error.to_string()),
        DraftError::Unreadable { .. } | DraftError::Nothing => {
            Error::at(Code::InvalidParameter, "/samples", error.to_string())
        }
        DraftError::NoList(_) => Error::at(Code::InvalidParameter, "/each", error.to_string()),
        DraftError::Broken(_) => Error::internal(error),
    })?;
    let texts = drafted.files.into_iter();
    let files = texts.map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()));
    let (files, findings, warnings) = (files.collect(), drafted.findings, drafted.warnings);
    Ok(DraftInfo { provider, files, findings, warnings })
}

/// Asks what edited rules would change.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DiffRules {
    /// The edited mappings, by provider. One that extends another holds what it extends, or extends one that is live.
    #[serde(default)]
    mappings: BTreeMap<String, String>,
    /// The edited manifests of plugins, by name.
    #[serde(default)]
    plugins: BTreeMap<String, String>,
    /// How far back deliveries are read, e.g. `7d`.
    since: Option<String>,
}

/// What edited rules would change of stored deliveries.
#[derive(Serialize, JsonSchema)]
struct DiffInfo {
    /// Deliveries since then were read.
    since: Moment,
    /// Whether all of them were; false where time was up, and the newest were read.
    complete: bool,
    /// Providers whose edited rules are those of today, so that their deliveries were not read.
    unchanged: Vec<String>,
    /// What would change.
    #[serde(flatten)]
    comparison: Comparison,
}

async fn diff(front: Data<Front>, call: Call, request: DiffRules) -> Result<DiffInfo> {
    let _turn = turn(&front)?;
    let since = since(&call, request.since.as_deref())?;
    let old = front.app.intake.books.load_full();
    let DiffRules { mappings, plugins, .. } = request;
    let (base, named) = (Arc::clone(&old), mappings.clone());
    let new = blocking(move || edited(&base, mappings, plugins)).await??;
    let new = Arc::new(new);
    let differs = |webhook: &Webhook| reads_differently((&old, &new), webhook);
    let unchanged = named.into_keys().filter(|name| {
        old.rulebook.get(name).map(|it| it.version())
            == new.rulebook.get(name).map(|it| it.version())
    });
    let unchanged = unchanged.collect();
    let webhooks = webhooks(&front, &call, differs).await?;
    let mut differ = Differ::new(Arc::clone(&old), Arc::clone(&new));
    let reads = (&front.app.store, &call.caller.scope);
    let mut pages = Pages::new(reads, webhooks, (since, Arrival::NewestFirst));
    while let Some(page) = pages.next().await? {
        differ = blocking(move || {
            differ.add(&page.unpacked()?);
            Ok::<_, Error>(differ)
        })
        .await??;
    }
    let complete = pages.is_complete();
    let comparison = blocking(move || differ.finish()).await?;
    Ok(DiffInfo { since: since.into(), complete, unchanged, comparison })
}

/// The rules of today with these texts in place of theirs.
fn edited(
    books: &Books,
    mappings: BTreeMap<String, String>,
    plugins: BTreeMap<String, String>,
) -> Result<Books> {
    let mut mistakes = Vec::new();
    let mut rulebook = books.rulebook.clone();
    for (provider, text) in mappings {
        match rulebook.with_text(&provider, &text) {
            Ok(changed) => rulebook = changed,
            Err(found) => mistakes.extend(located("mappings", &provider, &found)),
        }
    }
    let mut book = books.plugins.clone();
    for (name, text) in plugins {
        match book.with_text(&name, &text) {
            Ok(changed) => book = changed,
            Err(found) => mistakes.extend(located("plugins", &name, &[found])),
        }
    }
    if let Some(first) = mistakes.first() {
        let detail = format!("the edited rules do not load: {}", first.detail);
        return Err(Error { mistakes, ..Error::new(Code::InvalidParameter, detail) });
    }
    Ok(Books { rulebook, plugins: book, ..Books::default() })
}

fn located<'m>(
    parameter: &'m str,
    name: &'m str,
    found: &'m [LoadError],
) -> impl Iterator<Item = Mistake> + use<'m> {
    found.iter().map(move |mistake| Mistake {
        pointer: format!("/{parameter}/{name}"),
        detail: mistake.to_string(),
    })
}

/// Whether both rules may read deliveries of a webhook differently.
fn reads_differently((old, new): (&Books, &Books), webhook: &Webhook) -> bool {
    let plugin = |books: &Books| books.plugins.get(&webhook.plugin).cloned();
    let (before, after) = (plugin(old), plugin(new));
    let version = |books: &Books, plugin: &Option<Arc<crate::plugins::Plugin>>| {
        let mapping = plugin.as_ref().map_or(webhook.plugin.as_str(), |plugin| plugin.mapping());
        books.rulebook.get(mapping).map(|mapping| mapping.version().version.clone())
    };
    let is_same_plugin = match (&before, &after) {
        (Some(before), Some(after)) => Arc::ptr_eq(before, after),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    !is_same_plugin || version(old, &before) != version(new, &after)
}

/// Asks what of the mappings is used.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskCoverage {
    /// Only the mapping of this provider.
    provider: Option<String>,
    /// How far back stored deliveries are read, e.g. `7d`; where absent, what was counted since the mappings were loaded
    /// is told, to those who see everything.
    since: Option<String>,
}

/// What of the mappings is used.
#[derive(Serialize, JsonSchema)]
struct CoverageAnswer {
    /// Deliveries since then were read; null for what was counted live.
    since: Option<Moment>,
    /// Whether all of them were.
    complete: bool,
    /// What of each mapping is used; those that read nothing are left out, unless one was asked for.
    providers: BTreeMap<String, CoverageInfo>,
}

async fn coverage(front: Data<Front>, call: Call, asked: AskCoverage) -> Result<CoverageAnswer> {
    let books = front.app.intake.books.load_full();
    if let Some(provider) = &asked.provider
        && books.rulebook.get(provider).is_none()
    {
        return Err(Error::not_found("mapping", provider));
    }
    let only = asked.provider.clone();
    if asked.since.is_none() {
        if call.caller.scope != Scope::EVERYTHING {
            let detail = "what is counted live is of all projects; give `since` to have your deliveries read";
            return Err(Error::at(Code::RequiredParameter, "/since", detail));
        }
        let providers = blocking(move || live(&books.rulebook, only.as_deref())).await?;
        return Ok(CoverageAnswer { since: None, complete: true, providers });
    }
    let _turn = turn(&front)?;
    let since = since(&call, asked.since.as_deref())?;
    let is_meant = |webhook: &Webhook| {
        let plugin = books.plugins.get(&webhook.plugin);
        let mapping = plugin.map_or(webhook.plugin.as_str(), |plugin| plugin.mapping());
        asked.provider.as_ref().is_none_or(|wanted| wanted == mapping)
    };
    let webhooks = webhooks(&front, &call, is_meant).await?;
    let tallies = Arc::new(Tallies::of(&books.rulebook));
    let reads = (&front.app.store, &call.caller.scope);
    // What is told of drift goes by the order of payloads.
    let mut pages = Pages::new(reads, webhooks, (since, Arrival::OldestFirst));
    while let Some(page) = pages.next().await? {
        let (books, tallies) = (Arc::clone(&books), Arc::clone(&tallies));
        blocking(move || {
            for again in page.unpacked()? {
                tallies.count(&books, &again.webhook, &again.delivery);
            }
            Ok::<_, Error>(())
        })
        .await??;
    }
    let complete = pages.is_complete();
    let providers = blocking(move || tallies.report(&books.rulebook, only.as_deref())).await?;
    Ok(CoverageAnswer { since: Some(since.into()), complete, providers })
}

/// A turn to compute, if one is free.
fn turn(front: &Front) -> Result<OwnedSemaphorePermit> {
    Arc::clone(&front.computing).try_acquire_owned().map_err(|_| {
        Error::unavailable("other comparisons are running; try again when they are done", 10)
    })
}

/// The time so long before the call; seven days where nothing is said.
fn since(call: &Call, asked: Option<&str>) -> Result<Timestamp> {
    let span: Span = asked
        .unwrap_or("7d")
        .parse()
        .map_err(|wrong| Error::at(Code::InvalidParameter, "/since", format!("{wrong}")))?;
    let before =
        TimeDelta::from_std(span.0).ok().and_then(|span| call.now.checked_sub_signed(span));
    before.ok_or_else(|| Error::at(Code::InvalidParameter, "/since", "that is before all times"))
}

/// The webhooks in the caller's scope that are meant.
async fn webhooks(
    front: &Front,
    call: &Call,
    is_meant: impl Fn(&Webhook) -> bool,
) -> Result<Vec<Arc<Webhook>>> {
    let scope = call.caller.scope.clone();
    let all = front.app.store.read(move |tx| tx.webhooks(&scope)).await?;
    Ok(all.into_iter().filter(is_meant).map(Arc::new).collect())
}

/// Does `work` where it may take its time.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)
}

/// Stored deliveries, page by page, until all are read or time is up.
struct Pages {
    store: Store,
    scope: Scope,
    window: Window,
    webhooks: Arc<BTreeMap<Id<Webhook>, Arc<Webhook>>>,
    more: bool,
    watch: Stopwatch,
}

/// Deliveries, still packed.
struct Page {
    webhooks: Arc<BTreeMap<Id<Webhook>, Arc<Webhook>>>,
    rows: Vec<KeptPosted>,
}

impl Pages {
    fn new(
        (store, scope): (&Store, &Scope),
        webhooks: Vec<Arc<Webhook>>,
        (since, order): (Timestamp, Arrival),
    ) -> Self {
        let ids = webhooks.iter().map(|webhook| webhook.webhook_id.clone()).collect();
        let window = Window {
            webhooks: Arc::new(ids),
            since,
            order,
            beyond: None,
            limit: PAGE,
            bytes: PAGE_BYTES,
        };
        let webhooks = webhooks.into_iter().map(|webhook| (webhook.webhook_id.clone(), webhook));
        let webhooks: BTreeMap<_, _> = webhooks.collect();
        Self {
            store: store.clone(),
            scope: scope.clone(),
            window,
            more: !webhooks.is_empty(),
            webhooks: Arc::new(webhooks),
            watch: Stopwatch::start(),
        }
    }

    /// The next page; `None` at the end, or when time is up.
    async fn next(&mut self) -> Result<Option<Page>> {
        if !self.more || self.watch.elapsed() >= LONGEST {
            return Ok(None);
        }
        let (scope, window) = (self.scope.clone(), self.window.clone());
        let page = self.store.read(move |tx| tx.posted(&scope, &window)).await?;
        self.more = page.more;
        self.window.beyond = page.rows.last().map(|row| row.delivery_id.clone());
        Ok(Some(Page { webhooks: Arc::clone(&self.webhooks), rows: page.rows }))
    }

    fn is_complete(&self) -> bool {
        !self.more
    }
}

impl Page {
    /// The deliveries, with their webhooks.
    fn unpacked(self) -> Result<Vec<Again>> {
        let Self { webhooks, rows } = self;
        let mut unpacked = Vec::with_capacity(rows.len());
        for KeptPosted { delivery_id, webhook_id, remote, received_at, payload } in rows {
            let Some(webhook) = webhooks.get(&webhook_id) else { continue };
            let posted = payload.unpack()?;
            let delivery = Delivery {
                delivery_id,
                webhook_id,
                presented: PresentedKey([0; 32]),
                headers: posted.headers,
                query: posted.query,
                body: posted.body,
                remote,
                received_at,
            };
            unpacked.push(Again { webhook: Arc::clone(webhook), delivery });
        }
        Ok(unpacked)
    }
}
