//! `alertmill silence` and `alertmill inhibition`: what mutes alerts, besides maintenance windows.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    question::condition,
    show::{Screen, field, minute, more, record, rows, short, table},
};
use crate::{config::Reach, query::ALERTS};

/// Mute alerts for a while.
#[derive(Args)]
pub(super) struct Silence {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Mute the alerts that meet a filter, from now or from a time on.
    Create {
        #[command(flatten)]
        wanted: Wanted,
        /// Tell what it would have muted in the last seven days, and make none.
        #[arg(long)]
        preview: bool,
    },
    /// List silences, newest first.
    List {
        /// Only those in this state: PENDING, ACTIVE or EXPIRED.
        #[arg(long)]
        state: Option<String>,
        /// Only those of this project.
        #[arg(long, value_name = "ID")]
        project: Option<String>,
    },
    /// Show a silence.
    Get {
        /// The silence's identifier.
        silence_id: String,
    },
    /// End silences before their time.
    Expire {
        /// The silences' identifiers.
        #[arg(required = true)]
        silence_id: Vec<String>,
    },
}

/// Which alerts, for how long, and why.
#[derive(Args)]
struct Wanted {
    /// The project whose alerts are muted.
    #[arg(long, value_name = "ID", default_value = "default")]
    project: String,
    /// Only those of which this holds, e.g. `rule=DiskFull`; may be repeated, and then all must hold.
    #[arg(long, value_name = "FIELD=VALUE", required = true)]
    filter: Vec<String>,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Who answers for it.
    #[arg(long)]
    owner: Option<String>,
    /// How long: a span such as `30m`, `2h` or `1d`.
    #[arg(long = "for", value_name = "SPAN", required_unless_present = "until")]
    span: Option<String>,
    /// Until when: a time such as `2026-05-15T22:00:00Z`.
    #[arg(long, value_name = "TIME", conflicts_with = "span")]
    until: Option<String>,
    /// From when; now by default.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
}

impl Wanted {
    fn request(&self) -> Result<Value, Failure> {
        let mut request = json!({
            "project_id": self.project,
            "filter": conditions(&self.filter)?,
            "reason": self.reason,
        });
        let seconds = self.span.as_deref().map(seconds).transpose()?;
        let said = [
            ("owner", self.owner.clone().map(Value::from)),
            ("duration_seconds", seconds.map(Value::from)),
            ("end_time", self.until.clone().map(Value::from)),
            ("start_time", self.from.clone().map(Value::from)),
        ];
        for (name, value) in said {
            if let Some(value) = value {
                request[name] = value;
            }
        }
        Ok(request)
    }
}

/// Conditions of the filter language, as they are typed.
pub(super) fn conditions(typed: &[String]) -> Result<Vec<Value>, Failure> {
    typed.iter().map(|text| condition(text, &ALERTS)).collect()
}

/// How many seconds a span such as `30m` is.
fn seconds(text: &str) -> Result<u32, Failure> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
    let found = units.into_iter().find_map(|(unit, seconds)| {
        text.trim().strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(seconds)
    });
    found.ok_or_else(|| {
        let detail =
            format!("`{text}` is no span; expected a number and one of s m h d w, such as 90m.");
        Failure::usage(detail)
    })
}

impl Silence {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::Create { wanted, preview: true } => {
                let told = client.post("/api/v1/silence/preview", wanted.request()?).await?;
                screen.show(&told, previewed)
            }
            Verb::Create { wanted, preview: false } => {
                let made = client.post("/api/v1/silence/create", wanted.request()?).await?;
                screen.show(&made, |made| {
                    let id = field(made, "silence_id");
                    format!("Silence {id} mutes until {}.", field(made, "end_time"))
                })
            }
            Verb::List { state, project } => {
                let asked = asked([("state", state), ("project_id", project)]);
                screen.show(&client.post("/api/v1/silence/list", asked).await?, listed)
            }
            Verb::Get { silence_id } => {
                let asked = json!({ "silence_id": silence_id });
                screen.show(&client.post("/api/v1/silence/get", asked).await?, record)
            }
            Verb::Expire { silence_id } => {
                for id in silence_id {
                    let asked = json!({ "silence_id": id });
                    let ended = client.post("/api/v1/silence/expire", asked).await?;
                    screen.show(&ended, |_| format!("Silence {id} mutes no more."))?;
                }
                Ok(())
            }
        }
    }
}

/// The parameters of a list that are given.
pub(super) fn asked<const N: usize>(given: [(&str, Option<String>); N]) -> Value {
    let given = given.into_iter();
    let said = given.filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
    Value::Object(said.collect::<Map<_, _>>())
}

fn listed(answer: &Value) -> String {
    let cells = |silence: &Value| {
        vec![
            field(silence, "state"),
            short(silence, "reason", 30),
            short(silence, "owner", 20),
            minute(silence, "end_time"),
            field(silence, "hit_count"),
            minute(silence, "last_hit_at"),
            minute(silence, "created_at"),
            field(silence, "silence_id"),
        ]
    };
    let headings = ["STATE", "REASON", "OWNER", "UNTIL (UTC)", "HITS", "LAST HIT", "MADE", "ID"];
    let nothing = "No silences. Make one with `alertmill silence create`.";
    table(&headings, rows(answer).map(cells).collect(), nothing) + &more(answer, "silences")
}

/// What something would have muted, in words and a table.
pub(super) fn previewed(told: &Value) -> String {
    let more = if told["is_capped"] == true { " or more" } else { "" };
    let mut lines = vec![format!(
        "In the last seven days it would have muted {}{more} alerts.",
        field(told, "would_have_muted")
    )];
    let cells = |alert: &Value| {
        vec![
            field(alert, "alert_number"),
            field(alert, "severity"),
            short(alert, "title", 40),
            minute(alert, "created_at"),
            field(alert, "alert_id"),
        ]
    };
    let list = |name: &str| told[name].as_array().cloned().unwrap_or_default();
    let alerts: Vec<Vec<String>> = list("alerts").iter().map(cells).collect();
    if !alerts.is_empty() {
        let headings = ["#", "SEVERITY", "TITLE", "OPENED (UTC)", "ID"];
        lines.push(format!("\n{}\n", table(&headings, alerts, "")));
    }
    lines.extend(list("next_occurrences").iter().map(|span| {
        format!("It mutes from {} to {} UTC.", minute(span, "start_time"), minute(span, "end_time"))
    }));
    lines.extend(
        list("too_broad")
            .iter()
            .map(|broad| format!("It would be refused: {}.", broad.as_str().unwrap_or_default())),
    );
    lines.join("\n")
}

/// Mute alerts while others are open.
#[derive(Args)]
pub(super) struct Inhibition {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: InhibitionVerb,
}

#[derive(Subcommand)]
enum InhibitionVerb {
    /// Mute the alerts that meet one filter while an alert that meets another is open and equal.
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// The project whose alerts it is about.
        #[arg(long, value_name = "ID", default_value = "default")]
        project: String,
        /// Which alerts mute others, e.g. `rule=HostDown`; may be repeated.
        #[arg(long, value_name = "FIELD=VALUE", required = true)]
        source: Vec<String>,
        /// Which alerts are muted, e.g. `severity=WARNING`; may be repeated.
        #[arg(long, value_name = "FIELD=VALUE")]
        target: Vec<String>,
        /// The fields in which both must be equal, with commas between them.
        #[arg(long, value_name = "FIELD,…", value_delimiter = ',', required = true)]
        equal: Vec<String>,
        /// Tell what it would have muted in the last seven days, and make none.
        #[arg(long)]
        preview: bool,
    },
    /// List inhibitions, newest first.
    List,
    /// Let an inhibition mute nothing any more.
    Close {
        /// Its identifier.
        inhibition_id: String,
    },
}

impl Inhibition {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let screen = Screen::new(self.reach.json);
        match self.verb {
            InhibitionVerb::Create { name, project, source, target, equal, preview } => {
                let asked = json!({ "name": name, "project_id": project, "source": conditions(&source)?,
                    "target": conditions(&target)?, "equal": equal });
                if preview {
                    let told = client.post("/api/v1/inhibition/preview", asked).await?;
                    return screen.show(&told, previewed);
                }
                let made = client.post("/api/v1/inhibition/create", asked).await?;
                screen.show(&made, |made| {
                    format!("Inhibition {} is made.", field(made, "inhibition_id"))
                })
            }
            InhibitionVerb::List => {
                let answer = client.post("/api/v1/inhibition/list", json!({})).await?;
                screen.show(&answer, inhibitions)
            }
            InhibitionVerb::Close { inhibition_id } => {
                let asked = json!({ "inhibition_id": inhibition_id });
                let closed = client.post("/api/v1/inhibition/close", asked).await?;
                screen.show(&closed, |_| format!("Inhibition {inhibition_id} mutes no more."))
            }
        }
    }
}

fn inhibitions(answer: &Value) -> String {
    let cells = |inhibition: &Value| {
        vec![
            field(inhibition, "state"),
            short(inhibition, "name", 40),
            field(inhibition, "hit_count"),
            minute(inhibition, "last_hit_at"),
            minute(inhibition, "created_at"),
            field(inhibition, "inhibition_id"),
        ]
    };
    let headings = ["STATE", "NAME", "HITS", "LAST HIT (UTC)", "MADE", "ID"];
    let nothing = "No inhibitions. Make one with `alertmill inhibition create`.";
    table(&headings, rows(answer).map(cells).collect(), nothing) + &more(answer, "inhibitions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_says_what_when_and_whether_it_is_too_broad() {
        let told = json!({ "would_have_muted": 2, "is_capped": false, "too_broad": ["it names nothing"],
            "alerts": [{ "alert_number": 7, "severity": "CRITICAL", "title": "Disk full on db-1",
                "created_at": "2026-01-01T00:00:00.000Z", "alert_id": "alert-1" }],
            "next_occurrences": [{ "start_time": "2026-01-04T01:00:00.000Z", "end_time": "2026-01-04T03:00:00.000Z" }] });
        insta::assert_snapshot!(previewed(&told));
    }

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        assert_eq!(seconds("90m").ok(), Some(5400));
        assert_eq!(seconds("2w").ok(), Some(1_209_600));
        for wrong in ["", "m", "90", "1y", "-1h", "99999999w"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
