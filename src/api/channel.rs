//! `channel.*`: where messages go.

mod form;
mod info;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::form::{Form, GatherRequest, Said};
pub use self::info::ChannelInfo;
use super::{
    Call, Done, Moment, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    place::{self, Extent},
};
use crate::{
    care::{Hand, announce},
    digest::new_signing_secret,
    domain::{
        channel::{Channel, ChannelKind, ChannelState, Templates, Wanted, kind::ChannelType},
        notice::NotificationLevel,
        project::{Domain, Project, Workspace},
        setup::Held,
    },
    error::{Code, Error, Result},
    id::Id,
    query::CHANNELS,
    store::Tx,
};

/// A channel with a secret that was made just now, which is shown this once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewSecret {
    /// The channel.
    #[serde(flatten)]
    pub channel: ChannelInfo,
    /// What its requests are signed with, for who receives them to check; nobody can show it again. Absent for a channel
    /// that signs nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
}

/// Asks for a new channel.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateChannel {
    /// What people call it; unique in its project, or in its workspace.
    name: String,
    /// What it speaks.
    kind: ChannelType,
    /// What has to be known to reach it.
    #[serde(default)]
    settings: Map<String, Value>,
    /// Whether it hears of the alerts of one project or of a whole workspace; of the project where one is named.
    resource_group: Option<Extent>,
    /// The project whose alerts it hears of.
    project_id: Option<Id<Project>>,
    /// The workspace whose alerts it hears of.
    workspace_id: Option<Id<Workspace>>,
    /// The levels that it takes: ALL, or some of LV1 to LV10; an empty list where it hears only of what names it, such as a
    /// step of an escalation or a person whose contact it is. ALL where absent.
    levels: Option<Vec<NotificationLevel>>,
    /// Which alerts it takes: all of these conditions hold.
    filter: Option<Vec<Value>>,
    /// Which alerts it takes: one of these conditions holds, where there are any.
    filter_or: Option<Vec<Value>>,
    /// What its messages say, where it is not the usual.
    templates: Option<Templates>,
    /// How a storm is gathered into few messages; null where each alert has its own.
    #[serde(default)]
    #[schemars(with = "Option<GatherRequest>")]
    gather: Said<GatherRequest>,
    /// How many messages a minute it is sent at most; null where there is no limit.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    rate: Said<u32>,
    /// The users' own labels, all of them.
    tags: Option<Map<String, Value>>,
}

/// Makes a channel. What signs its requests is shown this once.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateChannel) -> Result<NewSecret> {
    let CreateChannel { name, kind, settings, resource_group, project_id, workspace_id, .. } =
        request;
    let CreateChannel { levels, filter, filter_or, templates, gather, rate, tags, .. } = request;
    let form = Form { levels, filter, filter_or, templates, gather, rate, tags };
    let (kind, signing_secret) = signing(ChannelKind::parse(kind, &settings, None)?, 0, call)?;
    let blank = Channel {
        channel_id: call.mint.id(call.now),
        name: asked::name("name", &name)?,
        home: place::asked(tx, call, resource_group, (project_id, workspace_id))?,
        state: ChannelState::Enabled,
        kind,
        levels: vec![NotificationLevel::All],
        filter: Wanted::default(),
        templates: Templates::default(),
        gather: None,
        rate: None,
        tags: BTreeMap::new(),
        created_at: call.now,
    };
    let channel = form.over(blank, call.now)?;
    place::has_room(tx, Held::Channels, &channel.home)?;
    call.touches("channel", &channel.channel_id);
    tx.put_channel(&channel)?;
    let view = ChannelInfo::from(&channel);
    call.touched("channel", &channel.channel_id, None, seen(&view));
    Ok(NewSecret { channel: view, signing_secret })
}

/// The same kind with a new secret, where it signs, and that secret. The one in use goes on beside it for so many seconds.
fn signing(kind: ChannelKind, grace: u32, call: &Call) -> Result<(ChannelKind, Option<String>)> {
    if !kind.is_signed() {
        return Ok((kind, None));
    }
    let secret = new_signing_secret().map_err(Error::internal)?;
    let shown = secret.reveal().to_owned();
    Ok((kind.rotated(secret, TimeDelta::seconds(grace.into()), call.now), Some(shown)))
}

/// Asks to change a channel; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateChannel {
    /// Its identifier.
    channel_id: Id<Channel>,
    /// What people call it; unique in its project, or in its workspace.
    name: Option<String>,
    /// What it speaks; with another one than before its settings are given anew.
    kind: Option<ChannelType>,
    /// What has to be known to reach it; what is left out stays, and what is null goes.
    #[serde(default)]
    settings: Map<String, Value>,
    /// The levels that it takes: ALL, or some of LV1 to LV10; an empty list where it hears only of what names it, such as a
    /// step of an escalation or a person whose contact it is.
    levels: Option<Vec<NotificationLevel>>,
    /// Which alerts it takes: all of these conditions hold.
    filter: Option<Vec<Value>>,
    /// Which alerts it takes: one of these conditions holds, where there are any.
    filter_or: Option<Vec<Value>>,
    /// What its messages say, where it is not the usual.
    templates: Option<Templates>,
    /// How a storm is gathered into few messages; null where each alert has its own.
    #[serde(default)]
    #[schemars(with = "Option<GatherRequest>")]
    gather: Said<GatherRequest>,
    /// How many messages a minute it is sent at most; null where there is no limit.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    rate: Said<u32>,
    /// The users' own labels, all of them.
    tags: Option<Map<String, Value>>,
}

/// Changes a channel.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateChannel) -> Result<ChannelInfo> {
    let UpdateChannel { channel_id, name, kind, settings, levels, filter, filter_or, .. } = request;
    let UpdateChannel { templates, gather, rate, tags, .. } = request;
    let form = Form { levels, filter, filter_or, templates, gather, rate, tags };
    let before = changeable(tx, call, &channel_id)?;
    let mut channel = before.clone();
    if let Some(name) = asked::text(name) {
        channel.name = asked::name("name", &name)?;
    }
    let kind = kind.unwrap_or_else(|| before.kind.kind());
    if kind != before.kind.kind() || !settings.is_empty() {
        channel.kind = ChannelKind::parse(kind, &settings, Some(&before.kind))?;
    }
    if channel.kind.is_signed() && !before.kind.is_signed() {
        // It would have no secret, since that is shown only where it is made.
        let detail =
            format!("make a new channel: one of kind {kind} gets its secret when it is made");
        return Err(Error::at(Code::InvalidParameter, "/kind", detail));
    }
    keep(tx, call, &before, &form.over(channel, call.now)?)
}

/// The channel that a caller means.
///
/// # Errors
/// `ERROR_NOT_FOUND` where it is not there for them.
pub fn existing(tx: &dyn Tx, call: &Call, id: &Id<Channel>) -> Result<Channel> {
    call.touches("channel", id);
    tx.channel(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("channel", id))
}

/// A channel that a caller may change.
///
/// # Errors
/// `ERROR_NOT_FOUND` where it is not there for them, `ERROR_PERMISSION_DENIED` where they do not reach all it hears of.
pub fn changeable(tx: &dyn Tx, call: &Call, id: &Id<Channel>) -> Result<Channel> {
    let channel = existing(tx, call, id)?;
    place::may_change(&channel.home, call)?;
    Ok(channel)
}

fn keep(tx: &mut dyn Tx, call: &Call, before: &Channel, after: &Channel) -> Result<ChannelInfo> {
    tx.put_channel(after)?;
    let (before, after) = (ChannelInfo::from(before), ChannelInfo::from(after));
    call.touched("channel", &after.channel_id, seen(&before), seen(&after));
    Ok(after)
}

/// Names one channel.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneChannel {
    /// Its identifier.
    channel_id: Id<Channel>,
}

/// Lets a channel take messages.
pub fn enable(tx: &mut dyn Tx, call: &Call, request: OneChannel) -> Result<ChannelInfo> {
    let before = changeable(tx, call, &request.channel_id)?;
    let after = Channel { state: ChannelState::Enabled, ..before.clone() };
    keep(tx, call, &before, &after)
}

/// Lets a channel take no messages until it is enabled again; what waits for it is dropped.
pub fn disable(tx: &mut dyn Tx, call: &Call, request: OneChannel) -> Result<ChannelInfo> {
    let before = changeable(tx, call, &request.channel_id)?;
    let after = Channel { state: ChannelState::Disabled, ..before.clone() };
    let view = keep(tx, call, &before, &after)?;
    drop_waiting(tx, call, &before, "its channel was disabled")?;
    Ok(view)
}

/// Deletes a channel; what waits for it is dropped, and what it was sent stays known.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneChannel) -> Result<Done> {
    let channel = changeable(tx, call, &request.channel_id)?;
    drop_waiting(tx, call, &channel, "its channel was deleted")?;
    tx.delete_channel(&channel.channel_id, call.now)?;
    call.touched("channel", &channel.channel_id, seen(&ChannelInfo::from(&channel)), None);
    Ok(Done {})
}

fn drop_waiting(tx: &mut dyn Tx, call: &Call, channel: &Channel, reason: &str) -> Result<()> {
    let hand = Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor };
    announce::drop_waiting(tx, (&channel.channel_id, &channel.name), reason, &hand)
}

/// One channel.
pub fn get(tx: &dyn Tx, call: &Call, request: OneChannel) -> Result<ChannelInfo> {
    existing(tx, call, &request.channel_id).map(|channel| ChannelInfo::from(&channel))
}

/// Asks for a new secret of a channel that signs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// Its identifier.
    channel_id: Id<Channel>,
    /// For how many seconds the secret in use still signs beside the new one; it stops at once where absent.
    #[serde(default)]
    expire_old_after: u32,
}

/// Gives a channel a new secret to sign with; it is shown this once.
pub fn rotate_secret(tx: &mut dyn Tx, call: &Call, request: RotateSecret) -> Result<NewSecret> {
    let before = changeable(tx, call, &request.channel_id)?;
    let (kind, signing_secret) = signing(before.kind.clone(), request.expire_old_after, call)?;
    if signing_secret.is_none() {
        let detail = format!("a channel of kind {} signs nothing", before.kind.kind());
        return Err(Error::at(Code::InvalidParameter, "/channel_id", detail));
    }
    let channel = keep(tx, call, &before, &Channel { kind, ..before.clone() })?;
    // No view shows the secret, so that it is another one must be said.
    let rotated = seen(&channel).map(|mut view| {
        view["secret_rotated_at"] = json!(Moment::from(call.now));
        view
    });
    call.touched("channel", &channel.channel_id, None, rotated);
    Ok(NewSecret { channel, signing_secret })
}

list_request! {
    /// Asks for channels.
    ListChannels: Asked,
    /// Asks for statistics of channels.
    StatChannels: AskedStat
    of CHANNELS {
        /// Only the one with this identifier.
        channel_id: Id<Channel>,
        /// Only those of exactly this name.
        name: String,
        /// Only those in this state.
        state: ChannelState,
        /// Only those that speak this.
        kind: ChannelType,
        /// Only those of this project; `*` for those of whole workspaces.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Channels, by name where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListChannels) -> Result<Page<Shown<ChannelInfo>>> {
    let query = request.checked(call.now)?;
    let channels = tx.channels(&call.caller.scope)?;
    Page::listed(channels.iter().map(ChannelInfo::from), &query, &CHANNELS)
}

/// Statistics of channels.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatChannels) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    let channels = tx.channels(&call.caller.scope)?;
    StatInfo::of(channels.iter().map(ChannelInfo::from), &stat)
}
