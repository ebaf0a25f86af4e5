//! `alertmill user`: who logs in with a name and a password.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    login::new_password,
    show::{Screen, field, rows, table},
};
use crate::{config::Reach, domain::words::Role};

/// Manage users, who log in with a name and a password.
#[derive(Args)]
pub(super) struct User {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a user. The password is asked for, or is the first line of the input where that is no terminal.
    Create {
        /// What the user logs in with.
        #[arg(long)]
        name: String,
        /// The user's mail address.
        #[arg(long)]
        email: Option<String>,
        /// What another service that vouches for the user calls it.
        #[arg(long, value_name = "ID")]
        external_id: Option<String>,
        /// Make it without a password, for one that another service vouches for.
        #[arg(long)]
        no_password: bool,
        #[command(flatten)]
        grant: Grant,
    },
    /// List users.
    List,
    /// Let a user log in no more, and end its sessions at once.
    Disable(Which),
    /// Let a user log in again, also one that too many wrong passwords closed.
    Enable(Which),
    /// Give a user another password, and end its sessions at once. The password is asked for, or is the first line of the
    /// input where that is no terminal.
    Passwd(Which),
    /// Remove a user, and end its sessions at once.
    Delete(Which),
}

#[derive(Args)]
struct Which {
    /// The user's name or identifier.
    user: String,
}

/// What somebody may do, and where.
#[derive(Args)]
pub(super) struct Grant {
    /// What it may do: `SYSTEM_ADMIN`, `DOMAIN_ADMIN`, `WORKSPACE_OWNER`, `WORKSPACE_MEMBER` or `SERVICE`.
    #[arg(long)]
    role: Role,
    /// The domain that it reaches, where its role needs one.
    #[arg(long, value_name = "ID")]
    domain: Option<String>,
    /// The workspace that it reaches, where its role needs one.
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// A project that it reaches, where its role needs some; may be repeated.
    #[arg(long, value_name = "ID")]
    project: Vec<String>,
}

impl Grant {
    /// The same as a request says it, beside `asked`.
    pub(super) fn with(&self, mut asked: Value) -> Value {
        asked["role"] = json!(self.role.as_str());
        for (name, value) in [("domain_id", &self.domain), ("workspace_id", &self.workspace)] {
            if let Some(value) = value {
                asked[name] = json!(value);
            }
        }
        if !self.project.is_empty() {
            asked["projects"] = json!(self.project);
        }
        asked
    }
}

impl User {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::Create { name, email, external_id, no_password, grant } => {
                let mut asked = json!({ "name": name, "email": email, "external_id": external_id });
                if !no_password {
                    asked["password"] = json!(new_password()?);
                }
                let made = client.post("/api/v1/user/create", grant.with(asked)).await?;
                screen.show(&made, |made| {
                    let (name, role) = (field(made, "name"), field(made, "role"));
                    format!("User {name} ({role}, {}).", field(made, "user_id"))
                })
            }
            Verb::List => screen.show(&client.post("/api/v1/user/list", json!({})).await?, users),
            Verb::Disable(which) => {
                let id = which.id(&client).await?;
                let answer = client.post("/api/v1/user/disable", json!({ "user_id": id })).await?;
                screen.show(&answer, |_| format!("{} logs in no more.", which.user))
            }
            Verb::Enable(which) => {
                let id = which.id(&client).await?;
                let answer = client.post("/api/v1/user/enable", json!({ "user_id": id })).await?;
                screen.show(&answer, |_| format!("{} may log in.", which.user))
            }
            Verb::Passwd(which) => {
                let asked =
                    json!({ "user_id": which.id(&client).await?, "password": new_password()? });
                let answer = client.post("/api/v1/user/set-password", asked).await?;
                screen.show(&answer, |_| {
                    format!("{} has another password, and no session is open.", which.user)
                })
            }
            Verb::Delete(which) => {
                let id = which.id(&client).await?;
                let answer = client.post("/api/v1/user/delete", json!({ "user_id": id })).await?;
                screen.show(&answer, |_| format!("{} is removed.", which.user))
            }
        }
    }
}

impl Which {
    /// The identifier of the user, which may be named.
    async fn id(&self, client: &Client) -> Result<String, Failure> {
        if self.user.starts_with("user-") {
            return Ok(self.user.clone());
        }
        let named = client.post("/api/v1/user/list", json!({ "name": self.user })).await?;
        match rows(&named).next() {
            Some(user) => Ok(field(user, "user_id")),
            None => Err(Failure::refused(format!("There is no user `{}`.", self.user))),
        }
    }
}

fn users(answer: &Value) -> String {
    let cells = |user: &Value| {
        let locked = field(user, "locked_until");
        let state = field(user, "state");
        vec![
            field(user, "name"),
            field(user, "role"),
            if locked.is_empty() { state } else { format!("{state}, closed until {locked}") },
            field(user, "last_login_at"),
            field(user, "user_id"),
        ]
    };
    let headings = ["NAME", "ROLE", "STATE", "LAST LOGIN", "ID"];
    let nothing = "No users. Make one with `alertmill user create --name <name> --role <role>`.";
    table(&headings, rows(answer).map(cells).collect(), nothing)
}
