//! Our words for what was done, by whom and to what, in the words of the audit log, and back.

use serde_json::{Value, json};

use crate::{
    domain::audit::ActorKind,
    error::{Code, Error, Result},
};

/// What we call a kind of thing, and what the log calls it. What the log has several names for stands under the first.
const ENTITIES: &[(&str, &str)] = &[
    ("project", "Project"),
    ("workspace", "Department"),
    ("user", "User"),
    ("project_alert_config", "Settings"),
    ("rules", "Settings"),
    ("application", "Applications"),
    ("domain", "Domain"),
    ("token", "Token"),
    ("session", "Session"),
    ("webhook", "Webhook"),
    ("alert", "Alert"),
    ("event", "Event"),
    ("delivery", "Delivery"),
    ("note", "Note"),
    ("event_rule", "EventRule"),
    ("group_rule", "GroupRule"),
    ("silence", "Silence"),
    ("inhibition", "Inhibition"),
    ("maintenance_window", "MaintenanceWindow"),
    ("escalation_policy", "EscalationPolicy"),
    ("on_call", "OnCall"),
    ("contact", "Contact"),
    ("heartbeat", "Heartbeat"),
    ("channel", "Channel"),
    ("message", "Message"),
    ("import", "Import"),
    ("store", "Store"),
    ("audit", "Audit"),
    ("audit_record", "Audit"),
    ("runai", "Audit"),
    ("kind", "Kind"),
    ("export", "Export"),
    ("audit_event", "AuditEvent"),
    ("communication_event", "CommunicationEvent"),
    ("manual_event", "ManualEvent"),
    ("posted_event", "PostedEvent"),
    ("plugin", "Plugin"),
    ("query", "Query"),
    ("server", "Server"),
    ("stream", "Stream"),
];

/// Types that the log's documentation knows and we have nothing of; asking for them finds nothing.
const UNUSED: [&str; 2] = ["Group", "Node Pool"];

/// Other spellings of types.
const SPELLINGS: [(&str, &str); 3] =
    [("App", "Applications"), ("Application", "Applications"), ("NodePool", "Node Pool")];

/// The type that the log has for logins, whoever they were of.
const LOGIN: &str = "Login";

/// What a login is called: of a person, of a machine account, and of who showed a token that does not work.
const LOGINS: [&str; 4] = ["user.login", "application.login", "session.open", "token.use"];

/// What makes something and is in no table of routes: records that are brought in, and files that are made of them.
const MADE: [&str; 6] = [
    "event.import",
    "alert.import",
    "event.export",
    "alert.export",
    "audit.export",
    "store.backup",
];

/// What was done, in the log's four words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Something was made.
    Create,
    /// Anything else.
    Update,
    /// Something was removed.
    Delete,
    /// Somebody said who they are.
    Login,
}

impl Deed {
    const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Delete, Self::Login];

    /// The log's word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Login => LOGIN,
        }
    }

    /// What one of our actions is.
    pub(super) fn of(action: &str) -> Self {
        if LOGINS.contains(&action) {
            return Self::Login;
        }
        match action.rsplit('.').next() {
            // Who takes records out makes a file.
            Some("create" | "import" | "export" | "backup") => Self::Create,
            Some("delete") => Self::Delete,
            Some(_) | None => Self::Update,
        }
    }

    /// The deed of this name.
    pub(super) fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|deed| deed.as_str() == name).ok_or_else(|| {
            let expected = Self::ALL.map(Self::as_str).join(", ");
            unknown("action", name, &expected)
        })
    }

    /// The condition that one of `actions` is such a deed; what is no other deed is an update.
    pub(super) fn condition(self, actions: &[&'static str]) -> Value {
        let such = |deed: Self| {
            let known = actions.iter().chain(&LOGINS).chain(&MADE).copied();
            known.filter(move |action| Self::of(action) == deed).collect::<Vec<_>>()
        };
        match self {
            Self::Create | Self::Delete | Self::Login => {
                json!({ "k": "action", "v": such(self), "o": "in" })
            }
            Self::Update => {
                let others = [Self::Create, Self::Delete, Self::Login].map(such).concat();
                json!({ "k": "action", "v": others, "o": "not_in" })
            }
        }
    }
}

/// What the log calls a kind of somebody. A token that belongs to nobody is a machine's key.
pub(super) const fn source(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::User => "User",
        ActorKind::Application | ActorKind::Token => "Application",
        ActorKind::Webhook => "Webhook",
        ActorKind::Timer => "Timer",
        ActorKind::Command => "Command",
        ActorKind::Recipient => "Recipient",
        ActorKind::Service => "Service",
        ActorKind::Nobody => "Anonymous",
    }
}

/// The kinds of somebody that the log calls so.
pub(super) fn sources(name: &str) -> Result<Vec<&'static str>> {
    let name = if matches!(name, "App" | "Applications") { "Application" } else { name };
    let kinds = ActorKind::ALL.iter().copied().filter(|kind| source(*kind) == name);
    let kinds: Vec<&str> = kinds.map(ActorKind::as_str).collect();
    if kinds.is_empty() {
        let mut expected: Vec<&str> = ActorKind::ALL.iter().map(|kind| source(*kind)).collect();
        expected.dedup();
        return Err(unknown("source_type", name, &expected.join(", ")));
    }
    Ok(kinds)
}

/// What the log calls a kind of thing that something was done to.
pub(super) fn entity(kind: &str, action: &str) -> String {
    if Deed::of(action) == Deed::Login {
        return LOGIN.to_owned();
    }
    match ENTITIES.iter().find(|(ours, _)| *ours == kind) {
        Some((_, theirs)) => (*theirs).to_owned(),
        None => kind.split('_').map(capitalized).collect(),
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The conditions that something was done to such a thing.
pub(super) fn entities(name: &str) -> Result<Vec<Value>> {
    if name == LOGIN {
        return Ok(vec![json!({ "k": "action", "v": LOGINS, "o": "in" })]);
    }
    let name = SPELLINGS.iter().find(|(other, _)| *other == name).map_or(name, |(_, name)| name);
    let kinds = ENTITIES.iter().filter(|(_, theirs)| *theirs == name);
    let kinds: Vec<&str> = kinds.map(|(ours, _)| *ours).collect();
    if kinds.is_empty() && !UNUSED.contains(&name) {
        let mut expected: Vec<&str> = ENTITIES.iter().map(|(_, theirs)| *theirs).collect();
        expected.extend(UNUSED);
        expected.push(LOGIN);
        expected.dedup();
        return Err(unknown("entity_type", name, &expected.join(", ")));
    }
    Ok(vec![
        json!({ "k": "entity_type", "v": kinds, "o": "in" }),
        json!({ "k": "action", "v": LOGINS, "o": "not_in" }),
    ])
}

fn unknown(parameter: &str, value: &str, expected: &str) -> Error {
    let detail = format!("`{value}` is none of {expected}");
    Error::at(Code::InvalidParameter, format!("/{parameter}"), detail)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::{
        domain::audit::{Entity, Trail},
        http::methods,
    };

    #[test]
    fn every_deed_is_found_under_the_word_that_it_is_shown_by() {
        let names: Vec<&str> = methods().iter().map(|method| method.name).collect();
        assert_eq!(Deed::of("audit.export"), Deed::Create, "who takes records out makes a file");
        for name in names.iter().chain(&MADE) {
            let deed = Deed::of(name);
            for asked in Deed::ALL {
                let condition = asked.condition(&names);
                let list = condition["v"].as_array().unwrap();
                let is_listed = list.iter().any(|one| one == name);
                let is_found = is_listed == (condition["o"] == "in");
                assert_eq!(is_found, asked == deed, "{name} as {asked:?}");
            }
        }
    }

    #[test]
    fn both_spellings_of_applications_are_one_type() {
        let wanted = json!(["application"]);
        for name in ["App", "Application", "Applications"] {
            assert_eq!(entities(name).unwrap()[0]["v"], wanted);
            assert_eq!(sources(name).unwrap(), ["application", "token"]);
        }
        assert_eq!(entity("application", "application.create"), "Applications");
    }

    #[test]
    fn every_documented_type_is_one() {
        for name in [
            "Project",
            "Department",
            "User",
            "Group",
            "Login",
            "Settings",
            "Applications",
            "Node Pool",
        ] {
            assert!(entities(name).is_ok(), "{name}");
        }
        let detail = entities("Nodes").unwrap_err().detail;
        assert!(detail.contains("Project, Department, User, Settings, Applications"), "{detail}");
    }

    /// The kinds of things that the code notes for the trail.
    fn noted(directory: &Path) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                found.extend(noted(&entry.path()));
                continue;
            }
            let text = fs::read_to_string(entry.path()).unwrap();
            let text: String =
                text.split("#[cfg(test)]").next().unwrap().split_whitespace().collect();
            for call in ["touched(\"", "touches(\"", "Entity::new(\""] {
                let kinds = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(kinds.map(str::to_owned));
            }
            if text.contains("format!(\"export:") {
                found.insert("export".to_owned());
            }
        }
        found
    }

    #[test]
    fn every_type_is_shown_as_it_is_asked_for() {
        let shown: BTreeSet<&str> = ENTITIES.iter().map(|(_, theirs)| *theirs).collect();
        for name in shown {
            let kinds = entities(name).unwrap()[0]["v"].clone();
            for kind in kinds.as_array().unwrap() {
                assert_eq!(entity(kind.as_str().unwrap(), "x.update"), name);
            }
        }
        // All that the product writes: of each action, also where it was done to nothing in particular.
        let mut written: BTreeSet<String> =
            methods().iter().map(|method| Entity::of_action(method.name).kind).collect();
        let lists = [Trail::Event, Trail::AuditEvent, Trail::Communication];
        written.extend(lists.map(|list| list.as_str().to_lowercase()));
        written.extend(noted(&PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))));
        assert!(written.contains("export") && written.contains("user"), "{written:?}");
        for kind in written {
            let name = entity(&kind, "x.update");
            let found = entities(&name).map(|found| found[0]["v"].as_array().unwrap().clone());
            assert!(
                found.is_ok_and(|it| it.contains(&json!(kind))),
                "`{kind}` is shown as `{name}`"
            );
        }
        assert_eq!(entity("odd_thing", "x.update"), "OddThing");
        assert_eq!(entity("user", "user.login"), "Login");
    }
}
