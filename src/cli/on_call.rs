//! `alertmill on-call`: manage who is on call, and how people are reached.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, field, minute, more, record, rows, table},
};
use crate::config::Reach;

/// Manage who is on call, and how people are reached.
#[derive(Args)]
pub(super) struct OnCall {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a schedule: users who take turns.
    Create {
        /// What people call it; unique in its workspace.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        turns: Turns,
        /// The project that it is for; all of the workspace by default.
        #[arg(long, value_name = "ID")]
        project: Option<String>,
    },
    /// Change a schedule; what is left out stays as it is.
    Update {
        /// The schedule's identifier.
        on_call_id: String,
        /// What people call it; unique in its workspace.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        turns: Turns,
    },
    /// List schedules, with who is on call now.
    List,
    /// Show one schedule, with who is on call now.
    Get(One),
    /// Tell who is on call when.
    Shifts {
        /// The schedule's identifier.
        on_call_id: String,
        /// From when on, e.g. `2026-01-05T09:00:00Z`; now by default.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Until when; four weeks later by default.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Have someone stand in for a while.
    Override {
        /// The schedule's identifier.
        on_call_id: String,
        /// Who stands in.
        #[arg(long, value_name = "ID")]
        user: String,
        /// From when on, e.g. `2026-01-05T09:00:00Z`; now by default.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Until when.
        #[arg(long, value_name = "TIME")]
        until: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Have someone not stand in after all.
    RemoveOverride {
        /// The schedule's identifier.
        on_call_id: String,
        /// Who stands in.
        #[arg(long, value_name = "ID")]
        user: String,
        /// From when on.
        #[arg(long, value_name = "TIME")]
        from: String,
    },
    /// Delete a schedule that no escalation policy names.
    Delete(One),
    /// Have a user be reached through a channel.
    AddContact {
        /// The user, by the name that alerts are assigned to.
        #[arg(long, value_name = "ID")]
        user: String,
        /// The channel; one that takes no levels is theirs alone.
        #[arg(long, value_name = "ID")]
        channel: String,
        /// Use it for alerts of urgency HIGH alone.
        #[arg(long)]
        urgent_only: bool,
        /// The project that it is for; all of the workspace by default.
        #[arg(long, value_name = "ID")]
        project: Option<String>,
    },
    /// List how people are reached.
    Contacts,
    /// Have a user not be reached so any more.
    RemoveContact {
        /// The contact method's identifier.
        contact_id: String,
    },
}

/// Who takes turns, and when these change.
#[derive(Args)]
struct Turns {
    /// A user who takes turns. May be repeated, in order.
    #[arg(long = "user", value_name = "ID")]
    users: Vec<String>,
    /// The zone of its dates and hours, e.g. `Asia/Seoul`.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// The day on which the first turn of the first user begins, e.g. `2026-01-05`.
    #[arg(long, value_name = "DATE")]
    starts_on: Option<String>,
    /// The hour at which turns change, e.g. `09:00`.
    #[arg(long, value_name = "HOUR")]
    handoff: Option<String>,
    /// How many days a turn takes.
    #[arg(long, value_name = "DAYS")]
    turn_days: Option<u32>,
}

#[derive(Args)]
struct One {
    /// The schedule's identifier.
    on_call_id: String,
}

impl Turns {
    fn say(self, asked: &mut Value) {
        if let Some(zone) = self.time_zone {
            asked["time_zone"] = zone.into();
        }
        let mut rotation = Map::new();
        if !self.users.is_empty() {
            rotation.insert("users".to_owned(), self.users.into());
        }
        let texts = [("starts_on", self.starts_on), ("handoff", self.handoff)];
        rotation.extend(
            texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))),
        );
        if let Some(days) = self.turn_days {
            rotation.insert("turn_days".to_owned(), days.into());
        }
        asked["rotation"] = rotation.into();
    }
}

/// `asked` with these parameters, as far as they are said.
fn with(mut asked: Value, said: &[(&str, &Option<String>)]) -> Value {
    for (name, text) in said {
        if let Some(text) = text {
            asked[*name] = text.as_str().into();
        }
    }
    asked
}

impl OnCall {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::AddContact { .. } | Verb::Contacts | Verb::RemoveContact { .. } => {
                contacts(self.verb, &client, &screen).await
            }
            verb => schedules(verb, &client, &screen).await,
        }
    }
}

/// What is done to schedules.
async fn schedules(verb: Verb, client: &Client, screen: &Screen) -> Result<(), Failure> {
    let call = async |verb: &str, asked: Value| {
        client.post(&format!("/api/v1/on-call/{verb}"), asked).await
    };
    match verb {
        Verb::Create { name, turns, project } => {
            let mut asked = with(json!({ "name": name }), &[("project_id", &project)]);
            turns.say(&mut asked);
            said(screen, &call("create", asked).await?, "is made")
        }
        Verb::Update { on_call_id, name, turns } => {
            let mut asked = with(json!({ "on_call_id": on_call_id }), &[("name", &name)]);
            turns.say(&mut asked);
            said(screen, &call("update", asked).await?, "is changed")
        }
        Verb::List => screen.show(&call("list", json!({})).await?, listed),
        Verb::Get(one) => screen.show(&call("get", one.asked()).await?, record),
        Verb::Shifts { on_call_id, from, until } => {
            let asked = json!({ "on_call_id": on_call_id });
            let asked = with(asked, &[("from", &from), ("until", &until)]);
            screen.show(&call("shifts", asked).await?, shifts)
        }
        Verb::Override { on_call_id, user, from, until, reason } => {
            let asked = json!({ "on_call_id": on_call_id, "user_id": user, "until": until });
            let asked = with(asked, &[("from", &from), ("reason", &reason)]);
            said(screen, &call("add-override", asked).await?, "has an override more")
        }
        Verb::RemoveOverride { on_call_id, user, from } => {
            let asked = json!({ "on_call_id": on_call_id, "user_id": user, "from": from });
            said(screen, &call("remove-override", asked).await?, "has an override less")
        }
        Verb::Delete(one) => screen.show(&call("delete", one.asked()).await?, |_| {
            format!("On-call schedule {} is deleted.", one.on_call_id)
        }),
        Verb::AddContact { .. } | Verb::Contacts | Verb::RemoveContact { .. } => Ok(()),
    }
}

/// What is done to the ways in which people are reached.
async fn contacts(verb: Verb, client: &Client, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::AddContact { user, channel, urgent_only, project } => {
            let urgency = if urgent_only { "HIGH_ONLY" } else { "ALL" };
            let asked = json!({ "user_id": user, "channel_id": channel, "urgency": urgency });
            let asked = with(asked, &[("project_id", &project)]);
            let made = client.post("/api/v1/contact/create", asked).await?;
            screen.show(&made, |made| {
                let (user, channel) = (field(made, "user_id"), field(made, "channel_id"));
                format!("{user} is reached through {channel} ({}).", field(made, "contact_id"))
            })
        }
        Verb::Contacts => {
            let found = client.post("/api/v1/contact/list", json!({})).await?;
            screen.show(&found, listed_contacts)
        }
        Verb::RemoveContact { contact_id } => {
            let asked = json!({ "contact_id": contact_id });
            let done = client.post("/api/v1/contact/delete", asked).await?;
            screen.show(&done, |_| format!("Contact method {contact_id} is deleted."))
        }
        Verb::Create { .. }
        | Verb::Update { .. }
        | Verb::List
        | Verb::Get(_)
        | Verb::Shifts { .. }
        | Verb::Override { .. }
        | Verb::RemoveOverride { .. }
        | Verb::Delete(_) => Ok(()),
    }
}

impl One {
    fn asked(&self) -> Value {
        json!({ "on_call_id": self.on_call_id })
    }
}

fn said(screen: &Screen, answer: &Value, what: &str) -> Result<(), Failure> {
    screen.show(answer, |schedule| {
        let now = on_duty(schedule);
        let now = if now.is_empty() {
            "nobody is on call now".to_owned()
        } else {
            format!("on call now: {now}")
        };
        format!(
            "On-call schedule {} ({}) {what}; {now}.",
            field(schedule, "name"),
            field(schedule, "on_call_id")
        )
    })
}

/// Who is on call now, and until when.
fn on_duty(schedule: &Value) -> String {
    match &schedule["on_duty"] {
        Value::Null => String::new(),
        duty => format!("{} until {} UTC", field(duty, "user_id"), minute(duty, "until")),
    }
}

fn listed(answer: &Value) -> String {
    let cells = |schedule: &Value| {
        vec![
            field(schedule, "name"),
            field(schedule, "on_call_id"),
            field(schedule, "project_id"),
            field(schedule, "time_zone"),
            on_duty(schedule),
        ]
    };
    let nothing =
        "No on-call schedules. Make one with `alertmill on-call create --name <name> --user <id>`.";
    let headings = ["NAME", "ID", "PROJECT", "ZONE", "ON CALL"];
    let text = table(&headings, rows(answer).map(cells).collect(), nothing);
    format!("{text}{}", more(answer, "schedules"))
}

fn shifts(answer: &Value) -> String {
    let cells = |shift: &Value| {
        let why = if shift["is_override"] == Value::Bool(true) { "stands in" } else { "" };
        vec![minute(shift, "from"), minute(shift, "until"), field(shift, "user_id"), why.to_owned()]
    };
    table(&["FROM (UTC)", "UNTIL (UTC)", "WHO", ""], rows(answer).map(cells).collect(), "Nobody.")
}

fn listed_contacts(answer: &Value) -> String {
    let cells = |contact: &Value| {
        vec![
            field(contact, "user_id"),
            field(contact, "channel_id"),
            field(contact, "urgency"),
            field(contact, "project_id"),
            field(contact, "contact_id"),
        ]
    };
    let nothing = "No contact methods. Make one with `alertmill on-call add-contact --user <id> --channel <id>`.";
    let headings = ["USER", "CHANNEL", "URGENCY", "PROJECT", "ID"];
    let text = table(&headings, rows(answer).map(cells).collect(), nothing);
    format!("{text}{}", more(answer, "contact methods"))
}
