//! A channel as the outside sees it: nothing of its secrets.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::{
    Moment,
    place::{Extent, project_shown},
};
use crate::{
    domain::{
        channel::{Channel, ChannelState, Templates, kind::ChannelType},
        notice::NotificationLevel,
        project::{Domain, Project, Workspace},
    },
    id::Id,
};

/// Where messages go.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChannelInfo {
    /// Its identifier.
    pub channel_id: Id<Channel>,
    /// What people call it; unique in its project, or in its workspace.
    pub name: String,
    /// Whether it takes messages.
    pub state: ChannelState,
    /// What it speaks.
    pub kind: ChannelType,
    /// Whom it reaches, in a few words.
    pub target: String,
    /// What has to be known to reach it; secrets are hidden.
    pub settings: Map<String, Value>,
    /// The levels that it takes; where empty, it hears only of what names it.
    pub levels: Vec<NotificationLevel>,
    /// Which alerts it takes: all of these conditions hold.
    pub filter: Vec<Value>,
    /// Which alerts it takes: one of these conditions holds, where there are any.
    pub filter_or: Vec<Value>,
    /// What its messages say, where it is not the usual.
    pub templates: Templates,
    /// How a storm is gathered into few messages; null where each alert has its own.
    pub gather: Option<GatherInfo>,
    /// How many messages a minute it is sent at most; null where there is no limit.
    pub rate: Option<u32>,
    /// The users' own labels.
    pub tags: Map<String, Value>,
    /// Whether it hears of the alerts of one project or of a whole workspace.
    pub resource_group: Extent,
    /// Its project; `*` for a whole workspace.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
}

/// How a storm is gathered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GatherInfo {
    /// The fields in which those agree that go out in one message.
    pub by: Vec<String>,
    /// For how many seconds after the first one a message waits for more.
    pub seconds: u32,
}

impl From<&Channel> for ChannelInfo {
    fn from(channel: &Channel) -> Self {
        let gather = channel.gather.as_ref();
        Self {
            channel_id: channel.channel_id.clone(),
            name: channel.name.clone(),
            state: channel.state,
            kind: channel.kind.kind(),
            target: channel.kind.target(),
            settings: channel.kind.masked(),
            levels: channel.levels.clone(),
            filter: channel.filter.all.clone(),
            filter_or: channel.filter.any.clone(),
            templates: channel.templates.clone(),
            gather: gather.map(|it| GatherInfo { by: it.by.clone(), seconds: it.seconds }),
            rate: channel.rate,
            tags: channel.tags.clone().into_iter().collect(),
            resource_group: Extent::of(&channel.home),
            project_id: project_shown(&channel.home),
            workspace_id: channel.home.workspace_id().clone(),
            domain_id: channel.home.domain_id().clone(),
            created_at: channel.created_at.into(),
        }
    }
}
