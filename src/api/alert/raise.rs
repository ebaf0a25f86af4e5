//! An alert raised by hand.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    AlertInfo,
    act::{LONGEST_TEXT, bounded},
    alerted,
};
use crate::{
    api::{Call, asked, call::seen},
    care::{self, Hand, Opening},
    domain::{
        alert::{Alert, Standing},
        care::{Care, Marks},
        event_rule::Routing,
        project::Project,
        scope::Home,
        words::{AlertState, Severity, Urgency},
    },
    error::Result,
    id::Id,
    store::Tx,
};

/// Asks to raise an alert by hand.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAlert {
    /// What a person reads first.
    title: String,
    /// The project it is of.
    project_id: Id<Project>,
    /// What a person reads next.
    description: Option<String>,
    /// Who should act.
    assignee: Option<String>,
    /// How soon a person must look; HIGH where absent.
    urgency: Option<Urgency>,
}

/// Raises an alert by hand. It is told and escalated as any other.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateAlert) -> Result<AlertInfo> {
    let home = alerted(tx, call, &request.project_id)?.home;
    let setup = care::setup(tx, &home.project_id)?;
    let mut alert = raised(call, home, request)?;
    let hand = Hand { mint: &call.mint, now: call.now, actor: &call.caller.actor };
    let routing = Routing::default();
    let opening = Opening {
        alert: &mut alert,
        event: None,
        routing: &routing,
        setup: &setup,
        hand,
        steps: Vec::new(),
    };
    care::open(tx, opening)?;
    let view = AlertInfo::from(alert);
    call.touched("alert", &view.alert_id, None, seen(&view));
    Ok(view)
}

fn raised(call: &Call, home: Home, request: CreateAlert) -> Result<Alert> {
    let CreateAlert { title, project_id: _, description, assignee, urgency } = request;
    let title = asked::name("title", &title)?;
    let description = asked::text(description);
    bounded("description", description.as_deref(), LONGEST_TEXT)?;
    let assignee = asked::text(assignee);
    let assignee = assignee.map(|it| asked::name("assignee", &it)).transpose()?;
    let alert_id: Id<Alert> = call.mint.id(call.now);
    Ok(Alert {
        alert_number: 0,
        // It has no events, so nothing but its own identifier can be its key.
        event_key: alert_id.as_str().to_owned(),
        standing: Standing {
            alert_id,
            state: AlertState::Triggered,
            severity: Severity::None,
            urgency: urgency.unwrap_or(Urgency::High),
            event_count: 0,
            last_event_at: call.now,
            updated_at: call.now,
            marks: Marks::default(),
        },
        title: Some(title),
        description,
        rule: None,
        image_url: None,
        resources: Vec::new(),
        provider: Some(String::new()),
        account: Some(String::new()),
        additional_info: BTreeMap::new(),
        assignee,
        responder: None,
        triggered_by: call.caller.actor.clone(),
        webhook_id: None,
        home,
        created_at: call.now,
        acknowledged_at: None,
        ending: None,
        care: Care::default(),
    })
}
