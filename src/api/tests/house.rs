//! A store with a webhook in the default project, and a caller.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    api::{Call, Caller, Journal, audit},
    clock::{Timestamp, from_millis},
    domain::{
        alert::Alert,
        event::{Draft, Event},
        project::{AlertPolicy, Domain, Project, ProjectAlertConfig, Workspace},
        scope::{Home, Reach, Scope},
        webhook::{Webhook, WebhookOptions},
        words::{DeliveryState, RecoveryMode, Role, Severity, WebhookState, Why},
    },
    error::Result,
    id::Mint,
    metrics::Metrics,
    plugins::Defaults,
    store::{Filing, Options, Payload, Requests, Store, Tx},
};

pub(super) struct House {
    store: Store,
    call: Call,
    directory: Arc<TempDir>,
}

/// When everything in these tests happens.
pub(super) fn noon() -> Timestamp {
    from_millis(1_767_268_800_000)
}

fn home() -> Home {
    Home {
        domain_id: "default".into(),
        workspace_id: "default".into(),
        project_id: "default".into(),
    }
}

impl House {
    pub(super) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("alertmill.db");
        let metrics = Arc::new(Metrics::default());
        let store = Store::open(&file, &Options::default(), metrics).unwrap();
        store.write(|tx| furnish(tx)).await.unwrap();
        let caller = Caller {
            actor: "token:token-1".to_owned(),
            name: "token-1".to_owned(),
            role: Role::SystemAdmin,
            scope: Scope::EVERYTHING,
            token_id: "token-1".into(),
        };
        let call = Call {
            caller: Arc::new(caller),
            now: noon(),
            request_id: "request-1".to_owned(),
            remote: Some("127.0.0.1".to_owned()),
            user_agent: None,
            mint: Mint::repeatable(),
            public_url: "http://mill.test/".to_owned(),
            plugins: Arc::new(["alertmanager".to_owned(), "grafana".to_owned()].into()),
            defaults: Arc::new(|_| Defaults::default()),
            kinds: Arc::default(),
            requests: Arc::new(|_| Requests { total: 7, error: 1 }),
            refused: Arc::new(|_| Vec::new()),
            notes: Journal::default(),
        };
        Self { store, call, directory: Arc::new(directory) }
    }

    /// The same store, asked by someone of this role, who sees these projects of the default workspace.
    pub(super) fn seen_by(&self, role: Role, projects: Option<&[&str]>) -> Self {
        let ids = |ids: &[&str]| -> BTreeSet<_> { ids.iter().map(|&id| id.into()).collect() };
        let scope = Scope {
            domains: Reach::one("default".into()),
            workspaces: Reach::one("default".into()),
            projects: projects.map_or(Reach::All, |projects| Reach::Only(ids(projects))),
        };
        let caller = Caller { role, scope, ..(*self.call.caller).clone() };
        let call = Call { caller: Arc::new(caller), ..self.call.clone() };
        Self { store: self.store.clone(), call, directory: Arc::clone(&self.directory) }
    }

    pub(super) async fn read<Q, S>(
        &self,
        method: fn(&dyn Tx, &Call, Q) -> Result<S>,
        request: Value,
    ) -> Result<Value>
    where
        Q: DeserializeOwned + Send + 'static,
        S: Serialize + 'static,
    {
        let call = self.call.clone();
        let request: Q = serde_json::from_value(request).unwrap();
        self.store
            .read(move |tx| Ok(serde_json::to_value(method(tx, &call, request)?).unwrap()))
            .await
    }

    /// What `work` makes of a snapshot of the store.
    pub(super) async fn tx<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Tx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store.read(work).await
    }

    pub(super) async fn write<Q, S>(
        &self,
        method: fn(&mut dyn Tx, &Call, Q) -> Result<S>,
        request: Value,
    ) -> Result<Value>
    where
        Q: DeserializeOwned + Send + 'static,
        S: Serialize + 'static,
    {
        let call = self.call.clone();
        let request: Q = serde_json::from_value(request).unwrap();
        self.store
            .write(move |tx| Ok(serde_json::to_value(method(tx, &call, request)?).unwrap()))
            .await
    }

    /// The same with its audit record, which stays when the method fails.
    pub(super) async fn audited<Q, S>(
        &self,
        action: &'static str,
        method: fn(&mut dyn Tx, &Call, Q) -> Result<S>,
        request: Value,
    ) -> Result<Value>
    where
        Q: DeserializeOwned + Send + 'static,
        S: Serialize + 'static,
    {
        let call = self.call.clone();
        let mut request: Option<Q> = Some(serde_json::from_value(request).unwrap());
        let work = move |tx: &mut dyn Tx| {
            call.notes.take();
            let mut answer = Value::Null;
            let done = tx.attempt(&mut |tx| {
                let done = method(tx, &call, request.take().unwrap())?;
                answer = serde_json::to_value(done).unwrap();
                Ok(())
            });
            let done = done.map(|()| answer);
            audit::record(tx, &call, action, &done)?;
            Ok(done)
        };
        self.store.write(work).await?
    }

    /// The first record of a list.
    pub(super) async fn first<Q, S>(&self, list: fn(&dyn Tx, &Call, Q) -> Result<S>) -> Value
    where
        Q: DeserializeOwned + Send + 'static,
        S: Serialize + 'static,
    {
        self.read(list, json!({})).await.unwrap()["results"][0].clone()
    }

    /// A firing event that opens an alert.
    pub(super) async fn firing(&self, event: &str, alert: &str, key: &str) {
        self.posted(event, Some(alert), key, &format!(r#"{{"of":"{event}"}}"#)).await;
    }

    /// An event as a delivery of its own, of an alert that it opens, if any.
    pub(super) async fn posted(&self, event: &str, alert: Option<&str>, key: &str, body: &str) {
        let (event, key, body) = (event.to_owned(), key.to_owned(), body.as_bytes().to_vec());
        let alert = alert.map(str::to_owned);
        let work = move |tx: &mut dyn Tx| {
            let delivery = format!("receipt-of-{event}");
            tx.add_delivery(&Filing {
                delivery_id: &delivery.as_str().into(),
                webhook_id: &"webhook-1".into(),
                state: DeliveryState::Applied,
                ignored: None,
                items: 1,
                dead: 0,
                events: 1,
                sender: None,
                payload: &Payload::pack(&BTreeMap::new(), &BTreeMap::new(), &body).unwrap(),
                remote: "127.0.0.1",
                received_at: noon(),
            })?;
            let mut event = fired(&event, &delivery, &key);
            if let Some(alert) = alert {
                let mut opened = Alert::opened_by(&event, &Mint::repeatable());
                opened.standing.alert_id = alert.as_str().into();
                tx.add_alert(&opened)?;
                event.alert_id = Some(alert.as_str().into());
            }
            tx.add_event(&event)
        };
        self.store.write(work).await.unwrap();
    }
}

fn furnish(tx: &mut dyn Tx) -> Result<()> {
    let now = noon();
    let name = || "Default".to_owned();
    let Home { domain_id, workspace_id, .. } = home();
    tx.put_domain(&Domain { domain_id: domain_id.clone(), name: name(), created_at: now })?;
    tx.put_workspace(&Workspace { workspace_id, domain_id, name: name(), created_at: now })?;
    let tags = BTreeMap::new();
    tx.put_project(&Project { home: home(), name: name(), tags, created_at: now })?;
    let policy = AlertPolicy::new(RecoveryMode::Auto);
    tx.put_alert_config(&ProjectAlertConfig { home: home(), policy, created_at: now })?;
    tx.put_webhook(&Webhook {
        webhook_id: "webhook-1".into(),
        name: "first".to_owned(),
        state: WebhookState::Enabled,
        access_keys: Vec::new(),
        plugin: "alertmanager".to_owned(),
        options: WebhookOptions::default(),
        home: home(),
        tags: BTreeMap::new(),
        created_at: now,
    })
}

fn fired(event: &str, delivery: &str, key: &str) -> Event {
    Event {
        event_id: event.into(),
        alert_id: None,
        webhook_id: "webhook-1".into(),
        delivery_id: delivery.into(),
        item: 0,
        home: home(),
        draft: Draft {
            severity: Severity::Critical,
            title: Some(format!("About {key}")),
            resources: vec!["db-1".to_owned()],
            provider: Some("aws".to_owned()),
            account: Some("111".to_owned()),
            additional_info: BTreeMap::from([("region".to_owned(), json!("eu"))]),
            ..Draft::new(key)
        },
        reading: None,
        why: Why::NewKey,
        created_at: noon(),
    }
}
