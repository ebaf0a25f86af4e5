//! The table of `/monitoring/v1`, as Cloudforet has it.

use super::method::{Method, read};
use crate::api::event;

/// The methods of `/monitoring/v1`.
pub(super) fn methods() -> Vec<Method> {
    events_and_alerts()
}

fn events_and_alerts() -> Vec<Method> {
    vec![
        Method::post("/monitoring/v1/event/get", "event.get", "Shows an event.", read(event::get)),
        Method::post("/monitoring/v1/event/list", "event.list", "Lists events.", read(event::list)),
    ]
}

