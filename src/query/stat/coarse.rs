//! Which statistics need no single rows: counts of rows that agree in a few fields are enough for them.

use super::{Stage, Stat, Work, group::KeyPart};

/// What counts a statistic can be answered from: those of rows that agree in all dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coarse {
    /// How fine the counts must be in time; `None` where time does not matter.
    pub time: Option<Grain>,
}

/// A step of time, aligned to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// A quarter of an hour.
    Quarter,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Grain {
    /// How long it is, in milliseconds.
    pub const fn millis(self) -> i64 {
        match self {
            Self::Quarter => 900_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }
}

/// The fields in which rows must agree to be counted together, beside the time they came.
const EVENT: &[&str] = &[
    "project_id",
    "workspace_id",
    "domain_id",
    "webhook_id",
    "provider",
    "severity",
    "event_type",
];

/// The same of alerts.
const ALERT: &[&str] = &[
    "project_id",
    "workspace_id",
    "domain_id",
    "webhook_id",
    "provider",
    "severity",
    "urgency",
    "state",
];

impl Stat {
    /// Whether records that stand for all rows which agree in the dimensions of the resource are enough to answer it,
    /// and how fine these must be in time. `None` where single rows are needed.
    pub fn coarse(&self) -> Option<Coarse> {
        let dimensions = match self.catalogue.resource {
            "event" => EVENT,
            "alert" => ALERT,
            _ => return None,
        };
        let is_dimension =
            |path: &super::path::Path| path.is_top() && dimensions.contains(&path.field());
        let stages = match &self.work {
            Work::Distinct(path) => {
                let is_one = path.len() == 1 && dimensions.contains(&path[0].as_str());
                return is_one.then_some(Coarse { time: None });
            }
            Work::Aggregate(stages) => stages,
        };
        let group = match stages.first()? {
            Stage::Count(_) => return Some(Coarse { time: None }),
            Stage::Group(group) => group,
            _ => return None,
        };
        let only_counts = group.fields.iter().all(|field| {
            field.is_count() && field.conditions.iter().all(|check| is_dimension(&check.path))
        });
        if !only_counts {
            return None;
        }
        let mut time: Option<Grain> = None;
        for key in &group.keys {
            if is_dimension(&key.path) && matches!(key.part, KeyPart::Whole) {
                continue;
            }
            if !key.path.is_top() || key.path.field() != "created_at" {
                return None;
            }
            let grain = match &key.part {
                KeyPart::Whole => return None,
                KeyPart::Told(format) => format.grain()?,
                KeyPart::Step(bucket) => bucket.grain()?,
            };
            time = Some(time.map_or(grain, |time| time.min(grain)));
        }
        Some(Coarse { time })
    }
}
