//! `alertmill login` and `alertmill logout`: a session for a name and a password. Also where passwords are typed.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde_json::json;

use super::{
    Failure,
    client::Client,
    show::{Screen, field},
};
use crate::{config::Reach, domain::user::LONGEST_PASSWORD};

/// Log in with a name and a password; prints the token of the session, once. The password is asked for, or is the first line
/// of the input where that is no terminal.
#[derive(Args)]
pub(super) struct Login {
    #[command(flatten)]
    reach: Reach,
    /// The user's name.
    #[arg(long)]
    name: String,
}

/// End the session whose token is given with `--token` or `ALERTMILL_TOKEN`.
#[derive(Args)]
pub(super) struct Logout {
    #[command(flatten)]
    reach: Reach,
}

impl Login {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::of(Client::base(&self.reach)?)?;
        let asked = json!({ "name": self.name, "password": password("Password: ")? });
        let answer = client.post("/api/v1/login", asked).await?;
        Screen::new(self.reach.json).show(&answer, |answer| {
            let token = field(answer, "token");
            format!(
                "Logged in until {}. Show this token from now on; it is shown only now:\n\n    export ALERTMILL_TOKEN={token}\n",
                field(answer, "expires_at"),
            )
        })
    }
}

impl Logout {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let answer = client.post("/api/v1/logout", json!({})).await?;
        Screen::new(self.reach.json).show(&answer, |_| "Logged out.".to_owned())
    }
}

/// A new password: typed twice at a terminal, else the first line of the input.
pub(super) fn new_password() -> Result<String, Failure> {
    let typed = password("New password: ")?;
    if io::stdin().is_terminal() && password("The same again: ")? != typed {
        return Err(Failure::usage("The two passwords differ."));
    }
    Ok(typed)
}

/// A password: typed at a terminal, which does not show it, else the first line of the input.
fn password(prompt: &str) -> Result<String, Failure> {
    let input = io::stdin();
    if !input.is_terminal() {
        return line();
    }
    let mut screen = io::stderr().lock();
    let _ = screen.write_all(prompt.as_bytes()).and_then(|()| screen.flush());
    let hidden = Hidden::begin()?;
    let typed = line();
    drop(hidden);
    let _ = screen.write_all(b"\n");
    typed
}

fn line() -> Result<String, Failure> {
    let unreadable = |cause| Failure::usage(format!("The password cannot be read: {cause}."));
    let most = u64::try_from(LONGEST_PASSWORD).unwrap_or(u64::MAX) + 2;
    let mut line = String::new();
    io::stdin().lock().take(most).read_line(&mut line).map_err(unreadable)?;
    let line = line.trim_end_matches(['\r', '\n']).to_owned();
    if line.is_empty() {
        return Err(Failure::usage("Give a password: type it, or send it as a line of the input."));
    }
    Ok(line)
}

/// As long as it lives the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> Result<Self, Failure> {
        let unusable = |cause| Failure::usage(format!("The terminal cannot be asked: {cause}."));
        let shown = tcgetattr(io::stdin()).map_err(unusable)?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).map_err(unusable)?;
        Ok(Self(shown))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
