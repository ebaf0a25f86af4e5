//! The routes of escalation, on-call and heartbeats.

use super::super::method::{Method, read, write};
use crate::api::{contact, escalation_policy as policy, heartbeat, on_call};

/// The methods of escalation, on-call and heartbeats.
pub(super) fn methods() -> Vec<Method> {
    [policies(), on_calls(), contacts(), heartbeats()].into_iter().flatten().collect()
}

fn policies() -> Vec<Method> {
    vec![
        Method::post(
            "/monitoring/v1/escalation-policy/create",
            "escalation_policy.create",
            "Makes an escalation policy: who is told, one step after the other, until someone answers.",
            write(policy::create),
        ),
        Method::post(
            "/monitoring/v1/escalation-policy/update",
            "escalation_policy.update",
            "Changes an escalation policy.",
            write(policy::update),
        ),
        Method::post(
            "/monitoring/v1/escalation-policy/set-default",
            "escalation_policy.set_default",
            "Makes a policy the one that the projects of its workspace have where they choose none.",
            write(policy::set_default),
        ),
        Method::post(
            "/monitoring/v1/escalation-policy/delete",
            "escalation_policy.delete",
            "Deletes an escalation policy that no project has chosen.",
            write(policy::delete),
        ),
        Method::post(
            "/monitoring/v1/escalation-policy/get",
            "escalation_policy.get",
            "Shows an escalation policy.",
            read(policy::get),
        ),
        Method::post(
            "/monitoring/v1/escalation-policy/list",
            "escalation_policy.list",
            "Lists escalation policies.",
            read(policy::list),
        ),
        Method::post(
            "/monitoring/v1/escalation-policy/stat",
            "escalation_policy.stat",
            "Counts escalation policies, and more.",
            read(policy::stat),
        ),
    ]
}

fn on_calls() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/on-call/create",
            "on_call.create",
            "Makes an on-call schedule: users who take turns.",
            write(on_call::create),
        ),
        Method::post(
            "/api/v1/on-call/update",
            "on_call.update",
            "Changes an on-call schedule.",
            write(on_call::update),
        ),
        Method::post(
            "/api/v1/on-call/add-override",
            "on_call.add_override",
            "Has someone stand in for a while.",
            write(on_call::add_override),
        ),
        Method::post(
            "/api/v1/on-call/remove-override",
            "on_call.remove_override",
            "Has someone not stand in after all.",
            write(on_call::remove_override),
        ),
        Method::post(
            "/api/v1/on-call/delete",
            "on_call.delete",
            "Deletes an on-call schedule that no escalation policy names.",
            write(on_call::delete),
        ),
        Method::post(
            "/api/v1/on-call/get",
            "on_call.get",
            "Shows an on-call schedule, with who is on call now.",
            read(on_call::get),
        ),
        Method::post(
            "/api/v1/on-call/shifts",
            "on_call.shifts",
            "Tells who is on call when.",
            read(on_call::shifts),
        ),
        Method::post(
            "/api/v1/on-call/list",
            "on_call.list",
            "Lists on-call schedules, with who is on call now.",
            read(on_call::list),
        ),
        Method::post(
            "/api/v1/on-call/stat",
            "on_call.stat",
            "Counts on-call schedules, and more.",
            read(on_call::stat),
        ),
    ]
}

fn contacts() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/contact/create",
            "contact.create",
            "Makes a contact method of a user.",
            write(contact::create),
        ),
        Method::post(
            "/api/v1/contact/update",
            "contact.update",
            "Changes a contact method.",
            write(contact::update),
        ),
        Method::post(
            "/api/v1/contact/delete",
            "contact.delete",
            "Deletes a contact method.",
            write(contact::delete),
        ),
        Method::post(
            "/api/v1/contact/get",
            "contact.get",
            "Shows a contact method, without its secrets.",
            read(contact::get),
        ),
        Method::post(
            "/api/v1/contact/list",
            "contact.list",
            "Lists contact methods, without their secrets.",
            read(contact::list),
        ),
        Method::post(
            "/api/v1/contact/stat",
            "contact.stat",
            "Counts contact methods, and more.",
            read(contact::stat),
        ),
    ]
}

fn heartbeats() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/heartbeat/create",
            "heartbeat.create",
            "Makes a heartbeat: a webhook, or a key within it, that must be heard from every so often.",
            write(heartbeat::create),
        ),
        Method::post(
            "/api/v1/heartbeat/update",
            "heartbeat.update",
            "Changes a heartbeat.",
            write(heartbeat::update),
        ),
        Method::post(
            "/api/v1/heartbeat/delete",
            "heartbeat.delete",
            "Deletes a heartbeat; the alert of its silence is resolved.",
            write(heartbeat::delete),
        ),
        Method::post(
            "/api/v1/heartbeat/get",
            "heartbeat.get",
            "Shows a heartbeat.",
            read(heartbeat::get),
        ),
        Method::post(
            "/api/v1/heartbeat/list",
            "heartbeat.list",
            "Lists heartbeats.",
            read(heartbeat::list),
        ),
        Method::post(
            "/api/v1/heartbeat/stat",
            "heartbeat.stat",
            "Counts heartbeats, and more.",
            read(heartbeat::stat),
        ),
    ]
}
