//! Where messages go: a channel of a workspace or a project, and what it takes.

mod headers;
pub mod kind;
mod settings;
pub mod targets;
mod templates;

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::kind::ChannelKind;
use super::{
    notice::{NotificationLevel, Occasion, value_at},
    project::{Domain, Project, Workspace},
    scope::{Home, Scope},
    suppress::filter::{by_name, short},
    words::words,
};
use crate::{
    clock::Timestamp,
    id::{Id, Identified},
    query::{ALERTS, Condition, Filter, Query, QueryError},
};

words! {
    /// Whether a channel takes messages.
    ChannelState {
        /// It takes messages.
        Enabled = "ENABLED",
        /// It takes none until it is enabled again; what waited for it is dropped.
        Disabled = "DISABLED",
    }
}

/// What looks after what: a whole workspace, or one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// All projects of a workspace.
    Workspace(Id<Domain>, Id<Workspace>),
    /// One project.
    Project(Home),
}

/// Where messages go.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its identifier.
    pub channel_id: Id<Channel>,
    /// What people call it; unique in its place.
    pub name: String,
    /// Whose alerts it hears of.
    pub home: Place,
    /// Whether it takes messages.
    pub state: ChannelState,
    /// How messages are brought there, with all that is needed for it.
    pub kind: ChannelKind,
    /// The levels that it takes; where empty, it hears only of what names it: a step of an escalation, or a person whose
    /// contact it is.
    pub levels: Vec<NotificationLevel>,
    /// Which alerts it takes.
    pub filter: Wanted,
    /// What its messages say, where it is not the usual.
    pub templates: Templates,
    /// How a storm is gathered into few messages; each alert has its own where absent.
    pub gather: Option<Gather>,
    /// How many messages a minute it is sent at most; as many as come where absent.
    pub rate: Option<u32>,
    /// The users' own labels.
    pub tags: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Identified for Channel {
    const PREFIX: &'static str = "channel";
}

/// What messages say, each a template; the usual where absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Templates {
    /// The heading, or the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text; of a webhook the whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// How a storm is gathered: what happens to alerts that agree in some fields goes out in one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gather {
    /// The fields in which they agree, as conditions name them; all of the channel's where empty.
    pub by: Vec<String>,
    /// For how many seconds after the first one a message waits for more.
    pub seconds: u32,
}

/// How many fields a storm is gathered by at most.
pub const MOST_GATHERED_BY: usize = 8;

/// For how long a message waits for more at most.
pub const LONGEST_GATHER: TimeDelta = TimeDelta::minutes(15);

impl Gather {
    /// For how long a message waits for more.
    pub fn window(&self) -> TimeDelta {
        TimeDelta::seconds(self.seconds.into())
    }

    /// What those have in common that go out in one message: what happened, who hears of it, and these fields.
    pub fn group(&self, occasion: Occasion, level: NotificationLevel, record: &Value) -> String {
        let values: Vec<Value> =
            self.by.iter().map(|path| value_at(record, resolved(path))).collect();
        json!([occasion, level, values]).to_string()
    }
}

/// The path that a name in conditions stands for.
fn resolved(path: &str) -> &str {
    ALERTS.aliases.iter().find(|(alias, _)| *alias == path).map_or(path, |(_, path)| path)
}

/// Which alerts are meant: a filter as it was written, and as it is followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Each of these conditions must hold, as they are written.
    pub all: Vec<Value>,
    /// One of these must hold where there are any, as they are written.
    pub any: Vec<Value>,
    filter: Filter,
}

impl Wanted {
    /// The filter that is written like `filter` and `filter_or` of a query about alerts.
    ///
    /// # Errors
    /// At its first mistake; the pointer is below `/filter` or `/filter_or`.
    pub fn parse(all: Vec<Value>, any: Vec<Value>, now: Timestamp) -> Result<Self, QueryError> {
        let written = json!({ "filter": by_name(&all), "filter_or": by_name(&any) });
        let parsed = Query::parse(&written, &ALERTS, now).map_err(|error| {
            let pointer = error.pointer.strip_prefix("/query").unwrap_or(&error.pointer);
            QueryError { pointer: pointer.to_owned(), ..error }
        })?;
        Ok(Self { all, any, filter: parsed.filter })
    }

    /// Whether it means `record`; else the condition that decided, as it was written.
    ///
    /// # Errors
    /// The condition that does not hold.
    pub fn means(&self, record: &Value) -> Result<(), String> {
        let fails = |condition: &Condition| !condition.holds(record);
        if let Some(at) = self.filter.all.iter().position(fails) {
            return Err(self.all.get(at).map(in_words).unwrap_or_default());
        }
        if !self.filter.any.is_empty() && self.filter.any.iter().all(fails) {
            let all: Vec<String> = self.any.iter().map(in_words).collect();
            return Err(all.join(" or "));
        }
        Ok(())
    }
}

/// A condition as people read it: `severity eq "CRITICAL"`.
fn in_words(condition: &Value) -> String {
    let part = |short: &str, long: &str| condition.get(short).or_else(|| condition.get(long));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let operand = part("v", "value").unwrap_or(&Value::Null);
    let operand = short(&operand.to_string());
    format!("`{} {} {operand}`", text(part("k", "key")), text(part("o", "operator")))
}

/// Why a channel does not take an announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Skip {
    /// It is disabled.
    Disabled,
    /// It takes other levels.
    Level {
        /// Those that it takes.
        takes: Vec<NotificationLevel>,
        /// That of the announcement.
        level: NotificationLevel,
    },
    /// Its filter means other alerts.
    Filter {
        /// The condition that does not hold.
        condition: String,
    },
    /// It was not told that the alert was open, so it need not hear that it is over.
    Unheard,
    /// It was told already.
    Told,
    /// Whoever is named has no channel that is there.
    Unreachable {
        /// Who, and why not.
        detail: String,
    },
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("which is disabled"),
            Self::Level { takes, level: _ } if takes.is_empty() => {
                f.write_str("which takes only what names it")
            }
            Self::Level { takes, level } => {
                let takes: Vec<&str> = takes.iter().map(|level| level.as_str()).collect();
                write!(f, "which takes {}, not {level}", takes.join(", "))
            }
            Self::Filter { condition } => write!(f, "whose condition {condition} does not hold"),
            Self::Unheard => f.write_str("which was not told that it was open"),
            Self::Told => f.write_str("which was told already"),
            Self::Unreachable { detail } => f.write_str(detail),
        }
    }
}

impl Channel {
    /// Whether it takes what is announced at `level` of the alert that `record` shows.
    ///
    /// # Errors
    /// Why it does not.
    pub fn takes(&self, level: NotificationLevel, record: &Value) -> Result<(), Skip> {
        self.is_on()?;
        let has = |one| self.levels.contains(&one);
        let everybody = level == NotificationLevel::All && !self.levels.is_empty();
        if !everybody && !has(NotificationLevel::All) && !has(level) {
            return Err(Skip::Level { takes: self.levels.clone(), level });
        }
        self.filter.means(record).map_err(|condition| Skip::Filter { condition })
    }

    /// Whether it takes what names it, of the alert that `record` shows.
    ///
    /// # Errors
    /// Why it does not.
    pub fn takes_named(&self, record: &Value) -> Result<(), Skip> {
        self.is_on()?;
        self.filter.means(record).map_err(|condition| Skip::Filter { condition })
    }

    /// Whether it takes anything.
    ///
    /// # Errors
    /// Why it does not.
    pub fn is_on(&self) -> Result<(), Skip> {
        match self.state {
            ChannelState::Enabled => Ok(()),
            ChannelState::Disabled => Err(Skip::Disabled),
        }
    }

    /// How it gathers what happened on this occasion, if it does.
    pub fn gathering(&self, occasion: Occasion) -> Option<&Gather> {
        self.gather.as_ref().filter(|_| occasion.gathers())
    }
}

impl Place {
    /// Whether it is within what a caller may see. What a workspace has is seen by whoever reaches the workspace.
    pub fn is_seen_by(&self, scope: &Scope) -> bool {
        match self {
            Self::Workspace(domain, workspace) => {
                scope.domains.contains(domain) && scope.workspaces.contains(workspace)
            }
            Self::Project(home) => scope.contains(home),
        }
    }

    /// Whether a caller may change what lives there: what a workspace has is changed only by who reaches all of it.
    pub fn is_open_to(&self, scope: &Scope) -> bool {
        match self {
            Self::Workspace(domain, workspace) => scope.contains_workspace(domain, workspace),
            Self::Project(home) => scope.contains(home),
        }
    }

    /// What a caller may see of what such a channel may hear of.
    pub fn within(&self, scope: &Scope) -> Scope {
        let projects = self.project_id().map(|project| scope.projects.narrowed(project));
        Scope {
            domains: scope.domains.narrowed(self.domain_id()),
            workspaces: scope.workspaces.narrowed(self.workspace_id()),
            projects: projects.unwrap_or_else(|| scope.projects.clone()),
        }
    }

    /// Whether what lives there is there for all that lives at `other`.
    pub fn reaches(&self, other: &Self) -> bool {
        let is_in_workspace =
            self.domain_id() == other.domain_id() && self.workspace_id() == other.workspace_id();
        is_in_workspace && (self.project_id().is_none() || self.project_id() == other.project_id())
    }

    /// The domain.
    pub fn domain_id(&self) -> &Id<Domain> {
        match self {
            Self::Workspace(domain, _) => domain,
            Self::Project(home) => &home.domain_id,
        }
    }

    /// The workspace.
    pub fn workspace_id(&self) -> &Id<Workspace> {
        match self {
            Self::Workspace(_, workspace) => workspace,
            Self::Project(home) => &home.workspace_id,
        }
    }

    /// The project, if it is one.
    pub fn project_id(&self) -> Option<&Id<Project>> {
        match self {
            Self::Workspace(..) => None,
            Self::Project(home) => Some(&home.project_id),
        }
    }
}

/// The channels that may hear of the alerts of one project: its own and its workspace's, by name.
#[derive(Clone, Debug, Default)]
pub struct Channels(pub Vec<Arc<Channel>>);

impl Channels {
    /// The one with this identifier.
    pub fn get(&self, id: &Id<Channel>) -> Option<&Arc<Channel>> {
        self.0.iter().find(|channel| channel.channel_id == *id)
    }
}

#[cfg(test)]
mod tests;
