//! `silence.*`: alerts that someone does not want to hear of for a while.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Call, Moment, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    suppressed::{self, FilterCondition, Meant, Preview, PreviewInfo, Where},
};
use crate::{
    care::{Hand, mute},
    clock::Timestamp,
    domain::{
        calendar::{Calendar, Span},
        project::{Domain, Project, Workspace},
        suppress::{AlertFilter, Silence, SilenceState},
        words::ResourceGroup,
    },
    error::{Code, Error, Result},
    id::Id,
    query::SILENCES,
    store::{HitKind, Tx},
};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1000;

/// Alerts that someone does not want to hear of for a while.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SilenceInfo {
    /// Its identifier.
    pub silence_id: Id<Silence>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it stands: PENDING, ACTIVE or EXPIRED.
    pub state: SilenceState,
    /// Which alerts it mutes.
    #[schemars(with = "Vec<FilterCondition>")]
    pub filter: Vec<Value>,
    /// When it begins.
    pub start_time: Moment,
    /// When it is over.
    pub end_time: Moment,
    /// Whose alerts it mutes: those of one project, or of a whole workspace.
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
    /// When it was ended, by hand or because its time was over.
    pub ended_at: Option<Moment>,
    /// How many alerts it muted.
    pub hit_count: u64,
    /// When it last muted one.
    pub last_hit_at: Option<Moment>,
}

pub(super) fn info(tx: &dyn Tx, silence: &Silence, now: Timestamp) -> Result<SilenceInfo> {
    let hits = tx.hits(HitKind::Silence, silence.silence_id.as_str())?;
    let (resource_group, project_id) = suppressed::whose(&silence.area);
    Ok(SilenceInfo {
        silence_id: silence.silence_id.clone(),
        reason: silence.reason.clone(),
        owner: silence.owner.clone(),
        state: silence.state(now),
        filter: silence.filter.written().to_vec(),
        start_time: silence.span.start.into(),
        end_time: silence.span.end.into(),
        resource_group,
        project_id,
        workspace_id: silence.area.workspace_id.clone(),
        domain_id: silence.area.domain_id.clone(),
        created_by: silence.created_by.clone(),
        created_at: silence.created_at.into(),
        updated_at: silence.updated_at.into(),
        ended_at: silence.ended_at.map(Moment),
        hit_count: hits.count,
        last_hit_at: hits.last_at.map(Moment),
    })
}

/// Asks for a new silence, or what it would do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSilence {
    /// Which alerts it mutes: conditions of the filter language, all of which must hold.
    #[schemars(with = "Vec<FilterCondition>")]
    filter: Vec<Value>,
    /// Why.
    reason: String,
    /// Who answers for it; who calls where absent.
    owner: Option<String>,
    /// When it begins; now where absent.
    start_time: Option<String>,
    /// When it is over.
    end_time: Option<String>,
    /// How many seconds it lasts, instead of `end_time`.
    duration_seconds: Option<u32>,
    /// Whose alerts it mutes; PROJECT where absent.
    resource_group: Option<ResourceGroup>,
    /// The workspace, for `resource_group` WORKSPACE; `default` where the caller has several.
    workspace_id: Option<Id<Workspace>>,
    /// The project, for `resource_group` PROJECT.
    project_id: Option<Id<Project>>,
}

/// Makes a silence; alerts that are open are muted with the next second.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateSilence) -> Result<SilenceInfo> {
    let silence = made(tx, call, request)?;
    call.touches("silence", &silence.silence_id);
    suppressed::has_room(tx, &silence.area)?;
    keep(tx, call, None, &silence)
}

/// Tells what a silence would have muted in the last seven days; makes none.
pub fn preview(tx: &dyn Tx, call: &Call, request: CreateSilence) -> Result<PreviewInfo> {
    let silence = made(tx, call, request)?;
    let preview = Preview::of(tx, call, &Meant { area: &silence.area, filter: &silence.filter })?;
    let once = Calendar::new(chrono_tz::UTC, silence.span, None).map_err(suppressed::misdated)?;
    Ok(preview.told(Some(&once), silence.too_broad(), call))
}

fn made(tx: &dyn Tx, call: &Call, request: CreateSilence) -> Result<Silence> {
    let CreateSilence { filter, owner, resource_group, workspace_id, project_id, .. } = request;
    let start = match &request.start_time {
        Some(text) => suppressed::time("start_time", text, chrono_tz::UTC)?,
        None => call.now,
    };
    let end = end(request.end_time.as_deref(), request.duration_seconds, start)?
        .ok_or_else(|| Error::required("end_time"))?;
    Ok(Silence {
        silence_id: call.mint.id(call.now),
        reason: reason(&request.reason)?,
        area: Where { resource_group, workspace_id, project_id }.area(tx, call)?,
        filter: AlertFilter::read(filter, "/filter", call.now)?,
        span: Span { start, end },
        owner: match asked::text(owner) {
            Some(owner) => asked::name("owner", &owner)?,
            None => call.caller.actor.clone(),
        },
        created_by: call.caller.actor.clone(),
        created_at: call.now,
        updated_at: call.now,
        ended_at: None,
    })
}

fn reason(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::required("reason"));
    }
    if text.chars().count() > LONGEST_REASON {
        let detail = format!("`reason` has at most {LONGEST_REASON} characters");
        return Err(Error::at(Code::InvalidParameter, "/reason", detail));
    }
    Ok(text.to_owned())
}

/// When a silence is over that begins at `start`, by either way to say it.
fn end(
    end_time: Option<&str>,
    seconds: Option<u32>,
    start: Timestamp,
) -> Result<Option<Timestamp>> {
    match (end_time, seconds) {
        (Some(_), Some(_)) => {
            let detail = "`end_time` and `duration_seconds` mean the same: give one of them";
            Err(Error::at(Code::InvalidParameter, "/duration_seconds", detail))
        }
        (Some(text), None) => suppressed::time("end_time", text, chrono_tz::UTC).map(Some),
        (None, Some(seconds)) => Ok(Some(start + TimeDelta::seconds(seconds.into()))),
        (None, None) => Ok(None),
    }
}

/// Asks to change a silence; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSilence {
    /// Its identifier.
    silence_id: Id<Silence>,
    /// Which alerts it mutes.
    #[schemars(with = "Option<Vec<FilterCondition>>")]
    filter: Option<Vec<Value>>,
    /// Why.
    reason: Option<String>,
    /// Who answers for it.
    owner: Option<String>,
    /// When it begins.
    start_time: Option<String>,
    /// When it is over.
    end_time: Option<String>,
    /// How many seconds it lasts from its beginning, instead of `end_time`.
    duration_seconds: Option<u32>,
}

/// Changes a silence that is not over.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateSilence) -> Result<SilenceInfo> {
    let before = changeable(tx, call, &request.silence_id)?;
    let mut after = Silence { updated_at: call.now, ..before.clone() };
    if let Some(text) = &request.start_time {
        after.span.start = suppressed::time("start_time", text, chrono_tz::UTC)?;
    }
    let end = end(request.end_time.as_deref(), request.duration_seconds, after.span.start)?;
    after.span.end = end.unwrap_or(after.span.end);
    if let Some(filter) = request.filter {
        after.filter = AlertFilter::read(filter, "/filter", call.now)?;
    }
    if let Some(text) = asked::text(request.reason) {
        after.reason = reason(&text)?;
    }
    if let Some(owner) = asked::text(request.owner) {
        after.owner = asked::name("owner", &owner)?;
    }
    keep(tx, call, Some(&before), &after)
}

/// Names one silence.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneSilence {
    /// Its identifier.
    silence_id: Id<Silence>,
}

/// Ends a silence before its time: it mutes no more, and people are told of what is still open.
pub fn expire(tx: &mut dyn Tx, call: &Call, request: OneSilence) -> Result<SilenceInfo> {
    let before = changeable(tx, call, &request.silence_id)?;
    let after = Silence { ended_at: Some(call.now), updated_at: call.now, ..before.clone() };
    put(tx, call, Some(&before), &after)
}

/// One silence.
pub fn get(tx: &dyn Tx, call: &Call, request: OneSilence) -> Result<SilenceInfo> {
    info(tx, &existing(tx, call, &request.silence_id)?, call.now)
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Silence>) -> Result<Silence> {
    call.touches("silence", id);
    tx.silence(&call.caller.scope, id)?.ok_or_else(|| Error::not_found("silence", id))
}

/// A silence that is about to be changed.
fn changeable(tx: &dyn Tx, call: &Call, id: &Id<Silence>) -> Result<Silence> {
    let silence = existing(tx, call, id)?;
    suppressed::may_change(call, &silence.area)?;
    if silence.is_over(call.now) {
        let detail = format!("silence `{id}` is over; make another one");
        return Err(Error::new(Code::InvalidParameter, detail));
    }
    Ok(silence)
}

/// Writes a silence down, unless it is over already or too broad.
fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    before: Option<&Silence>,
    after: &Silence,
) -> Result<SilenceInfo> {
    if after.span.end <= after.span.start.max(call.now) {
        let detail = "it must be over later than it begins, and later than now";
        return Err(Error::at(Code::InvalidParameter, "/end_time", detail));
    }
    let pointer = if after.filter.is_narrow() { "/end_time" } else { "/filter" };
    suppressed::is_narrow(after.too_broad(), pointer)?;
    put(tx, call, before, after)
}

fn put(
    tx: &mut dyn Tx,
    call: &Call,
    before: Option<&Silence>,
    after: &Silence,
) -> Result<SilenceInfo> {
    let before = before.map(|before| info(tx, before, call.now)).transpose()?;
    let hand = Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor };
    mute::silence_set(tx, after, &hand)?;
    let view = info(tx, after, call.now)?;
    call.touched("silence", &view.silence_id, before.as_ref().and_then(seen), seen(&view));
    Ok(view)
}

list_request! {
    /// Asks for silences.
    ListSilences: Asked,
    /// Asks for statistics of silences.
    StatSilences: AskedStat
    of SILENCES {
        /// Only the one with this identifier.
        silence_id: Id<Silence>,
        /// Only those that stand so.
        state: SilenceState,
        /// Only those that this person answers for.
        owner: String,
        /// Only those of this project; those of whole workspaces have `*`.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Silences, newest first where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListSilences) -> Result<Page<Shown<SilenceInfo>>> {
    let query = request.checked(call.now)?;
    Page::listed(views(tx, call)?, &query, &SILENCES)
}

/// Statistics of silences.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatSilences) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    StatInfo::of(views(tx, call)?.into_iter(), &stat)
}

/// All that are seen, in the order of their making.
fn views(tx: &dyn Tx, call: &Call) -> Result<Vec<SilenceInfo>> {
    let silences = tx.silences(&call.caller.scope)?;
    silences.iter().rev().map(|silence| info(tx, silence, call.now)).collect()
}
