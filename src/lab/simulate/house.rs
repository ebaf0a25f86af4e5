//! The house of a scenario: a store in memory, a clock that stands still, and everything else as the server has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arc_swap::ArcSwap;
use chrono::TimeDelta;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    api::{Call, Caller, Journal, decode},
    clock::{Clock, Timestamp},
    domain::{
        project::{AlertPolicy, Domain, Project, ProjectAlertConfig, Workspace},
        scope::{Home, Reach, Scope},
        webhook::{Webhook, WebhookOptions},
        words::{RecoveryMode, Role, WebhookState},
    },
    error::{Error, Result},
    id::Id,
    ingest::{Books, Intake, Shelves},
    jobs::alarm::alarm,
    metrics::Metrics,
    plugins::Defaults,
    store::{Requests, Store, Tx},
};

/// What domain and workspace of a scenario are called, as in recorded scenarios.
const DOMAIN: &str = "domain-1";
const WORKSPACE: &str = "ws-1";

/// Who furnishes the house, and who calls where a step does not say who.
pub(super) const NOBODY: &str = "simulate";

/// The house of a scenario.
pub(super) struct House {
    pub(super) intake: Arc<Intake>,
    clock: Clock,
    plugins: Arc<BTreeSet<String>>,
}

/// A method of the API, without its types.
pub(super) type Method = Box<dyn Fn(&mut dyn Tx, &Call, Value) -> Result<Value> + Send + Sync>;

/// A method of the API that only looks.
pub(super) type Look = Box<dyn Fn(&dyn Tx, &Call, Value) -> Result<Value> + Send + Sync>;

/// A method of the API that only looks.
pub(super) fn read<Q, S>(method: fn(&dyn Tx, &Call, Q) -> Result<S>) -> Look
where
    Q: DeserializeOwned + 'static,
    S: Serialize + 'static,
{
    Box::new(move |tx, call, request| {
        let found = method(tx, call, decode::request(request)?)?;
        serde_json::to_value(found).map_err(Error::internal)
    })
}

/// A method of the API that changes something.
pub(super) fn write<Q, S>(method: fn(&mut dyn Tx, &Call, Q) -> Result<S>) -> Method
where
    Q: DeserializeOwned + 'static,
    S: Serialize + 'static,
{
    Box::new(move |tx, call, request| {
        let done = method(tx, call, decode::request(request)?)?;
        serde_json::to_value(done).map_err(Error::internal)
    })
}

impl House {
    /// An empty house at `start`, with a domain and a workspace.
    pub(super) async fn new(books: &Arc<Books>, start: Timestamp) -> Result<Self> {
        let (clock, metrics) = (Clock::manual(start), Arc::new(Metrics::default()));
        let store = Store::in_memory(Arc::clone(&metrics))?;
        let intake = Intake {
            store,
            books: ArcSwap::new(Arc::clone(books)),
            shelves: Shelves::none(start),
            mint: clock.mint().clone(),
            metrics,
            outbound: None,
        };
        let plugins = books.plugins.names().map(str::to_owned).collect();
        let house = Self { intake: Arc::new(intake), clock, plugins: Arc::new(plugins) };
        house.write(move |tx| founded(tx, start)).await?;
        Ok(house)
    }

    /// What time it is in it.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the circumstances are of a call by `actor`.
    pub(super) fn call(&self, actor: &str) -> Call {
        let caller = Caller {
            actor: actor.to_owned(),
            name: actor.to_owned(),
            role: Role::SystemAdmin,
            // So that what holds in a whole workspace need not say which.
            scope: Scope { workspaces: Reach::one(WORKSPACE.into()), ..Scope::EVERYTHING },
            token_id: actor.into(),
        };
        let store = self.intake.store.clone();
        let requests = move |id: &Id<Webhook>| {
            store.snapshots().requests.get(id).map(|it| *it).unwrap_or_default()
        };
        Call {
            caller: Arc::new(caller),
            now: self.now(),
            request_id: NOBODY.to_owned(),
            remote: None,
            user_agent: None,
            mint: self.intake.mint.clone(),
            public_url: "http://alertmill.example".to_owned(),
            plugins: Arc::clone(&self.plugins),
            // A scenario says itself which rules there are.
            defaults: Arc::new(|_| Defaults::default()),
            kinds: Arc::default(),
            requests: Arc::new(requests),
            refused: Arc::new(|_| Vec::new()),
            notes: Journal::default(),
        }
    }

    /// Calls a method as `actor`.
    pub(super) async fn ask(&self, method: Method, actor: &str, request: Value) -> Result<Value> {
        let call = self.call(actor);
        self.write(move |tx| method(tx, &call, request)).await
    }

    /// All that a list holds, page by page, in the order of the list.
    pub(super) async fn all(&self, list: Look, query: Value) -> Result<Vec<Value>> {
        let call = self.call(NOBODY);
        self.read(move |tx| {
            let (mut rows, mut query) = (Vec::new(), query);
            loop {
                let mut page = list(tx, &call, json!({ "query": query }))?;
                match page["results"].take() {
                    Value::Array(found) => rows.extend(found),
                    _ => return Ok(rows),
                }
                match page["next_cursor"].take() {
                    Value::String(cursor) => query["page"]["cursor"] = cursor.into(),
                    _ => return Ok(rows),
                }
            }
        })
        .await
    }

    /// Does `work` as one unit.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.intake.store.write(work).await
    }

    /// What `work` makes of the store as it is.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.intake.store.read(work).await
    }

    /// How many deliveries came in.
    pub(super) fn requests(&self) -> Requests {
        let all = self.intake.store.snapshots().requests.all();
        all.iter().fold(Requests::default(), |sum, one| Requests {
            total: sum.total + one.total,
            error: sum.error + one.error,
        })
    }

    /// When something happens next by itself, until `end`.
    pub(super) async fn next(&self, end: Timestamp) -> Result<Option<Timestamp>> {
        let next = self.read(|tx| tx.next_timer()).await?;
        Ok(next.filter(|due| *due <= end))
    }

    /// Lets the time come that is `moment`; it never goes back.
    pub(super) fn reach(&self, moment: Timestamp) {
        let by = moment - self.now();
        if by > TimeDelta::zero() {
            self.clock.advance(by);
        }
    }

    /// Does what is due now, as the server does it each second; what could not be done, in a sentence.
    pub(super) async fn tick(&self) -> Result<Option<String>> {
        let now = self.now();
        alarm(&self.intake, now).await?;
        let left = self.read(move |tx| tx.due_timers(now, 1)).await?;
        Ok(left.first().map(|timer| {
            format!(
                "what was due at {} for `{}` ({}) could not be done",
                timer.due_at,
                timer.subject,
                timer.kind.as_str()
            )
        }))
    }

    /// Makes a project that is alerted.
    pub(super) async fn project(&self, id: &str) -> Result<()> {
        let (home, created_at) = (home(id), self.now());
        self.write(move |tx| {
            let (name, tags) = (home.project_id.to_string(), BTreeMap::new());
            tx.put_project(&Project { home: home.clone(), name, tags, created_at })?;
            let policy = AlertPolicy::new(RecoveryMode::Auto);
            tx.put_alert_config(&ProjectAlertConfig { home, policy, created_at })
        })
        .await
    }

    /// Makes a webhook whose deliveries a plugin reads.
    pub(super) async fn webhook(
        &self,
        id: &str,
        plugin: &str,
        project: &str,
    ) -> Result<Id<Webhook>> {
        let webhook = Webhook {
            webhook_id: id.into(),
            name: plugin.to_owned(),
            state: WebhookState::Enabled,
            access_keys: Vec::new(),
            plugin: plugin.to_owned(),
            options: WebhookOptions::default(),
            home: home(project),
            tags: BTreeMap::new(),
            created_at: self.now(),
        };
        self.write(move |tx| tx.put_webhook(&webhook)).await?;
        Ok(id.into())
    }
}

fn home(project: &str) -> Home {
    Home { domain_id: DOMAIN.into(), workspace_id: WORKSPACE.into(), project_id: project.into() }
}

fn founded(tx: &mut dyn Tx, created_at: Timestamp) -> Result<()> {
    let (domain_id, name): (Id<Domain>, _) = (DOMAIN.into(), DOMAIN.to_owned());
    tx.put_domain(&Domain { domain_id: domain_id.clone(), name, created_at })?;
    let (workspace_id, name) = (WORKSPACE.into(), WORKSPACE.to_owned());
    tx.put_workspace(&Workspace { workspace_id, domain_id, name, created_at })
}
