//! Who is on call, and how people are reached.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Row, params};

use super::{
    policies::{not_unique, place},
    rows::{self, Columns, json, millis},
    work::Work,
};
use crate::{
    domain::{
        people::{Contact, OnCall, People as Loaded},
        scope::{Home, Scope},
    },
    error::{Code, Error, Result},
    id::Id,
    store::People,
};

const ON_CALLS: &str = "SELECT d.domain_id, s.workspace_id, p.project_id, o.on_call_id, o.name, o.time_zone, o.rotation,
        o.overrides, o.tags, o.created_at
 FROM on_call o JOIN workspace s ON s.workspace = o.workspace JOIN domain d ON d.domain = s.domain
 LEFT JOIN project p ON p.project = o.project";

const CONTACTS: &str =
    "SELECT d.domain_id, s.workspace_id, p.project_id, c.contact_id, c.user_id, c.channel_id,
        c.urgency, c.created_at
 FROM contact c JOIN workspace s ON s.workspace = c.workspace JOIN domain d ON d.domain = s.domain
 LEFT JOIN project p ON p.project = c.project";

impl Work {
    /// What a setup holds of this: the schedules and contact methods of a project's workspace, but for those of other
    /// projects.
    pub(super) fn load_people(&self, home: &Home) -> Result<Loaded> {
        let of = |select: &str, table: &str, order: &str| {
            format!(
                "{select} WHERE {table}.workspace = (SELECT workspace FROM workspace WHERE workspace_id = ?1)
                   AND ({table}.project IS NULL OR p.project_id = ?2) ORDER BY {order}"
            )
        };
        let ids = [home.workspace_id.as_str(), home.project_id.as_str()];
        let on_calls = self.many(&of(ON_CALLS, "o", "o.on_call"), ids, on_call)?;
        let mut contacts: BTreeMap<String, Vec<Contact>> = BTreeMap::new();
        for contact in self.many(&of(CONTACTS, "c", "c.contact"), ids, contact)? {
            contacts.entry(contact.user_id.clone()).or_default().push(contact);
        }
        let on_calls = on_calls.into_iter();
        let on_calls = on_calls.map(|on_call| (on_call.on_call_id.clone(), Arc::new(on_call)));
        Ok(Loaded { contacts, on_calls: on_calls.collect() })
    }
}

impl People for Work {
    fn on_call(&self, scope: &Scope, id: &Id<OnCall>) -> Result<Option<OnCall>> {
        let sql = format!("{ON_CALLS} WHERE o.on_call_id = ?1");
        let found = self.one(&sql, [id.as_str()], on_call)?;
        Ok(found.filter(|on_call| on_call.place.is_seen_by(scope)))
    }

    fn on_calls(&self, scope: &Scope) -> Result<Vec<OnCall>> {
        let sql = format!("{ON_CALLS} ORDER BY o.name, o.on_call");
        let mut found = self.many(&sql, [], on_call)?;
        found.retain(|on_call| on_call.place.is_seen_by(scope));
        Ok(found)
    }

    fn put_on_call(&mut self, schedule: &OnCall) -> Result<()> {
        let (workspace, project) = self.place_rows(&schedule.place)?;
        let put = self.put(
            "INSERT INTO on_call (on_call_id, workspace, project, name, time_zone, rotation, overrides, tags, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (on_call_id) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone,
                 rotation = excluded.rotation, overrides = excluded.overrides, tags = excluded.tags",
            params![
                schedule.on_call_id.as_str(),
                workspace,
                project,
                schedule.name,
                schedule.time_zone.name(),
                json(&schedule.rotation)?,
                json(&schedule.overrides)?,
                json(&schedule.tags)?,
                millis(schedule.created_at)
            ],
        );
        put.map_err(|error| not_unique(error, "on-call schedule", &schedule.name))?;
        self.setups_at(&schedule.place)
    }

    fn delete_on_call(&mut self, id: &Id<OnCall>) -> Result<()> {
        let Some(schedule) = self.on_call(&Scope::EVERYTHING, id)? else { return Ok(()) };
        self.put("DELETE FROM on_call WHERE on_call_id = ?1", [id.as_str()])?;
        self.setups_at(&schedule.place)
    }

    fn contact(&self, scope: &Scope, id: &Id<Contact>) -> Result<Option<Contact>> {
        let sql = format!("{CONTACTS} WHERE c.contact_id = ?1");
        let found = self.one(&sql, [id.as_str()], contact)?;
        Ok(found.filter(|contact| contact.place.is_seen_by(scope)))
    }

    fn contacts(&self, scope: &Scope) -> Result<Vec<Contact>> {
        let sql = format!("{CONTACTS} ORDER BY c.user_id, c.contact");
        let mut found = self.many(&sql, [], contact)?;
        found.retain(|contact| contact.place.is_seen_by(scope));
        Ok(found)
    }

    fn put_contact(&mut self, contact: &Contact) -> Result<()> {
        let (workspace, project) = self.place_rows(&contact.place)?;
        let put = self.put(
            "INSERT INTO contact (contact_id, workspace, project, user_id, channel_id, urgency, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (contact_id) DO UPDATE SET channel_id = excluded.channel_id, urgency = excluded.urgency",
            params![
                contact.contact_id.as_str(),
                workspace,
                project,
                contact.user_id,
                contact.channel_id.as_str(),
                contact.urgency.as_str(),
                millis(contact.created_at)
            ],
        );
        put.map_err(|error| {
            rows::if_constraint(error, || {
                let detail = format!("`{}` has this contact method already", contact.user_id);
                Error::at(Code::NotUnique, "/channel_id", detail)
            })
        })?;
        self.setups_at(&contact.place)
    }

    fn delete_contact(&mut self, id: &Id<Contact>) -> Result<()> {
        let Some(contact) = self.contact(&Scope::EVERYTHING, id)? else { return Ok(()) };
        self.put("DELETE FROM contact WHERE contact_id = ?1", [id.as_str()])?;
        self.setups_at(&contact.place)
    }
}

fn on_call(row: &Row<'_>) -> Result<OnCall> {
    let mut columns = Columns::of(row);
    Ok(OnCall {
        place: place(&mut columns)?,
        on_call_id: columns.id()?,
        name: columns.text()?,
        time_zone: columns.text()?.parse().map_err(|_| Error::internal("an unknown time zone"))?,
        rotation: columns.json()?,
        overrides: columns.json()?,
        tags: columns.json()?,
        created_at: columns.time()?,
    })
}

fn contact(row: &Row<'_>) -> Result<Contact> {
    let mut columns = Columns::of(row);
    Ok(Contact {
        place: place(&mut columns)?,
        contact_id: columns.id()?,
        user_id: columns.text()?,
        channel_id: columns.id()?,
        urgency: columns.word()?,
        created_at: columns.time()?,
    })
}
