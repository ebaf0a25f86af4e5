//! `alertmill window`: times at which alerts are expected.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, field, minute, more, record, rows, short, table},
    silence::{asked, conditions, previewed},
};
use crate::config::Reach;

/// Manage maintenance windows.
#[derive(Args)]
pub(super) struct Window {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Mute the alerts of projects at a time, once or again and again.
    Create {
        #[command(flatten)]
        wanted: Wanted,
        /// Tell what it would have muted in the last seven days and when it comes, and make none.
        #[arg(long)]
        preview: bool,
    },
    /// List maintenance windows, newest first.
    List {
        /// Only those in this state: OPEN or CLOSED.
        #[arg(long)]
        state: Option<String>,
        /// Only those of this project.
        #[arg(long, value_name = "ID")]
        project: Option<String>,
    },
    /// Show a maintenance window, with its next times.
    Get {
        /// Its identifier.
        maintenance_window_id: String,
    },
    /// Let a maintenance window mute nothing any more.
    Close {
        /// Its identifier.
        maintenance_window_id: String,
    },
}

/// Whose alerts, and when.
#[derive(Args)]
struct Wanted {
    /// What people call it.
    #[arg(long)]
    title: String,
    /// The project whose alerts are muted; may be repeated.
    #[arg(long, value_name = "ID", default_value = "default")]
    project: Vec<String>,
    /// When it begins first, e.g. `2026-05-15T22:00`.
    #[arg(long, value_name = "TIME")]
    start: String,
    /// When it is over first.
    #[arg(long, value_name = "TIME")]
    end: String,
    /// The time zone by whose clock it is meant, e.g. `Europe/Berlin`.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// How it comes again, e.g. `FREQ=WEEKLY;BYDAY=SU`; once by default.
    #[arg(long, value_name = "RULE")]
    rrule: Option<String>,
    /// Only alerts of which this holds, e.g. `additional_info.cluster=eu1`; may be repeated.
    #[arg(long, value_name = "FIELD=VALUE")]
    filter: Vec<String>,
}

impl Wanted {
    fn request(&self) -> Result<Value, Failure> {
        Ok(json!({
            "title": self.title,
            "projects": self.project,
            "start_time": self.start,
            "end_time": self.end,
            "time_zone": self.time_zone,
            "rrule": self.rrule,
            "filter": conditions(&self.filter)?,
        }))
    }
}

impl Window {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        const AT: &str = "/monitoring/v1/maintenance-window";
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::Create { wanted, preview: true } => {
                let told =
                    client.post("/api/v1/maintenance-window/preview", wanted.request()?).await?;
                screen.show(&told, previewed)
            }
            Verb::Create { wanted, preview: false } => {
                let made = client.post(&format!("{AT}/create"), wanted.request()?).await?;
                screen.show(&made, |made| {
                    let id = field(made, "maintenance_window_id");
                    let next =
                        made["next_occurrences"].get(0).map(|next| minute(next, "start_time"));
                    format!("Window {id} is made; it begins at {} UTC.", next.unwrap_or_default())
                })
            }
            Verb::List { state, project } => {
                let asked = asked([("state", state), ("project_id", project)]);
                screen.show(&client.post(&format!("{AT}/list"), asked).await?, listed)
            }
            Verb::Get { maintenance_window_id: id } => {
                let asked = json!({ "maintenance_window_id": id });
                screen.show(&client.post(&format!("{AT}/get"), asked).await?, record)
            }
            Verb::Close { maintenance_window_id: id } => {
                let asked = json!({ "maintenance_window_id": id });
                let closed = client.post(&format!("{AT}/close"), asked).await?;
                screen.show(&closed, |_| format!("Window {id} mutes no more."))
            }
        }
    }
}

fn listed(answer: &Value) -> String {
    let cells = |window: &Value| {
        let next = window["next_occurrences"].get(0);
        vec![
            field(window, "state"),
            short(window, "title", 30),
            next.map(|next| minute(next, "start_time")).unwrap_or_default(),
            next.map(|next| minute(next, "end_time")).unwrap_or_default(),
            short(window, "rrule", 30),
            field(window, "hit_count"),
            minute(window, "last_hit_at"),
            field(window, "maintenance_window_id"),
        ]
    };
    let headings =
        ["STATE", "TITLE", "NEXT (UTC)", "UNTIL (UTC)", "RULE", "HITS", "LAST HIT (UTC)", "ID"];
    let nothing = "No maintenance windows. Make one with `alertmill window create`.";
    table(&headings, rows(answer).map(cells).collect(), nothing) + &more(answer, "windows")
}
