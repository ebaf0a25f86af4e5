//! Windows, silences and inhibitions as the file keeps them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::super::rows::Columns;
use crate::{
    clock::Timestamp,
    domain::{
        calendar::{Calendar, Span, zone},
        project::Project,
        scope::Reach,
        suppress::{AlertFilter, Area, EqualField, Inhibition, MaintenanceWindow, Silence},
    },
    error::{Error, Result},
    id::Id,
};

/// A row of any kind.
pub(super) struct Kept {
    pub(super) row: i64,
    id: String,
    pub(super) area: Area,
    body: String,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    ended_at: Option<Timestamp>,
}

/// The columns of a row, as [`Kept::read`] reads them.
pub(super) const COLUMNS: &str = "u.suppression, u.suppression_id, d.domain_id, s.workspace_id, u.projects, u.body, u.created_by,
        u.created_at, u.updated_at, u.ended_at";

/// What a row says besides what has columns.
pub(super) trait Body: Serialize + DeserializeOwned {
    /// What it is in the rest of the program.
    type Whole;

    /// It, from a row.
    fn whole(self, kept: Kept) -> Result<Self::Whole>;
}

#[derive(Serialize, Deserialize)]
pub(super) struct WindowBody {
    title: String,
    filter: Vec<Value>,
    start: Timestamp,
    end: Timestamp,
    time_zone: String,
    rrule: Option<String>,
    tags: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SilenceBody {
    reason: String,
    owner: String,
    filter: Vec<Value>,
    start: Timestamp,
    end: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub(super) struct InhibitionBody {
    name: String,
    source: Vec<Value>,
    target: Vec<Value>,
    equal: Vec<String>,
}

impl Kept {
    /// From the columns of a row.
    pub(super) fn read(columns: &mut Columns<'_>) -> Result<Self> {
        let (row, id) = (columns.get()?, columns.text()?);
        let (domain_id, workspace_id) = (columns.id()?, columns.id()?);
        let projects: Option<Vec<Id<Project>>> = columns.maybe_kept()?;
        let projects = projects.map_or(Reach::All, |it| Reach::Only(it.into_iter().collect()));
        Ok(Self {
            row,
            id,
            area: Area { domain_id, workspace_id, projects },
            body: columns.text()?,
            created_by: columns.text()?,
            created_at: columns.time()?,
            updated_at: columns.time()?,
            ended_at: columns.maybe_time()?,
        })
    }

    /// What it is in the rest of the program.
    pub(super) fn whole<B: Body>(self) -> Result<B::Whole> {
        let body: B = serde_json::from_str(&self.body).map_err(Error::internal)?;
        body.whole(self)
    }
}

impl From<&MaintenanceWindow> for WindowBody {
    fn from(window: &MaintenanceWindow) -> Self {
        let Span { start, end } = window.calendar.first();
        Self {
            title: window.title.clone(),
            filter: window.filter.written().to_vec(),
            start,
            end,
            time_zone: window.calendar.zone().name().to_owned(),
            rrule: window.calendar.rrule().map(str::to_owned),
            tags: window.tags.clone(),
        }
    }
}

impl Body for WindowBody {
    type Whole = MaintenanceWindow;

    fn whole(self, kept: Kept) -> Result<MaintenanceWindow> {
        let Self { title, filter, start, end, time_zone, rrule, tags } = self;
        let calendar = zone(&time_zone)
            .and_then(|zone| Calendar::new(zone, Span { start, end }, rrule.as_deref()));
        Ok(MaintenanceWindow {
            maintenance_window_id: kept.id.into(),
            title,
            area: kept.area,
            filter: AlertFilter::read(filter, "", kept.updated_at)?,
            calendar: calendar.map_err(Error::internal)?,
            tags,
            created_by: kept.created_by,
            created_at: kept.created_at,
            updated_at: kept.updated_at,
            closed_at: kept.ended_at,
        })
    }
}

impl From<&Silence> for SilenceBody {
    fn from(silence: &Silence) -> Self {
        Self {
            reason: silence.reason.clone(),
            owner: silence.owner.clone(),
            filter: silence.filter.written().to_vec(),
            start: silence.span.start,
            end: silence.span.end,
        }
    }
}

impl Body for SilenceBody {
    type Whole = Silence;

    fn whole(self, kept: Kept) -> Result<Silence> {
        let Self { reason, owner, filter, start, end } = self;
        Ok(Silence {
            silence_id: kept.id.into(),
            reason,
            area: kept.area,
            filter: AlertFilter::read(filter, "", kept.updated_at)?,
            span: Span { start, end },
            owner,
            created_by: kept.created_by,
            created_at: kept.created_at,
            updated_at: kept.updated_at,
            ended_at: kept.ended_at,
        })
    }
}

impl From<&Inhibition> for InhibitionBody {
    fn from(inhibition: &Inhibition) -> Self {
        Self {
            name: inhibition.name.clone(),
            source: inhibition.source.written().to_vec(),
            target: inhibition.target.written().to_vec(),
            equal: inhibition.equal.iter().map(|field| field.written.clone()).collect(),
        }
    }
}

impl Body for InhibitionBody {
    type Whole = Inhibition;

    fn whole(self, kept: Kept) -> Result<Inhibition> {
        let Self { name, source, target, equal } = self;
        Ok(Inhibition {
            inhibition_id: kept.id.into(),
            name,
            area: kept.area,
            source: AlertFilter::read(source, "", kept.updated_at)?,
            target: AlertFilter::read(target, "", kept.updated_at)?,
            equal: EqualField::list(&equal, "")?,
            created_by: kept.created_by,
            created_at: kept.created_at,
            updated_at: kept.updated_at,
            closed_at: kept.ended_at,
        })
    }
}
