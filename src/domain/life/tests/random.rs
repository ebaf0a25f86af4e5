//! The life of an alert at random: it stays sound, and its history tells the truth.

use proptest::prelude::*;

use super::*;

/// What a reader of the history alone would believe.
#[derive(Debug, PartialEq)]
struct Believed {
    state: AlertState,
    acknowledged_until: Option<Timestamp>,
    snoozed_until: Option<Timestamp>,
    flapping: Option<bool>,
    held: bool,
    merged_into: Option<Id<Alert>>,
    assignee: Option<String>,
    severity: Severity,
    urgency: Urgency,
    project: Id<crate::domain::project::Project>,
}

impl Believed {
    fn of(alert: &Alert) -> Self {
        Self {
            state: alert.standing.state,
            acknowledged_until: alert.care.acknowledged_until,
            snoozed_until: alert.care.snooze.as_ref().map(|snooze| snooze.until),
            flapping: alert.care.flapping.as_ref().map(|flapping| flapping.recovered),
            held: alert.care.held.is_some(),
            merged_into: alert.care.merged_into.clone(),
            assignee: alert.assignee.clone(),
            severity: alert.standing.severity,
            urgency: alert.standing.urgency,
            project: alert.home.project_id.clone(),
        }
    }

    fn over(&mut self) {
        *self = Self {
            state: AlertState::Resolved,
            acknowledged_until: None,
            snoozed_until: None,
            flapping: None,
            held: false,
            ..Self { project: self.project.clone(), ..self.copied() }
        };
    }

    fn copied(&self) -> Self {
        Self {
            merged_into: self.merged_into.clone(),
            assignee: self.assignee.clone(),
            project: self.project.clone(),
            ..*self
        }
    }

    /// With one more step of the history read.
    fn read(&mut self, step: &Life) {
        match step {
            Life::Opened { state, .. } => self.state = *state,
            Life::Acknowledged { from, until } => {
                assert_eq!(self.state, *from);
                self.state = AlertState::Acknowledged;
                self.acknowledged_until = *until;
            }
            Life::Reopened { from, .. } => {
                assert_eq!(self.state, *from);
                self.state = AlertState::Triggered;
                self.acknowledged_until = None;
            }
            Life::Resolved { from, .. } => {
                assert_eq!(self.state, *from);
                self.over();
            }
            Life::Expired { .. } => self.over(),
            Life::Worsened { from, to } => {
                assert!(from < to);
                self.severity = *to;
            }
            Life::Snoozed { until, .. } => self.snoozed_until = Some(*until),
            Life::SnoozeEnded { .. } => self.snoozed_until = None,
            Life::Assigned { to, from } => {
                assert_eq!(self.assignee, *from);
                self.assignee.clone_from(to);
            }
            Life::Urgency { to, .. } => self.urgency = *to,
            Life::Moved { from, to } => {
                assert_eq!(self.project, *from);
                self.project = to.clone();
            }
            Life::Merged { into, .. } => self.merged_into = Some(into.clone()),
            Life::Unmerged { from, .. } => {
                assert_eq!(self.merged_into.as_ref(), Some(from));
                self.merged_into = None;
            }
            Life::Flaps { .. } | Life::FlapUp => self.flapping = Some(false),
            Life::FlapDown => self.flapping = Some(true),
            Life::Settled { .. } => self.flapping = None,
            Life::Held { .. } => self.held = true,
            Life::HeldNoMore => self.held = false,
            Life::Edited { .. }
            | Life::TookIn { .. }
            | Life::LetGo { .. }
            | Life::Noted { .. }
            | Life::Deleted => {}
        }
    }
}

/// Something that may be done, told apart from times so that they can be set to lie around now.
fn acts() -> impl Strategy<Value = (u8, i64, u8)> {
    (0..20_u8, -5_000..100_000_i64, 0..4_u8)
}

fn act((kind, later, which): (u8, i64, u8), alert: &mut Alert, now: Timestamp) -> Act {
    let at = now + TimeDelta::milliseconds(later);
    let name = || ["amy", AMY, BOB, "carl"][usize::from(which)].to_owned();
    let reason = (which > 1).then(name);
    match kind {
        0 => Act::Acknowledge { until: (which > 1).then_some(at) },
        1 => Act::Acknowledge { until: None },
        2 => Act::Resolve { reason },
        3 => Act::Reopen { reason },
        4 => Act::Snooze { until: at, reason },
        5 => Act::Wake,
        6 => Act::Assign { assignee: (which > 0).then(name) },
        7 => Act::Edit(Edit { title: reason, ..Edit::default() }),
        8 => {
            let urgency = Some(if which > 1 { Urgency::High } else { Urgency::Low });
            Act::Edit(Edit { urgency, ..Edit::default() })
        }
        9 => Act::Move { home: home(["p", "q", "r", "p"][usize::from(which)]) },
        10 => Act::Merge { into: format!("alert-{which}").as_str().into(), reason },
        11 => Act::Unmerge { reason },
        12 | 13 => {
            let severity = Severity::ALL[usize::from(which) + 2];
            if alert.standing.state.is_open() {
                let (worse, act) = worsened(alert, severity);
                // The rise of the urgency is the event's, and told with the severity.
                *alert = worse;
                return act;
            }
            down()
        }
        14 => Act::Flap { openings: 6, within: 60 },
        15 => down(),
        16 => Act::Fire,
        17 => {
            let all = [
                Act::Settle(Parts::Over),
                Act::AcknowledgementRunsOut,
                Act::SnoozeEnds,
                Act::Settle(Parts::Open),
            ];
            all[usize::from(which)].clone()
        }
        18 => {
            alert.care.leads = which < 3;
            alert.standing.marks = alert.care.marks();
            Act::LastPartEnds
        }
        _ => Act::Expire { stale_after: 60 },
    }
}

/// What holds of every alert, whatever was done to it.
fn sound(alert: &Alert) {
    let Alert { standing, care, ending, responder, acknowledged_at, .. } = alert;
    assert_eq!(ending.is_some(), standing.state == AlertState::Resolved);
    let is_acked = standing.state == AlertState::Acknowledged;
    if standing.state.is_open() {
        assert_eq!((responder.is_some(), acknowledged_at.is_some()), (is_acked, is_acked));
    } else {
        assert_eq!((&care.snooze, &care.flapping, &care.held), (&None, &None, &None));
    }
    assert!(is_acked || care.acknowledged_until.is_none());
    assert!(!care.expired || !standing.state.is_open());
    assert_eq!(standing.marks.has(Marks::SNOOZED), care.snooze.is_some());
    assert_eq!(standing.marks.has(Marks::FLAPPING), care.flapping.is_some());
    assert_eq!(standing.marks.has(Marks::MERGED), care.merged_into.is_some());
}

proptest! {
    #[test]
    fn whatever_is_done_an_alert_stays_sound_and_its_history_tells_the_truth(
        acts in proptest::collection::vec((acts(), 0..20_000_i64), 1..60),
        error in any::<bool>(),
    ) {
        let mut alert = opened(if error { EventType::Error } else { EventType::Alert });
        let mut believed = Believed::of(&alert);
        let mut now = from_millis(1000);
        for (chosen, later) in acts {
            now += TimeDelta::milliseconds(later);
            let act = act(chosen, &mut alert, now);
            let before = alert.clone();
            let Ok(turn) = alert.turned(act.clone(), Doer { actor: AMY, now }) else { continue };
            sound(&turn.alert);
            for step in &turn.steps {
                believed.read(step);
                prop_assert!(!step.sentence().is_empty() && !step.verdict().is_empty());
                let kept = serde_json::to_string(step).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Life>(&kept).unwrap(), step);
            }
            // The urgency of an event rises with its severity, of which alone there is a step.
            believed.urgency = turn.alert.standing.urgency;
            prop_assert_eq!(&believed, &Believed::of(&turn.alert));
            let changed = turn.alert != before;
            prop_assert_eq!(changed || matches!(act, Act::Worsen { .. }), changed || !turn.steps.is_empty() || matches!(act, Act::Worsen { .. }));
            if turn.steps.is_empty() {
                prop_assert_eq!(&turn.alert, &before);
                prop_assert_eq!(&turn.then, &Then::Nothing);
            }
            let ends = before.standing.state.is_open() && !turn.alert.standing.state.is_open();
            prop_assert_eq!(matches!(turn.then, Then::End(_)), ends);
            let opens = !before.standing.state.is_open() && turn.alert.standing.state.is_open();
            prop_assert!(!opens || matches!(turn.then, Then::StartAnew(..)));
            // Doing the same again at the same time does nothing more.
            let again = turn.alert.turned(act, Doer { actor: AMY, now }).unwrap();
            prop_assert_eq!(&again.alert, &turn.alert);
            alert = turn.alert;
        }
        let over = alert.turned(resolve(), Doer { actor: AMY, now }).unwrap().alert;
        prop_assert_eq!(over.standing.state, AlertState::Resolved);
    }
}
