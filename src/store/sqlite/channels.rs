//! Where messages go.

use std::sync::Arc;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    rows::{self, Columns, json, millis},
    work::Work,
};
use crate::{
    clock::Timestamp,
    domain::{
        channel::{
            Channel, ChannelKind, Channels as Loaded, Place, Templates, Wanted, kind::ChannelType,
        },
        notice::NotificationLevel,
        scope::{Home, Scope},
    },
    error::{Code, Error, Result},
    id::Id,
    store::Channels,
};

const SELECT: &str = "SELECT c.channel_id, c.name, d.domain_id, s.workspace_id, p.project_id, c.state, c.kind, c.settings,
        c.levels, c.filter, c.templates, c.gather, c.rate, c.tags, c.created_at
 FROM channel c CROSS JOIN workspace s ON s.workspace = c.workspace CROSS JOIN domain d ON d.domain = s.domain
 LEFT JOIN project p ON p.project = c.project
 WHERE c.deleted_at IS NULL";

/// A filter as the file keeps it.
#[derive(Serialize, Deserialize)]
struct KeptFilter {
    #[serde(default)]
    all: Vec<Value>,
    #[serde(default)]
    any: Vec<Value>,
}

impl Work {
    /// The row of a channel, deleted ones included.
    pub(super) fn channel_row(&self, id: &Id<Channel>) -> Result<i64> {
        self.number("SELECT channel FROM channel WHERE channel_id = ?1", [id.as_str()])?
            .ok_or_else(|| Error::not_found("channel", id))
    }

    /// The channels that may hear of the alerts of a project, by `channel_name`.
    pub(super) fn load_channels(&self, home: &Home) -> Result<Loaded> {
        let sql = format!(
            "{SELECT} AND c.workspace = ?1 AND (c.project IS NULL OR c.project = ?2)
             ORDER BY c.name, c.channel"
        );
        let asked = [self.workspace_row(home)?, self.project_row(&home.project_id)?];
        // One that cannot be read must not stop the others, nor the events of its project.
        let found = self.many(&sql, asked, |row| match channel(row) {
            Ok(channel) => Ok(Some(Arc::new(channel))),
            Err(error) => {
                tracing::error!(%error, cause = ?error.cause, "a channel cannot be read and is left out");
                Ok(None)
            }
        })?;
        Ok(Loaded(found.into_iter().flatten().collect()))
    }
}

impl Channels for Work {
    fn channel(&self, scope: &Scope, id: &Id<Channel>) -> Result<Option<Channel>> {
        let sql = format!("{SELECT} AND c.channel_id = ?1");
        let found = self.one(&sql, [id.as_str()], channel)?;
        Ok(found.filter(|channel| channel.home.is_seen_by(scope)))
    }

    fn channels(&self, scope: &Scope) -> Result<Vec<Channel>> {
        let sql = format!("{SELECT} ORDER BY c.name, c.channel");
        let found = self.many(&sql, [], channel)?;
        Ok(found.into_iter().filter(|channel| channel.home.is_seen_by(scope)).collect())
    }

    fn put_channel(&mut self, channel: &Channel) -> Result<()> {
        let (workspace, project) = self.place_rows(&channel.home)?;
        let Wanted { all, any, .. } = &channel.filter;
        let filter = KeptFilter { all: all.clone(), any: any.clone() };
        let put = self.put(
            "INSERT INTO channel (channel_id, workspace, project, name, state, kind, settings, levels, filter, templates,
                                  gather, rate, tags, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (channel_id) DO UPDATE SET name = excluded.name, state = excluded.state, kind = excluded.kind,
                 settings = excluded.settings, levels = excluded.levels, filter = excluded.filter,
                 templates = excluded.templates, gather = excluded.gather, rate = excluded.rate, tags = excluded.tags",
            params![
                channel.channel_id.as_str(),
                workspace,
                project,
                channel.name,
                channel.state.as_str(),
                channel.kind.kind().as_str(),
                json(&channel.kind.stored())?,
                json(&channel.levels)?,
                json(&filter)?,
                json(&channel.templates)?,
                channel.gather.as_ref().map(json).transpose()?,
                channel.rate,
                json(&channel.tags)?,
                millis(channel.created_at)
            ],
        );
        put.map_err(|error| {
            rows::if_constraint(error, || {
                let detail = format!("there is another channel `{}` there", channel.name);
                Error::at(Code::NotUnique, "/name", detail)
            })
        })?;
        self.setups_at(&channel.home)
    }

    fn delete_channel(&mut self, id: &Id<Channel>, now: Timestamp) -> Result<()> {
        let Some(channel) = self.channel(&Scope::EVERYTHING, id)? else { return Ok(()) };
        let sql = "UPDATE channel SET deleted_at = ?2 WHERE channel = ?1";
        self.put(sql, [self.channel_row(id)?, millis(now)])?;
        self.setups_at(&channel.home)
    }
}

impl Work {
    /// The rows of workspace and project of a place.
    pub(super) fn place_rows(&self, place: &Place) -> Result<(i64, Option<i64>)> {
        match place {
            Place::Project(home) => {
                Ok((self.workspace_row(home)?, Some(self.project_row(&home.project_id)?)))
            }
            Place::Workspace(domain, workspace) => {
                let found = self.number(
                    "SELECT s.workspace FROM workspace s JOIN domain d USING (domain)
                     WHERE s.workspace_id = ?1 AND d.domain_id = ?2",
                    [workspace.as_str(), domain.as_str()],
                )?;
                Ok((found.ok_or_else(|| Error::not_found("workspace", workspace))?, None))
            }
        }
    }
}

fn channel(row: &Row<'_>) -> Result<Channel> {
    let mut columns = Columns::of(row);
    let (channel_id, name) = (columns.id()?, columns.text()?);
    let (domain_id, workspace_id) = (columns.id()?, columns.id()?);
    let home = match columns.maybe_id()? {
        Some(project_id) => Place::Project(Home { domain_id, workspace_id, project_id }),
        None => Place::Workspace(domain_id, workspace_id),
    };
    let state = columns.word()?;
    let kind: ChannelType = columns.word()?;
    let settings: Value = columns.json()?;
    let levels: Vec<NotificationLevel> = columns.json()?;
    let KeptFilter { all, any } = columns.json()?;
    let templates: Templates = columns.json()?;
    let (gather, rate, tags) = (columns.maybe_kept()?, columns.get()?, columns.json()?);
    let created_at = columns.time()?;
    Ok(Channel {
        channel_id,
        name,
        home,
        state,
        kind: ChannelKind::restore(kind, &settings)?,
        levels,
        filter: Wanted::parse(all, any, created_at)?,
        templates,
        gather,
        rate,
        tags,
        created_at,
    })
}
