//! Which events are looked for: what must be exactly so, and what must match an expression.
//!
//! Expressions have the syntax of RE2, as far as [`regex`] has it: no back references, no looking around, and a time
//! that grows with the text alone. They match anywhere unless anchored, and tell cases apart.

use std::{cell::Cell, collections::BTreeMap};

use chrono::{DateTime, Utc};
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    api::decode::escaped,
    clock::{Timestamp, from_millis},
    domain::posted::{Origin, PostedEvent},
    error::{Code, Error, Result},
};

/// Before this nobody looks unless told to: the first of July 2025, as clients expect.
const START: i64 = 1_751_328_000_000;

/// After this there is no time that RFC 3339 can write.
const LAST: i64 = 253_402_300_799_000;

/// The longest expression, in characters, and how much memory a compiled one may take.
const LONGEST: usize = 1000;
const LARGEST: usize = 1 << 18;

/// The most pieces of metadata that are asked about.
const MOST_METADATA: usize = 32;

/// Which events are looked for; what is not given does not matter.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct FilterForm {
    /// Those that happened at this time or later; since 2025-07-01T00:00:00Z where absent.
    #[serde(alias = "start_event_time")]
    pub(super) start_event_time: Option<DateTime<Utc>>,
    /// Those that happened before this time; before now where absent.
    #[serde(alias = "end_event_time")]
    pub(super) end_event_time: Option<DateTime<Utc>>,
    /// Those that this service reports.
    #[serde(alias = "event_source_exact")]
    event_source_exact: Option<String>,
    /// Those of services whose name matches this expression (RE2).
    #[serde(alias = "event_source_regex")]
    event_source_regex: Option<String>,
    /// Those of this resource.
    #[serde(alias = "resource_exact")]
    resource_exact: Option<String>,
    /// Those of resources that match this expression.
    #[serde(alias = "resource_regex")]
    resource_regex: Option<String>,
    /// Those that change something (false), or nothing (true).
    #[serde(alias = "read_only")]
    read_only: Option<bool>,
    /// Those whose status code, as a number, matches this expression, e.g. `^(0|3)$`.
    #[serde(alias = "status_code_regex")]
    status_code_regex: Option<String>,
    /// Those that this principal asked for.
    #[serde(alias = "principal_exact")]
    principal_exact: Option<String>,
    /// Those of principals that match this expression.
    #[serde(alias = "principal_regex")]
    principal_regex: Option<String>,
    /// Those from this address.
    #[serde(alias = "source_ip_address_exact")]
    source_ip_address_exact: Option<String>,
    /// Those from addresses that match this expression.
    #[serde(alias = "source_ip_address_regex")]
    source_ip_address_regex: Option<String>,
    /// Those with all this metadata.
    #[serde(alias = "metadata_exact")]
    metadata_exact: Option<BTreeMap<String, String>>,
    /// Those whose metadata matches all these expressions, by name.
    #[serde(alias = "metadata_regex")]
    metadata_regex: Option<BTreeMap<String, String>>,
    /// Those of this workspace.
    #[serde(alias = "workspace_exact")]
    workspace_exact: Option<String>,
    /// Those of workspaces that match this expression.
    #[serde(alias = "workspace_regex")]
    workspace_regex: Option<String>,
    /// Those of this action.
    #[serde(alias = "action_exact")]
    action_exact: Option<String>,
    /// Those of actions that match this expression.
    #[serde(alias = "action_regex")]
    action_regex: Option<String>,
    /// Those of these types: `TYPE_API`, `TYPE_SYSTEM`; of all where empty.
    #[serde(alias = "include_types")]
    include_types: Option<Vec<String>>,
    /// None of these types.
    #[serde(alias = "exclude_types")]
    exclude_types: Option<Vec<String>>,
}

/// Which events are looked for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// From when on.
    pub(super) start: DateTime<Utc>,
    /// Until when, exclusive.
    pub(super) end: DateTime<Utc>,
    pub(super) source: Text,
    pub(super) resource: Text,
    pub(super) principal: Text,
    pub(super) address: Text,
    workspace: Text,
    pub(super) action: Text,
    status: Text,
    read_only: Option<bool>,
    metadata: BTreeMap<String, Text>,
    /// `None` for all.
    included: Option<Vec<Origin>>,
    excluded: Vec<Origin>,
}

/// What a text must be.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// Exactly this.
    pub(super) exact: Option<String>,
    /// What matches this.
    pattern: Option<Regex>,
}

/// How much may still be looked at, in bytes of text.
#[derive(Debug)]
pub(super) struct Patience(pub(super) Cell<usize>);

impl FilterForm {
    /// The filter, if all of it can be read; `now` is where a search ends that says no end.
    pub(super) fn read(self, now: Timestamp) -> Result<Wanted> {
        let (start, end) = (
            self.start_event_time.unwrap_or(from_millis(START)),
            self.end_event_time.unwrap_or(now),
        );
        if let (Some(start), Some(end)) = (self.start_event_time, self.end_event_time)
            && start > end
        {
            let detail = "`start_event_time` is after `end_event_time`";
            return Err(Error::at(Code::InvalidParameter, at("start_event_time"), detail));
        }
        Ok(Wanted {
            start: start.clamp(DateTime::UNIX_EPOCH, from_millis(LAST)),
            end: end.clamp(DateTime::UNIX_EPOCH, from_millis(LAST)),
            source: text("event_source", self.event_source_exact, self.event_source_regex)?,
            resource: text("resource", self.resource_exact, self.resource_regex)?,
            principal: text("principal", self.principal_exact, self.principal_regex)?,
            address: text(
                "source_ip_address",
                self.source_ip_address_exact,
                self.source_ip_address_regex,
            )?,
            workspace: text("workspace", self.workspace_exact, self.workspace_regex)?,
            action: text("action", self.action_exact, self.action_regex)?,
            status: text("status_code", None, self.status_code_regex)?,
            read_only: self.read_only,
            metadata: metadata(
                self.metadata_exact.unwrap_or_default(),
                self.metadata_regex.unwrap_or_default(),
            )?,
            included: match self.include_types.filter(|types| !types.is_empty()) {
                Some(types) => Some(origins("include_types", &types)?),
                None => None,
            },
            excluded: origins("exclude_types", &self.exclude_types.unwrap_or_default())?,
        })
    }
}

fn at(field: &str) -> String {
    format!("/filter/{field}")
}

fn text(field: &str, exact: Option<String>, pattern: Option<String>) -> Result<Text> {
    let pattern = match pattern {
        Some(pattern) => Some(compiled(&pattern, &at(&format!("{field}_regex")))?),
        None => None,
    };
    Ok(Text { exact, pattern })
}

fn metadata(
    exact: BTreeMap<String, String>,
    patterns: BTreeMap<String, String>,
) -> Result<BTreeMap<String, Text>> {
    for (field, given) in [("metadata_exact", &exact), ("metadata_regex", &patterns)] {
        if given.len() > MOST_METADATA {
            let detail = format!("`{field}` has more than {MOST_METADATA} entries");
            return Err(Error::at(Code::InvalidParameter, at(field), detail));
        }
    }
    let mut wanted: BTreeMap<String, Text> = BTreeMap::new();
    for (key, value) in exact {
        wanted.entry(key).or_default().exact = Some(value);
    }
    for (key, pattern) in patterns {
        let place = format!("{}/{}", at("metadata_regex"), escaped(&key));
        wanted.entry(key).or_default().pattern = Some(compiled(&pattern, &place)?);
    }
    Ok(wanted)
}

/// The types that are named; one that nothing has is none.
fn origins(field: &str, words: &[String]) -> Result<Vec<Origin>> {
    let mut origins = Vec::new();
    for word in words.iter().filter(|word| *word != "TYPE_UNSPECIFIED") {
        let origin = word.parse().map_err(|_| {
            let detail = format!("`{field}` holds TYPE_API and TYPE_SYSTEM");
            Error::at(Code::InvalidParameter, at(field), detail)
        })?;
        origins.push(origin);
    }
    Ok(origins)
}

fn compiled(pattern: &str, place: &str) -> Result<Regex> {
    let refused = |detail: String| Error::at(Code::InvalidParameter, place, detail);
    if pattern.chars().count() > LONGEST {
        return Err(refused(format!("an expression has at most {LONGEST} characters")));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST)
        .nest_limit(50)
        .build();
    built.map_err(|cause| match cause {
        regex::Error::CompiledTooBig(_) => {
            refused("the expression is too large: repeat less, or name fewer letters".to_owned())
        }
        cause => {
            let told = cause.to_string();
            let what = told.lines().rev().find_map(|line| line.strip_prefix("error: "));
            refused(format!("no regular expression: {}", what.unwrap_or("it cannot be read")))
        }
    })
}

impl Wanted {
    /// Whether an event is looked for; what is looked at costs patience.
    pub(super) fn holds(&self, event: &PostedEvent, patience: &Patience) -> bool {
        let is_included =
            self.included.as_ref().is_none_or(|included| included.contains(&event.origin));
        let holds = |text: &Text, found: &str| text.holds(found, patience);
        is_included
            && !self.excluded.contains(&event.origin)
            && (self.start..self.end).contains(&event.event_time)
            && self.read_only.is_none_or(|wanted| wanted == event.read_only)
            && holds(&self.status, &event.status.0.number().to_string())
            && holds(&self.source, &event.event_source)
            && holds(&self.principal, &event.principal)
            && holds(&self.action, &event.action)
            && holds(&self.resource, &event.resource)
            && holds(&self.workspace, &event.workspace)
            && holds(&self.address, &event.source_address)
            && self.metadata.iter().all(|(key, wanted)| {
                event.metadata.get(key).is_some_and(|found| holds(wanted, found))
            })
    }
}

impl Text {
    fn holds(&self, found: &str, patience: &Patience) -> bool {
        if self.exact.as_ref().is_some_and(|exact| exact != found) {
            return false;
        }
        self.pattern.as_ref().is_none_or(|pattern| {
            patience.0.set(patience.0.get().saturating_sub(found.len()));
            pattern.is_match(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{api::decode, domain::rpc::RpcCode};

    fn event() -> PostedEvent {
        let metadata = [("engine_type", "dai"), ("operation_id", "op-12345")];
        PostedEvent {
            event_time: "2026-01-01T00:00:00.000500Z".parse().unwrap(),
            event_source: "h2oai-enginemanager-server".to_owned(),
            action: "actions/enginemanager/daiEngines/CREATE".to_owned(),
            read_only: false,
            status: (RpcCode::InvalidArgument, "no".to_owned()),
            principal: "users/john.doe".to_owned(),
            source_address: "private".to_owned(),
            resource: "//engine-manager/workspaces/w/daiEngines/e".to_owned(),
            workspace: "workspaces/w".to_owned(),
            user_agent: String::new(),
            metadata: metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            request_parameters: BTreeMap::new(),
            origin: Origin::Api,
        }
    }

    fn wanted(filter: Value) -> Result<Wanted> {
        let form: FilterForm = decode::request(filter)?;
        form.read("2026-06-01T00:00:00Z".parse().unwrap())
    }

    fn holds(filter: Value) -> bool {
        let patience = Patience(Cell::new(1000));
        wanted(filter).unwrap().holds(&event(), &patience)
    }

    #[test]
    fn an_event_is_found_by_all_that_is_so() {
        for filter in [
            json!({}),
            json!({ "startEventTime": "2026-01-01T00:00:00.0005Z" }),
            json!({ "endEventTime": "2026-01-01T00:00:00.000501Z" }),
            json!({ "eventSourceExact": "h2oai-enginemanager-server" }),
            json!({ "event_source_regex": "^h2oai-.*-server$" }),
            json!({ "resourceRegex": "/daiEngines/" }),
            json!({ "readOnly": false }),
            json!({ "statusCodeRegex": "^(0|3)$" }),
            json!({ "principalExact": "users/john.doe", "principalRegex": "^users/" }),
            json!({ "sourceIpAddressExact": "private" }),
            json!({ "metadataExact": { "engine_type": "dai" }, "metadataRegex": { "operation_id": "^op-\\d+$" } }),
            json!({ "workspaceExact": "workspaces/w" }),
            json!({ "actionRegex": "(?i)create$" }),
            json!({ "includeTypes": ["TYPE_API"], "excludeTypes": ["TYPE_SYSTEM"] }),
            json!({ "includeTypes": [], "metadataExact": {}, "principalExact": null }),
        ] {
            assert!(holds(filter.clone()), "{filter}");
        }
    }

    #[test]
    fn an_event_is_not_found_by_what_is_not_so() {
        for filter in [
            json!({ "startEventTime": "2026-01-01T00:00:00.000501Z" }),
            json!({ "endEventTime": "2026-01-01T00:00:00.0005Z" }),
            json!({ "eventSourceExact": "" }),
            json!({ "readOnly": true }),
            json!({ "statusCodeRegex": "^$" }),
            json!({ "principalExact": "users/john.doe", "principalRegex": "^services/" }),
            json!({ "metadataExact": { "engine_type": "dai", "other": "x" } }),
            json!({ "metadataRegex": { "other": "" } }),
            json!({ "actionRegex": "create$" }),
            json!({ "includeTypes": ["TYPE_SYSTEM"] }),
            json!({ "includeTypes": ["TYPE_UNSPECIFIED"] }),
            json!({ "excludeTypes": ["TYPE_API", "TYPE_SYSTEM"] }),
        ] {
            assert!(!holds(filter.clone()), "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused_with_its_place() {
        let many: Value = (0..33)
            .map(|at| (format!("k{at}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into();
        for (filter, pointer) in [
            (json!({ "actionRegex": "(" }), "/filter/action_regex"),
            (json!({ "actionRegex": "(?=a)" }), "/filter/action_regex"),
            (json!({ "actionRegex": "(a)\\1" }), "/filter/action_regex"),
            (json!({ "actionRegex": "((a{100}){100}){100}" }), "/filter/action_regex"),
            (json!({ "actionRegex": "a".repeat(1001) }), "/filter/action_regex"),
            (json!({ "metadataRegex": { "a/b": "[" } }), "/filter/metadata_regex/a~1b"),
            (json!({ "metadataExact": many }), "/filter/metadata_exact"),
            (json!({ "includeTypes": ["API"] }), "/filter/include_types"),
            (
                json!({ "startEventTime": "2026-01-02T00:00:00Z", "endEventTime": "2026-01-01T00:00:00Z" }),
                "/filter/start_event_time",
            ),
        ] {
            let error = wanted(filter.clone()).unwrap_err();
            assert_eq!(error.mistakes[0].pointer, pointer, "{filter}");
        }
        for unknown in [json!({ "principalLike": "x" }), json!({ "startEventTime": "yesterday" })] {
            assert!(wanted(unknown).is_err());
        }
    }
}
