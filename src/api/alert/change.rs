//! What a person does to an alert: a decision, before anything is written.

use crate::{
    clock::Timestamp,
    domain::{
        alert::{Alert, Ending, Standing},
        scope::Home,
        words::{AlertState, Urgency},
    },
    error::{Code, Error, Result},
};

/// What a person wants changed; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) title: Option<String>,
    pub(super) state: Option<AlertState>,
    pub(super) description: Option<String>,
    pub(super) assignee: Option<String>,
    pub(super) urgency: Option<Urgency>,
    pub(super) home: Option<Home>,
}

impl Change {
    /// The alert with this change made by `actor`; the same alert where nothing of it changes.
    pub(super) fn made(self, alert: Alert, actor: &str, now: Timestamp) -> Result<Alert> {
        let Self { title, state, description, assignee, urgency, home } = self;
        let before = alert.clone();
        let mut alert = match state {
            Some(state) => moved(alert, state, actor, now)?,
            None => alert,
        };
        alert.title = title.or(alert.title);
        alert.description = description.or(alert.description);
        alert.assignee = assignee.or(alert.assignee);
        alert.standing.urgency = urgency.unwrap_or(alert.standing.urgency);
        alert.home = home.unwrap_or(alert.home);
        if alert != before {
            alert.standing.updated_at = now;
        }
        Ok(alert)
    }
}

/// The alert in another state. An alert of state ERROR may be acknowledged and resolved as any other, which the
/// original refuses; only Alertmill itself gives that state.
fn moved(alert: Alert, to: AlertState, actor: &str, now: Timestamp) -> Result<Alert> {
    match (alert.standing.state, to) {
        (AlertState::Error, AlertState::Error)
        | (AlertState::Triggered, AlertState::Triggered)
        | (AlertState::Resolved, AlertState::Resolved) => Ok(alert),
        (_, AlertState::Error) => {
            Err(refused("only Alertmill itself gives the state ERROR: to what it cannot read"))
        }
        (AlertState::Error, AlertState::Triggered) => {
            Err(refused("an alert in state ERROR can be acknowledged or resolved"))
        }
        (AlertState::Acknowledged, AlertState::Acknowledged)
            if alert.responder.as_deref() == Some(actor) =>
        {
            Ok(alert)
        }
        (_, AlertState::Acknowledged) => Ok(Alert {
            responder: Some(actor.to_owned()),
            acknowledged_at: Some(now),
            ending: None,
            ..standing(alert, AlertState::Acknowledged)
        }),
        (_, AlertState::Triggered) => Ok(Alert {
            responder: None,
            acknowledged_at: None,
            ending: None,
            ..standing(alert, AlertState::Triggered)
        }),
        (_, AlertState::Resolved) => {
            let reason = format!("resolved by {actor}");
            let ending = Ending { resolved_at: now, recovered_at: None, reason };
            Ok(alert.ended(ending, now))
        }
    }
}

fn standing(alert: Alert, state: AlertState) -> Alert {
    Alert { standing: Standing { state, ..alert.standing.clone() }, ..alert }
}

fn refused(detail: &str) -> Error {
    Error::at(Code::InvalidParameter, "/state", detail)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        clock::from_millis,
        domain::{
            care::{Care, Marks},
            words::Severity,
        },
    };

    fn alert(state: AlertState) -> Alert {
        let ended = (state == AlertState::Resolved).then(|| Ending {
            resolved_at: from_millis(5),
            recovered_at: Some(from_millis(4)),
            reason: "recovery event-1".to_owned(),
        });
        Alert {
            standing: Standing {
                alert_id: "alert-1".into(),
                state,
                severity: Severity::Error,
                urgency: Urgency::High,
                event_count: 1,
                last_event_at: from_millis(1),
                updated_at: from_millis(5),
                marks: Marks::default(),
            },
            alert_number: 1,
            event_key: "k".to_owned(),
            title: Some("Disk full".to_owned()),
            description: None,
            rule: None,
            image_url: None,
            resources: Vec::new(),
            provider: Some(String::new()),
            account: Some(String::new()),
            additional_info: BTreeMap::new(),
            assignee: None,
            responder: None,
            triggered_by: "webhook-1".to_owned(),
            webhook_id: None,
            home: Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: "p".into() },
            created_at: from_millis(1),
            acknowledged_at: None,
            ending: ended,
            care: Care::default(),
        }
    }

    fn to(state: AlertState) -> Change {
        Change { state: Some(state), ..Change::default() }
    }

    #[test]
    fn who_acknowledges_becomes_the_responder() {
        for from in [AlertState::Triggered, AlertState::Error, AlertState::Resolved] {
            let acked = to(AlertState::Acknowledged).made(alert(from), "amy", from_millis(9));
            let acked = acked.unwrap();
            assert_eq!(acked.standing.state, AlertState::Acknowledged);
            assert_eq!(acked.responder.as_deref(), Some("amy"));
            assert_eq!(acked.acknowledged_at, Some(from_millis(9)));
            assert_eq!((&acked.ending, acked.standing.updated_at), (&None, from_millis(9)));

            let again = to(AlertState::Acknowledged).made(acked.clone(), "amy", from_millis(10));
            assert_eq!(again.unwrap(), acked);
            let taken = to(AlertState::Acknowledged).made(acked, "bob", from_millis(10)).unwrap();
            assert_eq!(taken.responder.as_deref(), Some("bob"));
        }
    }

    #[test]
    fn resolving_says_who_did_and_leaves_no_recovery() {
        for from in [AlertState::Triggered, AlertState::Acknowledged, AlertState::Error] {
            let over = to(AlertState::Resolved).made(alert(from), "amy", from_millis(9)).unwrap();
            let ending = over.ending.clone().unwrap();
            assert_eq!(over.standing.state, AlertState::Resolved);
            assert_eq!((ending.resolved_at, ending.recovered_at), (from_millis(9), None));
            assert_eq!(ending.reason, "resolved by amy");
        }
    }

    #[test]
    fn resolving_again_changes_nothing() {
        let over = alert(AlertState::Resolved);
        let again = to(AlertState::Resolved).made(over.clone(), "amy", from_millis(9)).unwrap();
        assert_eq!(again, over);
    }

    #[test]
    fn reopening_forgets_who_was_on_it_and_how_it_ended() {
        let mut over = alert(AlertState::Resolved);
        over.responder = Some("amy".to_owned());
        over.acknowledged_at = Some(from_millis(3));
        let open = to(AlertState::Triggered).made(over, "bob", from_millis(9)).unwrap();
        assert_eq!(open.standing.state, AlertState::Triggered);
        assert_eq!((open.responder, open.acknowledged_at, open.ending), (None, None, None));
    }

    #[test]
    fn nobody_gives_or_takes_back_the_state_error_by_hand() {
        for (from, into) in [
            (AlertState::Triggered, AlertState::Error),
            (AlertState::Resolved, AlertState::Error),
            (AlertState::Error, AlertState::Triggered),
        ] {
            let refused = to(into).made(alert(from), "amy", from_millis(9)).unwrap_err();
            assert_eq!(refused.code, Code::InvalidParameter);
            assert_eq!(refused.mistakes[0].pointer, "/state");
        }
    }

    #[test]
    fn a_change_that_changes_nothing_leaves_the_time_alone() {
        let change = Change { title: Some("Disk full".to_owned()), ..Change::default() };
        let same = change.made(alert(AlertState::Triggered), "amy", from_millis(9)).unwrap();
        assert_eq!(same, alert(AlertState::Triggered));
    }
}
