//! `alertmill project alerting`: how events become alerts in a project, and how alerts end there.

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    show::{Screen, record},
};
use crate::{
    config::Span,
    domain::words::{NotificationUrgency, RecoveryMode},
};

/// Show how a project is alerted, or change it; what is left out stays as it is.
#[derive(Args)]
pub(super) struct Alerting {
    /// The project.
    #[arg(default_value = "default")]
    project_id: String,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Options {
    /// What a recovery does: AUTO resolves the alert, MANUAL leaves that to people.
    #[arg(long, value_name = "MODE")]
    recovery_mode: Option<RecoveryMode>,
    /// Which alerts notify: ALL, or `HIGH_ONLY`.
    #[arg(long, value_name = "WHICH")]
    notification_urgency: Option<NotificationUrgency>,
    /// How long a recovery that came before its firing waits for it, e.g. `10m`.
    #[arg(long, value_name = "TIME")]
    recovery_hold: Option<Span>,
    /// After what time an acknowledgement runs out that was given without an end, e.g. `4h`; `0s` for never.
    #[arg(long, value_name = "TIME")]
    acknowledgement_expiry: Option<Span>,
    /// After what time without an event an alert expires, e.g. `1d`; `0s` for never.
    #[arg(long, value_name = "TIME")]
    stale_after: Option<Span>,
    /// How often a key may open before its alert is said to be flapping; 0 for never.
    #[arg(long, value_name = "COUNT")]
    flapping_count: Option<u32>,
    /// Within what time, e.g. `30m`.
    #[arg(long, value_name = "TIME")]
    flapping_within: Option<Span>,
    /// After what quiet time it is said to flap no more, e.g. `10m`.
    #[arg(long, value_name = "TIME")]
    flapping_quiet: Option<Span>,
}

impl Alerting {
    /// Does it.
    pub(super) async fn run(self, client: &Client, screen: &Screen) -> Result<(), Failure> {
        let options = self.options.said();
        let (verb, asked) = if options.is_empty() {
            ("get", json!({ "project_id": self.project_id }))
        } else {
            ("update", json!({ "project_id": self.project_id, "options": options }))
        };
        let path = format!("/monitoring/v1/project-alert-config/{verb}");
        screen.show(&client.post(&path, asked).await?, record)
    }
}

impl Options {
    /// The options that were given, as the API takes them.
    fn said(self) -> Map<String, Value> {
        let seconds = |span: Option<Span>| span.map(|Span(time)| json!(time.as_secs()));
        let given = [
            ("recovery_mode", self.recovery_mode.map(|mode| json!(mode))),
            ("notification_urgency", self.notification_urgency.map(|urgency| json!(urgency))),
            ("recovery_hold", seconds(self.recovery_hold)),
            ("acknowledgement_expiry", seconds(self.acknowledgement_expiry)),
            ("stale_after", seconds(self.stale_after)),
            ("flapping_count", self.flapping_count.map(|count| json!(count))),
            ("flapping_within", seconds(self.flapping_within)),
            ("flapping_quiet", seconds(self.flapping_quiet)),
        ];
        let said = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        said.collect()
    }
}
