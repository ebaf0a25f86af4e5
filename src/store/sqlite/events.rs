//! Events.

use std::sync::Arc;

use rusqlite::params;
use serde_json::Value;

use super::{
    live::Kind,
    rows::{Columns, json, maybe_millis, millis},
    seek::{self, Asked, Findable, Of},
    sql,
    tally::{self, Said, Way},
    work::Work,
};
use crate::{
    domain::{
        alert::Alert,
        event::{Draft, Event, MappingVersion, Reading},
        scope::Scope,
    },
    error::{Error, Result},
    id::Id,
    query::{Keyset, Query, Stat},
    store::{Each, Events, Found, Scan},
};

/// Every column of an event, as [`event`] reads them.
pub(super) const COLUMNS: &str = "e.event_id, a.alert_id, w.webhook_id, v.delivery_id, e.item, d.domain_id, s.workspace_id, p.project_id,
        e.event_key, e.event_type, e.severity, e.title, e.description, e.rule, e.image_url, e.resources, e.provider,
        e.account, e.additional_info, e.occurred_at, m.provider, m.version, e.variant, e.why, e.created_at";

/// The tables that name what an event belongs to.
pub(super) const HOME: &str = "CROSS JOIN project p ON p.project = e.project CROSS JOIN workspace s ON s.workspace = p.workspace
     CROSS JOIN domain d ON d.domain = s.domain CROSS JOIN webhook w ON w.webhook = e.webhook
     CROSS JOIN delivery v ON v.delivery = e.delivery
     LEFT JOIN alert a ON a.alert = e.alert LEFT JOIN mapping m ON m.mapping = e.mapping";

impl Work {
    /// The row of a mapping that was kept.
    fn mapping_row(&self, mapping: &MappingVersion) -> Result<i64> {
        let name = mapping_name(mapping);
        let sql = "SELECT mapping FROM mapping WHERE provider || '@' || version = ?1";
        self.row_of(Kind::Mapping, &name, sql)?.ok_or_else(|| Error::not_found("mapping", name))
    }

    /// The row of an event.
    pub(super) fn event_row(&self, id: &Id<Event>) -> Result<i64> {
        self.number("SELECT event FROM event WHERE event_id = ?1", [id.as_str()])?
            .ok_or_else(|| Error::not_found("event", id))
    }
}

fn mapping_name(mapping: &MappingVersion) -> String {
    format!("{}@{}", mapping.provider, mapping.version)
}

impl Events for Work {
    fn event(&self, scope: &Scope, id: &Id<Event>) -> Result<Option<Event>> {
        let sql = format!("SELECT {COLUMNS} FROM event e {HOME} WHERE e.event_id = ?1");
        let found = self.one(&sql, [id.as_str()], |row| event(&mut Columns::of(row)))?;
        Ok(found.filter(|event| scope.contains(&event.home)))
    }

    fn events(&self, scope: &Scope, query: &Query) -> Result<Found<Event>> {
        self.flush_standings()?;
        let asked = Asked { query, scope, table: &sql::EVENTS, of: Of::Events };
        let composed = self.composed(query, scope, &sql::EVENTS)?;
        let plan = self.way(&asked, &composed)?;
        let tallied = tally::Asked { kind: tally::Kind::Event, scope, filter: &query.filter };
        let total = self.total(&tallied, (&asked, &plan), &composed)?;
        if !query.wants_rows() {
            return Ok(sql::found(query, Vec::new(), total));
        }
        let places = self.page(&asked, &plan, &composed)?;
        let sql = format!(
            "SELECT e.created_at, e.event, {COLUMNS} FROM json_each(?1) k CROSS JOIN event e ON e.event = k.value {HOME}"
        );
        let rows = self.many(&sql, [seek::rows_at(&places)], |row| {
            let mut columns = Columns::of(row);
            let key = Keyset { created_at: columns.get()?, row: columns.get()? };
            Ok((key, event(&mut columns)?))
        })?;
        Ok(sql::found(query, rows, total))
    }

    fn visit_events(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()> {
        self.visit(&sql::EVENTS, scope, scan, each)
    }

    fn event_stat(&self, scope: &Scope, stat: &Stat) -> Result<Vec<Value>> {
        self.stat(tally::Kind::Event, scope, stat)
    }

    fn add_event(&mut self, event: &Event) -> Result<()> {
        let alert = event.alert_id.as_ref().map(|id| self.alert_row(id)).transpose()?;
        let mapping = event.reading.as_ref().map(|it| self.mapping_row(&it.mapping)).transpose()?;
        let project = self.project_row(&event.home.project_id)?;
        let mut next = self.live()?.borrow().next();
        let draft = &event.draft;
        let said = Said {
            project: self.project_row(&event.home.project_id)?,
            webhook: Some(self.webhook_row(&event.webhook_id)?),
            provider: draft.provider.as_deref(),
            severity: draft.severity,
            way: Way::Event(draft.event_type),
        };
        self.put(
            "INSERT INTO event (event, event_id, alert, webhook, project, delivery, item, event_key, event_type, severity,
                                title, description, rule, image_url, resources, provider, account, additional_info,
                                occurred_at, created_at, mapping, variant, why)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
            params![
                next.event,
                event.event_id.as_str(),
                alert,
                said.webhook,
                said.project,
                self.delivery_row(&event.delivery_id)?,
                event.item,
                draft.event_key,
                draft.event_type.as_str(),
                draft.severity.as_str(),
                draft.title,
                draft.description,
                draft.rule,
                draft.image_url,
                json(&draft.resources)?,
                draft.provider,
                draft.account,
                json(&draft.additional_info)?,
                maybe_millis(draft.occurred_at),
                millis(event.created_at),
                mapping,
                event.reading.as_ref().map(|reading| &*reading.variant),
                event.why.as_str()
            ],
        )?;
        let found = Findable {
            id: event.event_id.as_str(),
            number: None,
            project,
            created_at: millis(event.created_at),
            event_key: &draft.event_key,
            title: draft.title.as_deref(),
            resources: &draft.resources,
        };
        self.make_findable(Of::Events, next.event, &found)?;
        self.keep_state(event, (project, next.event))?;
        next.event += 1;
        let mut live = self.live()?.borrow_mut();
        live.set_next(next);
        live.tally(|tallies| tallies.come(&said, millis(event.created_at)));
        Ok(())
    }

    fn adopt_event(&mut self, id: &Id<Event>, alert: &Id<Alert>) -> Result<()> {
        let row = self.alert_row(alert)?;
        self.put("UPDATE event SET alert = ?2 WHERE event_id = ?1", params![id.as_str(), row])?;
        Ok(())
    }

    fn add_mapping(&mut self, mapping: &MappingVersion, text: &str) -> Result<()> {
        let known = self.live()?.borrow().row(Kind::Mapping, &mapping_name(mapping));
        if known.is_some() {
            return Ok(());
        }
        self.put(
            "INSERT INTO mapping (provider, version, text) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![mapping.provider, mapping.version, text],
        )?;
        self.mapping_row(mapping).map(|_| ())
    }

    fn mapping_text(&self, mapping: &MappingVersion) -> Result<Option<String>> {
        let sql = "SELECT text FROM mapping WHERE provider = ?1 AND version = ?2";
        self.one(sql, [&mapping.provider, &mapping.version], |row| Ok(row.get(0)?))
    }
}

/// An event, from [`COLUMNS`].
pub(super) fn event(columns: &mut Columns<'_>) -> Result<Event> {
    let (event_id, alert_id) = (columns.id()?, columns.maybe_id()?);
    let (webhook_id, delivery_id) = (columns.id()?, columns.id()?);
    let (item, home) = (columns.get()?, columns.home()?);
    let draft = Draft {
        event_key: columns.text()?,
        event_type: columns.word()?,
        severity: columns.word()?,
        title: columns.get()?,
        description: columns.get()?,
        rule: columns.get()?,
        image_url: columns.get()?,
        resources: columns.json()?,
        provider: columns.get()?,
        account: columns.get()?,
        additional_info: columns.json()?,
        occurred_at: columns.maybe_time()?,
    };
    let (provider, version): (Option<String>, Option<String>) = (columns.get()?, columns.get()?);
    let variant: Option<String> = columns.get()?;
    let reading = provider.zip(version).zip(variant).map(|((provider, version), variant)| {
        Reading { mapping: Arc::new(MappingVersion { provider, version }), variant: variant.into() }
    });
    Ok(Event {
        event_id,
        alert_id,
        webhook_id,
        delivery_id,
        item,
        home,
        draft,
        reading,
        why: columns.word()?,
        created_at: columns.time()?,
    })
}
