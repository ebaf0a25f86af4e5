//! The pieces, put together: opened in order, closed in order.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use arc_swap::ArcSwap;
use serde_json::{Value, json};

use crate::{
    clock::{Clock, Timestamp},
    config::Config,
    digest::{new_secret, sha256, unhex},
    domain::{
        ack_link::LinkKey,
        audit::{Actor, ActorKind, AuditEntry, Entity, SealKey},
        project::{AlertPolicy, Domain, Project, ProjectAlertConfig, SYSTEM_PROJECT, Workspace},
        scope::{Home, Scope},
        token::{Holder, Token},
        webhook::{OWN_WEBHOOK, Webhook, WebhookOptions},
        words::{RecoveryMode, Role, WebhookState},
    },
    error::{Error, Result},
    id::Id,
    ingest::{Intake, Shelves},
    jobs::{Courier, Jobs, Strangers, audit_feed},
    load_error::LoadError,
    metrics::{Metrics, VersionLabels},
    store::{Options, Store, Tx},
};

/// What domain, workspace and project of a new installation are called.
const DEFAULT: &str = "default";

/// How often the data directory is asked for before it counts as in use, and how long is waited between.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The prefix of every token, so that a leaked one is recognised.
pub const TOKEN_PREFIX: &str = "amt_";

/// Everything a request needs.
pub struct App {
    /// What we remember.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// What was set.
    pub config: Config,
    /// What we count.
    pub metrics: Arc<Metrics>,
    /// What the journey of a delivery needs.
    pub intake: Arc<Intake>,
    /// What addresses that are shown to people begin with, once it is known where the server listens.
    public_url: Arc<OnceLock<String>>,
    /// What sends messages.
    pub courier: Arc<Courier>,
    /// What signs how the audit trail stands.
    pub seal: SealKey,
    /// Who was turned away, until that is in the audit trail.
    pub strangers: Arc<Strangers>,
    /// Held as long as we run, so that no second server opens the same data.
    _lock: File,
}

/// An opened program, and what is to be said about it once.
pub struct Opened {
    /// The program.
    pub app: App,
    /// The administrator's token, if this is the very first start.
    pub first_token: Option<String>,
}

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Rules or plugins have mistakes; all of them are told.
    #[error("{}", lines(.0))]
    Mistakes(Vec<LoadError>),
    /// Another server has the data open.
    #[error(
        "another Alertmill server has `{}` open; stop it first, or give this one a `--data` of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// The data directory cannot be used.
    #[error("`{}` cannot be used: {cause}", .path.display())]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The store cannot be opened.
    #[error("the store cannot be opened: {}{}", .0.detail, because(.0))]
    Store(#[from] Error),
}

fn lines(mistakes: &[LoadError]) -> String {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn because(error: &Error) -> String {
    error.cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default()
}

/// The file of the data directory that says where its server listens.
pub fn address_file(data: &Path) -> PathBuf {
    data.join("server.json")
}

/// The file of the data directory that holds the store.
pub fn store_file(data: &Path) -> PathBuf {
    data.join("alertmill.db")
}

/// The file of the data directory that holds the administrator's token.
pub fn token_file(data: &Path) -> PathBuf {
    data.join("admin.token")
}

impl App {
    /// Opens everything that `config` names. A data directory that does not exist yet is made, with a domain, a
    /// workspace, a project and an administrator.
    ///
    /// # Errors
    /// Where rules or plugins have mistakes, or the data cannot be opened.
    pub async fn open(config: Config, clock: Clock) -> Result<Opened, StartError> {
        make_directory(&config.data)?;
        let lock = lock(&config.data)?;
        let metrics = Arc::new(Metrics::default());
        let (rules, plugins) = (config.rules.as_deref(), config.plugins.as_deref());
        let (shelves, books) =
            Shelves::open(rules, plugins, clock.now()).map_err(StartError::Mistakes)?;
        metrics.loaded(&VersionLabels { version: shelves.standing().version.clone() });
        let file = store_file(&config.data);
        let seal = seal(&config.data)?;
        let options = Options { seal: seal.clone(), ..config.store_options() };
        let store = Store::open(&file, &options, Arc::clone(&metrics))?;
        let intake = Arc::new(Intake {
            store: store.clone(),
            books: ArcSwap::from_pointee(books),
            shelves,
            mint: clock.mint().clone(),
            metrics: Arc::clone(&metrics),
            outbound: config.allow_confirm.then(|| config.outbound()),
        });
        let public_url: Arc<OnceLock<String>> = Arc::default();
        let courier = Arc::new(Courier::new(
            config.outbound(),
            links(&config.data)?,
            Arc::clone(&public_url),
        ));
        let app = Self {
            store,
            clock,
            config,
            metrics,
            intake,
            public_url,
            courier,
            seal,
            strangers: Arc::default(),
            _lock: lock,
        };
        app.warn_of_unproven().await?;
        let first_token = app.settle_in().await?;
        audit_feed::prepare(&app.intake, &app.clock).await?;
        Ok(Opened { app, first_token })
    }

    /// Says in the data directory where the server listens, so that commands find it.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn announce(&self, bound: SocketAddr) -> Result<(), StartError> {
        let path = address_file(&self.config.data);
        let _ = self.public_url.set(self.config.base_url(bound));
        let local = Config { public_url: None, ..self.config.clone() }.base_url(bound);
        let reads = self.intake.shelves.directories().filter_map(|it| fs::canonicalize(it).ok());
        let text = json!({
            "url": local,
            "reads": reads.collect::<Vec<_>>(),
            "public_url": self.config.base_url(bound),
            "pid": std::process::id(),
        });
        write_private(&path, &format!("{text}\n"))
    }

    /// What addresses that are shown to people begin with, e.g. `http://127.0.0.1:8080`; empty until it is announced.
    pub fn public_url(&self) -> &str {
        self.public_url.get().map(String::as_str).unwrap_or_default()
    }

    /// What happens by itself, ready to run.
    pub fn jobs(&self) -> Jobs {
        Jobs {
            intake: Arc::clone(&self.intake),
            clock: self.clock.clone(),
            data: self.config.data.clone(),
            courier: Arc::clone(&self.courier),
            office_hours: self.config.office_hours.clone(),
            strangers: Arc::clone(&self.strangers),
            seal: self.seal.clone(),
            audit_retention: self.config.audit_retention.0,
        }
    }

    /// Finishes what is queued and closes the store.
    pub fn close(&self) {
        self.store.close();
        // The file only helps to find a running server; a stale one does no harm.
        let _ = fs::remove_file(address_file(&self.config.data));
    }

    /// Says in the log which chains of the audit trail the key does not prove: it is another one than signed them where a
    /// backup was put back without it.
    async fn warn_of_unproven(&self) -> Result<(), StartError> {
        let heads = self.store.read(|tx| tx.heads(&Scope::EVERYTHING)).await?;
        let unproven = heads.iter().filter(|head| !self.seal.proves(head));
        let chains: Vec<String> =
            unproven.map(|head| format!("{} of domain {}", head.trail, head.domain_id)).collect();
        if !chains.is_empty() {
            let chains = chains.join(", ");
            tracing::warn!(
                chains,
                "audit.key does not prove how the audit trail ends: put the audit.key of the backed up server there, or run \
                 `alertmill audit accept`"
            );
        }
        Ok(())
    }

    /// On the very first start, makes what is needed to begin; the token of its administrator is returned once.
    async fn settle_in(&self) -> Result<Option<String>, StartError> {
        let is_new = self.store.read(|tx| Ok(tx.domains(&Scope::EVERYTHING)?.is_empty())).await?;
        if !is_new {
            return Ok(None);
        }
        let secret =
            new_secret(TOKEN_PREFIX).map_err(|cause| Error::internal(cause.to_string()))?;
        // Written first: a token that nobody can read is worse than one that does not work yet.
        write_private(&token_file(&self.config.data), &format!("{secret}\n"))?;
        let (clock, digest) = (self.clock.clone(), sha256(secret.as_bytes()));
        self.store
            .write(move |tx| {
                let now = clock.now();
                let token = Token {
                    token_id: clock.mint().id(now),
                    name: "admin".to_owned(),
                    holder: Holder::Nobody,
                    digest,
                    role: Role::SystemAdmin,
                    scope: Scope::EVERYTHING,
                    created_at: now,
                    expires_at: None,
                    revoked_at: None,
                };
                found(tx, &token, &clock)
            })
            .await?;
        Ok(Some(secret))
    }
}

/// The file of the data directory that holds what signs how the audit trail stands.
pub fn seal_file(data: &Path) -> PathBuf {
    data.join("audit.key")
}

/// What links that acknowledge alerts are made and known by: a file of its own, so that the store alone opens nothing.
fn links(data: &Path) -> Result<LinkKey, StartError> {
    key(&data.join("link.key")).map(LinkKey::new)
}

/// The key in a file; a new one where there is none.
fn key(path: &Path) -> Result<[u8; 32], StartError> {
    if let Some(key) = existing_key(path)? {
        return Ok(key);
    }
    let text = new_secret("").map_err(|cause| Error::internal(cause.to_string()))?;
    write_private(path, &format!("{text}\n"))?;
    key(path)
}

/// What signs how the chains of the audit trail stand.
fn seal(data: &Path) -> Result<SealKey, StartError> {
    let file = seal_file(data);
    match existing_key(&file)? {
        Some(key) => Ok(SealKey::new(key)),
        None => Ok(SealKey::fresh(key(&file)?)),
    }
}

/// The key in a file, if there is one.
///
/// # Errors
/// Where the file cannot be read, or holds something else.
pub fn existing_key(path: &Path) -> Result<Option<[u8; 32]>, StartError> {
    let unusable = |cause| StartError::Files { path: path.to_owned(), cause };
    match fs::read_to_string(path) {
        Ok(text) => {
            let bytes = unhex(text.trim()).and_then(|bytes| bytes.try_into().ok());
            let broken = || {
                let detail = "it is no key; put the right one back, or remove it to get a new one";
                unusable(io::Error::new(io::ErrorKind::InvalidData, detail))
            };
            bytes.map(Some).ok_or_else(broken)
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(unusable(cause)),
    }
}

/// Makes the first domain, workspace, projects and token, and the webhook of Alertmill's own events.
fn found(tx: &mut dyn Tx, token: &Token, clock: &Clock) -> Result<()> {
    let created_at = token.created_at;
    let domain_id: Id<Domain> = DEFAULT.into();
    tx.put_domain(&Domain { domain_id: domain_id.clone(), name: DEFAULT.to_owned(), created_at })?;
    tx.put_workspace(&Workspace {
        workspace_id: DEFAULT.into(),
        domain_id: domain_id.clone(),
        name: DEFAULT.to_owned(),
        created_at,
    })?;
    found_project(tx, DEFAULT, created_at)?;
    let home = found_project(tx, SYSTEM_PROJECT, created_at)?;
    tx.put_webhook(&Webhook {
        webhook_id: OWN_WEBHOOK.into(),
        name: "alertmill".to_owned(),
        state: WebhookState::Enabled,
        access_keys: Vec::new(),
        plugin: "alertmill".to_owned(),
        options: WebhookOptions::default(),
        home,
        tags: BTreeMap::new(),
        created_at,
    })?;
    tx.put_token(token)?;
    let default = |kind| (kind, DEFAULT, DEFAULT);
    let token_id = token.token_id.to_string();
    let role = token.role.as_str();
    let made = [
        (default("domain"), json!({ "domain_id": DEFAULT, "name": DEFAULT })),
        (default("workspace"), json!({ "workspace_id": DEFAULT, "name": DEFAULT })),
        (default("project"), json!({ "project_id": DEFAULT, "name": DEFAULT })),
        (
            ("project", SYSTEM_PROJECT, SYSTEM_PROJECT),
            json!({ "project_id": SYSTEM_PROJECT, "name": SYSTEM_PROJECT }),
        ),
        (("webhook", OWN_WEBHOOK, "alertmill"), json!({ "name": "alertmill" })),
        (("token", &token_id, &token.name), json!({ "name": token.name, "role": role })),
    ];
    made.into_iter().try_for_each(|(what, view)| {
        tx.add_audit(&domain_id, first_entry(what, view, created_at), clock.mint()).map(|_| ())
    })
}

/// Makes a project with alerting switched on.
fn found_project(tx: &mut dyn Tx, id: &str, created_at: Timestamp) -> Result<Home> {
    let home =
        Home { domain_id: DEFAULT.into(), workspace_id: DEFAULT.into(), project_id: id.into() };
    let (name, tags) = (id.to_owned(), BTreeMap::new());
    tx.put_project(&Project { home: home.clone(), name, tags, created_at })?;
    let policy = AlertPolicy::new(RecoveryMode::Auto);
    tx.put_alert_config(&ProjectAlertConfig { home: home.clone(), policy, created_at })?;
    Ok(home)
}

/// The record of something that the first start made.
fn first_entry(
    (kind, id, name): (&str, &str, &str),
    view: Value,
    created_at: Timestamp,
) -> AuditEntry {
    let actor = Actor::unnamed(ActorKind::Command, "serve");
    AuditEntry::new(created_at, actor, &format!("{kind}.create"))
        .on(Entity::new(kind, id).called(Some(name.to_owned())))
        .changed(None, Some(view))
}

/// Makes a data directory, for its owner alone, unless it is there.
///
/// # Errors
/// Where it cannot be made.
pub fn make_directory(data: &Path) -> Result<(), StartError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(|cause| StartError::Files { path: data.to_owned(), cause })
}

/// Keeps a data directory for who holds what is returned.
///
/// # Errors
/// `InUse` where somebody holds it.
pub fn lock(data: &Path) -> Result<File, StartError> {
    let path = data.join("lock");
    let opened =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = opened.map_err(|cause| StartError::Files { path: path.clone(), cause })?;
    // One that is about to end still holds it for a moment, and so does a program that a thread is just starting.
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(cause)) => return Err(StartError::Files { path, cause }),
        }
    }
    Err(StartError::InUse(data.to_owned()))
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_private(path: &Path, text: &str) -> Result<(), StartError> {
    let unfinished = path.with_extension("new");
    let write = || -> io::Result<()> {
        // The mode counts only for a new file.
        match fs::remove_file(&unfinished) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            Ok(()) | Err(_) => {}
        }
        let mut file =
            OpenOptions::new().create_new(true).write(true).mode(0o600).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().map_err(|cause| StartError::Files { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_file_is_for_its_owner_alone() {
        let data = tempfile::tempdir().unwrap();
        let path = token_file(data.path());
        write_private(&path, "first\n").unwrap();
        write_private(&path, "second\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn two_servers_do_not_share_their_data() {
        let data = tempfile::tempdir().unwrap();
        let first = lock(data.path()).unwrap();
        assert!(matches!(lock(data.path()), Err(StartError::InUse(_))));
        drop(first);
        assert!(lock(data.path()).is_ok());
    }
}
