//! Where imported records live: made where it is not there, since the store they come from had it.

use std::collections::{BTreeMap, HashMap};

use super::{Created, Objection};
use crate::{
    api::Call,
    domain::{
        project::{AlertPolicy, DEFAULT_DOMAIN, Domain, Project, ProjectAlertConfig, Workspace},
        scope::{Home, Reach, Scope},
        webhook::{Webhook, WebhookOptions},
        words::{RecoveryMode, WebhookState},
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// What a webhook's plugin is called where no record says a provider.
const NO_PROVIDER: &str = "imported";

/// How many names are tried for a webhook.
const NAMES: u32 = 100;

/// What is known to be there, and what was made.
#[derive(Default)]
pub(super) struct Scopes {
    projects: HashMap<Id<Project>, Home>,
    webhooks: HashMap<Id<Webhook>, Home>,
    pub(super) created: Created,
    /// The same by the domain whose chain tells of it.
    pub(super) made: BTreeMap<Id<Domain>, Created>,
}

impl Scopes {
    /// Makes sure that there is such a home; what speaks against it otherwise.
    pub(super) fn settle(
        &mut self,
        tx: &mut dyn Tx,
        call: &Call,
        home: &Home,
    ) -> Result<Option<Objection>> {
        if !self.projects.contains_key(&home.project_id) {
            let there = match tx.project(&Scope::EVERYTHING, &home.project_id)? {
                Some(project) => project.home,
                None => match self.make(tx, call, home)? {
                    Some(objection) => return Ok(Some(objection)),
                    None => home.clone(),
                },
            };
            self.projects.insert(home.project_id.clone(), there);
        }
        let there = self.projects.get(&home.project_id).filter(|there| *there != home);
        Ok(there.map(|Home { domain_id, workspace_id, project_id }| {
            let detail = format!(
                "project `{project_id}` is in workspace `{workspace_id}` of domain `{domain_id}` here"
            );
            Objection::new("/project_id", detail)
        }))
    }

    fn make(&mut self, tx: &mut dyn Tx, call: &Call, home: &Home) -> Result<Option<Objection>> {
        let Home { domain_id, workspace_id, project_id } = home;
        let one = Scope { workspaces: Reach::one(workspace_id.clone()), ..Scope::EVERYTHING };
        match tx.workspaces(&one)?.pop() {
            Some(there) if there.domain_id != *domain_id => {
                let detail =
                    format!("workspace `{workspace_id}` is in domain `{}` here", there.domain_id);
                return Ok(Some(Objection::new("/workspace_id", detail)));
            }
            Some(_) => {}
            None => self.make_workspace(tx, call, home)?,
        }
        let (name, tags) = (project_id.to_string(), BTreeMap::new());
        tx.put_project(&Project { home: home.clone(), name, tags, created_at: call.now })?;
        let policy = AlertPolicy::new(RecoveryMode::Auto);
        let config = ProjectAlertConfig { home: home.clone(), policy, created_at: call.now };
        tx.put_alert_config(&config)?;
        self.made(domain_id, |made| made.projects.push(project_id.to_string()));
        Ok(None)
    }

    fn make_workspace(&mut self, tx: &mut dyn Tx, call: &Call, home: &Home) -> Result<()> {
        let Home { domain_id, workspace_id, project_id: _ } = home;
        let one = Scope { domains: Reach::one(domain_id.clone()), ..Scope::EVERYTHING };
        if tx.domains(&one)?.is_empty() {
            tx.put_domain(&Domain {
                domain_id: domain_id.clone(),
                name: domain_id.to_string(),
                created_at: call.now,
            })?;
            // That there is a domain is told where the making of others is.
            self.made(&DEFAULT_DOMAIN.into(), |made| made.domains.push(domain_id.to_string()));
        }
        tx.put_workspace(&Workspace {
            workspace_id: workspace_id.clone(),
            domain_id: domain_id.clone(),
            name: workspace_id.to_string(),
            created_at: call.now,
        })?;
        self.made(domain_id, |made| made.workspaces.push(workspace_id.to_string()));
        Ok(())
    }

    fn made(&mut self, domain: &Id<Domain>, push: impl Fn(&mut Created)) {
        push(&mut self.created);
        push(self.made.entry(domain.clone()).or_default());
    }

    /// Makes sure that there is such a webhook in the record's workspace; what speaks against it otherwise. In which
    /// project it is does not matter, since alerts may move between those of their workspace.
    pub(super) fn hook(
        &mut self,
        tx: &mut dyn Tx,
        call: &Call,
        (id, home, provider): (&Id<Webhook>, &Home, Option<&str>),
    ) -> Result<Option<Objection>> {
        if !self.webhooks.contains_key(id) {
            let there = if let Some(there) = tx.webhook_home(id)? {
                there
            } else {
                put_webhook(tx, call, (id, home, provider))?;
                self.made(&home.domain_id, |made| made.webhooks.push(id.to_string()));
                home.clone()
            };
            self.webhooks.insert(id.clone(), there);
        }
        let there = self.webhooks.get(id).filter(|it| it.workspace_id != home.workspace_id);
        Ok(there.map(|there| {
            let detail = format!("webhook `{id}` is of workspace `{}` here", there.workspace_id);
            Objection::new("/webhook_id", detail)
        }))
    }
}

/// Makes a webhook that takes nothing in until a person enables it and gives it a key.
fn put_webhook(
    tx: &mut dyn Tx,
    call: &Call,
    (id, home, provider): (&Id<Webhook>, &Home, Option<&str>),
) -> Result<()> {
    let provider = provider.filter(|provider| !provider.is_empty()).unwrap_or(NO_PROVIDER);
    let mut webhook = Webhook {
        webhook_id: id.clone(),
        name: id.to_string(),
        state: WebhookState::Disabled,
        access_keys: Vec::new(),
        plugin: provider.to_owned(),
        options: WebhookOptions::default(),
        home: home.clone(),
        tags: BTreeMap::new(),
        created_at: call.now,
    };
    for again in 2..NAMES {
        match tx.put_webhook(&webhook) {
            Err(error) if error.code == Code::NotUnique => webhook.name = format!("{id} {again}"),
            done => return done,
        }
    }
    Err(Error::internal(format!("no name is free for webhook `{id}`")))
}
