//! `alertmill project`: what one team looks after.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, field, rows, table},
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
