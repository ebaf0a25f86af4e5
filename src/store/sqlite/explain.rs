//! How a query would be answered: the same way to the rows as a list takes, told instead of gone.

use rusqlite::params_from_iter;

use super::{
    seek::{Asked, Of, Plan},
    sql::{self, Composed, Table},
    tally,
    work::Work,
};
use crate::{
    domain::{project::IndexedField, scope::Scope},
    error::Result,
    query::{Condition, Count, Filter, Query, Stat, Test},
    store::{Bulk, Explainable, Explained, Explains, Scan},
};

impl Explains for Work {
    fn explain(&self, bulk: Bulk, scope: &Scope, asked: Explainable<'_>) -> Result<Explained> {
        match asked {
            Explainable::List(query) => self.explain_list(bulk, scope, query),
            Explainable::Stat(stat) => self.explain_stat(bulk, scope, stat),
        }
    }
}

impl Work {
    fn explain_list(&self, bulk: Bulk, scope: &Scope, query: &Query) -> Result<Explained> {
        let (table, of) = match bulk {
            Bulk::Events => (&sql::EVENTS, Of::Events),
            Bulk::Alerts => (&sql::ALERTS, Of::Alerts),
        };
        let asked = Asked { query, scope, table, of };
        let composed = self.composed(query, scope, table)?;
        let way = self.way(&asked, &composed)?;
        let mut told = Explained::default();
        match &way {
            Plan::Walk => {
                let (sql, _) = composed.select(table.row(), "");
                self.tell(&sql, table, &mut told)?;
                told.hint = hint(&query.filter, &told).filter(|_| reads_on(&told));
            }
            Plan::Strands(strands) => {
                told.steps.push("several lists, each in the order of time, are merged".to_owned());
                for sql in strands.statements(table) {
                    self.tell(&sql, table, &mut told)?;
                }
                told.hint = hint(&query.filter, &told).filter(|_| strands.checks_rows());
            }
            Plan::Search(_) => {
                told.steps.push(
                    "the newest blocks of rows in which all the words or resources occur are read and checked"
                        .to_owned(),
                );
                told.indexes.push("sought".to_owned());
            }
        }
        told.total = self.total_of(&asked, &way, &composed)?;
        Ok(told)
    }

    /// Where the total of a list comes from.
    fn total_of(&self, asked: &Asked<'_>, way: &Plan, composed: &Composed) -> Result<&'static str> {
        if asked.query.page.count == Count::None || composed.count().is_none() {
            return Ok("none");
        }
        if matches!(way, Plan::Search(_)) {
            return Ok("search");
        }
        let tallied = self.tallied_total(&asked.into())?.is_some();
        Ok(if tallied { "tallies" } else { "rows" })
    }

    fn explain_stat(&self, bulk: Bulk, scope: &Scope, stat: &Stat) -> Result<Explained> {
        let (table, kind) = match bulk {
            Bulk::Events => (&sql::EVENTS, tally::Kind::Event),
            Bulk::Alerts => (&sql::ALERTS, tally::Kind::Alert),
        };
        let asked = tally::Asked { kind, scope, filter: &stat.filter };
        let mut told = Explained { total: "none", ..Explained::default() };
        if stat.coarse().is_some() && self.tallied_total(&asked)?.is_some() {
            told.steps.push("tallies are summed up, where they say enough".to_owned());
            told.indexes.push("tallies".to_owned());
            return Ok(told);
        }
        let fields = stat.fields();
        let scan = Scan { filter: &stat.filter, fields: &fields, sort: &[] };
        let served = self.served(&stat.filter, scope, table)?;
        let (sql, ..) = sql::scan(&scan, scope, table, served);
        told.steps.push("every row that the filter means is read".to_owned());
        self.tell(&sql, table, &mut told)?;
        told.hint = hint(&stat.filter, &told).filter(|_| reads_on(&told));
        Ok(told)
    }

    /// Tells the plan of a statement over `table`.
    fn tell(&self, sql: &str, table: &Table, told: &mut Explained) -> Result<()> {
        let mut statement = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        // The plan does not depend on the values.
        let nothing = vec![rusqlite::types::Null; statement.parameter_count()];
        let mut lines = statement.query(params_from_iter(nothing))?;
        while let Some(line) = lines.next()? {
            let line: String = line.get(3)?;
            if let Some(step) = step(&line, table, told) {
                told.steps.push(step);
            }
            told.plan.push(line);
        }
        Ok(())
    }
}

/// What a line of a plan means, if it is about the rows that are asked for.
fn step(line: &str, table: &Table, told: &mut Explained) -> Option<String> {
    if line.contains("TEMP B-TREE FOR") && line.contains("ORDER BY") {
        told.sorts = true;
        return Some("what is found is sorted before the first row is answered".to_owned());
    }
    let alias = table.row().split('.').next().unwrap_or_default();
    let mut words = line.split(' ');
    let (how, what) = (words.next()?, words.next()?);
    if what != alias {
        return None;
    }
    let Some(index) = index_of(line) else {
        return Some(match how {
            "SCAN" => "rows are read one after the other, and each is checked".to_owned(),
            _ => "rows are found by their number".to_owned(),
        });
    };
    if !told.indexes.contains(&index) {
        told.indexes.push(index.clone());
    }
    Some(match how {
        "SCAN" => format!("rows are read in the order of index `{index}`, and each is checked"),
        _ => format!("rows are found by index `{index}`"),
    })
}

/// The index that a line of a plan names.
fn index_of(line: &str) -> Option<String> {
    let (_, name) = line.split_once(" INDEX ")?;
    // The name of a declared index has blanks in it.
    let end = name.find(" (").unwrap_or(name.len());
    Some(name[..end].to_owned())
}

/// What would make a query quicker that reads rows to check them.
fn hint(filter: &Filter, told: &Explained) -> Option<String> {
    let is_declared = told.indexes.iter().any(|index| index.starts_with("declared "));
    let declarable = filter.all.iter().find_map(declarable).filter(|_| !is_declared);
    if let Some(field) = declarable {
        return Some(format!(
            "no index serves this condition; declare `{field}` in `indexed_fields` of the project, and ask within it"
        ));
    }
    let is_picky = !(filter.all.is_empty() && filter.any.is_empty() && filter.keyword.is_empty());
    let advice = "no index serves these conditions; narrow the query by project, alert, webhook, key, resource, a word \
                  of the title, or time";
    is_picky.then(|| advice.to_owned())
}

/// Whether rows are read one after the other.
fn reads_on(told: &Explained) -> bool {
    told.plan.iter().any(|line| line.starts_with("SCAN e") || line.starts_with("SCAN a"))
}

/// The path that a project may declare so that this condition is served.
fn declarable(condition: &Condition) -> Option<IndexedField> {
    let is_sought = matches!(condition.test, Test::Equal(_) | Test::Among(_));
    let is_ours = is_sought && condition.field.name == "additional_info";
    if is_ours { IndexedField::of(&condition.path) } else { None }
}
