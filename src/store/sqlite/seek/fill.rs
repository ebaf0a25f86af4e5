//! The writer's side: numbers of rows are gathered in memory, a block at a time; full blocks make groups.

use rusqlite::{Row, params};

use super::{
    BLOCK, BLOCKS, Of, keys,
    keys::Key,
    places::{self, Packed},
};
use crate::{
    error::{Error, Result},
    store::sqlite::{rows::Columns, work::Work},
};

/// What of a row can be sought.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sqlite) struct Findable<'a> {
    /// Its identifier.
    pub(in crate::store::sqlite) id: &'a str,
    /// Its number among the alerts of its workspace, if it is an alert.
    pub(in crate::store::sqlite) number: Option<u64>,
    /// Its project's row.
    pub(in crate::store::sqlite) project: i64,
    /// When it came, in milliseconds since 1970.
    pub(in crate::store::sqlite) created_at: i64,
    /// Its title.
    pub(in crate::store::sqlite) title: Option<&'a str>,
    /// Its resources.
    pub(in crate::store::sqlite) resources: &'a [String],
}

/// The block that is filling.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Filling {
    /// Which block it is; `None` where the file must be asked what is in it.
    block: Option<i64>,
    /// A number in the upper half, the place of the row in its block in the lower.
    entries: Vec<u64>,
    ids: Vec<u64>,
    oldest: i64,
    newest: i64,
}

impl Default for Filling {
    fn default() -> Self {
        Self {
            block: None,
            entries: Vec::new(),
            ids: vec![0; 64],
            oldest: i64::MAX,
            newest: i64::MIN,
        }
    }
}

impl Filling {
    /// What is in it is no longer known: rows of it were undone.
    pub(in crate::store::sqlite) fn forget(&mut self) {
        self.block = None;
    }

    fn begin(&mut self, block: i64) {
        self.block = Some(block);
        self.entries.clear();
        self.ids.fill(0);
        (self.oldest, self.newest) = (i64::MAX, i64::MIN);
    }

    fn add(&mut self, of: Of, row: i64, found: &Findable<'_>) {
        let place = row.rem_euclid(BLOCK).unsigned_abs();
        let Self { entries, .. } = self;
        let mut put = |key: Key| entries.push(u64::from(key) << 32 | place);
        put(keys::of_project(found.project));
        for resource in found.resources {
            put(keys::of_resource(resource));
        }
        if let Some(title) = found.title {
            keys::of_text(&title.to_lowercase(), &mut put);
        }
        if let Some(number) = found.number {
            keys::of_text(&number.to_string(), &mut put);
        }
        match keys::digits_of(found.id, of.prefix()) {
            Some(digits) => {
                for three in keys::of_digits(digits) {
                    self.ids[usize::from(three / 64)] |= 1 << (three % 64);
                }
            }
            None => keys::of_text(&found.id.to_lowercase(), put),
        }
        self.oldest = self.oldest.min(found.created_at);
        self.newest = self.newest.max(found.created_at);
    }

    /// The numbers that occur and where, as the file keeps them.
    fn packed(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.entries.sort_unstable();
        self.entries.dedup();
        let (mut keys, mut ends, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for entries in self.entries.chunk_by(|a, b| a >> 32 == b >> 32) {
            let key = Key::try_from(entries[0] >> 32).unwrap_or_default();
            keys.extend(key.to_le_bytes());
            rows.extend(entries.iter().map(|entry| entry.to_le_bytes()[0]));
            ends.extend(u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        ends.extend(rows);
        (keys, ends)
    }
}

impl Work {
    /// Notes what of a new row can be sought.
    pub(in crate::store::sqlite) fn make_findable(
        &self,
        of: Of,
        row: i64,
        found: &Findable<'_>,
    ) -> Result<()> {
        let block = row.div_euclid(BLOCK);
        if self.live()?.borrow().filling[of as usize].block != Some(block) {
            self.refill(of, block, row)?;
        }
        self.live()?.borrow_mut().filling[of as usize].add(of, row, found);
        if row.rem_euclid(BLOCK) == BLOCK - 1 {
            self.close_block(of, block)?;
        }
        Ok(())
    }

    /// An alert may now be found by what it was not noted for.
    pub(in crate::store::sqlite) fn find_anew(&self, alert: i64) -> Result<()> {
        self.put("INSERT OR IGNORE INTO sought_anew (alert) VALUES (?1)", [alert])?;
        Ok(())
    }

    /// Notes what came before there was a place to note it.
    pub(in crate::store::sqlite) fn find_all(&self) -> Result<()> {
        for of in [Of::Events, Of::Alerts] {
            let next = self.live()?.borrow().next();
            let next = match of {
                Of::Events => next.event,
                Of::Alerts => next.alert,
            };
            let first = self.first_open_block(of)?;
            let missing = first..next.div_euclid(BLOCK);
            for blocks in missing.step_by(BLOCKS).map(|block| block..next.div_euclid(BLOCK)) {
                self.command("BEGIN IMMEDIATE")?;
                for block in blocks.take(BLOCKS) {
                    self.refill(of, block, (block + 1) * BLOCK)?;
                    self.close_block(of, block)?;
                }
                self.command("COMMIT")?;
            }
        }
        Ok(())
    }

    /// The first block that is not closed.
    pub(super) fn first_open_block(&self, of: Of) -> Result<i64> {
        let newest = self.number(
            "SELECT max(block) FROM sought_block WHERE block >= ?1 AND block < ?2",
            [of.place(0), of.end()],
        )?;
        Ok(newest.map_or(0, |block| block - of.place(0) + 1))
    }

    /// Takes in what the file has of a block, up to a row.
    fn refill(&self, of: Of, block: i64, end: i64) -> Result<()> {
        let sql = match of {
            Of::Events => {
                "SELECT event, event_id, NULL, project, created_at, title, resources FROM event
                 WHERE event >= ?1 AND event < ?2"
            }
            Of::Alerts => {
                "SELECT alert, alert_id, alert_number, project, created_at, title, resources FROM alert
                 WHERE alert >= ?1 AND alert < ?2"
            }
        };
        self.live()?.borrow_mut().filling[of as usize].begin(block);
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([block * BLOCK, end])?;
        while let Some(row) = rows.next()? {
            self.take_in(of, row)?;
        }
        Ok(())
    }

    fn take_in(&self, of: Of, row: &Row<'_>) -> Result<()> {
        let mut columns = Columns::of(row);
        let (row, id): (i64, String) = (columns.get()?, columns.text()?);
        let number = columns.get::<Option<i64>>()?.map(i64::unsigned_abs);
        let (project, created_at) = (columns.get()?, columns.get()?);
        let title: Option<String> = columns.get()?;
        let resources: Vec<String> = columns.json()?;
        let title = title.as_deref();
        let found = Findable { id: &id, number, project, created_at, title, resources: &resources };
        self.live()?.borrow_mut().filling[of as usize].add(of, row, &found);
        Ok(())
    }

    /// Writes a block that is full, and its group if that is full too.
    fn close_block(&self, of: Of, block: i64) -> Result<()> {
        {
            let mut live = self.live()?.borrow_mut();
            let filling = &mut live.filling[of as usize];
            let (keys, places) = filling.packed();
            let ids: Vec<u8> = filling.ids.iter().flat_map(|word| word.to_le_bytes()).collect();
            self.put(
                "INSERT INTO sought_block (block, oldest, newest, ids, keys, places) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![of.place(block), filling.oldest, filling.newest, ids, keys, places],
            )?;
            filling.forget();
        }
        let blocks = places::number(BLOCKS);
        if block % blocks == blocks - 1 {
            self.close_group(of, block / blocks)?;
        }
        Ok(())
    }

    /// Turns the blocks of a group that is full into one row per number.
    fn close_group(&self, of: Of, group: i64) -> Result<()> {
        let blocks = places::number(BLOCKS);
        let (first, end) = (of.place(group * blocks), of.place((group + 1) * blocks));
        let packed = self.many(
            "SELECT block, ids, keys, places FROM sought_block WHERE block >= ?1 AND block < ?2 ORDER BY block",
            [first, end],
            |row| {
                let mut columns = Columns::of(row);
                let block: i64 = columns.get()?;
                let at = usize::try_from(block - first).map_err(Error::internal)?;
                Ok(Packed {
                    at,
                    ids: columns.get()?,
                    keys: columns.get()?,
                    places: columns.get()?,
                })
            },
        )?;
        let span = of.place(group);
        let sql = "INSERT INTO sought (span, key, places) VALUES (?1, ?2, ?3)";
        let mut statement = self.connection.prepare_cached(sql)?;
        places::turned(&packed, |key, places| {
            statement.execute(params![span, key, places])?;
            Ok(())
        })?;
        self.put(
            "INSERT INTO sought_group (span, oldest, newest)
             SELECT ?3, min(oldest), max(newest) FROM sought_block WHERE block >= ?1 AND block < ?2",
            [first, end, span],
        )?;
        // When its blocks' rows came is still worth knowing.
        self.put(
            "UPDATE sought_block SET ids = x'', keys = x'', places = x'' WHERE block >= ?1 AND block < ?2",
            [first, end],
        )?;
        Ok(())
    }
}
