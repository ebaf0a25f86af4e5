//! Lists of audit records in `SQL`: each chain is read along an index of its own, and what is read is merged.
//!
//! A strand is the part of a list that one index has in the order of the list: one chain and, where one of several values
//! is asked for, one value. `SQLite` merges strands as they are read, so a page costs what it shows, whatever lies behind.

use std::collections::BTreeSet;

use rusqlite::types::Value as Bound;
use serde_json::Value;

use super::{
    Part, Showing,
    audits::{AUDITS, INDEXED, INDEXED_DETAILS},
    condition,
    conditions::held,
    keys::{Key, key},
};
use crate::{
    query::{Condition, Filter, Keyset, Kind, Sort, Test},
    store::Way,
};

/// How many strands one statement merges at most.
pub(in crate::store::sqlite) const MOST_STRANDS: usize = 100;

/// How many values of one field become strands at most; of more, rows are read and checked.
const MOST_VALUES: usize = 64;

/// A chain that may be read.
#[derive(Clone, Debug)]
pub(in crate::store::sqlite) struct Chain {
    /// Its number.
    pub(in crate::store::sqlite) row: i64,
    /// Whose it is.
    pub(in crate::store::sqlite) domain_id: String,
    /// Which of its domain's it is.
    pub(in crate::store::sqlite) trail: String,
    /// How many records it has.
    pub(in crate::store::sqlite) records: u64,
}

/// A part of a list that one index has in its order.
#[derive(Clone, Debug)]
pub(in crate::store::sqlite) struct Strand {
    chain: i64,
    value: Option<Bound>,
}

/// Which records are meant: in which strands, and what must hold of them.
#[derive(Clone, Debug)]
pub(in crate::store::sqlite) struct Strands {
    /// The strands.
    pub(in crate::store::sqlite) all: Vec<Strand>,
    /// How many records the chains have, if all of them are meant.
    pub(in crate::store::sqlite) whole: Option<u64>,
    /// What one of several values is asked of.
    place: Option<String>,
    rest: Part,
}

/// What is read of them.
#[derive(Clone, Debug, Default)]
pub(in crate::store::sqlite) struct Along {
    /// What is shown, before each record's place.
    pub(in crate::store::sqlite) showing: Vec<Showing>,
    /// In which order; none for the time that they occurred.
    pub(in crate::store::sqlite) keys: Vec<Key>,
    /// Which way the time goes where there is no other order.
    pub(in crate::store::sqlite) way: Option<Way>,
    /// Only what comes after this place in the order of time.
    pub(in crate::store::sqlite) after: Option<Keyset>,
    /// Only what was there when this was the newest row.
    pub(in crate::store::sqlite) newest: Option<i64>,
    /// How many rows at most, and how many are left out before; all where nothing is said.
    pub(in crate::store::sqlite) page: Option<(i64, i64)>,
}

/// The strands of what `filter` means in `chains`.
pub(in crate::store::sqlite) fn strands(filter: &Filter, chains: &[Chain]) -> Strands {
    let (of_chains, others): (Vec<&Condition>, Vec<&Condition>) =
        filter.all.iter().partition(|it| matches!(it.field.name, "trail" | "domain_id"));
    let meant: Vec<&Chain> =
        chains.iter().filter(|chain| of_chains.iter().all(|it| chain.meets(it))).collect();
    let mut rest = Part::default();
    for asked in &others {
        let held = held(asked, &AUDITS);
        rest.and(&held.sql, held.values);
        if let Some(hint) = hint(asked) {
            rest.and(&hint.sql, hint.values);
        }
    }
    let any = Filter { all: Vec::new(), ..filter.clone() };
    let is_all = others.is_empty() && any == Filter::default();
    if any != Filter::default() {
        let (sql, values) = condition(&any, &AUDITS);
        rest.and(&sql, values);
    }
    let spread = spread(&others);
    let values: Vec<Option<Bound>> = match &spread {
        Some((_, values)) => values.iter().map(|value| Some(Bound::Text(value.clone()))).collect(),
        None => vec![None],
    };
    let of = |chain: &&Chain| {
        let chain = chain.row;
        values.clone().into_iter().map(move |value| Strand { chain, value }).collect::<Vec<_>>()
    };
    Strands {
        all: meant.iter().flat_map(of).collect(),
        whole: is_all.then(|| meant.iter().map(|chain| chain.records).sum()),
        place: spread.map(|(place, _)| place),
        rest,
    }
}

impl Chain {
    fn meets(&self, asked: &Condition) -> bool {
        let value = if asked.field.name == "trail" { &self.trail } else { &self.domain_id };
        asked.test.holds(&Value::from(value.as_str()), &asked.path, Kind::Text)
    }
}

/// Where the values of a field are that an index has.
fn indexed(asked: &Condition) -> Option<String> {
    let Condition { field, path, .. } = asked;
    match path.as_slice() {
        [] if INDEXED.contains(&field.name) => Some(format!("a.{}", field.name)),
        [key] if field.name == "details" && INDEXED_DETAILS.contains(&key.as_str()) => {
            Some(format!("json_extract(a.details, '$.{key}')"))
        }
        _ => None,
    }
}

/// What follows from a condition in the words of an index.
fn hint(asked: &Condition) -> Option<Part> {
    let Condition { field, path, test } = asked;
    let Test::Equal(Value::String(text)) = test else { return None };
    let bound = |text: &str| Bound::Text(text.to_owned());
    match (field.name, path.as_slice()) {
        ("is_success", []) if text == "false" => Some(Part::new(FAILED, Vec::new())),
        ("outcome", []) if text != "SUCCESS" => Some(Part::new(FAILED, Vec::new())),
        ("actor", []) => {
            let (kind, id) = text.split_once(':')?;
            let sql = "a.actor_id = ? AND a.actor_type = ?";
            Some(Part::new(sql, vec![bound(id), bound(kind)]))
        }
        ("details", [_]) => Some(Part::new(format!("{} = ?", indexed(asked)?), vec![bound(text)])),
        _ => None,
    }
}

/// What failed, in the words of the index that has it.
const FAILED: &str = "a.outcome <> 'SUCCESS'";

/// The field of which one of a few values is asked for and that an index has, if no index serves anything better.
fn spread(asked: &[&Condition]) -> Option<(String, BTreeSet<String>)> {
    let is_one = |it: &&&Condition| {
        matches!(&it.test, Test::Equal(Value::String(_)))
            && (indexed(it).is_some() || hint(it).is_some())
    };
    if asked.iter().any(|it| is_one(&it)) {
        return None;
    }
    asked.iter().find_map(|it| {
        let Test::Among(values) = &it.test else { return None };
        let texts: Option<BTreeSet<String>> =
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        let texts = texts.filter(|texts| (1..=MOST_VALUES).contains(&texts.len()))?;
        Some((indexed(it)?, texts))
    })
}

impl Strands {
    /// The statement that reads these strands, merged, and its values. Its columns are what is shown, and the place.
    pub(in crate::store::sqlite) fn read(
        &self,
        strands: &[Strand],
        along: &Along,
    ) -> (String, Vec<Bound>) {
        let mut branches = Vec::new();
        let mut values = Vec::new();
        let columns = along.columns();
        for strand in strands {
            let Part { sql, values: of } = self.branch(strand, along);
            branches.push(format!("SELECT {} FROM audit a WHERE {sql}", columns.sql));
            values.extend(columns.values.iter().cloned());
            values.extend(of);
        }
        let mut sql = format!("{} ORDER BY {}", branches.join(" UNION ALL "), along.order());
        if let Some((limit, offset)) = along.page {
            sql.push_str(" LIMIT ? OFFSET ?");
            values.extend([Bound::Integer(limit), Bound::Integer(offset)]);
        }
        (sql, values)
    }

    /// The same for any number of chains at once, which are sorted then.
    pub(in crate::store::sqlite) fn read_all(&self, along: &Along) -> (String, Vec<Bound>) {
        let chains: BTreeSet<i64> = self.all.iter().map(|strand| strand.chain).collect();
        let columns = along.columns();
        let mut part = Part::new(
            "a.chain IN (SELECT value FROM json_each(?))",
            vec![Bound::Text(serde_json::json!(chains).to_string())],
        );
        self.narrow(&mut part, along);
        let mut sql = format!(
            "SELECT {} FROM audit a WHERE {} ORDER BY {}",
            columns.sql,
            part.sql,
            along.order()
        );
        let mut values = columns.values;
        values.extend(part.values);
        if let Some((limit, offset)) = along.page {
            sql.push_str(" LIMIT ? OFFSET ?");
            values.extend([Bound::Integer(limit), Bound::Integer(offset)]);
        }
        (sql, values)
    }

    /// The statement that counts the records of these strands up to `most`, and its values.
    pub(in crate::store::sqlite) fn count(
        &self,
        strands: &[Strand],
        most: Option<u64>,
    ) -> (String, Vec<Bound>) {
        let mut branches = Vec::new();
        let mut values = Vec::new();
        for strand in strands {
            let Part { sql, values: of } = self.branch(strand, &Along::default());
            branches.push(format!("SELECT 1 FROM audit a WHERE {sql}"));
            values.extend(of);
        }
        let most = most.map(|most| format!(" LIMIT {most}")).unwrap_or_default();
        (format!("SELECT count(*) FROM ({}{most})", branches.join(" UNION ALL ")), values)
    }

    fn branch(&self, strand: &Strand, along: &Along) -> Part {
        let mut part = Part::new("a.chain = ?", vec![Bound::Integer(strand.chain)]);
        if let (Some(place), Some(value)) = (&self.place, &strand.value) {
            part.and(&format!("{place} = ?"), [value.clone()]);
        }
        self.narrow(&mut part, along);
        part
    }

    fn narrow(&self, part: &mut Part, along: &Along) {
        if !self.rest.sql.is_empty() {
            part.and(&self.rest.sql, self.rest.values.iter().cloned());
        }
        if let Some(newest) = along.newest {
            // The plus keeps the bound out of the choice of an index.
            part.and("+a.audit <= ?", [Bound::Integer(newest)]);
        }
        if let Some(after) = along.after {
            let beyond = match along.way {
                Some(Way::OldestFirst) => ">",
                Some(Way::NewestFirst) | None => "<",
            };
            let place = [Bound::Integer(after.created_at), Bound::Integer(after.row)];
            part.and(&format!("(a.occurred_at, a.audit) {beyond} (?, ?)"), place);
        }
    }
}

impl Along {
    /// Read in this order.
    pub(in crate::store::sqlite) fn sorted(mut self, sort: &[Sort]) -> Self {
        self.keys = sort.iter().filter_map(|sort| key(sort, &AUDITS)).collect();
        self
    }

    /// Showing these fields.
    pub(in crate::store::sqlite) fn showing(mut self, fields: &BTreeSet<&'static str>) -> Self {
        self.showing = AUDITS.showing(fields);
        self
    }

    /// What is read of each record: what is shown, its place, and what it is sorted by.
    fn columns(&self) -> Part {
        let shown = self.showing.iter().map(|it| it.column.to_owned());
        let place = ["a.occurred_at".to_owned(), "a.audit".to_owned()];
        let keys = self.keys.iter().map(|key| key.sql.clone());
        let all: Vec<String> = shown.chain(place).chain(keys).collect();
        let values = self.keys.iter().filter_map(|key| key.value.clone()).collect();
        Part::new(all.join(", "), values)
    }

    /// The order, by the numbers of the columns.
    fn order(&self) -> String {
        let (occurred_at, row) = (self.showing.len() + 1, self.showing.len() + 2);
        if self.keys.is_empty() {
            let way = match self.way {
                Some(Way::OldestFirst) => "ASC",
                Some(Way::NewestFirst) | None => "DESC",
            };
            return format!("{occurred_at} {way}, {row} {way}");
        }
        let keys = self.keys.iter().zip(row + 1..).map(|(key, at)| format!("{at} {}", key.way));
        // What ties comes in the order of arrival.
        keys.chain([format!("{row} ASC")]).collect::<Vec<_>>().join(", ")
    }
}
