//! Furnishing the house: projects, how they are alerted, and what the file says beside, by the methods of the API.

use serde_json::{Map, Value, json};

use super::{
    file::{BEGINNING, Scenario},
    house::{House, Method, NOBODY, write},
    refer::{Refer, Today},
};
use crate::{
    api,
    error::Error,
    load_error::{LoadError, did_you_mean},
    rules::{At, Kind, Node},
};

/// The projects that are there anyway, as in recorded scenarios.
const PROJECTS: &[&str] = &["project-1", "project-2"];

/// The webhook that `post` goes through where no other is named, and the plugin that takes what is normalized as it is.
pub(super) const WEBHOOK: &str = "webhook_id";
pub(super) const PLAIN: &str = "api-direct";

/// What a furnished house must be told later: nothing but mistakes.
type Furnished<T = ()> = Result<T, Vec<LoadError>>;

/// Makes everything that stands in the file before its steps.
pub(super) async fn furnish(house: &House, scenario: &Scenario) -> Furnished<Refer> {
    let projects =
        founded(house, scenario).await.map_err(|error| scenario.refused(&error, |_| BEGINNING))?;
    let (mut mistakes, mut refer) = (Vec::new(), Refer::new(scenario.zone));
    // A project's configuration may name a policy, and that whom it tells.
    let (first, rest): (Vec<_>, Vec<_>) =
        scenario.furniture.iter().partition(|(list, _)| PEOPLE.contains(list));
    for (kind, node) in first {
        mistakes.extend(
            place(house, scenario, (kind, node), &mut refer).await.err().unwrap_or_default(),
        );
    }
    for id in projects {
        let special = scenario.projects.iter().find(|(project, _)| *project == id);
        let configs: Vec<&Node> =
            scenario.config.iter().chain(special.map(|(_, config)| config)).collect();
        for config in &configs {
            mistakes.extend(
                configure(house, scenario, (&id, config), &refer).await.err().unwrap_or_default(),
            );
        }
        // The project's own steps, or those of all.
        if let Some(config) =
            configs.iter().rev().find(|config| config.get("escalation_rules").is_some())
        {
            mistakes
                .extend(escalate(house, scenario, (&id, config)).await.err().unwrap_or_default());
        }
    }
    for (kind, node) in rest {
        mistakes.extend(
            place(house, scenario, (kind, node), &mut refer).await.err().unwrap_or_default(),
        );
    }
    if mistakes.is_empty() { Ok(refer) } else { Err(mistakes) }
}

/// Makes the projects, and the webhook that events come through; the projects' identifiers.
async fn founded(house: &House, scenario: &Scenario) -> crate::error::Result<Vec<String>> {
    let own = std::iter::once(&scenario.project).cloned();
    let named = scenario.projects.iter().map(|(id, _)| id.clone());
    let mut made: Vec<String> = Vec::new();
    for id in own.chain(PROJECTS.iter().map(|id| (*id).to_owned())).chain(named) {
        if !made.contains(&id) {
            house.project(&id).await?;
            made.push(id);
        }
    }
    house.webhook(WEBHOOK, PLAIN, &scenario.project).await?;
    Ok(made)
}

/// How a project is alerted: its options, and the policy that it names.
async fn configure(
    house: &House,
    scenario: &Scenario,
    (id, config): (&str, &Node),
    refer: &Refer,
) -> Furnished {
    let mut options = without(config, ESCALATION);
    let mut request = json!({ "project_id": id });
    if let Some(policy) = options.remove("escalation_policy_id") {
        request["escalation_policy_id"] = policy;
    }
    request["options"] = options.into();
    refer.resolve(&mut request, &Today { now: house.now(), alerts: &[] });
    let done = house.ask(write(api::project_alert_config::update), NOBODY, request).await;
    done.map(|_| ()).map_err(|error| {
        scenario.refused(&error, |pointer| key_place(config, below(pointer, "/options")))
    })
}

/// The policy of a project whose configuration says its steps.
async fn escalate(house: &House, scenario: &Scenario, (id, config): (&str, &Node)) -> Furnished {
    let mut request = json!({
        "name": format!("the policy of {id}"),
        "resource_group": "PROJECT",
        "project_id": id,
    });
    for (key, field) in ESCALATION.iter().zip(["rules", "repeat_count", "finish_condition"]) {
        if let Some(node) = config.get(key) {
            request[field] = node.to_json();
        }
    }
    let done = house.ask(write(api::escalation_policy::create), NOBODY, request).await;
    let policy = done.map_err(|error| {
        scenario.refused(&error, |pointer| {
            let written = pointer.replacen("/rules", "/escalation_rules", 1);
            key_place(config, &written)
        })
    })?;
    let chosen =
        json!({ "project_id": id, "escalation_policy_id": policy["escalation_policy_id"] });
    let done = house.ask(write(api::project_alert_config::update), NOBODY, chosen).await;
    done.map(|_| ()).map_err(|error| scenario.refused(&error, |_| config.at))
}

/// Where messages of channels go that do not say where: nothing is sent there.
const RECEIVER: &str = "https://receiver.example/";

/// The lists of who is told, and when.
const PEOPLE: &[&str] = &["channels", "on_calls", "contacts", "escalation_policies"];

/// The keys of a configuration that are its escalation policy's.
const ESCALATION: &[&str] = &["escalation_rules", "repeat_count", "finish_condition"];

/// The fields of a table, but for some.
fn without(node: &Node, but: &[&str]) -> Map<String, Value> {
    match node.to_json() {
        Value::Object(fields) => {
            fields.into_iter().filter(|(key, _)| !but.contains(&key.as_str())).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

/// The rest of a pointer below another; the whole where it is not below it.
pub(super) fn below<'p>(pointer: &'p str, above: &str) -> &'p str {
    pointer.strip_prefix(above).unwrap_or(pointer)
}

/// Where a pointer leads: to the key where what is wrong is that it is there, to the value else.
pub(super) fn key_place(node: &Node, pointer: &str) -> At {
    let (above, last) = pointer.rsplit_once('/').unwrap_or(("", ""));
    let at = node.place(pointer);
    let table = find(node, above);
    match table.map(|table| &table.kind) {
        Some(Kind::Table(entries)) => {
            entries.iter().find(|(key, _)| key.text == last).map_or(at, |(key, _)| key.at)
        }
        Some(Kind::Scalar(_) | Kind::List(_)) | None => at,
    }
}

fn find<'n>(node: &'n Node, pointer: &str) -> Option<&'n Node> {
    let mut here = node;
    for step in pointer.split('/').skip(1) {
        here = match &here.kind {
            Kind::Table(_) => here.get(step)?,
            Kind::List(items) => items.get(step.parse::<usize>().ok()?)?,
            Kind::Scalar(_) => return None,
        };
    }
    Some(here)
}

/// Makes one thing that a list of the file holds.
async fn place(
    house: &House,
    scenario: &Scenario,
    (kind, node): (&'static str, &Node),
    refer: &mut Refer,
) -> Furnished {
    let mut request = node.to_json();
    let Some(method) = making(kind, &mut request, scenario) else {
        return Err(vec![scenario.source.mistake(node.at, format!("`{kind}` cannot be made"))]);
    };
    refer.resolve(&mut request, &Today { now: house.now(), alerts: &[] });
    let done = house.ask(method, NOBODY, request).await;
    let made =
        done.map_err(|error| scenario.refused(&error, |pointer| key_place(node, pointer)))?;
    refer.made(kind, &made);
    Ok(())
}

/// The method that makes what a list of the file holds, and the request as that wants it.
fn making(list: &str, request: &mut Value, scenario: &Scenario) -> Option<Method> {
    let Value::Object(fields) = request else { return None };
    Some(match list {
        "channels" => {
            if let Some(kind) = fields.get("kind").and_then(Value::as_str) {
                let kind = kind.to_uppercase();
                fields.insert("kind".to_owned(), kind.into());
            } else {
                fields.insert("kind".to_owned(), "WEBHOOK".into());
                fields.insert("settings".to_owned(), json!({ "url": RECEIVER }));
            }
            write(api::channel::create)
        }
        "contacts" => write(api::contact::create),
        "escalation_policies" => write(api::escalation_policy::create),
        "event_rules" => {
            // They stand in their order.
            fields.remove("order");
            let of = if fields.contains_key("webhook_id") { "WEBHOOK" } else { "PROJECT" };
            fields.entry("resource_group").or_insert_with(|| of.into());
            at_home(fields, scenario);
            write(api::event_rule::create)
        }
        "group_rules" => {
            at_home(fields, scenario);
            write(api::group_rule::create)
        }
        "heartbeats" => {
            fields.entry("webhook_id").or_insert_with(|| WEBHOOK.into());
            write(api::heartbeat::create)
        }
        "inhibitions" => {
            at_home(fields, scenario);
            write(api::inhibition::create)
        }
        "maintenance_windows" => {
            fields.entry("projects").or_insert_with(|| json!([scenario.project]));
            fields.entry("time_zone").or_insert_with(|| scenario.zone.name().into());
            write(api::maintenance_window::create)
        }
        "on_calls" => {
            fields.entry("time_zone").or_insert_with(|| scenario.zone.name().into());
            write(api::on_call::create)
        }
        "silences" => {
            at_home(fields, scenario);
            write(api::silence::create)
        }
        "webhooks" => {
            at_home(fields, scenario);
            write(api::webhook::create)
        }
        _ => return None,
    })
}

/// The scenario's project, for what names no place of its own.
fn at_home(request: &mut Map<String, Value>, scenario: &Scenario) {
    let is_elsewhere = request.get("resource_group").is_some_and(|of| of == "WORKSPACE")
        || request.contains_key("webhook_id");
    if !is_elsewhere {
        request.entry("project_id").or_insert_with(|| scenario.project.as_str().into());
    }
}

/// The method of this name that a step calls; what is wrong with the name where there is none.
pub(super) fn method(name: &str) -> Result<Method, String> {
    let known = METHODS.iter().find(|(known, _)| *known == name);
    known.map(|(_, method)| method()).ok_or_else(|| {
        let names: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
        let hint = did_you_mean(name, names.iter().copied());
        format!("there is no method `{name}`; expected one of `{}`{hint}", names.join("`, `"))
    })
}

/// What a method is called, and the method.
type Named = (&'static str, fn() -> Method);

/// The methods that a step may call.
const METHODS: &[Named] = &[
    ("alert.assign_user", || write(api::alert::assign_user)),
    ("alert.bulk", || write(api::alert::bulk)),
    ("alert.create", || write(api::alert::create)),
    ("alert.delete", || write(api::alert::delete)),
    ("alert.merge", || write(api::alert::merge)),
    ("alert.snooze", || write(api::alert::snooze)),
    ("alert.unmerge", || write(api::alert::unmerge)),
    ("alert.unsnooze", || write(api::alert::unsnooze)),
    ("alert.update", || write(api::alert::update)),
    ("channel.create", || write(api::channel::create)),
    ("channel.disable", || write(api::channel::disable)),
    ("channel.enable", || write(api::channel::enable)),
    ("channel.update", || write(api::channel::update)),
    ("escalation_policy.update", || write(api::escalation_policy::update)),
    ("event_rule.create", || write(api::event_rule::create)),
    ("event_rule.delete", || write(api::event_rule::delete)),
    ("event_rule.update", || write(api::event_rule::update)),
    ("group_rule.create", || write(api::group_rule::create)),
    ("heartbeat.create", || write(api::heartbeat::create)),
    ("heartbeat.delete", || write(api::heartbeat::delete)),
    ("inhibition.close", || write(api::inhibition::close)),
    ("inhibition.create", || write(api::inhibition::create)),
    ("maintenance_window.close", || write(api::maintenance_window::close)),
    ("maintenance_window.create", || write(api::maintenance_window::create)),
    ("note.create", || write(api::note::create)),
    ("on_call.add_override", || write(api::on_call::add_override)),
    ("project_alert_config.update", || write(api::project_alert_config::update)),
    ("silence.create", || write(api::silence::create)),
    ("silence.expire", || write(api::silence::expire)),
    ("webhook.create", || write(api::webhook::create)),
    ("webhook.update", || write(api::webhook::update)),
];

impl Scenario {
    /// What the API refused, at its places.
    pub(super) fn refused(&self, error: &Error, place: impl Fn(&str) -> At) -> Vec<LoadError> {
        self.source.refused(error, place)
    }
}
