//! The routes of windows, silences and inhibitions.

use super::super::method::{Method, read, write};
use crate::api::{inhibition, maintenance_window, silence};

/// The methods of windows, silences and inhibitions.
pub(super) fn methods() -> Vec<Method> {
    let mut all = windows();
    all.extend(silences());
    all.extend(inhibitions());
    all.extend(previews());
    all
}

fn windows() -> Vec<Method> {
    vec![
        Method::post(
            "/monitoring/v1/maintenance-window/create",
            "maintenance_window.create",
            "Makes a maintenance window: a time, once or again and again, at which alerts are muted.",
            write(maintenance_window::create),
        ),
        Method::post(
            "/monitoring/v1/maintenance-window/update",
            "maintenance_window.update",
            "Changes a maintenance window that is not closed.",
            write(maintenance_window::update),
        ),
        Method::post(
            "/monitoring/v1/maintenance-window/close",
            "maintenance_window.close",
            "Closes a maintenance window; people are told of what is still open.",
            write(maintenance_window::close),
        ),
        Method::post(
            "/monitoring/v1/maintenance-window/get",
            "maintenance_window.get",
            "Shows a maintenance window, with its next times.",
            read(maintenance_window::get),
        ),
        Method::post(
            "/monitoring/v1/maintenance-window/list",
            "maintenance_window.list",
            "Lists maintenance windows.",
            read(maintenance_window::list),
        ),
        Method::post(
            "/monitoring/v1/maintenance-window/stat",
            "maintenance_window.stat",
            "Counts maintenance windows, and more.",
            read(maintenance_window::stat),
        ),
    ]
}

fn silences() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/silence/create",
            "silence.create",
            "Makes a silence: alerts that someone does not want to hear of for a while.",
            write(silence::create),
        ),
        Method::post(
            "/api/v1/silence/update",
            "silence.update",
            "Changes a silence that is not over.",
            write(silence::update),
        ),
        Method::post(
            "/api/v1/silence/expire",
            "silence.expire",
            "Ends a silence before its time; people are told of what is still open.",
            write(silence::expire),
        ),
        Method::post("/api/v1/silence/get", "silence.get", "Shows a silence.", read(silence::get)),
        Method::post(
            "/api/v1/silence/list",
            "silence.list",
            "Lists silences.",
            read(silence::list),
        ),
        Method::post(
            "/api/v1/silence/stat",
            "silence.stat",
            "Counts silences, and more.",
            read(silence::stat),
        ),
    ]
}

fn inhibitions() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/inhibition/create",
            "inhibition.create",
            "Makes an inhibition: while one alert is open, others are muted.",
            write(inhibition::create),
        ),
        Method::post(
            "/api/v1/inhibition/update",
            "inhibition.update",
            "Changes an inhibition that is not closed.",
            write(inhibition::update),
        ),
        Method::post(
            "/api/v1/inhibition/close",
            "inhibition.close",
            "Closes an inhibition; people are told of what is still open.",
            write(inhibition::close),
        ),
        Method::post(
            "/api/v1/inhibition/get",
            "inhibition.get",
            "Shows an inhibition.",
            read(inhibition::get),
        ),
        Method::post(
            "/api/v1/inhibition/list",
            "inhibition.list",
            "Lists inhibitions.",
            read(inhibition::list),
        ),
        Method::post(
            "/api/v1/inhibition/stat",
            "inhibition.stat",
            "Counts inhibitions, and more.",
            read(inhibition::stat),
        ),
    ]
}

fn previews() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/maintenance-window/preview",
            "maintenance_window.preview",
            "Tells what a maintenance window would have muted in the last seven days, and when it comes.",
            read(maintenance_window::preview),
        ),
        Method::post(
            "/api/v1/silence/preview",
            "silence.preview",
            "Tells what a silence would have muted in the last seven days.",
            read(silence::preview),
        ),
        Method::post(
            "/api/v1/inhibition/preview",
            "inhibition.preview",
            "Tells what an inhibition would have muted in the last seven days.",
            read(inhibition::preview),
        ),
    ]
}
