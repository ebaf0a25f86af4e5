//! `application.*`: machines that log in with their identifier and a secret.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Done, Moment, Page, Shown,
    asked::{self, list_request},
    call::seen,
    grant::{Grant, governs, named},
    session,
};
use crate::{
    digest::{Digest, new_secret, sha256},
    domain::{
        project::{Domain, Project, Workspace},
        scope::Scope,
        token::Holder,
        user::{Application, UserState},
        words::Role,
    },
    error::{Error, Result},
    id::Id,
    query::APPLICATIONS,
    store::Tx,
};

/// What every secret of an application begins with, so that a leaked one is recognised.
const PREFIX: &str = "amc_";

/// A machine that logs in, without its secret.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ApplicationInfo {
    /// Its identifier, which is what it logs in with.
    pub application_id: Id<Application>,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The domain it reaches; all where null.
    pub domain_id: Option<Id<Domain>>,
    /// The workspaces it reaches; all of its domain where null.
    pub workspaces: Option<BTreeSet<Id<Workspace>>>,
    /// The projects it reaches; all of its workspaces where null.
    pub projects: Option<BTreeSet<Id<Project>>>,
    /// Whether it may log in.
    pub state: UserState,
    /// When it was made.
    pub created_at: Moment,
    /// When it was given its secret.
    pub secret_set_at: Moment,
}

impl From<&Application> for ApplicationInfo {
    fn from(application: &Application) -> Self {
        let Scope { domains, workspaces, projects } = application.scope.clone();
        Self {
            application_id: application.application_id.clone(),
            name: application.name.clone(),
            role: application.role,
            domain_id: named(domains).and_then(|domains| domains.into_iter().next()),
            workspaces: named(workspaces),
            projects: named(projects),
            state: application.state,
            created_at: application.created_at.into(),
            secret_set_at: application.secret_set_at.into(),
        }
    }
}

/// An application with a secret that was made just now, which is shown this once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewApplicationSecret {
    /// The application.
    #[serde(flatten)]
    pub application: ApplicationInfo,
    /// What it logs in with, beside its identifier; nobody can show it again.
    pub secret: String,
}

/// Asks for a new application.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApplication {
    /// What people call it; no other has the same.
    name: String,
    /// What it may do.
    role: Role,
    /// The domain it reaches; the workspace's where absent.
    domain_id: Option<Id<Domain>>,
    /// The workspace it reaches.
    workspace_id: Option<Id<Workspace>>,
    /// The projects it reaches, for roles that need them.
    projects: Option<BTreeSet<Id<Project>>>,
}

/// Makes an application within the caller's own reach. Its secret is shown this once.
pub fn create(
    tx: &mut dyn Tx,
    call: &Call,
    request: CreateApplication,
) -> Result<NewApplicationSecret> {
    let CreateApplication { name, role, domain_id, workspace_id, projects } = request;
    let grant = Grant { role, domain_id, workspace_id, projects };
    let (digest, secret) = fresh()?;
    let application = Application {
        application_id: call.mint.id(call.now),
        name: asked::name("name", &name)?,
        secret: digest,
        role,
        scope: grant.checked(tx, call, "application")?,
        state: UserState::Enabled,
        created_at: call.now,
        secret_set_at: call.now,
    };
    call.touches("application", &application.application_id);
    tx.put_application(&application)?;
    let view = ApplicationInfo::from(&application);
    call.touched("application", &application.application_id, None, seen(&view));
    Ok(NewApplicationSecret { application: view, secret })
}

fn fresh() -> Result<(Digest, String)> {
    let secret = new_secret(PREFIX).map_err(Error::internal)?;
    Ok((sha256(secret.as_bytes()), secret))
}

/// Names an application.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfApplication {
    /// Its identifier.
    application_id: Id<Application>,
}

/// Shows an application.
pub fn get(tx: &dyn Tx, call: &Call, request: OfApplication) -> Result<ApplicationInfo> {
    existing(tx, call, &request.application_id).map(|found| ApplicationInfo::from(&found))
}

list_request! {
    /// Asks for applications.
    ListApplications of APPLICATIONS {
        /// Only the one with this identifier.
        application_id: Id<Application>,
        /// Only the one of exactly this name.
        name: String,
        /// Only those of this role.
        role: Role,
        /// Only those in this state.
        state: UserState,
    }
}

/// Applications that the caller could have made, by name where no order is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListApplications,
) -> Result<Page<Shown<ApplicationInfo>>> {
    let query = request.checked(call.now)?;
    let all = tx.applications()?;
    let visible = all.iter().filter(|it| governs(call, it.role, &it.scope));
    Page::listed(visible.map(ApplicationInfo::from), &query, &APPLICATIONS)
}

/// Gives an application another secret, which is shown this once; the one before, and all that it opened, works no more.
pub fn rotate_secret(
    tx: &mut dyn Tx,
    call: &Call,
    request: OfApplication,
) -> Result<NewApplicationSecret> {
    let (digest, secret) = fresh()?;
    let after = |before| Application { secret: digest, secret_set_at: call.now, ..before };
    let application = closed(tx, call, request, after)?;
    Ok(NewApplicationSecret { application, secret })
}

/// Lets an application log in no more, and ends what it has at once.
pub fn disable(tx: &mut dyn Tx, call: &Call, request: OfApplication) -> Result<ApplicationInfo> {
    let after = |before| Application { state: UserState::Disabled, ..before };
    closed(tx, call, request, after)
}

/// Lets an application log in again.
pub fn enable(tx: &mut dyn Tx, call: &Call, request: OfApplication) -> Result<ApplicationInfo> {
    call.touches("application", &request.application_id);
    let before = existing(tx, call, &request.application_id)?;
    let after = Application { state: UserState::Enabled, ..before.clone() };
    changed(tx, call, &before, &after)
}

/// Removes an application, and ends what it has at once. What it did stays in the audit trail.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OfApplication) -> Result<Done> {
    let id = request.application_id;
    call.touches("application", &id);
    let before = existing(tx, call, &id)?;
    session::end_all(tx, call, &Holder::Application(id.clone()))?;
    tx.delete_application(&id)?;
    call.touched("application", &id, seen(&ApplicationInfo::from(&before)), None);
    Ok(Done {})
}

/// Changes an application, and ends what it has.
fn closed(
    tx: &mut dyn Tx,
    call: &Call,
    request: OfApplication,
    after: impl FnOnce(Application) -> Application,
) -> Result<ApplicationInfo> {
    let id = request.application_id;
    call.touches("application", &id);
    let before = existing(tx, call, &id)?;
    session::end_all(tx, call, &Holder::Application(id))?;
    let after = after(before.clone());
    changed(tx, call, &before, &after)
}

fn changed(
    tx: &mut dyn Tx,
    call: &Call,
    before: &Application,
    after: &Application,
) -> Result<ApplicationInfo> {
    tx.put_application(after)?;
    let (before, view) = (ApplicationInfo::from(before), ApplicationInfo::from(after));
    call.touched("application", &after.application_id, seen(&before), seen(&view));
    Ok(view)
}

/// The application, if the caller could have made it.
fn existing(tx: &dyn Tx, call: &Call, id: &Id<Application>) -> Result<Application> {
    let found = tx.application(id)?.filter(|it| governs(call, it.role, &it.scope));
    found.ok_or_else(|| Error::not_found("application", id))
}
