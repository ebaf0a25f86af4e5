//! The table of `/monitoring/v1`, as Cloudforet has it.

use super::method::{Method, read, write};
use crate::api::{alert, event, project_alert_config as config, webhook};

/// The methods of `/monitoring/v1`.
pub(super) fn methods() -> Vec<Method> {
    let mut all = events_and_alerts();
    all.extend(webhooks());
    all.extend(alert_configs());
    all
}

fn events_and_alerts() -> Vec<Method> {
    vec![
        Method::post("/monitoring/v1/event/get", "event.get", "Shows an event.", read(event::get)),
        Method::post("/monitoring/v1/event/list", "event.list", "Lists events.", read(event::list)),
        Method::post(
            "/monitoring/v1/event/stat",
            "event.stat",
            "Counts events, and more.",
            read(event::stat),
        ),
        Method::post(
            "/monitoring/v1/alert/create",
            "alert.create",
            "Opens an alert by hand.",
            write(alert::create),
        ),
        Method::post(
            "/monitoring/v1/alert/update",
            "alert.update",
            "Changes an alert: its state, what it says, where it belongs.",
            write(alert::update),
        ),
        Method::post(
            "/monitoring/v1/alert/assign-user",
            "alert.assign_user",
            "Says who looks after an alert.",
            write(alert::assign_user),
        ),
        Method::post(
            "/monitoring/v1/alert/delete",
            "alert.delete",
            "Deletes an alert; its events stay.",
            write(alert::delete),
        ),
        Method::post("/monitoring/v1/alert/get", "alert.get", "Shows an alert.", read(alert::get)),
        Method::post("/monitoring/v1/alert/list", "alert.list", "Lists alerts.", read(alert::list)),
        Method::post(
            "/monitoring/v1/alert/stat",
            "alert.stat",
            "Counts alerts, and more.",
            read(alert::stat),
        ),
    ]
}

fn webhooks() -> Vec<Method> {
    vec![
        Method::post(
            "/monitoring/v1/webhook/create",
            "webhook.create",
            "Makes an address that a monitoring system posts to; its access key is shown once.",
            write(webhook::create),
        ),
        Method::post(
            "/monitoring/v1/webhook/update",
            "webhook.update",
            "Changes a webhook.",
            write(webhook::update),
        ),
        Method::post(
            "/monitoring/v1/webhook/rotate-key",
            "webhook.rotate_key",
            "Gives a webhook a new access key, which is shown once.",
            write(webhook::rotate_key),
        ),
        Method::post(
            "/monitoring/v1/webhook/enable",
            "webhook.enable",
            "Lets a webhook take deliveries again.",
            write(webhook::enable),
        ),
        Method::post(
            "/monitoring/v1/webhook/disable",
            "webhook.disable",
            "Lets a webhook answer 403 from now on.",
            write(webhook::disable),
        ),
        Method::post(
            "/monitoring/v1/webhook/delete",
            "webhook.delete",
            "Deletes a webhook; its events and alerts stay.",
            write(webhook::delete),
        ),
        Method::post(
            "/monitoring/v1/webhook/get",
            "webhook.get",
            "Shows a webhook, with what was refused at it lately.",
            read(webhook::get),
        ),
        Method::post(
            "/monitoring/v1/webhook/list",
            "webhook.list",
            "Lists webhooks.",
            read(webhook::list),
        ),
        Method::post(
            "/monitoring/v1/webhook/stat",
            "webhook.stat",
            "Counts webhooks, and more.",
            read(webhook::stat),
        ),
    ]
}

fn alert_configs() -> Vec<Method> {
    vec![
        Method::post(
            "/monitoring/v1/project-alert-config/create",
            "project_alert_config.create",
            "Switches alerting on for a project.",
            write(config::create),
        ),
        Method::post(
            "/monitoring/v1/project-alert-config/update",
            "project_alert_config.update",
            "Changes how a project is alerted.",
            write(config::update),
        ),
        Method::post(
            "/monitoring/v1/project-alert-config/delete",
            "project_alert_config.delete",
            "Switches alerting off for a project.",
            write(config::delete),
        ),
        Method::post(
            "/monitoring/v1/project-alert-config/get",
            "project_alert_config.get",
            "Shows how a project is alerted.",
            read(config::get),
        ),
        Method::post(
            "/monitoring/v1/project-alert-config/list",
            "project_alert_config.list",
            "Lists how projects are alerted.",
            read(config::list),
        ),
        Method::post(
            "/monitoring/v1/project-alert-config/stat",
            "project_alert_config.stat",
            "Counts how projects are alerted, and more.",
            read(config::stat),
        ),
    ]
}
