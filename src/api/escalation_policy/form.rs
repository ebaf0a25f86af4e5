//! What a request says of the steps of a policy, checked.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    api::{Call, asked},
    domain::{
        channel::Place,
        escalation::{EscalationRule, MOST_MINUTES, MOST_REPEATS, MOST_STEPS, MOST_TARGETS},
        notice::NotificationLevel,
        people::Target,
    },
    error::{Code, Error, Result},
    store::Tx,
};

/// How many steps a policy goes through at most, all passes counted.
const MOST_TOLD: u64 = 1_000;

/// One step of a policy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleRequest {
    /// The channels of which level are told; ALL where absent.
    #[serde(default)]
    notification_level: NotificationLevel,
    /// How many minutes the next step waits for an answer to this one; 0 where absent.
    #[serde(default)]
    escalate_minutes: u32,
    /// Who is told beside them: `{"channel": id}`, `{"user": id}` or `{"on_call": id}`.
    #[serde(default)]
    targets: Vec<Target>,
}

fn wrong(pointer: impl Into<String>, detail: impl Into<String>) -> Error {
    Error::at(Code::InvalidParameter, pointer, detail)
}

/// How often a policy is repeated, if that is not too often.
pub(super) fn bounded_repeats(repeat_count: u32) -> Result<u32> {
    if repeat_count <= MOST_REPEATS {
        return Ok(repeat_count);
    }
    Err(wrong("/repeat_count", format!("a policy is repeated {MOST_REPEATS} times at most")))
}

/// Refuses a policy that tells people more often than anyone can hear.
pub(super) fn bounded_steps(rules: usize, repeat_count: u32) -> Result<()> {
    let passes = u64::from(repeat_count) + 1;
    if (rules as u64).saturating_mul(passes) <= MOST_TOLD {
        return Ok(());
    }
    let detail =
        format!("its steps times its passes are {MOST_TOLD} at most; here {rules} times {passes}");
    Err(wrong("/repeat_count", detail))
}

/// The steps of a policy that holds at `place`.
pub(super) fn rules(
    tx: &dyn Tx,
    call: &Call,
    place: &Place,
    asked: Vec<RuleRequest>,
) -> Result<Vec<EscalationRule>> {
    if asked.is_empty() {
        return Err(wrong("/rules", "a policy has at least one step, or nobody would be told"));
    }
    if asked.len() > MOST_STEPS {
        return Err(wrong("/rules", format!("a policy has {MOST_STEPS} steps at most")));
    }
    let rules = asked.into_iter().enumerate();
    rules.map(|(at, asked)| rule(tx, call, place, (at, asked))).collect()
}

fn rule(
    tx: &dyn Tx,
    call: &Call,
    place: &Place,
    (at, asked): (usize, RuleRequest),
) -> Result<EscalationRule> {
    let RuleRequest { notification_level, escalate_minutes, targets } = asked;
    if escalate_minutes > MOST_MINUTES {
        let detail = format!("a step waits {MOST_MINUTES} minutes (30 days) at most");
        return Err(wrong(format!("/rules/{at}/escalate_minutes"), detail));
    }
    if targets.len() > MOST_TARGETS {
        let detail = format!("a step names {MOST_TARGETS} targets at most");
        return Err(wrong(format!("/rules/{at}/targets"), detail));
    }
    let mut known: Vec<Target> = Vec::new();
    for (number, asked) in targets.into_iter().enumerate() {
        let pointer = format!("/rules/{at}/targets/{number}");
        let target = target(tx, call, (place, &pointer), asked)?;
        if !known.contains(&target) {
            known.push(target);
        }
    }
    Ok(EscalationRule { notification_level, escalate_minutes, targets: known })
}

/// A target that there is, and that an alert of `place` may be told to.
fn target(
    tx: &dyn Tx,
    call: &Call,
    (place, pointer): (&Place, &str),
    asked: Target,
) -> Result<Target> {
    let scope = &call.caller.scope;
    let found = match &asked {
        Target::User(user) => {
            let user = asked::name("user", user)
                .map_err(|error| wrong(format!("{pointer}/user"), error.detail))?;
            return Ok(Target::User(user));
        }
        Target::OnCall(id) => tx.on_call(scope, id)?.map(|schedule| schedule.place),
        Target::Channel(id) => tx.channel(scope, id)?.map(|channel| channel.home),
    };
    let (what, id) = match &asked {
        Target::Channel(id) => ("channel", id.as_str()),
        Target::OnCall(id) => ("on_call", id.as_str()),
        Target::User(user) => ("user", user.as_str()),
    };
    match found {
        Some(found) if found.reaches(place) => Ok(asked),
        Some(_) => {
            let detail = format!("{what} `{id}` belongs to another project or workspace");
            Err(wrong(format!("{pointer}/{what}"), detail))
        }
        None => Err(wrong(format!("{pointer}/{what}"), format!("there is no {what} `{id}`"))),
    }
}
