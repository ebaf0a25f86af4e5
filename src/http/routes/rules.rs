//! The routes of event rules and group rules.

use super::super::method::{Method, read, write};
use crate::api::{event_rule, group_rule};

/// The methods of event rules and group rules.
pub(super) fn methods() -> Vec<Method> {
    let mut all = event_rules();
    all.push(Method::post(
        "/api/v1/event-rule/dry-run",
        "event_rule.dry_run",
        "Tells what an event rule would have done to the events of the last days; changes nothing.",
        read(event_rule::dry_run),
    ));
    all.extend(group_rules());
    all
}

fn group_rules() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/group-rule/create",
            "group_rule.create",
            "Makes a group rule, the last one of its project.",
            write(group_rule::create),
        ),
        Method::post(
            "/api/v1/group-rule/update",
            "group_rule.update",
            "Changes a group rule.",
            write(group_rule::update),
        ),
        Method::post(
            "/api/v1/group-rule/delete",
            "group_rule.delete",
            "Deletes a group rule; alerts that are parts of others stay so.",
            write(group_rule::delete),
        ),
        Method::post(
            "/api/v1/group-rule/get",
            "group_rule.get",
            "Shows a group rule, with how many events it concerned.",
            read(group_rule::get),
        ),
        Method::post(
            "/api/v1/group-rule/list",
            "group_rule.list",
            "Lists group rules.",
            read(group_rule::list),
        ),
        Method::post(
            "/api/v1/group-rule/stat",
            "group_rule.stat",
            "Counts group rules, and more.",
            read(group_rule::stat),
        ),
        Method::post(
            "/api/v1/group-rule/dry-run",
            "group_rule.dry_run",
            "Tells what a group rule would have made of the events of the last days; changes nothing.",
            read(group_rule::dry_run),
        ),
    ]
}

fn event_rules() -> Vec<Method> {
    vec![
        Method::post(
            "/monitoring/v1/event-rule/create",
            "event_rule.create",
            "Makes an event rule, the last one of its webhook, project or workspace.",
            write(event_rule::create),
        ),
        Method::post(
            "/monitoring/v1/event-rule/update",
            "event_rule.update",
            "Changes an event rule.",
            write(event_rule::update),
        ),
        Method::post(
            "/monitoring/v1/event-rule/change-order",
            "event_rule.change_order",
            "Moves an event rule among those of its webhook, project or workspace.",
            write(event_rule::change_order),
        ),
        Method::post(
            "/monitoring/v1/event-rule/delete",
            "event_rule.delete",
            "Deletes an event rule; those behind it move up.",
            write(event_rule::delete),
        ),
        Method::post(
            "/monitoring/v1/event-rule/get",
            "event_rule.get",
            "Shows an event rule, with how often it matched.",
            read(event_rule::get),
        ),
        Method::post(
            "/monitoring/v1/event-rule/list",
            "event_rule.list",
            "Lists event rules.",
            read(event_rule::list),
        ),
        Method::post(
            "/monitoring/v1/event-rule/stat",
            "event_rule.stat",
            "Counts event rules, and more.",
            read(event_rule::stat),
        ),
    ]
}
