//! What the writer keeps in memory, so that an event costs no query: how open alerts stand, which numbers come next,
//! what is known under which integer key. Every change is logged, so that a job or a commit that fails is undone here
//! as it is in the file.

mod load;
mod setups;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::BuildHasherDefault,
    sync::Arc,
};

use rusqlite::Connection;

use self::setups::Meant;
use super::{
    numbering::{Identity, KeyHash, Numbering},
    seek, tally,
};
use crate::{
    digest,
    domain::{
        alert::{Alert, Standing},
        delivery::Delivery,
        project::{Project, Workspace},
        receipt::Unreadable,
        setup::Setup,
        user::{Application, User},
        webhook::Webhook,
        words::Severity,
    },
    error::Result,
    id::Id,
    store::Requests,
};

/// How many open alerts are kept in memory at most; beyond, each is looked up in the file.
const MAX_OPEN: usize = 2_000_000;

/// How many integer keys of one kind are kept in memory.
const MAX_ROWS: usize = 100_000;

/// What is kept of an open alert.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// The row of the alert.
    pub(super) row: i64,
    /// The row of the webhook that opened it.
    pub(super) webhook: i64,
    /// Whether it says that deliveries of that webhook were not understood.
    pub(super) unreadable: bool,
    /// The number of its description, so that a repeat that says the same is not written; zero where unknown.
    pub(super) said: u64,
    /// Where it is tallied.
    pub(super) place: tally::Place,
    /// How it stands.
    pub(super) standing: Standing,
}

impl Open {
    /// What is kept of `alert`, which is open.
    pub(super) fn new(row: i64, webhook: Option<i64>, place: tally::Place, alert: &Alert) -> Self {
        let unreadable = Unreadable::is_key(&alert.event_key);
        let standing = alert.standing.clone();
        Self { row, webhook: webhook.unwrap_or_default(), unreadable, said: 0, place, standing }
    }
}

/// What is to be written of an alert at the end of the commit.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// How it stands.
    pub(super) standing: Standing,
    /// Its new description, if it has one.
    pub(super) description: Option<String>,
}

/// The next rows of the tables that grow fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) delivery: i64,
    pub(super) event: i64,
    pub(super) alert: i64,
    pub(super) happening: i64,
}

/// A record that the rest of the program looks up, and that the commit changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Changed {
    /// A webhook.
    Webhook(Id<Webhook>),
    /// A token, by its digest.
    Token(digest::Digest),
    /// A user.
    User(Id<User>),
    /// An application.
    Application(Id<Application>),
    /// How a project is looked after.
    Setup(Id<Project>),
    /// How the projects of a workspace are looked after, any of them.
    Setups(Id<Workspace>),
}

/// How to undo one change.
#[derive(Debug)]
enum Undo {
    Open(KeyHash, Option<Open>),
    Pending(i64, Option<Pending>),
    Number(i64, Option<u64>),
    Next(Next),
    Requests(i64, Option<Requests>),
    Counts([i64; Severity::ALL.len()]),
    Tallies(usize),
    /// Those that were in memory, of all that are meant.
    Setups(Meant, Vec<(Id<Project>, Arc<Setup>)>),
    Changed,
}

type OpenMap = HashMap<KeyHash, Open, BuildHasherDefault<Identity>>;

/// What the writer keeps in memory.
#[derive(Debug)]
pub(super) struct Live {
    numbering: Numbering,
    open: OpenMap,
    /// Whether `open` holds every open alert.
    complete: bool,
    /// The keys of open alerts of unreadable webhooks, by webhook.
    unreadable: HashMap<i64, HashSet<KeyHash>>,
    pending: BTreeMap<i64, Pending>,
    numbers: HashMap<i64, u64>,
    new_numbers: BTreeMap<i64, u64>,
    next: Next,
    /// How many deliveries each webhook took, for those that took one since the start.
    requests: HashMap<i64, Requests>,
    /// The webhooks that took a delivery since the start, by row.
    webhooks: HashMap<i64, Id<Webhook>>,
    /// The webhooks whose counters changed since they were written.
    uncounted: HashSet<i64>,
    open_counts: [i64; Severity::ALL.len()],
    tallies: tally::Ledger,
    rows: [HashMap<Box<str>, i64>; Kind::COUNT],
    /// How projects are looked after, as this commit sees it.
    setups: HashMap<Id<Project>, Arc<Setup>>,
    changed: Vec<Changed>,
    recounted: Vec<i64>,
    undo: Vec<Undo>,
    /// The alert and the delivery that were touched last, since what comes next mostly belongs to them.
    pub(super) last_alert: Option<(Id<Alert>, i64)>,
    pub(super) last_delivery: Option<(Id<Delivery>, i64)>,
    /// The alert of the last change that this commit tells of, and the event that comes next after it.
    pub(super) last_told: Option<(i64, i64)>,
    /// What can be sought of the newest events and alerts.
    pub(super) filling: [seek::Filling; seek::Of::COUNT],
}

/// What an integer key is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Webhook,
    Project,
    Mapping,
    WorkspaceOfProject,
    /// Not a key: after how many seconds the alerts of a webhook expire; -1 where it does not say.
    StaleAfter,
}

impl Kind {
    /// How many kinds there are.
    const COUNT: usize = 5;
}

impl Live {
    /// Reads what must be known at start.
    pub(super) fn load(connection: &Connection) -> Result<Self> {
        let next = Next::load(connection)?;
        let mut live = Self {
            numbering: Numbering::default(),
            open: OpenMap::default(),
            complete: true,
            unreadable: HashMap::new(),
            pending: BTreeMap::new(),
            numbers: HashMap::new(),
            new_numbers: BTreeMap::new(),
            next,
            requests: HashMap::new(),
            webhooks: HashMap::new(),
            uncounted: HashSet::new(),
            open_counts: [0; Severity::ALL.len()],
            tallies: tally::Ledger::load(connection)?,
            rows: Default::default(),
            setups: HashMap::new(),
            changed: Vec::new(),
            recounted: Vec::new(),
            undo: Vec::new(),
            last_alert: None,
            last_delivery: None,
            last_told: None,
            filling: Default::default(),
        };
        live.load_open(connection)?;
        live.load_requests(connection)?;
        Ok(live)
    }

    /// The number of a project and an event key.
    pub(super) fn key(&self, project: &Id<Project>, event_key: &str) -> KeyHash {
        self.numbering.of(project, event_key)
    }

    /// The number of a description.
    pub(super) fn said(&self, description: &str) -> u64 {
        self.numbering.of_text(description)
    }

    /// Where the log of changes stands.
    pub(super) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// The open alert of a key; `Err` where the file must be asked.
    pub(super) fn open(&self, key: KeyHash) -> std::result::Result<Option<&Open>, AskTheFile> {
        match self.open.get(&key) {
            Some(open) => Ok(Some(open)),
            None if self.complete => Ok(None),
            None => Err(AskTheFile),
        }
    }

    /// The open alerts of a webhook that say that its deliveries cannot be read.
    pub(super) fn unreadable(&self, webhook: i64) -> Vec<Standing> {
        let keys = self.unreadable.get(&webhook).into_iter().flatten();
        let mut found: Vec<Standing> =
            keys.filter_map(|key| self.open.get(key)).map(|open| open.standing.clone()).collect();
        found.sort_by(|a, b| a.alert_id.cmp(&b.alert_id));
        found
    }

    /// Replaces what is known of a key's open alert.
    pub(super) fn set_open(&mut self, key: KeyHash, open: Option<Open>) {
        let before = self.place(key, open);
        self.undo.push(Undo::Open(key, before));
        self.bound();
    }

    fn place(&mut self, key: KeyHash, open: Option<Open>) -> Option<Open> {
        if let Some(new) = open.as_ref().filter(|open| open.unreadable) {
            self.unreadable.entry(new.webhook).or_default().insert(key);
        }
        let keeps = open.as_ref().is_some_and(|open| open.unreadable);
        let before = match open {
            Some(open) => self.open.insert(key, open),
            None => self.open.remove(&key),
        };
        if let Some(old) = before.as_ref().filter(|old| old.unreadable && !keeps)
            && let Some(keys) = self.unreadable.get_mut(&old.webhook)
        {
            keys.remove(&key);
        }
        before
    }

    /// Beyond the bound the file is asked for what is not in memory; what is there stays, and stays right.
    fn bound(&mut self) {
        if self.open.len() > MAX_OPEN {
            self.complete = false;
        }
    }

    /// Counts open alerts by severity: one fewer of `gone`, one more of `come`.
    pub(super) fn count_open(&mut self, gone: Option<Severity>, come: Option<Severity>) {
        if gone == come {
            return;
        }
        self.undo.push(Undo::Counts(self.open_counts));
        if let Some(severity) = gone {
            self.open_counts[severity as usize] -= 1;
        }
        if let Some(severity) = come {
            self.open_counts[severity as usize] += 1;
        }
    }

    /// How many alerts are open, by severity.
    pub(super) fn open_counts(&self) -> [i64; Severity::ALL.len()] {
        self.open_counts
    }

    /// Leaves how an alert stands to be written at the end of the commit.
    pub(super) fn set_pending(&mut self, row: i64, mut pending: Pending) {
        let before = self.pending.remove(&row);
        if pending.description.is_none() {
            pending.description = before.as_ref().and_then(|before| before.description.clone());
        }
        self.undo.push(Undo::Pending(row, before));
        self.pending.insert(row, pending);
    }

    /// What is to be written of an alert, which is no longer to be written.
    pub(super) fn take_pending(&mut self, row: i64) -> Option<Pending> {
        let pending = self.pending.remove(&row)?;
        self.undo.push(Undo::Pending(row, Some(pending.clone())));
        Some(pending)
    }

    /// All that is to be written of alerts, which is no longer to be written.
    pub(super) fn take_all_pending(&mut self) -> BTreeMap<i64, Pending> {
        let all = std::mem::take(&mut self.pending);
        self.undo.extend(all.iter().map(|(row, it)| Undo::Pending(*row, Some(it.clone()))));
        all
    }

    /// The next number of a workspace, if it is in memory.
    pub(super) fn number(&self, workspace: i64) -> Option<u64> {
        self.numbers.get(&workspace).copied()
    }

    /// Remembers the newest number of a workspace.
    pub(super) fn set_number(&mut self, workspace: i64, number: u64) {
        let before = self.numbers.insert(workspace, number);
        self.undo.push(Undo::Number(workspace, before));
        self.new_numbers.insert(workspace, number);
    }

    /// The numbers that the commit gave, by workspace.
    pub(super) fn take_numbers(&mut self) -> BTreeMap<i64, u64> {
        std::mem::take(&mut self.new_numbers)
    }

    /// What the commit counts.
    pub(super) fn tallies(&mut self) -> &mut tally::Ledger {
        &mut self.tallies
    }

    /// Counts something, which is undone with all else.
    pub(super) fn tally<T>(&mut self, count: impl FnOnce(&mut tally::Ledger) -> T) -> T {
        let mark = self.tallies.mark();
        let counted = count(&mut self.tallies);
        if self.tallies.mark() > mark {
            self.undo.push(Undo::Tallies(mark));
        }
        counted
    }

    /// The next rows.
    pub(super) fn next(&self) -> Next {
        self.next
    }

    /// Moves on to other next rows.
    pub(super) fn set_next(&mut self, next: Next) {
        self.undo.push(Undo::Next(self.next));
        self.next = next;
    }

    /// Counts one more delivery of a webhook.
    pub(super) fn count_request(&mut self, webhook: i64, id: &Id<Webhook>, is_error: bool) {
        self.webhooks.entry(webhook).or_insert_with(|| id.clone());
        let before = self.requests.get(&webhook).copied();
        let mut after = before.unwrap_or_default();
        after.total += 1;
        after.error += u64::from(is_error);
        self.requests.insert(webhook, after);
        self.undo.push(Undo::Requests(webhook, before));
        self.recounted.push(webhook);
    }

    /// How many deliveries a webhook took.
    pub(super) fn requests(&self, webhook: i64) -> Requests {
        self.requests.get(&webhook).copied().unwrap_or_default()
    }

    /// The webhooks that took deliveries in this commit, with how many they took by now.
    pub(super) fn take_recounted(&mut self) -> Vec<(Id<Webhook>, Requests)> {
        let mut webhooks = std::mem::take(&mut self.recounted);
        webhooks.sort_unstable();
        webhooks.dedup();
        self.uncounted.extend(&webhooks);
        let named = webhooks.iter().filter_map(|row| Some((self.webhooks.get(row)?.clone(), *row)));
        named.map(|(id, row)| (id, self.requests(row))).collect()
    }

    /// The counters that are not written yet, this commit's included.
    pub(super) fn uncounted(&mut self) -> Vec<(i64, Requests)> {
        let mut webhooks: Vec<i64> =
            self.uncounted.iter().chain(&self.recounted).copied().collect();
        webhooks.sort_unstable();
        webhooks.dedup();
        webhooks.into_iter().map(|webhook| (webhook, self.requests(webhook))).collect()
    }

    /// The counters are written.
    pub(super) fn counted(&mut self) {
        self.uncounted.clear();
    }

    /// The integer key of something, if it is in memory.
    pub(super) fn row(&self, kind: Kind, id: &str) -> Option<i64> {
        self.rows[kind as usize].get(id).copied()
    }

    /// Remembers an integer key.
    pub(super) fn set_row(&mut self, kind: Kind, id: &str, row: i64) {
        let rows = &mut self.rows[kind as usize];
        if rows.len() > MAX_ROWS {
            rows.clear();
        }
        rows.insert(id.into(), row);
    }

    /// Forgets the integer keys, since one of them may come to mean something else.
    pub(super) fn forget_rows(&mut self) {
        self.rows = Default::default();
    }

    /// Notes that a record changed that the rest of the program looks up.
    pub(super) fn note(&mut self, changed: Changed) {
        if let Changed::Webhook(id) = &changed {
            self.rows[Kind::StaleAfter as usize].remove(id.as_str());
        }
        self.forget_setups(&changed);
        self.changed.push(changed);
        self.undo.push(Undo::Changed);
    }

    /// The records that changed, in order.
    pub(super) fn take_changed(&mut self) -> Vec<Changed> {
        std::mem::take(&mut self.changed)
    }

    /// The commit is on disk: nothing of it will be undone.
    pub(super) fn settled(&mut self) {
        self.undo.clear();
        self.last_told = None;
        self.tallies.settled();
    }

    /// Undoes all changes since `mark`, newest first. Integer keys are looked up anew, since some may be gone.
    pub(super) fn undo_to(&mut self, mark: usize) {
        self.forget_rows();
        self.last_alert = None;
        self.last_delivery = None;
        self.last_told = None;
        self.filling.iter_mut().for_each(seek::Filling::forget);
        while self.undo.len() > mark {
            let Some(undo) = self.undo.pop() else { return };
            match undo {
                Undo::Open(key, before) => {
                    self.place(key, before);
                }
                Undo::Pending(row, Some(before)) => {
                    self.pending.insert(row, before);
                }
                Undo::Pending(row, None) => {
                    self.pending.remove(&row);
                }
                Undo::Number(workspace, before) => self.undo_number(workspace, before),
                Undo::Next(before) => self.next = before,
                Undo::Requests(webhook, Some(before)) => {
                    self.requests.insert(webhook, before);
                }
                Undo::Requests(webhook, None) => {
                    self.requests.remove(&webhook);
                }
                Undo::Counts(before) => self.open_counts = before,
                Undo::Setups(meant, before) => self.undo_setups(&meant, before),
                Undo::Tallies(mark) => self.tallies.undo_to(mark),
                Undo::Changed => {
                    self.changed.pop();
                }
            }
        }
    }

    fn undo_number(&mut self, workspace: i64, before: Option<u64>) {
        if let Some(before) = before {
            self.numbers.insert(workspace, before);
            self.new_numbers.insert(workspace, before);
        } else {
            self.numbers.remove(&workspace);
            self.new_numbers.remove(&workspace);
        }
    }
}

/// Not every open alert is in memory, and this one is not: the file knows.
pub(super) struct AskTheFile;
