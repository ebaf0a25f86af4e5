//! `alertmill event-rule`: manage what is changed of events before they become alerts.
