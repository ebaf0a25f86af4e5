//! What is posted: bodies as Prometheus Alertmanager sends them, of about 1.5 KB for one alert.

/// How many keys are posted again and again, where keys repeat.
pub(crate) const REPEATED_KEYS: u64 = 1000;

/// How many digits a fingerprint has.
const DIGITS: usize = 16;

/// What stands in a template where a fingerprint belongs.
const PLACE: &str = "fingerprint\":\"";

/// Whether each post has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Keys that nobody posted before.
    New,
    /// The same keys over and over.
    Repeated,
}

impl Keys {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Repeated => "repeated",
        }
    }
}

/// A body whose alerts get new fingerprints for each post.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    text: Vec<u8>,
    places: Vec<usize>,
}

impl Body {
    /// A body with so many alerts.
    pub(crate) fn of(alerts: usize) -> Self {
        let alerts: Vec<String> = (0..alerts).map(alert).collect();
        let text = format!(
            r#"{{"receiver":"alertmill","status":"firing","alerts":[{}],"groupLabels":{{"alertname":"InstanceDown","cluster":"prod-eu"}},"commonLabels":{{"alertname":"InstanceDown","cluster":"prod-eu","job":"node","severity":"page"}},"commonAnnotations":{{"runbook_url":"https://runbooks.example.com/InstanceDown","summary":"Instances of the job node are down"}},"externalURL":"http://alertmanager.example.com:9093","version":"4","groupKey":"{{}}/{{team=\"infrastructure\"}}:{{alertname=\"InstanceDown\", cluster=\"prod-eu\"}}","truncatedAlerts":0}}"#,
            alerts.join(",")
        );
        let places = text.match_indices(PLACE).map(|(at, _)| at + PLACE.len()).collect();
        Self { text: text.into_bytes(), places }
    }

    /// Its text as it is now.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Gives its alerts the fingerprints that begin at `first`.
    pub(crate) fn name(&mut self, keys: Keys, first: u64) {
        for (&at, number) in self.places.iter().zip(first..) {
            let fingerprint = match keys {
                Keys::New => number | 1 << 60,
                Keys::Repeated => number % REPEATED_KEYS,
            };
            let digits = format!("{fingerprint:016x}");
            self.text[at..at + DIGITS].copy_from_slice(digits.as_bytes());
        }
    }
}

fn alert(number: usize) -> String {
    format!(
        r#"{{"status":"firing","labels":{{"alertname":"InstanceDown","cluster":"prod-eu","container":"node-exporter","datacenter":"fra-{number}","endpoint":"metrics","instance":"node-{number}.example.com:9100","job":"node","namespace":"monitoring","pod":"node-exporter-x7k2p","prometheus":"monitoring/k8s","service":"node-exporter","severity":"page","team":"infrastructure"}},"annotations":{{"description":"node-{number}.example.com:9100 of job node has been unreachable for more than 5 minutes. Look at its console, then at the switch that it hangs on, before you restart it. Its neighbours in the rack are down too if the switch is.","runbook_url":"https://runbooks.example.com/InstanceDown","summary":"Instance node-{number}.example.com:9100 is down"}},"startsAt":"2026-01-01T02:13:07.123Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus.example.com:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1","fingerprint":"{number:016x}"}}"#
    )
}
