//! `event_rule.*`: what is changed of events before they become alerts.
