//! Which way to the page: what of the filter is served by an order or by a search, and what is left to check.

use rusqlite::{params, params_from_iter, types::Value as Bound};
use serde_json::Value;

use super::{
    Asked, Of,
    keys::{self, Term},
    places::number,
    search::{Clause, Search},
    strands::{Kind, Strands},
};
use crate::{
    clock::Timestamp,
    domain::scope::{Reach, Scope},
    error::Result,
    id::Id,
    query::{Comparison, Condition, Cursor, Filter, Keyset, Test},
    store::sqlite::{
        rows,
        sql::{self, Table},
        work::Work,
    },
};

/// How many strands are merged at most; beyond, rows are walked in their order.
const MOST_STRANDS: usize = 4096;

/// Of how many alerts at most the events are merged; the events of a key that had more are sought.
const FEW_ALERTS: i64 = 64;

/// Of how many projects at most each is sought by its number; of more, rows are read and checked.
const SOUGHT_PROJECTS: usize = 16;

/// How many numbers are sought at most.
const MOST_KEYS: usize = 512;

/// The way to the page.
#[derive(Debug)]
pub(in crate::store::sqlite) enum Plan {
    /// One statement in the order of the index that serves it.
    Walk,
    /// The newest of several strands.
    Strands(Strands),
    /// By what was noted of each row.
    Search(Search),
}

/// What is left to check of each row, and within which time.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest {
    /// The condition.
    pub(super) sql: String,
    /// The values for its question marks.
    pub(super) values: Vec<Bound>,
    /// Whether it can turn rows away that came in order.
    pub(super) is_picky: bool,
    /// Only what comes after this place.
    pub(super) after: Option<Keyset>,
    /// Nothing that came before this time.
    pub(super) oldest: i64,
}

/// Whose rows are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Homes {
    All,
    Some(Vec<i64>),
}

/// A filter that is taken apart.
struct Parts {
    filter: Filter,
    homes: Homes,
    after: Option<Keyset>,
    /// Where the filter begins, wherever the page does.
    start: Option<Keyset>,
    oldest: i64,
}

impl Work {
    /// The way to the page that is asked for.
    pub(in crate::store::sqlite) fn plan(&self, asked: &Asked<'_>) -> Result<Plan> {
        let filter = &asked.query.filter;
        let finds_few = |condition: &Condition| {
            let name = condition.field.name;
            let few: &[&str] = match asked.of {
                Of::Events => &["event_id", "delivery_id"],
                Of::Alerts => &["alert_id", "alert_number", "event_key"],
            };
            few.contains(&name) && values_of(condition).is_some()
        };
        if !asked.query.is_newest_first() || filter.all.iter().any(finds_few) {
            return Ok(Plan::Walk);
        }
        let mut parts = self.parts(asked)?;
        if let Some(plan) = self.of_alerts(asked, &mut parts)? {
            return Ok(plan);
        }
        let mut clauses = clauses(asked.of, &parts.filter);
        if !clauses.is_empty() {
            clauses.extend(parts.homes.clause());
            let (rest, start) = (parts.rest(asked.table), parts.start);
            return Ok(Plan::Search(Search::new(clauses, rest, start)));
        }
        self.strands_in_time(asked, parts)
    }

    fn parts(&self, asked: &Asked<'_>) -> Result<Parts> {
        let homes = self.whose(asked)?;
        let mut filter = asked.query.filter.clone();
        let at = |condition: &Condition| {
            ["project_id", "workspace_id", "domain_id"].contains(&condition.field.name)
        };
        filter.all.retain(|condition| !(at(condition) && texts_of(condition).is_some()));
        let (mut start, mut oldest): (Option<Keyset>, _) = (None, i64::MIN);
        filter.all.retain(|condition| {
            let Some((from, to)) = times_of(condition) else { return true };
            oldest = oldest.max(from);
            if let Some(to) = to {
                let before = Keyset { created_at: to, row: i64::MIN };
                start = Some(start.map_or(before, |start| start.min(before)));
            }
            false
        });
        let after = match asked.query.page.from {
            Cursor::Skip(_) => start,
            Cursor::After(place) => Some(start.map_or(place, |start| start.min(place))),
        };
        Ok(Parts { filter, homes, after, start, oldest })
    }

    /// Whose rows the scope and the filter leave.
    fn whose(&self, asked: &Asked<'_>) -> Result<Homes> {
        let Scope { domains, workspaces, projects } = asked.scope;
        let mut lists = Vec::new();
        let mut add = |column: &'static str, list: String| lists.push((column, list));
        reached("d.domain_id", domains, &mut add)?;
        reached("w.workspace_id", workspaces, &mut add)?;
        reached("p.project_id", projects, &mut add)?;
        for condition in &asked.query.filter.all {
            let column = match condition.field.name {
                "domain_id" => "d.domain_id",
                "workspace_id" => "w.workspace_id",
                "project_id" => "p.project_id",
                _ => continue,
            };
            if let Some(texts) = texts_of(condition) {
                add(column, rows::json(&texts)?);
            }
        }
        if lists.is_empty() {
            return Ok(Homes::All);
        }
        let held: Vec<String> = lists
            .iter()
            .map(|(column, _)| format!("{column} IN (SELECT value FROM json_each(?))"))
            .collect();
        let held = held.join(" AND ");
        let values = || params_from_iter(lists.iter().map(|(_, list)| list.as_str()));
        let names = |column: &str| lists.iter().any(|(name, _)| *name == column);
        let outside = match (names("p.project_id"), names("w.workspace_id")) {
            (true, _) => None,
            (false, true) => Some("workspace w JOIN domain d USING (domain)"),
            (false, false) => Some("domain d"),
        };
        if let Some(from) = outside
            && self
                .number(&format!("SELECT 1 FROM {from} WHERE NOT ({held}) LIMIT 1"), values())?
                .is_none()
        {
            return Ok(Homes::All);
        }
        let sql = format!(
            "SELECT p.project FROM project p JOIN workspace w USING (workspace) JOIN domain d USING (domain) WHERE {held}"
        );
        Ok(Homes::Some(self.many(&sql, values(), |row| Ok(row.get(0)?))?))
    }

    /// The way to events whose alerts are named, by themselves or by their key.
    fn of_alerts(&self, asked: &Asked<'_>, parts: &mut Parts) -> Result<Option<Plan>> {
        if asked.of != Of::Events {
            return Ok(None);
        }
        if let Some(ids) = parts.take("alert_id") {
            let sql = "SELECT alert FROM alert WHERE alert_id IN (SELECT value FROM json_each(?1))";
            let alerts = self.many(sql, [rows::json(&ids)?], |row| Ok(row.get::<_, i64>(0)?))?;
            let strands = alerts.into_iter().map(|alert| (0, vec![Bound::Integer(alert)]));
            let strands = strands.collect();
            let rest = parts.rest(asked.table);
            return Ok(Some(Plan::Strands(Strands::new(vec![Kind::ALERT], strands, rest))));
        }
        let Some(event_keys) = parts.take("event_key") else { return Ok(None) };
        let homes = match &parts.homes {
            Homes::All => None,
            Homes::Some(projects) => Some(super::list(projects.iter().copied())),
        };
        let names: Vec<Term> =
            event_keys.iter().map(|name| vec![keys::of_event_key(name)]).collect();
        let event_keys = rows::json(&event_keys)?;
        // An alert may have moved to another project of its workspace; its events stay where they are.
        let strands = self.many(
            "SELECT k.alert, NULL, NULL FROM project p CROSS JOIN json_each(?2) v CROSS JOIN alert k
             WHERE (?1 IS NULL OR p.workspace IN (SELECT h.workspace FROM project h
                                                  WHERE h.project IN (SELECT value FROM json_each(?1))))
               AND k.project = p.project AND k.event_key = v.value
             UNION ALL SELECT NULL, p.project, v.value FROM project p CROSS JOIN json_each(?2) v
             WHERE (?1 IS NULL OR p.project IN (SELECT value FROM json_each(?1)))
               AND EXISTS (SELECT 1 FROM event x
                           WHERE x.project = p.project AND x.event_key = v.value AND x.alert IS NULL)
             LIMIT ?3",
            params![homes, event_keys, FEW_ALERTS + 1],
            |row| {
                Ok(match row.get::<_, Option<i64>>(0)? {
                    Some(alert) => (0, vec![Bound::Integer(alert)]),
                    None => (1, vec![row.get(1)?, row.get(2)?]),
                })
            },
        )?;
        let mut rest = parts.rest(asked.table);
        // What an alert was given by hand or from elsewhere may have another key than the alert.
        rest.and("e.event_key IN (SELECT value FROM json_each(?))", [Bound::Text(event_keys)]);
        if number(strands.len()) <= FEW_ALERTS || names.len() > MOST_KEYS {
            return Ok(Some(Plan::Strands(Strands::new(
                vec![Kind::ALERT, Kind::LONE],
                strands,
                rest,
            ))));
        }
        let mut clauses = clauses(asked.of, &parts.filter);
        clauses.insert(0, names);
        clauses.extend(parts.homes.clause());
        Ok(Some(Plan::Search(Search::new(clauses, rest, parts.start))))
    }

    /// The strands of webhooks or projects, or all rows in the order of time.
    fn strands_in_time(&self, asked: &Asked<'_>, mut parts: Parts) -> Result<Plan> {
        let single = |kind, numbers: Vec<i64>, rest| {
            let strands = numbers.into_iter().map(|number| (0, vec![Bound::Integer(number)]));
            Plan::Strands(Strands::new(vec![kind], strands.collect(), rest))
        };
        if let Some(ids) = parts.take("webhook_id") {
            let sql =
                "SELECT webhook FROM webhook WHERE webhook_id IN (SELECT value FROM json_each(?1))";
            let webhooks = self.many(sql, [rows::json(&ids)?], |row| Ok(row.get(0)?))?;
            return Ok(single(Kind::webhook(asked.of), webhooks, parts.rest(asked.table)));
        }
        let homes = std::mem::replace(&mut parts.homes, Homes::All);
        let rest = parts.rest(asked.table);
        let kind = Kind::project(asked.of, &rest.sql);
        Ok(match homes {
            Homes::All => {
                let kind = Kind::all(asked.of);
                Plan::Strands(Strands::new(vec![kind], vec![(0, Vec::new())], rest))
            }
            Homes::Some(projects) if projects.len() > MOST_STRANDS => Plan::Walk,
            Homes::Some(projects) => single(kind, projects, rest),
        })
    }
}

fn reached<T>(
    column: &'static str,
    reach: &Reach<Id<T>>,
    add: &mut impl FnMut(&'static str, String),
) -> Result<()> {
    if let Some(list) = rows::reach(reach)? {
        add(column, list);
    }
    Ok(())
}

impl Homes {
    /// That a row has one of the projects, where there are few.
    fn clause(&self) -> Option<Clause> {
        let Self::Some(projects) = self else { return None };
        let few = projects.len() <= SOUGHT_PROJECTS;
        few.then(|| projects.iter().map(|project| vec![keys::of_project(*project)]).collect())
    }
}

impl Parts {
    /// The values that a field must have one of, which are then no longer to be checked.
    fn take(&mut self, field: &str) -> Option<Vec<String>> {
        let conditions = &mut self.filter.all;
        let is_it = |it: &Condition| it.field.name == field && texts_of(it).is_some();
        let at = conditions.iter().position(is_it)?;
        texts_of(&conditions.remove(at))
    }

    /// What is left to check.
    fn rest(&self, table: &Table) -> Rest {
        let (sql, values) = sql::condition(&self.filter, table);
        let Filter { all, any, keyword } = &self.filter;
        let is_picky = !(all.is_empty() && any.is_empty() && keyword.is_empty());
        let (after, oldest) = (self.after, self.oldest);
        let mut rest = Rest { sql, values, is_picky, after, oldest };
        if let Homes::Some(projects) = &self.homes {
            let project = table.project;
            let sql = format!("+{project} IN (SELECT value FROM json_each(?))");
            rest.and(&sql, [Bound::Text(super::list(projects.iter().copied()))]);
        }
        rest
    }
}

impl Rest {
    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Bound>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }
}

/// The values that a condition asks a whole field to be one of.
fn values_of(condition: &Condition) -> Option<&[Value]> {
    match &condition.test {
        Test::Equal(value) if condition.path.is_empty() => Some(std::slice::from_ref(value)),
        Test::Among(values) if condition.path.is_empty() => Some(values),
        _ => None,
    }
}

/// The same, if all of them are texts that `json_each` keeps whole.
fn texts_of(condition: &Condition) -> Option<Vec<String>> {
    let text =
        |value: &Value| value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned);
    values_of(condition)?.iter().map(text).collect()
}

/// From when on and before when rows came, if that is all that a condition says.
fn times_of(condition: &Condition) -> Option<(i64, Option<i64>)> {
    let Condition { field, path, test } = condition;
    let Test::Compares(how, Value::String(time)) = test else { return None };
    if field.name != "created_at" || !path.is_empty() {
        return None;
    }
    let time: Timestamp = time.parse().ok()?;
    let time = time.timestamp_millis();
    Some(match how {
        Comparison::Greater => (time.saturating_add(1), None),
        Comparison::GreaterOrEqual => (time, None),
        Comparison::Less => (i64::MIN, Some(time)),
        Comparison::LessOrEqual => (i64::MIN, Some(time.saturating_add(1))),
    })
}

/// What can be sought of a filter, the rarest first.
fn clauses(of: Of, filter: &Filter) -> Vec<Clause> {
    let single = filter.all.iter().map(std::slice::from_ref);
    let several = [&*filter.any, &*filter.keyword].into_iter().filter(|some| !some.is_empty());
    let clauses = single.chain(several).filter_map(|some| clause(of, some));
    let mut clauses: Vec<Clause> =
        clauses.filter(|clause| clause.iter().map(Vec::len).sum::<usize>() <= MOST_KEYS).collect();
    clauses.sort_by_key(Vec::len);
    clauses
}

/// The terms one of which holds of each row that meets one of the conditions; `None` where that cannot be told.
fn clause(of: Of, conditions: &[Condition]) -> Option<Clause> {
    let mut clause = Clause::new();
    for condition in conditions {
        clause.extend(terms(of, condition)?);
    }
    Some(clause)
}

fn terms(of: Of, condition: &Condition) -> Option<Clause> {
    let Condition { field, path, test } = condition;
    let words = || match test {
        Test::Contains(words) => Some(words.clone()),
        _ => {
            texts_of(condition).map(|texts| texts.iter().map(|text| text.to_lowercase()).collect())
        }
    };
    match (of, field.name, path.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
        (Of::Events, "resources", []) | (Of::Alerts, "resources", ["name"]) => {
            let whole = Condition { path: Vec::new(), ..condition.clone() };
            let names = texts_of(&whole)?;
            Some(names.iter().map(|name| vec![keys::of_resource(name)]).collect())
        }
        (_, "title", []) | (Of::Alerts, "alert_number_str", []) => {
            words()?.iter().map(|word| keys::of_word(word)).collect()
        }
        (Of::Events, "event_id", []) | (Of::Alerts, "alert_id", []) => {
            let terms: Option<Vec<Clause>> =
                words()?.iter().map(|word| keys::of_word_in_id(word, of.prefix())).collect();
            Some(terms?.concat())
        }
        _ => None,
    }
}
