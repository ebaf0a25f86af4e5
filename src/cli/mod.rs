//! Commands: what is typed, what is asked of the server, and how its answer looks.

mod access;
mod act;
mod admin;
mod alert;
mod alerting;
mod application;
mod audit;
mod audit_export;
mod audit_list;
mod channel;
mod client;
mod delivery;
mod escalation_policy;
mod event;
mod event_rule;
mod explain;
mod export;
mod group_rule;
mod heartbeat;
mod import;
mod login;
mod message;
mod naming;
mod on_call;
mod output;
mod project;
mod question;
mod reference;
mod rules;
mod send;
mod serve;
mod show;
mod silence;
mod simulate;
mod tail;
mod user;
mod webhook;
mod window;

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};

use crate::app::StartError;

/// Webhooks in, normalized events, deduplicated alerts, and an answer to every "why".
#[derive(Parser)]
#[command(name = "alertmill", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(Box<serve::Serve>),
    /// Manage the addresses that monitoring systems post to.
    Webhook(webhook::Webhook),
    /// Post a payload to a webhook, as a monitoring system would.
    Send(send::Send),
    /// See and answer alerts.
    Alert(alert::Alert),
    /// See events.
    Event(event::Event),
    /// Bring in events or alerts from another store.
    Import(import::Import),
    /// Manage what is changed of events before they become alerts.
    EventRule(event_rule::EventRule),
    /// Manage grouping beyond the key: alerts that are parts of one, events that wait until there are enough.
    GroupRule(group_rule::GroupRule),
    /// See what was posted, and drive again what was not understood.
    Delivery(delivery::Delivery),
    Channel(channel::Channel),
    Message(message::Message),
    /// Watch what happens to events and alerts, as it happens.
    Tail(tail::Tail),
    /// Back the store up, put it back, examine it.
    Admin(admin::Admin),
    /// Manage tokens.
    Token(access::Token),
    User(user::User),
    Application(application::Application),
    Login(login::Login),
    Logout(login::Logout),
    /// Manage projects.
    Project(project::Project),
    /// Mute alerts for a while.
    Silence(silence::Silence),
    /// Mute alerts while others are open.
    Inhibition(silence::Inhibition),
    /// Manage maintenance windows.
    Window(window::Window),
    /// See what was done, by whom.
    Audit(audit::Audit),
    /// Manage who is told of alerts, one step after the other, until someone answers.
    EscalationPolicy(escalation_policy::EscalationPolicy),
    /// Manage who is on call, and how people are reached.
    OnCall(on_call::OnCall),
    /// Manage what must be heard from every so often: silence opens an alert.
    Heartbeat(heartbeat::Heartbeat),
    /// Draft, check, test, explain and compare the mappings.
    Rules(rules::Rules),
    /// Try a configuration out on a timeline, without a server.
    Simulate(simulate::Simulate),
    /// Print the API's description.
    #[command(hide = true)]
    Openapi,
    /// Print docs/errors.md.
    #[command(hide = true)]
    Errors,
    /// Print docs/config.md.
    #[command(hide = true)]
    ConfigDoc,
    /// Print rules/schema.json.
    #[command(hide = true)]
    RulesSchema,
    /// Print plugins/schema.json.
    #[command(hide = true)]
    PluginsSchema,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    text: String,
}

/// What kind of failure it is; each has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailureKind {
    Refused = 1,
    Usage = 2,
    Unreachable = 3,
    Objected = 4,
}

impl Failure {
    /// The server, or a check, said no.
    fn refused(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Refused, text: text.into() }
    }

    /// What was asked cannot be asked like that.
    fn usage(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Usage, text: text.into() }
    }

    /// What was asked about would happen, and should not.
    fn objected(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Objected, text: text.into() }
    }

    /// There is no server to ask.
    fn unreachable(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Unreachable, text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::usage(error.to_string())
    }
}

/// How this program was called, so that the commands that we print can be pasted.
fn program() -> String {
    std::env::args().next().filter(|called| called.contains('/')).unwrap_or_else(|| NAME.to_owned())
}

/// What the program is called where it is installed.
const NAME: &str = "alertmill";

/// Does what the command line says; the result is the program's.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) => {
            let code = wrong.exit_code();
            let _ = wrong.print();
            return u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    // It fails only where one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match actix_web::rt::System::new().block_on(cli.command.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr().lock(), "{failure}");
            ExitCode::from(failure.kind as u8)
        }
    }
}

impl Command {
    async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(serve) => serve.run().await,
            Self::Webhook(webhook) => webhook.run().await,
            Self::Send(send) => send.run().await,
            Self::Alert(alert) => alert.run().await,
            Self::Silence(silence) => silence.run().await,
            Self::Inhibition(inhibition) => inhibition.run().await,
            Self::Window(window) => window.run().await,
            Self::Event(event) => event.run().await,
            Self::Import(import) => import.run().await,
            Self::EventRule(rule) => rule.run().await,
            Self::GroupRule(rule) => rule.run().await,
            Self::Delivery(delivery) => delivery.run().await,
            Self::Channel(channel) => channel.run().await,
            Self::Message(message) => message.run().await,
            Self::Tail(tail) => tail.run().await,
            Self::Admin(admin) => admin.run().await,
            Self::Token(token) => token.run().await,
            Self::User(user) => user.run().await,
            Self::Application(application) => application.run().await,
            Self::Login(login) => login.run().await,
            Self::Logout(logout) => logout.run().await,
            Self::Project(project) => project.run().await,
            Self::Audit(audit) => audit.run().await,
            Self::EscalationPolicy(policy) => policy.run().await,
            Self::OnCall(on_call) => on_call.run().await,
            Self::Heartbeat(heartbeat) => heartbeat.run().await,
            Self::Rules(rules) => rules.run().await,
            Self::Simulate(simulate) => simulate.run().await,
            Self::Openapi => show::print(&reference::openapi()),
            Self::Errors => show::print(&reference::errors()),
            Self::ConfigDoc => show::print(&reference::config(&mut Cli::command())),
            Self::RulesSchema => show::print(&reference::rules_schema()),
            Self::PluginsSchema => show::print(&reference::plugins_schema()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Every command, its parents' names before its own.
    fn commands(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name());
            found.push((path.clone(), sub.clone()));
            commands(sub, &path, found);
        }
    }

    #[test]
    fn every_command_says_what_it_does_and_takes_json() {
        let mut root = Cli::command();
        root.build();
        let mut all = Vec::new();
        commands(&root, "alertmill", &mut all);
        for (path, command) in all.iter().filter(|(path, _)| !path.contains("help")) {
            assert!(command.get_about().is_some(), "`{path}` says nothing");
            let takes_json = command.get_arguments().any(|arg| arg.get_id() == "json");
            assert!(takes_json || command.is_hide_set(), "`{path}` has no --json");
        }
    }
}
