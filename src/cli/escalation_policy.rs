//! `alertmill escalation-policy`: manage who is told, in which steps.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, field, more, record, rows, table},
};
use crate::config::Reach;

/// Manage who is told of alerts, one step after the other, until someone answers.
#[derive(Args)]
pub(super) struct EscalationPolicy {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a policy.
    Create(New),
    /// Change a policy; what is left out stays as it is.
    Update(Change),
    /// List policies.
    List,
    /// Show one policy.
    Get(One),
    /// Make a policy the one that projects of its workspace have where they choose none.
    SetDefault(One),
    /// Have a project choose a policy.
    Choose {
        /// The policy's identifier.
        escalation_policy_id: String,
        /// The project.
        #[arg(long, value_name = "ID", default_value = "default")]
        project: String,
    },
    /// Delete a policy that no project has chosen.
    Delete(One),
}

#[derive(Args)]
struct New {
    /// What people call it; unique in its workspace.
    #[arg(long)]
    name: String,
    #[command(flatten)]
    course: Course,
    /// The project that it is for; all of the workspace by default.
    #[arg(long, value_name = "ID")]
    project: Option<String>,
    /// The workspace that it is for.
    #[arg(long, value_name = "ID", conflicts_with = "project")]
    workspace: Option<String>,
}

#[derive(Args)]
struct Change {
    /// The policy's identifier.
    escalation_policy_id: String,
    /// What people call it; unique in its workspace.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    course: Course,
}

/// What a policy does.
#[derive(Args)]
struct Course {
    /// A step: the level whose channels are told, how many minutes the next step waits, and who is told beside them, e.g.
    /// `LV1,10` or `ALL,5,user=amy,on-call=oncall-1,channel=channel-2`. May be repeated, in order.
    #[arg(long = "step", value_name = "STEP", value_parser = step)]
    steps: Vec<Value>,
    /// How often it begins anew after its last step.
    #[arg(long, value_name = "TIMES")]
    repeat: Option<u32>,
    /// What ends it before its last step: ACKNOWLEDGED or RESOLVED.
    #[arg(long, value_name = "STATE")]
    until: Option<String>,
}

#[derive(Args)]
struct One {
    /// The policy's identifier.
    escalation_policy_id: String,
}

/// What is said as `LEVEL,MINUTES,WHO=ID`.
fn step(text: &str) -> Result<Value, String> {
    let mut parts = text.split(',').map(str::trim);
    let level = parts.next().filter(|level| !level.is_empty()).unwrap_or("ALL");
    let mut step = json!({ "notification_level": level.to_ascii_uppercase(), "targets": [] });
    let mut targets = Vec::new();
    for (at, part) in parts.enumerate() {
        match part.split_once('=') {
            None if at == 0 => {
                let minutes: u32 = part.parse().map_err(|_| {
                    format!("`{part}` is no number of minutes: a step is `LEVEL,MINUTES,WHO=ID`")
                })?;
                step["escalate_minutes"] = minutes.into();
            }
            Some(("user", id)) => targets.push(json!({ "user": id })),
            Some(("on-call" | "on_call", id)) => targets.push(json!({ "on_call": id })),
            Some(("channel", id)) => targets.push(json!({ "channel": id })),
            Some(_) | None => {
                return Err(format!(
                    "`{part}` is none of `user=ID`, `on-call=ID` and `channel=ID`"
                ));
            }
        }
    }
    step["targets"] = targets.into();
    Ok(step)
}

impl Course {
    fn say(self, asked: &mut Value) {
        if !self.steps.is_empty() {
            asked["rules"] = self.steps.into();
        }
        if let Some(times) = self.repeat {
            asked["repeat_count"] = times.into();
        }
        if let Some(state) = self.until {
            asked["finish_condition"] = state.to_ascii_uppercase().into();
        }
    }
}

impl EscalationPolicy {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let call = async |verb: &str, asked: Value| {
            client.post(&format!("/monitoring/v1/escalation-policy/{verb}"), asked).await
        };
        match self.verb {
            Verb::Create(new) => {
                let mut asked = json!({ "name": new.name });
                if let Some(project) = new.project {
                    asked["project_id"] = project.into();
                }
                if let Some(workspace) = new.workspace {
                    asked["workspace_id"] = workspace.into();
                }
                new.course.say(&mut asked);
                said(&screen, &call("create", asked).await?, "is made")
            }
            Verb::Update(change) => {
                let mut asked = change.asked();
                if let Some(name) = change.name {
                    asked["name"] = name.into();
                }
                said(&screen, &call("update", asked).await?, "is changed")
            }
            Verb::List => screen.show(&call("list", json!({})).await?, listed),
            Verb::Get(one) => screen.show(&call("get", one.asked()).await?, record),
            Verb::SetDefault(one) => {
                said(&screen, &call("set-default", one.asked()).await?, "is the default")
            }
            Verb::Choose { escalation_policy_id, project } => {
                let asked =
                    json!({ "project_id": project, "escalation_policy_id": escalation_policy_id });
                let path = "/monitoring/v1/project-alert-config/update";
                screen.show(&client.post(path, asked).await?, |_| {
                    format!("Project {project} has escalation policy {escalation_policy_id}.")
                })
            }
            Verb::Delete(one) => screen.show(&call("delete", one.asked()).await?, |_| {
                format!("Escalation policy {} is deleted.", one.escalation_policy_id)
            }),
        }
    }
}

impl Change {
    fn asked(&self) -> Value {
        let mut asked = json!({ "escalation_policy_id": self.escalation_policy_id });
        let Course { steps, repeat, until } = &self.course;
        let steps = Course { steps: steps.clone(), repeat: *repeat, until: until.clone() };
        steps.say(&mut asked);
        asked
    }
}

impl One {
    fn asked(&self) -> Value {
        json!({ "escalation_policy_id": self.escalation_policy_id })
    }
}

fn said(screen: &Screen, answer: &Value, what: &str) -> Result<(), Failure> {
    screen.show(answer, |policy| {
        let (name, id) = (field(policy, "name"), field(policy, "escalation_policy_id"));
        format!("Escalation policy {name} ({id}) {what}.")
    })
}

/// The steps of a policy in few words: `LV1 10 min, LV2 5 min +1`.
fn steps(policy: &Value) -> String {
    let rules = policy["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let each = rules.iter().map(|rule| {
        let targets = rule["targets"].as_array().map_or(0, Vec::len);
        let more = if targets == 0 { String::new() } else { format!(" +{targets}") };
        format!("{} {} min{more}", field(rule, "notification_level"), rule["escalate_minutes"])
    });
    each.collect::<Vec<_>>().join(", ")
}

fn listed(answer: &Value) -> String {
    let cells = |policy: &Value| {
        let is_default = policy["is_default"] == Value::Bool(true);
        vec![
            field(policy, "name"),
            field(policy, "escalation_policy_id"),
            field(policy, "project_id"),
            steps(policy),
            field(policy, "repeat_count"),
            field(policy, "finish_condition"),
            if is_default { "default".to_owned() } else { String::new() },
        ]
    };
    let headings = ["NAME", "ID", "PROJECT", "STEPS", "REPEATED", "UNTIL", ""];
    let text = table(&headings, rows(answer).map(cells).collect(), "No escalation policies.");
    format!("{text}{}", more(answer, "policies"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_said_in_one_word() {
        assert_eq!(
            step("lv1,10,user=amy,on-call=oncall-1").unwrap(),
            json!({
                "notification_level": "LV1",
                "escalate_minutes": 10,
                "targets": [{ "user": "amy" }, { "on_call": "oncall-1" }],
            })
        );
        assert_eq!(step("ALL").unwrap(), json!({ "notification_level": "ALL", "targets": [] }));
        assert!(step("ALL,soon").unwrap_err().contains("no number of minutes"));
        assert!(step("ALL,5,team=a").unwrap_err().contains("is none of"));
    }
}
