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
    /// The application's name or identifier.
    application: String,
}

impl Which {
    /// The identifier of the application, which may be named.
    async fn id(&self, client: &Client) -> Result<String, Failure> {
        let all = client.post("/api/v1/application/list", json!({})).await?;
        meant(&all, &self.application)
    }
}

/// The identifier of the application that is called so; names need not be unique.
fn meant(all: &Value, called: &str) -> Result<String, Failure> {
    let is_meant = |it: &&Value| field(it, "name") == called;
    let ids: Vec<String> =
        rows(all).filter(is_meant).map(|it| field(it, "application_id")).collect();
    match ids.as_slice() {
        // Whether there is one of this identifier, the server says.
        [] if called.starts_with("application-") => Ok(called.to_owned()),
        [] => Err(Failure::refused(format!("There is no application `{called}`."))),
        [id] => Ok(id.clone()),
        _ => Err(Failure::refused(format!(
            "There is more than one application `{called}`; give the identifier of one:\n  {}",
            ids.join("\n  ")
        ))),
    }
}

impl Application {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        let (path, which, said) = match self.verb {
            Verb::Create { name, grant } => {
                let asked = grant.with(json!({ "name": name }));
                let made = client.post("/api/v1/application/create", asked).await?;
                return screen.show(&made, secret);
            }
            Verb::List => {
                let all = client.post("/api/v1/application/list", json!({})).await?;
                return screen.show(&all, applications);
            }
            Verb::RotateSecret(which) => {
                let asked = json!({ "application_id": which.id(&client).await? });
                let anew = client.post("/api/v1/application/rotate-secret", asked).await?;
                return screen.show(&anew, secret);
            }
            Verb::Disable(which) => ("disable", which, "logs in no more"),
            Verb::Enable(which) => ("enable", which, "may log in"),
            Verb::Delete(which) => ("delete", which, "is removed"),
        };
        let path = format!("/api/v1/application/{path}");
        let asked = json!({ "application_id": which.id(&client).await? });
        let answer = client.post(&path, asked).await?;
        screen.show(&answer, |_| format!("{} {said}.", which.application))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_called_by_its_name_or_its_identifier() {
        let all = json!({ "results": [
            { "name": "reader", "application_id": "application-1" },
            { "name": "twin", "application_id": "application-2" },
            { "name": "twin", "application_id": "application-3" },
        ] });
        assert_eq!(meant(&all, "reader").unwrap(), "application-1");
        assert_eq!(meant(&all, "application-9").unwrap(), "application-9");
        assert!(meant(&all, "nobody").unwrap_err().to_string().contains("There is no application"));
        let told = meant(&all, "twin").unwrap_err().to_string();
        assert!(told.contains("application-2") && told.contains("application-3"), "{told}");
    }
}
