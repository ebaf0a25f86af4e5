//! Maintenance windows, silences, inhibitions.

mod kept;
mod sides;

use rusqlite::params;

use self::kept::{Body, COLUMNS, InhibitionBody, Kept, SilenceBody, WindowBody};
use super::{
    rows::{Columns, json, maybe_millis, millis},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        alert::Alert,
        project::Project,
        scope::{Home, Reach, Scope},
        suppress::{
            Area, EqualValues, Inhibition, MaintenanceWindow, Mutes as Loaded, Side, Silence,
        },
    },
    error::Result,
    id::Id,
    store::{InhibitedByKey, OpenPage, OpenPlace, Suppression, Which},
};

/// What all kinds have in columns.
struct Common<'a> {
    id: &'a str,
    kind: &'static str,
    area: &'a Area,
    body: String,
    created_by: &'a str,
    created_at: Timestamp,
    updated_at: Timestamp,
    ended_at: Option<Timestamp>,
}

/// The words for the kinds.
const WINDOW: &str = "maintenance_window";
const SILENCE: &str = "silence";
const INHIBITION: &str = "inhibition";

impl Work {
    /// What a setup holds of this. What cannot be read any more mutes nothing: better one page too many than an alert
    /// that cannot open.
    pub(super) fn load_mutes(&self, home: &Home) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        for (kind, kept) in self.live_of(home)? {
            let row = kept.row;
            let read = match kind.as_str() {
                WINDOW => kept.whole::<WindowBody>().map(|it| loaded.windows.push(it)),
                SILENCE => kept.whole::<SilenceBody>().map(|it| loaded.silences.push(it)),
                _ => kept.whole::<InhibitionBody>().map(|it| loaded.inhibitions.push(it)),
            };
            if let Err(error) = read {
                tracing::error!(suppression = row, %error, cause = ?error.cause, "what mutes alerts could not be read, and mutes none");
            }
        }
        Ok(loaded)
    }

    /// What is not over and concerns a project, oldest first.
    fn live_of(&self, home: &Home) -> Result<Vec<(String, Kept)>> {
        let sql = format!(
            "SELECT u.kind, {COLUMNS} FROM suppression u
             JOIN workspace s USING (workspace) JOIN domain d USING (domain)
             WHERE u.suppression IN (
                 SELECT suppression FROM suppression_of_project WHERE project = ?1
                 UNION ALL
                 SELECT suppression FROM suppression
                 WHERE workspace = ?2 AND projects IS NULL AND ended_at IS NULL)
             ORDER BY u.suppression"
        );
        let params = params![self.project_row(&home.project_id)?, self.workspace_row(home)?];
        self.many(&sql, params, |row| {
            let mut columns = Columns::of(row);
            Ok((columns.text()?, Kept::read(&mut columns)?))
        })
    }

    /// All of one kind that are seen in `scope`, newest first.
    fn listed<B: Body>(&self, kind: &str, scope: &Scope) -> Result<Vec<B::Whole>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM suppression u
             CROSS JOIN workspace s USING (workspace) CROSS JOIN domain d USING (domain)
             WHERE u.kind = ?1 ORDER BY u.suppression DESC"
        );
        let rows = self.many(&sql, [kind], |row| Kept::read(&mut Columns::of(row)))?;
        let seen = rows.into_iter().filter(|kept| kept.area.is_seen_in(scope));
        seen.map(Kept::whole::<B>).collect()
    }

    fn single<B: Body>(&self, kind: &str, scope: &Scope, id: &str) -> Result<Option<B::Whole>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM suppression u
             JOIN workspace s USING (workspace) JOIN domain d USING (domain)
             WHERE u.suppression_id = ?1 AND u.kind = ?2"
        );
        let found = self.one(&sql, [id, kind], |row| Kept::read(&mut Columns::of(row)))?;
        let seen = found.filter(|kept| kept.area.is_seen_in(scope));
        seen.map(Kept::whole::<B>).transpose()
    }

    fn put_common(&self, it: &Common<'_>) -> Result<()> {
        self.concerned(it)?;
        let projects = match &it.area.projects {
            Reach::All => None,
            Reach::Only(some) => Some(json(&some.iter().map(Id::as_str).collect::<Vec<_>>())?),
        };
        self.put(
            "INSERT INTO suppression (suppression_id, kind, workspace, projects, body, created_by, created_at,
                                      updated_at, ended_at)
             VALUES (?1, ?2, (SELECT workspace FROM workspace WHERE workspace_id = ?3), ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (suppression_id) DO UPDATE SET workspace = excluded.workspace, projects = excluded.projects,
                 body = excluded.body, updated_at = excluded.updated_at, ended_at = excluded.ended_at",
            params![
                it.id,
                it.kind,
                it.area.workspace_id.as_str(),
                projects,
                it.body,
                it.created_by,
                millis(it.created_at),
                millis(it.updated_at),
                maybe_millis(it.ended_at)
            ],
        )?;
        self.put_projects(it)
    }

    /// Notes whose setups change: those of the projects that it was of, and will be of.
    fn concerned(&self, it: &Common<'_>) -> Result<()> {
        let before = self.one(
            "SELECT projects FROM suppression WHERE suppression_id = ?1",
            [it.id],
            |row| Columns::of(row).maybe_kept::<Vec<Id<Project>>>(),
        )?;
        let (Some(before), Reach::Only(after)) =
            (before.unwrap_or(Some(Vec::new())), &it.area.projects)
        else {
            return self.setups_changed(&it.area.workspace_id);
        };
        before.iter().chain(after).try_for_each(|project| self.setup_changed(project))
    }

    /// Keeps of which projects something is that is not over.
    fn put_projects(&self, it: &Common<'_>) -> Result<()> {
        let sql = "SELECT suppression FROM suppression WHERE suppression_id = ?1";
        let row = self.number(sql, [it.id])?;
        self.put("DELETE FROM suppression_of_project WHERE suppression = ?1", [row])?;
        if it.area.projects == Reach::All || it.ended_at.is_some() {
            return Ok(());
        }
        for project in self.project_rows(it.area)? {
            let sql = "INSERT INTO suppression_of_project (project, suppression) VALUES (?1, ?2)";
            self.put(sql, params![project, row])?;
        }
        Ok(())
    }
}

impl Suppression for Work {
    fn maintenance_windows(&self, scope: &Scope) -> Result<Vec<MaintenanceWindow>> {
        self.listed::<WindowBody>(WINDOW, scope)
    }

    fn maintenance_window(
        &self,
        scope: &Scope,
        id: &Id<MaintenanceWindow>,
    ) -> Result<Option<MaintenanceWindow>> {
        self.single::<WindowBody>(WINDOW, scope, id.as_str())
    }

    fn put_maintenance_window(&mut self, window: &MaintenanceWindow) -> Result<()> {
        self.put_common(&Common {
            id: window.maintenance_window_id.as_str(),
            kind: WINDOW,
            area: &window.area,
            body: json(&WindowBody::from(window))?,
            created_by: &window.created_by,
            created_at: window.created_at,
            updated_at: window.updated_at,
            ended_at: window.closed_at,
        })
    }

    fn silences(&self, scope: &Scope) -> Result<Vec<Silence>> {
        self.listed::<SilenceBody>(SILENCE, scope)
    }

    fn silence(&self, scope: &Scope, id: &Id<Silence>) -> Result<Option<Silence>> {
        self.single::<SilenceBody>(SILENCE, scope, id.as_str())
    }

    fn put_silence(&mut self, silence: &Silence) -> Result<()> {
        self.put_common(&Common {
            id: silence.silence_id.as_str(),
            kind: SILENCE,
            area: &silence.area,
            body: json(&SilenceBody::from(silence))?,
            created_by: &silence.created_by,
            created_at: silence.created_at,
            updated_at: silence.updated_at,
            ended_at: silence.ended_at,
        })
    }

    fn inhibitions(&self, scope: &Scope) -> Result<Vec<Inhibition>> {
        self.listed::<InhibitionBody>(INHIBITION, scope)
    }

    fn inhibition(&self, scope: &Scope, id: &Id<Inhibition>) -> Result<Option<Inhibition>> {
        self.single::<InhibitionBody>(INHIBITION, scope, id.as_str())
    }

    fn put_inhibition(&mut self, inhibition: &Inhibition) -> Result<()> {
        self.put_common(&Common {
            id: inhibition.inhibition_id.as_str(),
            kind: INHIBITION,
            area: &inhibition.area,
            body: json(&InhibitionBody::from(inhibition))?,
            created_by: &inhibition.created_by,
            created_at: inhibition.created_at,
            updated_at: inhibition.updated_at,
            ended_at: inhibition.closed_at,
        })
    }

    fn live_suppressions(&self, area: &Area) -> Result<u64> {
        let most = match &area.projects {
            Reach::All => self.number(
                "SELECT count(*) FROM suppression WHERE workspace = (SELECT workspace FROM workspace WHERE workspace_id = ?1)
                    AND projects IS NULL AND ended_at IS NULL",
                [area.workspace_id.as_str()],
            )?,
            Reach::Only(_) => {
                let mut most = None;
                for project in self.project_rows(area)? {
                    let sql = "SELECT count(*) FROM suppression_of_project WHERE project = ?1";
                    most = most.max(self.number(sql, [project])?);
                }
                most
            }
        };
        Ok(most.unwrap_or_default().unsigned_abs())
    }

    fn open_alerts(&self, which: &Which, after: OpenPlace, most: u32) -> Result<OpenPage> {
        self.alerts_to_look_at(which, after, most)
    }

    fn put_sides(
        &mut self,
        alert: &Id<Alert>,
        sides: &[(Id<Inhibition>, Side, EqualValues)],
    ) -> Result<()> {
        self.replace_sides(alert, sides)
    }

    fn sides(&self, alert: &Id<Alert>) -> Result<Vec<(Id<Inhibition>, Side, EqualValues)>> {
        self.sides_of(alert)
    }

    fn inhibitors(
        &self,
        of: &[(Id<Inhibition>, EqualValues)],
        but: Option<&Id<Alert>>,
    ) -> Result<Vec<(Id<Inhibition>, Id<Alert>)>> {
        self.inhibitors_of(of, but)
    }

    fn is_inhibiting(&self, of: (&Id<Inhibition>, EqualValues), but: &Id<Alert>) -> Result<bool> {
        self.inhibits(of, but)
    }

    fn forget_sides(&mut self, inhibition: &Id<Inhibition>, most: u32) -> Result<usize> {
        self.remove_sides(inhibition, most)
    }

    fn put_inhibited_by_key(
        &mut self,
        alert: &Id<Alert>,
        by: Option<&InhibitedByKey>,
    ) -> Result<()> {
        self.replace_inhibited_by_key(alert, by)
    }

    fn inhibited_by_key(&self, alert: &Id<Alert>) -> Result<Option<InhibitedByKey>> {
        self.waits_for(alert)
    }

    fn is_waited_for(&self, project: &Id<Project>, event_key: &str) -> Result<bool> {
        self.someone_waits_for(project, event_key)
    }
}
