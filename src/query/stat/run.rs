//! A statistic at work: rows go in one by one, and what became of them comes out at the end.

use std::{cmp::Ordering, collections::HashSet};

use serde_json::{Map, Value};

use super::{
    RowSort, Stage, Stat, Work,
    check::RowTest,
    fill::Fill,
    group::Groups,
    path::Path,
    project::Project,
    value::{encode, order, size},
};
use crate::{
    error::{Code, Error, Result},
    query::{
        Direction,
        matches::{Found, Rank},
    },
};

/// How many rows and groups are kept at most.
const MOST_ROWS: usize = 100_000;

/// How many bytes are kept at most, about.
const MOST_BYTES: usize = 64 << 20;

/// Whether more rows are of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// They are.
    More,
    /// What comes out is settled.
    Enough,
}

/// What is kept, and how much more may be.
#[derive(Debug)]
pub(super) struct Budget {
    rows: usize,
    bytes: usize,
}

impl Budget {
    /// Room for a row or a group.
    pub(super) fn row(&mut self, bytes: usize, pointer: &str) -> Result<()> {
        self.rows = match self.rows.checked_sub(1) {
            Some(left) => left,
            None => {
                let detail = format!(
                    "this makes more than {MOST_ROWS} rows or groups: narrow the filter, or group by less"
                );
                return Err(Error::at(Code::Query, pointer, detail));
            }
        };
        self.take(bytes, pointer)
    }

    /// Room for something within a row.
    pub(super) fn take(&mut self, bytes: usize, pointer: &str) -> Result<()> {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => {
                let detail = format!(
                    "this keeps more than {} MiB: narrow the filter, or gather less",
                    MOST_BYTES >> 20
                );
                Err(Error::at(Code::Query, pointer, detail))
            }
        }
    }

    /// Gives back the room of rows that are no longer kept.
    pub(super) fn give(&mut self, rows: usize, bytes: usize) {
        self.rows += rows;
        self.bytes += bytes;
    }
}

/// A statistic at work.
pub struct Running {
    steps: Vec<Step>,
    last: Last,
    budget: Budget,
}

/// What becomes of what comes out of the last stage.
enum Last {
    Rows(Vec<Value>),
    Distinct { path: Vec<String>, known: HashSet<Box<[u8]>>, values: Vec<Value> },
}

/// A stage at work.
enum Step {
    Unwind(Path, Vec<RowTest>),
    Match(Vec<RowTest>),
    Project(Project),
    Skip(u64),
    Limit(u64),
    Count(String, u64),
    Group(Groups),
    Fill(Fill, Vec<Value>),
    Sort(Sorting),
}

/// Where what comes out of no stage in particular stands.
const PIPELINE: &str = "/query/aggregate";

impl Running {
    pub(super) fn new(stat: &Stat) -> Self {
        let (steps, last) = match &stat.work {
            Work::Distinct(path) => {
                let (known, values) = (HashSet::new(), Vec::new());
                (Vec::new(), Last::Distinct { path: path.clone(), known, values })
            }
            Work::Aggregate(stages) => {
                let steps = stages.iter().enumerate().map(|(at, stage)| {
                    let enough = kept(&stages[at + 1..]);
                    Step::new(stage, enough)
                });
                (steps.collect(), Last::Rows(Vec::new()))
            }
        };
        Self { steps, last, budget: Budget { rows: MOST_ROWS, bytes: MOST_BYTES } }
    }

    /// Takes a record as its view shows it, with at least the fields that the statistic looks at. It stands for
    /// `weight` equal ones.
    pub fn take(&mut self, record: Value, weight: u64) -> Result<Flow> {
        if weight == 0 {
            return Ok(Flow::More);
        }
        push(&mut self.steps, (record, weight), (&mut self.last, &mut self.budget))
    }

    /// What comes out.
    pub fn finish(mut self) -> Result<Vec<Value>> {
        for at in 0..self.steps.len() {
            let (step, after) = self.steps.split_at_mut(at + 1);
            let Some(step) = step.last_mut() else { continue };
            for row in step.finish(&mut self.budget)? {
                if push(after, row, (&mut self.last, &mut self.budget))? == Flow::Enough {
                    break;
                }
            }
        }
        Ok(match self.last {
            Last::Rows(rows) => rows,
            Last::Distinct { mut values, .. } => {
                values.sort_by(order);
                values
            }
        })
    }
}

/// How many rows of a sorted stage the stages after it let through; `None` where they look at all.
fn kept(after: &[Stage]) -> Option<usize> {
    let mut skipped = 0_u64;
    for stage in after {
        match stage {
            Stage::Skip(rows) => skipped = skipped.saturating_add(*rows),
            Stage::Limit(rows) => return usize::try_from(skipped.saturating_add(*rows)).ok(),
            _ => return None,
        }
    }
    None
}

/// Sends a row, which stands for so many, through the stages.
fn push(
    steps: &mut [Step],
    (mut row, mut weight): (Value, u64),
    (last, budget): (&mut Last, &mut Budget),
) -> Result<Flow> {
    let mut flow = Flow::More;
    let mut steps = steps;
    while let Some((step, rest)) = steps.split_first_mut() {
        match step {
            Step::Unwind(path, tests) => {
                for row in unwound(path, &row, tests) {
                    if push(rest, (row, weight), (last, budget))? == Flow::Enough {
                        return Ok(Flow::Enough);
                    }
                }
                return Ok(flow);
            }
            Step::Match(tests) => {
                if !tests.iter().all(|test| test.holds(&row)) {
                    return Ok(flow);
                }
            }
            Step::Project(project) => row = project.of(&row)?,
            Step::Skip(left) => {
                let skipped = weight.min(*left);
                *left -= skipped;
                weight -= skipped;
                if weight == 0 {
                    return Ok(flow);
                }
            }
            Step::Limit(left) => {
                weight = weight.min(*left);
                *left -= weight;
                if *left == 0 {
                    flow = Flow::Enough;
                }
                if weight == 0 {
                    return Ok(flow);
                }
            }
            Step::Count(_, rows) => {
                *rows = rows.saturating_add(weight);
                return Ok(flow);
            }
            Step::Group(groups) => {
                groups.add((&row, weight), budget)?;
                return Ok(flow);
            }
            Step::Fill(fill, rows) => {
                budget.row(size(&row), &fill.pointer)?;
                rows.push(row);
                return Ok(flow);
            }
            Step::Sort(sorting) => {
                sorting.add(row, weight, budget)?;
                return Ok(flow);
            }
        }
        steps = rest;
    }
    last.add(row, weight, budget)?;
    Ok(flow)
}

/// A row for each element of the list at a path, with the element in its place.
fn unwound<'a>(
    path: &'a Path,
    row: &'a Value,
    tests: &'a [RowTest],
) -> impl Iterator<Item = Value> + 'a {
    let mut found = Some(row);
    for step in &path.0 {
        found = found.and_then(|value| value.as_object()?.get(step));
    }
    let elements = match found {
        None | Some(Value::Null) => &[],
        Some(Value::Array(elements)) => elements.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let rows = elements.iter().map(move |element| {
        let mut made = row.clone();
        path.put(&mut made, element.clone());
        made
    });
    rows.filter(|row| tests.iter().all(|test| test.holds(row)))
}

impl Step {
    fn new(stage: &Stage, kept: Option<usize>) -> Self {
        match stage {
            Stage::Unwind(path, tests) => Self::Unwind(path.clone(), tests.clone()),
            Stage::Match(tests) => Self::Match(tests.clone()),
            Stage::Project(project) => Self::Project(project.clone()),
            Stage::Skip(rows) => Self::Skip(*rows),
            Stage::Limit(rows) => Self::Limit(*rows),
            Stage::Count(name) => Self::Count(name.clone(), 0),
            Stage::Group(group) => Self::Group(Groups::new((**group).clone())),
            Stage::Fill(fill) => Self::Fill((**fill).clone(), Vec::new()),
            Stage::Sort(keys) => Self::Sort(Sorting { keys: keys.clone(), kept, rows: Vec::new() }),
        }
    }

    /// The rows that it held back, each with how many it stands for.
    fn finish(&mut self, budget: &mut Budget) -> Result<Vec<(Value, u64)>> {
        let singly = |rows: Vec<Value>| rows.into_iter().map(|row| (row, 1)).collect();
        Ok(match self {
            Self::Unwind(..)
            | Self::Match(_)
            | Self::Project(_)
            | Self::Skip(_)
            | Self::Limit(_) => Vec::new(),
            Self::Count(_, 0) => Vec::new(),
            Self::Count(name, rows) => {
                let row = Map::from_iter([(name.clone(), Value::from(*rows))]);
                vec![(Value::Object(row), 1)]
            }
            Self::Group(groups) => singly(groups.finish(budget)),
            Self::Fill(fill, rows) => {
                budget.give(rows.len(), rows.iter().map(size).sum());
                singly(fill.rows(std::mem::take(rows), budget)?)
            }
            Self::Sort(sorting) => sorting.finish(budget),
        })
    }
}

/// Rows that are put in order.
struct Sorting {
    keys: Vec<RowSort>,
    /// How many of the first are of use; `None` if all are.
    kept: Option<usize>,
    rows: Vec<Sorted>,
}

struct Sorted {
    ranks: Vec<Rank>,
    row: Value,
    weight: u64,
    bytes: usize,
}

impl Sorting {
    fn add(&mut self, row: Value, weight: u64, budget: &mut Budget) -> Result<()> {
        let ranks = self.keys.iter().map(|key| Rank::of(&row, &key.path, key.direction));
        let ranks: Vec<Rank> = ranks.collect();
        let bytes = size(&row) + ranks.len() * 64;
        budget.row(bytes, PIPELINE)?;
        self.rows.push(Sorted { ranks, row, weight, bytes });
        if let Some(kept) = self.kept
            && self.rows.len() >= kept.saturating_mul(2).max(1_000)
        {
            self.sort();
            let dropped = self.rows.split_off(kept.min(self.rows.len()));
            budget.give(dropped.len(), dropped.iter().map(|row| row.bytes).sum());
        }
        Ok(())
    }

    fn sort(&mut self) {
        let Self { keys, rows, .. } = self;
        rows.sort_by(|a, b| {
            let orders =
                keys.iter().zip(a.ranks.iter().zip(&b.ranks)).map(|(key, (a, b))| {
                    match key.direction {
                        Direction::Ascending => a.order(b),
                        Direction::Descending => b.order(a),
                    }
                });
            orders.fold(Ordering::Equal, Ordering::then)
        });
    }

    fn finish(&mut self, budget: &mut Budget) -> Vec<(Value, u64)> {
        self.sort();
        let rows = std::mem::take(&mut self.rows);
        budget.give(rows.len(), rows.iter().map(|row| row.bytes).sum());
        rows.into_iter().map(|sorted| (sorted.row, sorted.weight)).collect()
    }
}

impl Last {
    fn add(&mut self, row: Value, weight: u64, budget: &mut Budget) -> Result<()> {
        match self {
            Self::Rows(rows) => {
                for _ in 1..weight {
                    budget.row(size(&row), PIPELINE)?;
                    rows.push(row.clone());
                }
                budget.row(size(&row), PIPELINE)?;
                rows.push(row);
            }
            Self::Distinct { path, known, values } => {
                let mut result = Ok(());
                let mut key = Vec::new();
                let mut add = |value: &Value| {
                    key.clear();
                    encode(Some(value), &mut key);
                    if !known.contains(key.as_slice()) {
                        result = budget.row(size(value) + key.len(), "/query/distinct");
                        known.insert(key.as_slice().into());
                        values.push(value.clone());
                    }
                    result.is_err()
                };
                Found { start: Some(&row), path }.any(&mut |value| match value {
                    Value::Array(items) => items.iter().any(&mut add),
                    single => add(single),
                });
                result?;
            }
        }
        Ok(())
    }
}
