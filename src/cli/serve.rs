//! `alertmill serve`: starts the server and says how to go on.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal},
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
};

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Failure, program, show::Screen};
use crate::{
    app::{App, Opened, token_file},
    clock::Clock,
    config::{Config, LogFormat, Still},
    domain::audit::{Actor, ActorKind},
    http,
    ingest::Prompt,
    jobs::{self, Jobs},
};

/// What our dependencies say of themselves at every start is not worth a line.
const QUIET: &str = "actix_server=warn,actix_http=off,mio=warn";

/// Run the server.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config: Config,
    /// Say where it listens as JSON.
    #[arg(long)]
    json: bool,
}

impl Serve {
    /// Serves until told to stop.
    pub(super) async fn run(self) -> Result<(), Failure> {
        log(&self.config)?;
        let clock = clock(&self.config)?;
        free(self.config.listen)?;
        let Opened { app, first_token } = App::open(self.config, clock).await?;
        let app = Arc::new(app);
        actix_web::rt::spawn(app.jobs().run());
        actix_web::rt::spawn(jobs::watch(app.jobs()));
        if let Some(url) = app.config.ping_url.clone() {
            let every = app.config.ping_every.0;
            actix_web::rt::spawn(jobs::ping_for_ever(app.jobs(), url, every));
        }
        reload_when_told(app.jobs())?;
        let (shown, json) = (Arc::clone(&app), self.json);
        let served = http::serve(Arc::clone(&app), move |bound| {
            greet(&shown.config, bound, first_token.as_deref(), json)
        });
        Ok(served.await?)
    }
}

/// Loads rules and plugins again at each SIGHUP.
fn reload_when_told(jobs: Jobs) -> Result<(), Failure> {
    let mut told = signal(SignalKind::hangup())
        .map_err(|cause| Failure::usage(format!("Cannot listen for signals: {cause}.")))?;
    actix_web::rt::spawn(async move {
        while told.recv().await.is_some() {
            let signal = (Prompt::Asked, Actor::unnamed(ActorKind::Command, "signal"));
            if let Err(error) = jobs::reload_recorded(&jobs, signal, jobs.clock.now()).await {
                tracing::warn!(%error, cause = ?error.cause, "rules and plugins could not be loaded again");
            }
        }
    });
    Ok(())
}

/// The clock to go by. One that stands still is for this machine alone: whoever else posts or looks would be told lies.
fn clock(config: &Config) -> Result<Clock, Failure> {
    let Some(Still(time)) = config.clock else { return Ok(Clock::system()) };
    if config.listen.ip().is_loopback() {
        return Ok(Clock::manual(time));
    }
    Err(Failure::usage(format!(
        "`--clock` lets time stand still, which is for tests and demonstrations on one machine, but `--listen {}` is \
         reached from others too. Listen on 127.0.0.1 or [::1], or leave `--clock` out.",
        config.listen
    )))
}

/// Fails where the address is taken, before anything is made that is only shown once.
fn free(address: SocketAddr) -> Result<(), Failure> {
    let Err(cause) = TcpListener::bind(address) else { return Ok(()) };
    Err(Failure::usage(format!(
        "Cannot listen on {address}: {cause}. Give another address with `--listen`."
    )))
}

fn log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.log_level)).map_err(|_| {
        Failure::usage(format!(
            "`{}` is no log level; expected error, warn, info, debug or trace.",
            config.log_level
        ))
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let installed = match config.log {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    installed.map_err(|cause| Failure::usage(format!("Cannot write a log: {cause}.")))
}

fn greet(
    config: &Config,
    bound: SocketAddr,
    first_token: Option<&str>,
    json: bool,
) -> io::Result<()> {
    let url = config.base_url(bound);
    let kept = token_file(&config.data);
    let mut said =
        json!({ "url": url, "token_file": kept.display().to_string(), "token": first_token });
    if let Some(clock) = config.clock {
        said["clock"] = clock.to_string().into();
    }
    let text = greeting(config, &url, first_token);
    Screen::new(json).show(&said, |_| text).map_err(|failure| io::Error::other(failure.to_string()))
}

/// What is said once the server listens: on the first start with the token, and how to go on.
fn greeting(config: &Config, url: &str, first_token: Option<&str>) -> String {
    let mut text = format!("Alertmill listens on {url}");
    if let Some(clock) = config.clock {
        let _ =
            write!(text, "\nTime stands still at {clock}: this is for tests and demonstrations.");
    }
    let Some(token) = first_token else { return text };
    let elsewhere = if config.data == Path::new("alertmill-data") {
        String::new()
    } else {
        format!(" --data {}", config.data.display())
    };
    let _ = write!(
        text,
        "\n\nThis is its first start, so it made a domain, a workspace and a project, each called `default`, and an\n\
         administrator's token, which is shown only now and kept in {}:\n\n    {token}\n\n\
         To go on, in another terminal (the first one prints how to post something):\n\n    \
         {program} webhook create --provider alertmanager --name prod{elsewhere}\n    \
         {program} alert list{elsewhere}\n\n\
         The API is described at {url}/docs",
        token_file(&config.data).display(),
        program = program(),
    );
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Just {
        #[command(flatten)]
        serve: Serve,
    }

    #[test]
    fn the_token_is_shown_on_the_first_start_alone() {
        let config = Just::parse_from(["alertmill", "--data", "elsewhere"]).serve.config;
        let first = greeting(&config, "http://127.0.0.1:8080", Some("amt_1"));
        assert!(first.contains("amt_1") && first.contains("elsewhere/admin.token"));
        assert!(first.contains(" alert list --data elsewhere\n"), "{first}");
        let later = greeting(&config, "http://127.0.0.1:8080", None);
        assert_eq!(later, "Alertmill listens on http://127.0.0.1:8080");
    }

    #[test]
    fn time_stands_still_on_this_machine_alone_and_that_is_said() {
        let config = |listen| {
            let flags = ["alertmill", "--clock", "2024-05-15T12:34:56.789Z", "--listen", listen];
            Just::parse_from(flags).serve.config
        };
        for refused in ["0.0.0.0:8080", "192.0.2.1:8080", "[::]:8080"] {
            let failure = clock(&config(refused)).unwrap_err().to_string();
            assert!(failure.contains(refused) && failure.contains("`--clock`"), "{failure}");
        }
        for local in ["127.0.0.1:8080", "[::1]:8080"] {
            let now = clock(&config(local)).unwrap().now();
            assert_eq!(crate::clock::rfc3339(now), "2024-05-15T12:34:56.789Z");
        }
        let said = greeting(&config("127.0.0.1:8080"), "http://127.0.0.1:8080", None);
        assert!(said.ends_with(
            "stands still at 2024-05-15T12:34:56.789Z: this is for tests and demonstrations."
        ));
    }
}
