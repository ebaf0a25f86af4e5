//! `alertmill project`: what one team looks after.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    alerting::Alerting,
    client::Client,
    show::{Screen, field, record, rows, table},
};
use crate::config::Reach;

/// Manage projects.
#[derive(Args)]
pub(super) struct Project {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a project, with alerting switched on.
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// Its identifier; made up by default.
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// The workspace it is part of.
        #[arg(long, value_name = "ID", default_value = "default")]
        workspace: String,
    },
    /// List projects.
    List,
    /// Change a project; what is left out stays as it is.
    Update {
        /// The project.
        project_id: String,
        /// What people call it.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        keep: Keep,
    },
    Alerting(Alerting),
}

/// How long it keeps what: an age such as `36h`, `90d` or `2w`, or `forever`.
#[derive(Args)]
struct Keep {
    /// How long events are kept; those of open alerts stay.
    #[arg(long = "keep-events", value_name = "AGE")]
    events: Option<String>,
    /// How long raw bodies of deliveries are kept; nothing of these can be driven again then.
    #[arg(long = "keep-payloads", value_name = "AGE")]
    payloads: Option<String>,
    /// How long resolved and deleted alerts are kept.
    #[arg(long = "keep-resolved-alerts", value_name = "AGE")]
    resolved_alerts: Option<String>,
}

impl Keep {
    fn request(self) -> Value {
        let ages = [
            ("events", self.events),
            ("payloads", self.payloads),
            ("resolved_alerts", self.resolved_alerts),
        ];
        let said = ages.into_iter().filter_map(|(name, age)| {
            let age = age?;
            let age = if age == "forever" { Value::Null } else { age.into() };
            Some((name.to_owned(), age))
        });
        Value::Object(said.collect())
    }
}

impl Project {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::Create { name, id, workspace } => {
                let mut asked = json!({ "name": name, "workspace_id": workspace });
                if let Some(id) = id {
                    asked["project_id"] = id.into();
                }
                let made = client.post("/api/v1/project/create", asked).await?;
                screen.show(&made, |made| {
                    format!(
                        "Project {} ({}) is made.",
                        field(made, "name"),
                        field(made, "project_id")
                    )
                })
            }
            Verb::Update { project_id, name, keep } => {
                let mut asked = json!({ "project_id": project_id, "retention": keep.request() });
                if let Some(name) = name {
                    asked["name"] = name.into();
                }
                screen.show(&client.post("/api/v1/project/update", asked).await?, record)
            }
            Verb::Alerting(alerting) => alerting.run(&client, &screen).await,
            Verb::List => {
                screen.show(&client.post("/api/v1/project/list", json!({})).await?, listed)
            }
        }
    }
}

fn listed(answer: &Value) -> String {
    let cells = |project: &Value| {
        vec![
            field(project, "name"),
            field(project, "project_id"),
            field(project, "workspace_id"),
            field(project, "created_at"),
        ]
    };
    let nothing = "No projects. Make one with `alertmill project create --name <name>`.";
    table(&["NAME", "ID", "WORKSPACE", "MADE"], rows(answer).map(cells).collect(), nothing)
}
