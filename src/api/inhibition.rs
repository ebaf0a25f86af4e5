//! `inhibition.*`: alerts that mute others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Call, Moment, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    suppressed::{self, FilterCondition, Preview, PreviewInfo, Where},
};
use crate::{
    care::{Hand, mute},
    domain::{
        project::{Domain, Project, Workspace},
        suppress::{AlertFilter, EqualField, Inhibition, WindowState},
        words::ResourceGroup,
    },
    error::{Code, Error, Result},
    id::Id,
    query::INHIBITIONS,
    store::{HitKind, Tx},
};

/// While an alert that meets one filter is open, alerts that meet another are muted where the named fields are equal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct InhibitionInfo {
    /// Its identifier.
    pub inhibition_id: Id<Inhibition>,
    /// What people call it.
    pub name: String,
    /// Whether it mutes: OPEN or CLOSED.
    pub state: WindowState,
    /// Which alerts mute others.
    #[schemars(with = "Vec<FilterCondition>")]
    pub source: Vec<Value>,
    /// Which alerts are muted.
    #[schemars(with = "Vec<FilterCondition>")]
    pub target: Vec<Value>,
    /// The fields in which both are equal.
    pub equal: Vec<String>,
    /// Whose alerts it is about: those of one project, or of a whole workspace.
    pub resource_group: ResourceGroup,
    /// Its project; `*` for a whole workspace.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
    /// When it was closed.
    pub closed_at: Option<Moment>,
    /// How many alerts it muted.
    pub hit_count: u64,
    /// When it last muted one.
    pub last_hit_at: Option<Moment>,
}

fn info(tx: &dyn Tx, inhibition: &Inhibition) -> Result<InhibitionInfo> {
    let hits = tx.hits(HitKind::Inhibition, inhibition.inhibition_id.as_str())?;
    let (resource_group, project_id) = suppressed::whose(&inhibition.area);
    let state =
        if inhibition.closed_at.is_none() { WindowState::Open } else { WindowState::Closed };
    Ok(InhibitionInfo {
        inhibition_id: inhibition.inhibition_id.clone(),
        name: inhibition.name.clone(),
        state,
        source: inhibition.source.written().to_vec(),
        target: inhibition.target.written().to_vec(),
        equal: inhibition.equal.iter().map(|field| field.written.clone()).collect(),
        resource_group,
        project_id,
        workspace_id: inhibition.area.workspace_id.clone(),
        domain_id: inhibition.area.domain_id.clone(),
        created_by: inhibition.created_by.clone(),
        created_at: inhibition.created_at.into(),
        updated_at: inhibition.updated_at.into(),
        closed_at: inhibition.closed_at.map(Moment),
        hit_count: hits.count,
        last_hit_at: hits.last_at.map(Moment),
    })
}

/// Asks for a new inhibition, or what it would do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInhibition {
    /// What people call it.
    name: String,
    /// Which alerts mute others: conditions of the filter language, all of which must hold.
    #[schemars(with = "Vec<FilterCondition>")]
    source: Vec<Value>,
    /// Which alerts are muted.
    #[schemars(with = "Vec<FilterCondition>")]
    target: Vec<Value>,
    /// The fields in which both must be equal, e.g. `additional_info.cluster`. What is absent equals nothing.
    equal: Vec<String>,
    /// Whose alerts it is about; PROJECT where absent.
    resource_group: Option<ResourceGroup>,
    /// The workspace, for `resource_group` WORKSPACE; `default` where the caller has several.
    workspace_id: Option<Id<Workspace>>,
    /// The project, for `resource_group` PROJECT.
    project_id: Option<Id<Project>>,
}

/// Makes an inhibition; alerts that are open are looked at with the next second.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateInhibition) -> Result<InhibitionInfo> {
    let inhibition = made(tx, call, request)?;
    call.touches("inhibition", &inhibition.inhibition_id);
    suppressed::has_room(tx, &inhibition.area)?;
    keep(tx, call, None, &inhibition)
}

/// Tells what an inhibition would have muted in the last seven days; makes none.
pub fn preview(tx: &dyn Tx, call: &Call, request: CreateInhibition) -> Result<PreviewInfo> {
    let inhibition = made(tx, call, request)?;
    let preview = Preview::inhibited(tx, call, &inhibition)?;
    Ok(preview.told(None, inhibition.too_broad(), call))
}

fn made(tx: &dyn Tx, call: &Call, request: CreateInhibition) -> Result<Inhibition> {
    let CreateInhibition { name, source, target, equal, resource_group, workspace_id, project_id } =
        request;
    Ok(Inhibition {
        inhibition_id: call.mint.id(call.now),
        name: asked::name("name", &name)?,
        area: Where { resource_group, workspace_id, project_id }.area(tx, call)?,
        source: AlertFilter::read(source, "/source", call.now)?,
        target: AlertFilter::read(target, "/target", call.now)?,
        equal: EqualField::list(&equal, "/equal")?,
        created_by: call.caller.actor.clone(),
        created_at: call.now,
        updated_at: call.now,
        closed_at: None,
    })
}

/// Asks to change an inhibition; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateInhibition {
    /// Its identifier.
    inhibition_id: Id<Inhibition>,
    /// What people call it.
    name: Option<String>,
    /// Which alerts mute others.
    #[schemars(with = "Option<Vec<FilterCondition>>")]
    source: Option<Vec<Value>>,
    /// Which alerts are muted.
    #[schemars(with = "Option<Vec<FilterCondition>>")]
    target: Option<Vec<Value>>,
    /// The fields in which both must be equal.
    equal: Option<Vec<String>>,
}

/// Changes an inhibition that is not closed.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateInhibition) -> Result<InhibitionInfo> {
    let before = changeable(tx, call, &request.inhibition_id)?;
    let mut after = Inhibition { updated_at: call.now, ..before.clone() };
    if let Some(name) = asked::text(request.name) {
        after.name = asked::name("name", &name)?;
    }
    if let Some(source) = request.source {
        after.source = AlertFilter::read(source, "/source", call.now)?;
    }
    if let Some(target) = request.target {
        after.target = AlertFilter::read(target, "/target", call.now)?;
    }
    if let Some(equal) = request.equal {
        after.equal = EqualField::list(&equal, "/equal")?;
    }
    keep(tx, call, Some(&before), &after)
}

/// Names one inhibition.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneInhibition {
    /// Its identifier.
    inhibition_id: Id<Inhibition>,
}

/// Closes an inhibition: it mutes no more, and people are told of what is still open.
pub fn close(tx: &mut dyn Tx, call: &Call, request: OneInhibition) -> Result<InhibitionInfo> {
    let before = changeable(tx, call, &request.inhibition_id)?;
    let after = Inhibition { closed_at: Some(call.now), updated_at: call.now, ..before.clone() };
    put(tx, call, Some(&before), &after)
}

/// One inhibition.
pub fn get(tx: &dyn Tx, call: &Call, request: OneInhibition) -> Result<InhibitionInfo> {
    info(tx, &existing(tx, call, &request.inhibition_id)?)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Inhibition>) -> Result<Inhibition> {
    call.touches("inhibition", id);
    tx.inhibition(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("inhibition", id))
}

/// An inhibition that is about to be changed.
fn changeable(tx: &dyn Tx, call: &Call, id: &Id<Inhibition>) -> Result<Inhibition> {
    let inhibition = existing(tx, call, id)?;
    suppressed::may_change(call, &inhibition.area)?;
    if inhibition.closed_at.is_some() {
        let detail = format!("inhibition `{id}` is closed; make another one");
        return Err(Error::new(Code::InvalidParameter, detail));
    }
    Ok(inhibition)
}

/// Writes an inhibition down, unless it is too broad.
fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    before: Option<&Inhibition>,
    after: &Inhibition,
) -> Result<InhibitionInfo> {
    suppressed::is_narrow(after.too_broad(), "/source")?;
    put(tx, call, before, after)
}

fn put(
    tx: &mut dyn Tx,
    call: &Call,
    before: Option<&Inhibition>,
    after: &Inhibition,
) -> Result<InhibitionInfo> {
    let before = before.map(|before| info(tx, before)).transpose()?;
    let hand = Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor };
    mute::inhibition_set(tx, after, &hand)?;
    let view = info(tx, after)?;
    call.touched("inhibition", &view.inhibition_id, before.as_ref().and_then(seen), seen(&view));
    Ok(view)
}

list_request! {
    /// Asks for inhibitions.
    ListInhibitions: Asked,
    /// Asks for statistics of inhibitions.
    StatInhibitions: AskedStat
    of INHIBITIONS {
        /// Only the one with this identifier.
        inhibition_id: Id<Inhibition>,
        /// Only those of exactly this name.
        name: String,
        /// Only those that stand so.
        state: WindowState,
        /// Only those of this project; those of whole workspaces have `*`.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Inhibitions, newest first where no order is asked for.
pub fn list(
    tx: &dyn Tx,
    call: &Call,
    request: ListInhibitions,
) -> Result<Page<Shown<InhibitionInfo>>> {
    let query = request.checked(call.now)?;
    Page::listed(views(tx, call)?, &query, &INHIBITIONS)
}

/// Statistics of inhibitions.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatInhibitions) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    StatInfo::of(views(tx, call)?.into_iter(), &stat)
}

/// All that are seen, in the order of their making.
fn views(tx: &dyn Tx, call: &Call) -> Result<Vec<InhibitionInfo>> {
    let inhibitions = tx.inhibitions(&call.caller.scope)?;
    inhibitions.iter().rev().map(|inhibition| info(tx, inhibition)).collect()
}
