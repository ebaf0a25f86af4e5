//! What a service says of an event, and whether it may be said so.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    clock::Timestamp,
    domain::{
        address,
        posted::{self, Origin, PostedEvent},
        rpc::RpcCode,
    },
    error::{Code, Error, Mistake, Result},
};

/// The longest text, in characters.
const LONGEST: usize = 4096;

/// The most pieces of metadata, and the most parameters.
const MOST_PAIRS: usize = 256;

/// How far ahead of ours the clock of a service may be, in hours.
const AHEAD: i64 = 24;

/// An event, as a service reports it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct EventForm {
    /// What its service calls it: a UUID of version 4. A parameter of the address; of many, it stands beside each.
    #[serde(alias = "event_id")]
    pub(super) event_id: Option<String>,
    /// When it happened: RFC 3339, with a zone. Required.
    #[serde(alias = "event_time")]
    event_time: Option<String>,
    /// The service that reports it, by the name of its container image. Required.
    #[serde(alias = "event_source")]
    event_source: Option<String>,
    /// What was asked for, e.g. `actions/enginemanager/engines/CREATE`. Required.
    action: Option<String>,
    /// Whether that changes nothing. Required.
    #[serde(alias = "read_only")]
    read_only: Option<bool>,
    /// How it ended. Required.
    status: Option<StatusForm>,
    /// Who asked for it, e.g. `users/u` or `services/s`. Required.
    principal: Option<String>,
    /// The address it was asked from, or `private`; a private address is kept as `private`. Required.
    #[serde(alias = "source_ip_address")]
    source_ip_address: Option<String>,
    /// What it was asked of: `//service/workspaces/w/engines/e`.
    resource: Option<String>,
    /// The workspace it belongs to, `workspaces/w`; that of the resource where absent.
    workspace: Option<String>,
    /// The same, and it counts more; empty for none.
    #[serde(alias = "workspace_override")]
    workspace_override: Option<String>,
    /// The program it was asked with.
    #[serde(alias = "user_agent")]
    user_agent: Option<String>,
    /// What else the service says of it. Names have 1 to 63 lower-case letters, digits and underscores, begin with a
    /// letter and do not end with an underscore.
    metadata: Option<BTreeMap<String, String>>,
    /// With which parameters it was asked for.
    #[serde(alias = "request_parameters")]
    request_parameters: Option<BTreeMap<String, String>>,
    /// What set it off: `TYPE_API` (as where absent) or `TYPE_SYSTEM`.
    r#type: Option<String>,
    /// Ours to say; not read.
    #[serde(rename = "name")]
    _name: Option<Value>,
    /// Ours to say; not read.
    #[serde(rename = "receiveTime", alias = "receive_time")]
    _receive_time: Option<Value>,
    /// Ours to say; not read.
    #[serde(rename = "loginPrincipal", alias = "login_principal")]
    _login_principal: Option<Value>,
}

/// How what is reported ended.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct StatusForm {
    /// A status code of gRPC, 0 to 16; 0 where absent.
    code: Option<i64>,
    /// What was wrong.
    message: Option<String>,
}

/// What is wrong with an event, collected place by place.
struct Faults {
    at: String,
    found: Vec<(Code, Mistake)>,
}

impl EventForm {
    /// The event that is reported; `at` is where it stands in the request.
    ///
    /// # Errors
    /// Where something is missing or not as it should be: all of it, each with its place.
    pub(super) fn checked(self, at: &str, now: Timestamp) -> Result<PostedEvent> {
        let mut faults = Faults { at: at.to_owned(), found: Vec::new() };
        let event_time = faults.required("event_time", self.event_time);
        let event_source = faults.required("event_source", self.event_source);
        let action = faults.required("action", self.action);
        if self.read_only.is_none() {
            faults.missing("read_only");
        }
        if self.status.is_none() {
            faults.missing("status");
        }
        let principal = faults.required("principal", self.principal);
        let source_address = faults.required("source_ip_address", self.source_ip_address);
        let resource = faults.text("resource", self.resource);
        let event = PostedEvent {
            event_time: faults.time(&event_time, now),
            event_source,
            action,
            read_only: self.read_only.unwrap_or_default(),
            status: faults.status(self.status.unwrap_or_default()),
            principal,
            source_address: faults.address(&source_address),
            workspace: faults.workspace((self.workspace_override, self.workspace), &resource),
            resource: faults.resource(resource),
            user_agent: faults.text("user_agent", self.user_agent),
            metadata: faults.metadata(self.metadata.unwrap_or_default()),
            request_parameters: faults
                .pairs("request_parameters", self.request_parameters.unwrap_or_default()),
            origin: faults.origin(self.r#type.as_deref()),
        };
        faults.none(event)
    }
}

impl Faults {
    fn add(&mut self, field: &str, detail: impl Into<String>) {
        let mistake = Mistake { pointer: format!("{}/{field}", self.at), detail: detail.into() };
        self.found.push((Code::InvalidParameter, mistake));
    }

    fn missing(&mut self, field: &str) {
        let detail = format!("`{field}` is required");
        let mistake = Mistake { pointer: format!("{}/{field}", self.at), detail };
        self.found.push((Code::RequiredParameter, mistake));
    }

    /// The event, if nothing is wrong with it.
    fn none(self, event: PostedEvent) -> Result<PostedEvent> {
        let Some((code, _)) = self.found.first() else { return Ok(event) };
        let code = *code;
        let mistakes: Vec<Mistake> = self.found.into_iter().map(|(_, mistake)| mistake).collect();
        let details: Vec<&str> = mistakes.iter().map(|mistake| mistake.detail.as_str()).collect();
        Err(Error { mistakes: mistakes.clone(), ..Error::new(code, details.join("; ")) })
    }

    fn required(&mut self, field: &str, text: Option<String>) -> String {
        let text = self.text(field, text);
        if text.is_empty() {
            self.missing(field);
        }
        text
    }

    fn text(&mut self, field: &str, text: Option<String>) -> String {
        let text = text.unwrap_or_default();
        if text.chars().count() > LONGEST {
            self.add(field, format!("`{field}` has more than {LONGEST} characters"));
        }
        text
    }

    fn time(&mut self, text: &str, now: Timestamp) -> DateTime<Utc> {
        let latest = now + TimeDelta::hours(AHEAD);
        match DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()) {
            Ok(time) if time > latest => {
                let detail = format!("`event_time` is more than {AHEAD} hours ahead of our clock");
                self.add("event_time", detail);
            }
            Ok(time) if time < DateTime::UNIX_EPOCH => {
                self.add("event_time", "`event_time` is before 1970");
            }
            Ok(time) => return time,
            // That it is missing is said already.
            Err(_) if text.is_empty() => {}
            Err(_) => self.add(
                "event_time",
                "`event_time` is no time with a zone, such as 2026-01-02T03:04:05Z",
            ),
        }
        now
    }

    fn status(&mut self, status: StatusForm) -> (RpcCode, String) {
        let message = self.text("status/message", status.message);
        let code = RpcCode::numbered(status.code.unwrap_or_default());
        if code.is_none() {
            self.add("status/code", "`status.code` is one of gRPC's: 0 to 16");
        }
        (code.unwrap_or(RpcCode::Unknown), message)
    }

    fn address(&mut self, text: &str) -> String {
        if let Some(told) = address::told(text) {
            return told;
        }
        if !text.is_empty() {
            let detail = "`source_ip_address` is an IPv4 or IPv6 address, or `private`";
            self.add("source_ip_address", detail);
        }
        String::new()
    }

    fn resource(&mut self, resource: String) -> String {
        if !resource.is_empty()
            && let Some(fault) = posted::resource_fault(&resource)
        {
            self.add("resource", format!("`resource` cannot be read: {fault}"));
        }
        resource
    }

    fn workspace(
        &mut self,
        (over, given): (Option<String>, Option<String>),
        resource: &str,
    ) -> String {
        let (field, said) = match (over, given.filter(|given| !given.is_empty())) {
            (Some(over), _) => ("workspace_override", over),
            (None, Some(given)) => ("workspace", given),
            (None, None) => return posted::workspace_of(resource).unwrap_or_default().to_owned(),
        };
        let said = self.text(field, Some(said));
        if !said.is_empty() && !posted::is_workspace(&said) {
            self.add(field, format!("`{field}` has the form workspaces/*"));
        }
        said
    }

    fn metadata(&mut self, metadata: BTreeMap<String, String>) -> BTreeMap<String, String> {
        if let Some((key, fault)) =
            metadata.keys().find_map(|key| Some((key, posted::key_fault(key)?)))
        {
            let place = format!("metadata/{}", crate::api::decode::escaped(key));
            self.add(&place, fault);
        }
        self.pairs("metadata", metadata)
    }

    fn pairs(&mut self, field: &str, pairs: BTreeMap<String, String>) -> BTreeMap<String, String> {
        if pairs.len() > MOST_PAIRS {
            self.add(field, format!("`{field}` has more than {MOST_PAIRS} entries"));
        }
        let is_long = |text: &String| text.chars().count() > LONGEST;
        if pairs.iter().any(|(key, value)| is_long(key) || is_long(value)) {
            let detail = format!("a name or value of `{field}` has more than {LONGEST} characters");
            self.add(field, detail);
        }
        pairs
    }

    fn origin(&mut self, word: Option<&str>) -> Origin {
        match word {
            None | Some("" | "TYPE_UNSPECIFIED") => Origin::Api,
            Some(word) => word.parse().unwrap_or_else(|_| {
                self.add("type", "`type` is TYPE_API or TYPE_SYSTEM");
                Origin::Api
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{api::decode, clock::from_millis};

    fn whole() -> Value {
        json!({
            "eventTime": "2026-01-01T00:00:00.123456+00:00",
            "eventSource": "h2oai-enginemanager-server",
            "action": "actions/enginemanager/daiEngines/CREATE",
            "readOnly": false,
            "status": { "code": 0, "message": "" },
            "principal": "users/john.doe",
            "sourceIpAddress": "10.0.1.50",
        })
    }

    fn checked(event: Value) -> Result<PostedEvent> {
        let form: EventForm = decode::request(event)?;
        form.checked("/event", from_millis(1_767_225_600_000))
    }

    #[test]
    fn each_required_field_is_missed_by_name() {
        for (field, name) in [
            ("eventTime", "event_time"),
            ("eventSource", "event_source"),
            ("action", "action"),
            ("readOnly", "read_only"),
            ("status", "status"),
            ("principal", "principal"),
            ("sourceIpAddress", "source_ip_address"),
        ] {
            let mut without = whole();
            without.as_object_mut().unwrap().remove(field);
            let error = checked(without).unwrap_err();
            assert_eq!(RpcCode::from(error.code), RpcCode::InvalidArgument);
            assert_eq!(error.detail, format!("`{name}` is required"));
            assert_eq!(error.mistakes[0].pointer, format!("/event/{name}"));
        }
        assert_eq!(checked(json!({})).unwrap_err().mistakes.len(), 7);
    }

    #[test]
    fn what_is_said_is_kept_and_private_addresses_are_not() {
        let mut event = whole();
        event["resource"] = json!("//engine-manager/workspaces/w/daiEngines/e");
        event["receiveTime"] = json!("1999-01-01T00:00:00Z");
        event["name"] = json!("events/mine");
        let event = checked(event).unwrap();
        assert_eq!(event.source_address, "private");
        assert_eq!(event.workspace, "workspaces/w");
        assert_eq!(event.event_time.timestamp_subsec_micros(), 123_456);
        assert_eq!((event.status.0, event.origin), (RpcCode::Ok, Origin::Api));
    }

    #[test]
    fn a_workspace_that_is_given_counts_more_than_that_of_the_resource() {
        for (over, given, workspace) in [
            (json!(null), json!(null), "workspaces/w"),
            (json!(null), json!("workspaces/v"), "workspaces/v"),
            (json!(null), json!(""), "workspaces/w"),
            (json!("workspaces/u"), json!("workspaces/v"), "workspaces/u"),
            (json!(""), json!("workspaces/v"), ""),
        ] {
            let mut event = whole();
            event["resource"] = json!("//engine-manager/workspaces/w/daiEngines");
            event["workspace"] = given;
            event["workspaceOverride"] = over;
            assert_eq!(checked(event).unwrap().workspace, workspace);
        }
    }

    #[test]
    fn every_mistake_has_its_place() {
        for (field, value, pointer) in [
            ("eventTime", json!("2026-01-01T00:00:00"), "/event/event_time"),
            ("eventTime", json!("2026-01-03T00:00:00Z"), "/event/event_time"),
            ("status", json!({ "code": 17 }), "/event/status/code"),
            ("status", json!({ "code": -1 }), "/event/status/code"),
            ("sourceIpAddress", json!("localhost"), "/event/source_ip_address"),
            ("resource", json!("https://a/b"), "/event/resource"),
            ("workspace", json!("w"), "/event/workspace"),
            ("workspaceOverride", json!("w"), "/event/workspace_override"),
            ("metadata", json!({ "Invalid-Key": "v" }), "/event/metadata/Invalid-Key"),
            ("metadata", json!({ "a/b": "v" }), "/event/metadata/a~1b"),
            ("type", json!("TYPE_OTHER"), "/event/type"),
            ("principal", json!("u".repeat(4097)), "/event/principal"),
            ("requestParameters", json!({ "k": "v".repeat(4097) }), "/event/request_parameters"),
        ] {
            let mut event = whole();
            event[field] = value;
            let error = checked(event).unwrap_err();
            assert_eq!(error.code, Code::InvalidParameter, "{field}");
            assert_eq!(error.mistakes.len(), 1, "{:?}", error.mistakes);
            assert_eq!(error.mistakes[0].pointer, pointer);
        }
    }
}
