//! How events become alerts in a project, as a request says it and as it is shown.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        project::{AlertPolicy, FlappingPolicy},
        words::{NotificationUrgency, RecoveryMode},
    },
    error::{Code, Error, Result},
};

/// How long anything may last: a year.
const YEAR: u32 = 366 * 24 * 60 * 60;

/// How long an acknowledgement may last that runs out.
const QUARTER: u32 = 90 * 24 * 60 * 60;

/// A day.
const DAY: u32 = 24 * 60 * 60;

/// How events become alerts in a project.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicyInfo {
    /// Which alerts notify.
    pub notification_urgency: NotificationUrgency,
    /// What a recovery does.
    pub recovery_mode: RecoveryMode,
    /// How long a recovery that came before its firing waits for it, in seconds.
    pub recovery_hold: i64,
    /// After how many seconds an acknowledgement runs out that was given without an end; zero for never.
    pub acknowledgement_expiry: i64,
    /// After how many seconds without an event an alert expires; zero for never.
    pub stale_after: i64,
    /// How often a key may open within `flapping_within` before its alert is said to be flapping; zero for never.
    pub flapping_count: u32,
    /// Within how many seconds.
    pub flapping_within: i64,
    /// After how many quiet seconds it is said to flap no more.
    pub flapping_quiet: i64,
}

/// How events become alerts in a project; what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct PolicyRequest {
    /// Which alerts notify; ALL where never said.
    notification_urgency: Option<NotificationUrgency>,
    /// What a recovery does.
    recovery_mode: Option<RecoveryMode>,
    /// How long a recovery that came before its firing waits for it, in seconds; 600 where never said.
    recovery_hold: Option<u32>,
    /// After how many seconds an acknowledgement runs out that was given without an end, 60 to 7776000 (90 days); zero
    /// for never, which is so where never said.
    acknowledgement_expiry: Option<u32>,
    /// After how many seconds without an event an alert expires, 60 to 31622400 (a year); zero for never, which is so
    /// where never said. The same option of a webhook goes before.
    stale_after: Option<u32>,
    /// How often a key may open within `flapping_within` before its alert is said to be flapping, 2 to 100; zero for
    /// never; 5 where never said.
    flapping_count: Option<u32>,
    /// Within how many seconds, 60 to 86400; 1800 where never said.
    flapping_within: Option<u32>,
    /// After how many quiet seconds it is said to flap no more, 10 to 86400; 600 where never said.
    flapping_quiet: Option<u32>,
}

impl PolicyRequest {
    /// The policy once this is said over `policy`.
    pub(in crate::api) fn over(self, policy: AlertPolicy) -> Result<AlertPolicy> {
        let Self {
            notification_urgency,
            recovery_mode,
            recovery_hold,
            acknowledgement_expiry,
            stale_after,
            flapping_count,
            flapping_within,
            flapping_quiet,
        } = self;
        let flapping =
            Often { count: flapping_count, within: flapping_within, quiet: flapping_quiet };
        Ok(AlertPolicy {
            notification_urgency: notification_urgency.unwrap_or(policy.notification_urgency),
            recovery_mode: recovery_mode.unwrap_or(policy.recovery_mode),
            recovery_hold: recovery_hold.map_or(policy.recovery_hold, seconds),
            acknowledgement_expiry: match acknowledgement_expiry {
                None => policy.acknowledgement_expiry,
                Some(0) => None,
                Some(given) => {
                    Some(seconds(within("acknowledgement_expiry", given, (60, QUARTER))?))
                }
            },
            stale_after: match stale_after {
                None => policy.stale_after,
                Some(0) => None,
                Some(given) => Some(seconds(within("stale_after", given, (60, YEAR))?)),
            },
            flapping: flapping.over(policy.flapping)?,
        })
    }
}

/// What is said of flapping.
struct Often {
    count: Option<u32>,
    within: Option<u32>,
    quiet: Option<u32>,
}

impl Often {
    fn over(self, policy: Option<FlappingPolicy>) -> Result<Option<FlappingPolicy>> {
        let Self { count: flapping_count, within: flapping_within, quiet: flapping_quiet } = self;
        let mut one = policy.unwrap_or_default();
        if let Some(given) = flapping_within {
            one.within = seconds(within("flapping_within", given, (60, DAY))?);
        }
        if let Some(given) = flapping_quiet {
            one.quiet = seconds(within("flapping_quiet", given, (10, DAY))?);
        }
        match flapping_count {
            Some(0) => Ok(None),
            Some(given) => {
                let count = within("flapping_count", given, (2, 100))?;
                Ok(Some(FlappingPolicy { count, ..one }))
            }
            None if policy.is_none() && (flapping_within.or(flapping_quiet)).is_some() => {
                let detail =
                    "nothing is said to be flapping in this project; give `flapping_count` too";
                Err(Error::at(Code::InvalidParameter, "/options/flapping_count", detail))
            }
            None => Ok(policy.map(|_| one)),
        }
    }
}

fn seconds(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(seconds.into())
}

/// The same number, if it is neither too small nor too great.
fn within(name: &str, given: u32, (least, most): (u32, u32)) -> Result<u32> {
    if (least..=most).contains(&given) {
        return Ok(given);
    }
    let detail = format!("`{name}` is {least} to {most}, or left out; {given} is not");
    Err(Error::at(Code::InvalidParameter, format!("/options/{name}"), detail))
}

impl From<AlertPolicy> for PolicyInfo {
    fn from(policy: AlertPolicy) -> Self {
        let flapping = policy.flapping.unwrap_or_default();
        let of = |time: Option<TimeDelta>| time.map_or(0, |time| time.num_seconds());
        Self {
            notification_urgency: policy.notification_urgency,
            recovery_mode: policy.recovery_mode,
            recovery_hold: policy.recovery_hold.num_seconds(),
            acknowledgement_expiry: of(policy.acknowledgement_expiry),
            stale_after: of(policy.stale_after),
            flapping_count: policy.flapping.map_or(0, |flapping| flapping.count),
            flapping_within: flapping.within.num_seconds(),
            flapping_quiet: flapping.quiet.num_seconds(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(policy: AlertPolicy, request: Value) -> Result<AlertPolicy> {
        serde_json::from_value::<PolicyRequest>(request).unwrap().over(policy)
    }

    fn new() -> AlertPolicy {
        AlertPolicy::new(RecoveryMode::Auto)
    }

    #[test]
    fn what_is_left_out_stays_and_zero_switches_off() {
        let all = json!({ "acknowledgement_expiry": 3600, "stale_after": 7200, "flapping_count": 3,
            "flapping_within": 60, "flapping_quiet": 30 });
        let policy = set(new(), all).unwrap();
        assert_eq!(policy.acknowledgement_expiry, Some(TimeDelta::hours(1)));
        assert_eq!(policy.stale_after, Some(TimeDelta::hours(2)));
        let flapping = policy.flapping.unwrap();
        assert_eq!((flapping.count, flapping.quiet), (3, TimeDelta::seconds(30)));
        assert_eq!(set(policy.clone(), json!({})).unwrap(), policy);
        let off = json!({ "acknowledgement_expiry": 0, "stale_after": 0, "flapping_count": 0 });
        let off = set(policy, off).unwrap();
        assert_eq!((off.acknowledgement_expiry, off.stale_after, off.flapping), (None, None, None));
        let error = set(off, json!({ "flapping_quiet": 30 })).unwrap_err();
        assert_eq!(error.mistakes[0].pointer, "/options/flapping_count");
    }

    #[test]
    fn what_is_too_small_or_too_great_is_a_mistake_at_its_place() {
        for (name, value) in [
            ("acknowledgement_expiry", 59),
            ("acknowledgement_expiry", QUARTER + 1),
            ("stale_after", 1),
            ("stale_after", YEAR + 1),
            ("flapping_count", 1),
            ("flapping_count", 101),
            ("flapping_within", 59),
            ("flapping_quiet", 9),
        ] {
            let error = set(new(), json!({ name: value })).unwrap_err();
            assert_eq!(error.mistakes[0].pointer, format!("/options/{name}"));
        }
    }
}
