//! `alertmill token`: who may call.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, field, rows, table},
};
use crate::{
    config::{Reach, Span},
    domain::words::Role,
};

/// Manage tokens.
#[derive(Args)]
pub(super) struct Token {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a token; prints it, once.
    Create(New),
    /// List tokens.
    List,
    /// Take a token back; it stops working at once.
    Revoke {
        /// The token's identifier.
        token_id: String,
    },
}

#[derive(Args)]
struct New {
    /// What people call it.
    #[arg(long)]
    name: String,
    /// What its holder may do: `SYSTEM_ADMIN`, `DOMAIN_ADMIN`, `WORKSPACE_OWNER`, `WORKSPACE_MEMBER` or `SERVICE`.
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
    /// After what time it stops working, e.g. `12h` or `90d`; never by default.
    #[arg(long, value_name = "TIME")]
    expires_in: Option<Span>,
}

impl Token {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::Create(new) => {
                let made = client.post("/api/v1/token/create", new.request()).await?;
                screen.show(&made, |made| {
                    format!(
                        "Token {} ({})\n\n    {}\n\nIt is shown only now.",
                        field(made, "token_id"),
                        field(made, "role"),
                        field(made, "token")
                    )
                })
            }
            Verb::List => screen.show(&client.post("/api/v1/token/list", json!({})).await?, tokens),
            Verb::Revoke { token_id } => {
                let asked = json!({ "token_id": token_id });
                let answer = client.post("/api/v1/token/revoke", asked).await?;
                screen.show(&answer, |_| format!("Token {token_id} works no more."))
            }
        }
    }
}

impl New {
    fn request(&self) -> Value {
        let mut asked = json!({ "name": self.name, "role": self.role.as_str() });
        if let Some(Span(time)) = self.expires_in {
            asked["expires_in"] = time.as_secs().into();
        }
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

fn tokens(answer: &Value) -> String {
    let cells = |token: &Value| {
        let (revoked, expires) = (field(token, "revoked_at"), field(token, "expires_at"));
        let until = match (revoked.is_empty(), expires.is_empty()) {
            (false, _) => format!("revoked {revoked}"),
            (true, false) => format!("until {expires}"),
            (true, true) => "works".to_owned(),
        };
        vec![
            field(token, "name"),
            field(token, "role"),
            until,
            field(token, "created_at"),
            field(token, "token_id"),
        ]
    };
    let headings = ["NAME", "ROLE", "STATE", "MADE", "ID"];
    let nothing = "No tokens. Make one with `alertmill token create --name <name> --role <role>`.";
    table(&headings, rows(answer).map(cells).collect(), nothing)
}
