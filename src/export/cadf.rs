//! The audit trail as CADF, the DMTF's Cloud Auditing Data Federation (DSP0262): one event for each record, for whoever
//! gathers the trails of many systems in one place.

mod fit;
mod taxonomy;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::{
    error::{Code, Error, Result},
    export::cadf::taxonomy::Verb,
};

/// What an event calls itself.
const EVENT: &str = "http://schemas.dmtf.org/cloud/audit/1.0/event";

/// Words that stand for something else where an identifier is expected.
const RESERVED: [&str; 4] = ["default", "initiator", "observer", "target"];

/// In whose dialect of CADF an event is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// As IBM Cloud's services write theirs: actions with dots, the reason in words, requests and responses.
    #[default]
    Ibm,
    /// As the standard has it: actions of its taxonomy, and what it has no field for in tags and attachments.
    Dmtf,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Ibm, Self::Dmtf];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ibm => "ibm",
            Self::Dmtf => "dmtf",
        }
    }

    /// The profile of this name.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| {
            let detail = format!("`{name}` is no profile; expected ibm or dmtf");
            Error::at(Code::InvalidParameter, "/profile", detail)
        })
    }
}

/// A record of the audit trail, as a CADF event of at most 16 KiB.
pub fn event(record: &Value, profile: Profile) -> Value {
    let record = Record(record);
    let event = match profile {
        Profile::Ibm => ibm(&record),
        Profile::Dmtf => dmtf(&record),
    };
    fit::fitted(event, profile)
}

/// A record as the API shows it.
struct Record<'a>(&'a Value);

impl<'a> Record<'a> {
    fn text(&self, field: &str) -> Option<&'a str> {
        self.0.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    /// What stands in a field, unless that is nothing.
    fn value(&self, field: &str) -> Option<&'a Value> {
        let is_nothing = |value: &Value| match value {
            Value::Null => true,
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
        };
        self.0.get(field).filter(|value| !is_nothing(value))
    }

    fn action(&self) -> &'a str {
        self.text("action").unwrap_or("unknown")
    }

    fn outcome(&self) -> &'a str {
        self.text("outcome").unwrap_or("SUCCESS")
    }

    /// Whether it says that something was done.
    fn is_success(&self) -> bool {
        match self.0.get("is_success") {
            Some(Value::Bool(is_success)) => *is_success,
            Some(Value::String(word)) => word == "true",
            Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => {
                self.outcome() == "SUCCESS"
            }
        }
    }

    /// Our error that it was refused with, if it was one of ours.
    fn code(&self) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name() == self.outcome())
    }

    /// Why it failed, in words.
    fn why(&self) -> String {
        let meaning = || match self.code() {
            Some(code) => code.meaning().to_owned(),
            None => format!("it ended with {}", self.outcome()),
        };
        self.text("reason").map_or_else(meaning, str::to_owned)
    }

    fn kind(&self) -> &'a str {
        self.text("entity_type").unwrap_or("service")
    }

    fn tenant(&self) -> &'a str {
        self.text("domain_id").unwrap_or_default()
    }

    /// What both profiles say in the same words.
    fn common(&self) -> Map<String, Value> {
        let mut event = Map::new();
        let outcome = if self.is_success() { "success" } else { "failure" };
        let fields = [
            ("typeURI", json!(EVENT)),
            ("id", json!(self.text("audit_id").unwrap_or("unknown"))),
            ("eventType", json!("activity")),
            ("eventTime", json!(self.text("occurred_at").unwrap_or_default())),
            ("outcome", json!(outcome)),
            ("initiator", self.initiator()),
            ("observer", service()),
        ];
        for (name, value) in fields {
            event.insert(name.to_owned(), value);
        }
        event
    }

    fn initiator(&self) -> Value {
        let kind = self.text("actor_type").unwrap_or("anonymous");
        let id = self.text("actor_id").unwrap_or(kind);
        let mut initiator = json!({
            "id": identifier(kind, id),
            "typeURI": taxonomy::initiator(kind),
            "name": self.text("actor_name").unwrap_or(id),
        });
        let mut host = Map::new();
        for (name, field) in [("address", "remote"), ("agent", "user_agent")] {
            if let Some(text) = self.text(field) {
                host.insert(name.to_owned(), text.into());
            }
        }
        if !host.is_empty() {
            initiator["host"] = host.into();
        }
        initiator
    }

    /// What it was done to; Alertmill itself where it was done to nothing in it.
    fn target(&self, of: fn(&str) -> String) -> Value {
        let Some(id) = self.text("entity_id") else {
            let mut target = service();
            target["domain"] = self.tenant().into();
            return target;
        };
        json!({
            "id": identifier(self.kind(), id),
            "typeURI": of(self.kind()),
            "name": self.text("entity_name").unwrap_or(id),
            "domain": self.tenant(),
        })
    }
}

/// Alertmill, which saw it.
fn service() -> Value {
    json!({ "id": "alertmill", "typeURI": "service/oss/monitoring", "name": "Alertmill" })
}

/// An identifier that is none of the words that stand for something else.
fn identifier(kind: &str, id: &str) -> String {
    let is_ambiguous = RESERVED.contains(&id) || matches!(kind, "timer" | "command");
    if is_ambiguous { format!("{kind}:{id}") } else { id.to_owned() }
}

fn ibm(record: &Record<'_>) -> Value {
    let (action, verb) = (record.action(), Verb::of(record.action()));
    let mut event = record.common();
    event.insert("action".to_owned(), format!("alertmill.{action}").into());
    event.insert("severity".to_owned(), severity(record, verb).into());
    event.insert("target".to_owned(), record.target(|kind| format!("alertmill/{kind}")));
    event.insert("initiator".to_owned(), with_credential(record));
    event.insert("reason".to_owned(), reason_in_words(record));
    let name = record.text("entity_name").or_else(|| record.text("entity_id")).unwrap_or_default();
    let said = format!("Alertmill: {} {name}", action.replace(['.', '_'], " "));
    event.insert("message".to_owned(), said.trim_end().into());
    if let Some(request_id) = record.text("request_id") {
        event.insert("correlationId".to_owned(), request_id.into());
    }
    event.insert("requestData".to_owned(), request(record));
    let values = [("body", "after"), ("before", "before")].into_iter();
    let answered: Map<String, Value> = values
        .filter_map(|(name, field)| Some((name.to_owned(), record.value(field)?.clone())))
        .collect();
    if !answered.is_empty() {
        event.insert("responseData".to_owned(), answered.into());
    }
    if let Some(details) = record.value("details") {
        event.insert("details".to_owned(), details.clone());
    }
    for field in ["sequence", "trail"] {
        if let Some(value) = record.value(field) {
            event.insert(field.to_owned(), value.clone());
        }
    }
    event.into()
}

fn with_credential(record: &Record<'_>) -> Value {
    let mut initiator = record.initiator();
    let kind = record.text("actor_type").unwrap_or("anonymous");
    initiator["credential"] = json!({ "type": kind });
    initiator
}

/// How much a reader of many trails should care.
fn severity(record: &Record<'_>, verb: Verb) -> &'static str {
    let is_refused = matches!(record.code().map(Code::status), Some(401 | 403));
    match verb {
        _ if is_refused => "critical",
        Verb::Delete | Verb::Revoke | Verb::Restore => "critical",
        Verb::Update
        | Verb::Configure
        | Verb::Enable
        | Verb::Disable
        | Verb::Renew
        | Verb::Stop
        | Verb::Start => "warning",
        Verb::Create
        | Verb::Read
        | Verb::List
        | Verb::Login
        | Verb::Logout
        | Verb::Backup
        | Verb::Evaluate
        | Verb::Send
        | Verb::Unknown => "normal",
    }
}

fn reason_in_words(record: &Record<'_>) -> Value {
    if record.is_success() {
        return json!({ "reasonCode": 200, "reasonType": "OK" });
    }
    let mut reason = json!({ "reasonType": record.outcome(), "reasonForFailure": record.why() });
    if let Some(code) = record.code() {
        reason["reasonCode"] = code.status().into();
    }
    reason
}

/// What was asked: the verb, and of an update the values that it changed.
fn request(record: &Record<'_>) -> Value {
    let verb = record.action().rsplit('.').next().unwrap_or_default();
    let mut request = json!({ "verb": verb });
    if let (Some(before), Some(Value::Object(after))) =
        (record.value("before"), record.value("after"))
    {
        let is_new = |(name, value): &(&String, &Value)| before.get(name.as_str()) != Some(*value);
        let changed = after.iter().filter(is_new);
        let changed: Map<String, Value> =
            changed.map(|(name, value)| (name.clone(), value.clone())).collect();
        request["body"] = changed.into();
    }
    request
}

fn dmtf(record: &Record<'_>) -> Value {
    let mut event = record.common();
    event
        .insert("action".to_owned(), Verb::of(record.action()).in_taxonomy(record.action()).into());
    event.insert("name".to_owned(), record.action().into());
    event.insert("target".to_owned(), record.target(taxonomy::resource));
    let mut attachments = Vec::new();
    if !record.is_success() {
        let code = record.outcome();
        let reason = json!({ "reasonType": "urn:alertmill:error", "reasonCode": code });
        event.insert("reason".to_owned(), reason);
        attachments.push(attachment("reason", "text/plain", record.why().into()));
    }
    let parts = [("before", "before"), ("after", "after"), ("details", "details")];
    for (name, field) in parts {
        if let Some(value) = record.value(field) {
            attachments.push(attachment(name, "application/json", value.clone()));
        }
    }
    if !attachments.is_empty() {
        event.insert("attachments".to_owned(), attachments.into());
    }
    let tags = ["trail", "sequence", "request_id"].into_iter().filter_map(|field| {
        let value = match record.value(field)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(Value::from(format!("{field}?value={value}")))
    });
    event.insert("tags".to_owned(), tags.collect::<Vec<_>>().into());
    event.into()
}

fn attachment(name: &str, kind: &str, content: Value) -> Value {
    json!({ "typeURI": kind, "name": name, "content": content })
}
