//! The routes of channels and messages.

use std::sync::Arc;

use actix_web::web::Data;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::super::{
    Front, audited,
    method::{Method, act, read, write},
};
use crate::{
    api::{Call, channel, message},
    clock::Stopwatch,
    domain::{
        alert::Alert,
        channel::{Channel, Templates},
        message::Message,
        notice::{self, Notice, NotificationLevel, Occasion, bounded},
        scope::{Home, Scope},
        token::Right,
    },
    error::{Code, Error, Result},
    id::Id,
    notify::{self, Parcel, SendFault, preview::preview as previewed},
    query::Query,
    store::Tx,
};

/// The methods of channels and messages.
pub(super) fn methods() -> Vec<Method> {
    let mut all = channels();
    all.extend(tries());
    all.extend(messages());
    all
}

fn channels() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/channel/create",
            "channel.create",
            "Makes a channel: where messages go. What signs its requests is shown once.",
            write(channel::create),
        ),
        Method::post(
            "/api/v1/channel/update",
            "channel.update",
            "Changes a channel.",
            write(channel::update),
        ),
        Method::post(
            "/api/v1/channel/rotate-secret",
            "channel.rotate_secret",
            "Gives a channel a new secret to sign with, which is shown once.",
            write(channel::rotate_secret),
        ),
        Method::post(
            "/api/v1/channel/enable",
            "channel.enable",
            "Lets a channel take messages again.",
            write(channel::enable),
        ),
        Method::post(
            "/api/v1/channel/disable",
            "channel.disable",
            "Lets a channel take nothing; what waits for it is dropped.",
            write(channel::disable),
        ),
        Method::post(
            "/api/v1/channel/delete",
            "channel.delete",
            "Deletes a channel; what waits for it is dropped.",
            write(channel::delete),
        ),
        Method::post("/api/v1/channel/get", "channel.get", "Shows a channel.", read(channel::get)),
        Method::post(
            "/api/v1/channel/list",
            "channel.list",
            "Lists channels.",
            read(channel::list),
        ),
        Method::post(
            "/api/v1/channel/stat",
            "channel.stat",
            "Counts channels, and more.",
            read(channel::stat),
        ),
    ]
}

fn tries() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/channel/test",
            "channel.test",
            "Sends one message through a channel at once, about an alert that is there or a made-up one.",
            act(test),
        ),
        Method::post(
            "/api/v1/channel/preview",
            "channel.preview",
            "Shows what a channel would be sent about an alert; sends nothing.",
            act(preview),
        )
        .needs(Right::Read),
    ]
}

fn messages() -> Vec<Method> {
    vec![
        Method::post(
            "/api/v1/message/get",
            "message.get",
            "Shows a message: what it tells, and each attempt to send it.",
            read(message::get),
        ),
        Method::post(
            "/api/v1/message/list",
            "message.list",
            "Lists messages, newest first.",
            read(message::list),
        ),
        Method::post(
            "/api/v1/message/redrive",
            "message.redrive",
            "Tries a message from the beginning, or all that were given up of a channel.",
            write(message::redrive),
        ),
    ]
}

/// Asks to try a channel, or to see what it would be sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TryChannel {
    /// Its identifier.
    channel_id: Id<Channel>,
    /// The alert that is told of; the newest that the channel may hear of where absent, or a made-up one.
    alert_id: Option<Id<Alert>>,
    /// On what occasion; OPENED where absent.
    occasion: Option<Occasion>,
    /// Templates to try instead of the channel's own.
    templates: Option<Templates>,
}

/// What came of trying a channel.
#[derive(Serialize, JsonSchema)]
struct Tried {
    /// Whether it took the message.
    sent: bool,
    /// The status that it answered, if it did.
    status: Option<u16>,
    /// Why it did not take it, or what was not as it should be.
    reason: Option<String>,
    /// How long it took, in milliseconds.
    took_ms: u64,
    /// What the message was called.
    message_id: Id<Message>,
}

/// What a channel would be sent.
#[derive(Serialize, JsonSchema)]
struct Previewed {
    /// The alert that it tells of; null for a made-up one.
    alert_id: Option<Id<Alert>>,
    /// The message: title, text and particulars, or the body of a webhook's request.
    message: Value,
}

async fn test(front: Data<Front>, call: Call, request: TryChannel) -> Result<Tried> {
    call.touches("channel", &request.channel_id);
    let (channel, parcel, _) = parcel(&front, &call, request, channel::changeable).await?;
    let _turn = front.trying.try_acquire().map_err(|_| {
        Error::unavailable("other channels are being tried; try again when they are done", 5)
    })?;
    let watch = Stopwatch::start();
    let outbound = front.app.courier.outbound();
    let sent = notify::deliver(outbound, (&channel.kind, &channel.templates), &parcel).await;
    let took_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (sent, status, reason) = match sent {
        Ok(delivered) => (true, delivered.status, delivered.note),
        Err(SendFault { status, reason, .. }) => (false, status, Some(reason)),
    };
    let resource = format!("channel:{}", channel.channel_id);
    let mut entry = audited::entry(&call, "channel.test", &resource);
    if !sent {
        // What the channel said of it may hold what nobody else should read.
        Code::Unavailable.name().clone_into(&mut entry.outcome);
        entry.reason = Some(match status {
            Some(status) => format!("nothing was sent: the channel answered {status}"),
            None => "nothing was sent: the channel did not answer as it should".to_owned(),
        });
    }
    entry.after = Some(json!({ "sent": sent, "status": status }));
    entry.entity = entry.entity.map(|entity| entity.called(Some(channel.name.clone())));
    let (domain, mint) = (channel.home.domain_id().clone(), call.mint.clone());
    front.app.store.write(move |tx| tx.add_audit(&domain, entry, &mint).map(|_| ())).await?;
    Ok(Tried { sent, status, reason, took_ms, message_id: parcel.message_id })
}

async fn preview(front: Data<Front>, call: Call, request: TryChannel) -> Result<Previewed> {
    let (channel, parcel, alert_id) = parcel(&front, &call, request, channel::existing).await?;
    let turn = Arc::clone(&front.computing).acquire_owned().await.map_err(Error::internal)?;
    let previewing = spawn_blocking(move || {
        // Held until it is done, though nobody may wait for the answer any more.
        let _turn = turn;
        previewed((&channel.kind, &channel.templates), &parcel)
    });
    let message = previewing
        .await
        .map_err(Error::internal)?
        .map_err(|fault| Error::at(Code::InvalidParameter, "/templates", fault.reason))?;
    Ok(Previewed { alert_id, message })
}

/// Finds the channel that a caller means.
type FindChannel = fn(&dyn Tx, &Call, &Id<Channel>) -> Result<Channel>;

/// The channel that is meant, and what it is sent.
async fn parcel(
    front: &Data<Front>,
    call: &Call,
    request: TryChannel,
    find: FindChannel,
) -> Result<(Channel, Parcel, Option<Id<Alert>>)> {
    let TryChannel { channel_id, alert_id, occasion, templates } = request;
    let asking = call.clone();
    let (mut channel, alert) = front
        .app
        .store
        .read(move |tx| {
            let channel = find(tx, &asking, &channel_id)?;
            // What others have is not told through it, although the caller may see that too.
            let scope = channel.home.within(&asking.caller.scope);
            let alert = alert(tx, &scope, alert_id)?;
            Ok((channel, alert))
        })
        .await?;
    if let Some(templates) = templates {
        channel.templates = templates.checked("/templates")?;
    }
    let found = alert.as_ref().map(|alert| alert.alert_id().clone());
    let notice = told(alert, &channel, occasion.unwrap_or(Occasion::Opened), call);
    let parcel = Parcel {
        message_id: call.mint.id(call.now),
        notices: vec![notice],
        ack_url: None,
        thread: None,
        base_url: call.public_url.clone(),
        now: call.now,
    };
    Ok((channel, parcel, found))
}

/// The alert that is told of: the one that is named, or the newest.
fn alert(tx: &dyn Tx, scope: &Scope, id: Option<Id<Alert>>) -> Result<Option<Alert>> {
    if let Some(id) = id {
        let found = tx.alert(scope, &id)?;
        return found.map(Some).ok_or_else(|| Error::not_found("alert", &id));
    }
    let newest = Query::default().limited_to(1).uncounted();
    Ok(tx.alerts(scope, &newest)?.rows.into_iter().next())
}

/// What is said of an alert, or of one that is made up.
fn told(alert: Option<Alert>, channel: &Channel, occasion: Occasion, call: &Call) -> Notice {
    let home = Home {
        domain_id: channel.home.domain_id().clone(),
        workspace_id: channel.home.workspace_id().clone(),
        project_id: channel.home.project_id().cloned().unwrap_or_else(|| "default".into()),
    };
    let (alert_id, home, record) = match alert {
        Some(alert) => (alert.alert_id().clone(), alert.home.clone(), notice::record(&alert)),
        None => (Id::from("alert-example"), home.clone(), notice::example(&home, call.now)),
    };
    Notice {
        alert_id,
        home,
        occasion,
        level: NotificationLevel::All,
        step: 1,
        reason: None,
        alert: bounded(record),
        created_at: call.now,
    }
}
