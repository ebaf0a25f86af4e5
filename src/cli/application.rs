//! `alertmill application`: machines that log in with their identifier and a secret.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, field, rows, table},
    user::Grant,
};
use crate::config::Reach;

/// Manage applications: machines that log in with their identifier and a secret.
#[derive(Args)]
pub(super) struct Application {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an application; prints its secret, once.
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        grant: Grant,
    },
    /// List applications.
    List,
    /// Give an application another secret, and print it, once; the one before works no more.
    RotateSecret(Which),
    /// Let an application log in no more, and end what it was given.
    Disable(Which),
    /// Let an application log in again.
    Enable(Which),
    /// Remove an application, and end what it was given.
    Delete(Which),
}

#[derive(Args)]
struct Which {
    /// The application's identifier.
    application_id: String,
}

impl Application {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let (path, id, said) = match self.verb {
            Verb::Create { name, grant } => {
                let asked = grant.with(json!({ "name": name }));
                let made = client.post("/api/v1/application/create", asked).await?;
                return screen.show(&made, secret);
            }
            Verb::List => {
                let all = client.post("/api/v1/application/list", json!({})).await?;
                return screen.show(&all, applications);
            }
            Verb::RotateSecret(Which { application_id }) => {
                let asked = json!({ "application_id": application_id });
                let anew = client.post("/api/v1/application/rotate-secret", asked).await?;
                return screen.show(&anew, secret);
            }
            Verb::Disable(which) => ("disable", which.application_id, "logs in no more"),
            Verb::Enable(which) => ("enable", which.application_id, "may log in"),
            Verb::Delete(which) => ("delete", which.application_id, "is removed"),
        };
        let path = format!("/api/v1/application/{path}");
        let answer = client.post(&path, json!({ "application_id": id })).await?;
        screen.show(&answer, |_| format!("{id} {said}."))
    }
}

fn secret(made: &Value) -> String {
    let (name, id) = (field(made, "name"), field(made, "application_id"));
    let secret = field(made, "secret");
    format!(
        "Application {name}\n\n    id      {id}\n    secret  {secret}\n\nThe secret is shown only now."
    )
}

fn applications(answer: &Value) -> String {
    let cells = |it: &Value| {
        ["name", "role", "state", "secret_set_at", "application_id"]
            .map(|name| field(it, name))
            .into()
    };
    let headings = ["NAME", "ROLE", "STATE", "SECRET OF", "ID"];
    let nothing = "No applications. Make one with `alertmill application create --name <name> --role <role>`.";
    table(&headings, rows(answer).map(cells).collect(), nothing)
}
