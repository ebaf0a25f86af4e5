//! Sending what the outbox holds: each message at least once, those of an alert in order, none before its commit.
//!
//! A message is read from the store, sent, and what came of it is written down; whoever is killed in between sends it again,
//! under the same identifier.

mod desk;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use tokio::task::JoinSet;

use self::desk::Desk;
use super::Jobs;
use crate::{
    care::{Hand, announce},
    clock::{Stopwatch, Timestamp},
    domain::{
        ack_link::LinkKey,
        channel::{Channel, ChannelState},
        message::{Attempt, LONGEST_ASKED, Message, Next, Sending, after},
        notice::{NoticeStep, NotificationType, Written},
        scope::Scope,
    },
    error::{Code, Result},
    id::Id,
    metrics::KindLabels,
    notify::{self, Delivered, Parcel, Retry, SendFault},
    outbound::{AllowPrivate, Outbound},
    store::{Due, Settled, Tx},
};

/// How often what is due is looked for where nothing else gives cause to.
const EVERY: Duration = Duration::from_millis(200);

/// How long is waited between two looks at least, so that many commits are one cause.
const APART: Duration = Duration::from_millis(20);

/// How long is tried to write down what came of an attempt before it counts as not made.
const WRITE_TRIES: u32 = 50;

/// Who records name.
const ACTOR: &str = "timer:deliver";

/// What is needed to send, and what is known of channels meanwhile.
pub struct Courier {
    outbound: Outbound,
    /// What links that acknowledge alerts are made by.
    links: LinkKey,
    /// What addresses that are shown begin with, once that is known.
    public_url: Arc<OnceLock<String>>,
    desk: Mutex<Desk>,
}

impl Default for Courier {
    /// One that reaches public addresses alone.
    fn default() -> Self {
        Self::new(Outbound::new(AllowPrivate::No), LinkKey::new([0; 32]), Arc::default())
    }
}

/// A message that is under way.
struct Errand {
    channel: Arc<Channel>,
    due: Due,
}

impl Courier {
    /// One that calls out by `outbound`.
    pub fn new(outbound: Outbound, links: LinkKey, public_url: Arc<OnceLock<String>>) -> Self {
        Self { outbound, links, public_url, desk: Mutex::default() }
    }

    /// How calls go out.
    pub fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// What links that acknowledge alerts are made and known by.
    pub fn links(&self) -> &LinkKey {
        &self.links
    }

    /// The page that asks whether the alert of a message is to be acknowledged, where there is one to ask about.
    pub fn ack_url(&self, due: &Due, now: Timestamp) -> Option<String> {
        let [notice] = due.notices.as_slice() else { return None };
        let base = self.public_url.get().filter(|base| !base.is_empty())?;
        let is_alerting = notice.occasion.notification_type() == NotificationType::Error;
        let token = self.links.token(&due.message.message_id, now);
        is_alerting.then(|| format!("{base}/ack/{token}"))
    }

    /// What addresses that are shown begin with.
    pub fn base_url(&self) -> String {
        self.public_url.get().cloned().unwrap_or_default()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends for ever what comes to be due.
pub(super) async fn run(jobs: &Jobs) {
    let mut commits = jobs.intake.store.snapshots().bus.subscribe();
    let mut under_way = JoinSet::new();
    loop {
        match errands(jobs, jobs.clock.now()).await {
            Ok(errands) => {
                for errand in errands {
                    let jobs = jobs.clone();
                    under_way.spawn(async move { errand.run(&jobs).await });
                }
            }
            Err(error) if error.code == Code::Unavailable => {}
            Err(error) => {
                tracing::warn!(%error, cause = ?error.cause, "what is to be sent could not be looked for");
            }
        }
        tokio::time::sleep(APART).await;
        tokio::select! {
            _ = commits.changed() => {}
            Some(_) = under_way.join_next() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
        while under_way.try_join_next().is_some() {}
    }
}

/// Sends what is due at this moment, once each, and waits for it; how many messages that were.
///
/// # Errors
/// Where the store cannot be asked.
pub async fn deliver(jobs: &Jobs, now: Timestamp) -> Result<usize> {
    let errands = errands(jobs, now).await?;
    let (count, mut under_way) = (errands.len(), JoinSet::new());
    for errand in errands {
        let jobs = jobs.clone();
        under_way.spawn(async move { errand.run(&jobs).await });
    }
    while under_way.join_next().await.is_some() {}
    Ok(count)
}

/// Takes what is due and may be sent now.
async fn errands(jobs: &Jobs, now: Timestamp) -> Result<Vec<Errand>> {
    let (store, courier) = (&jobs.intake.store, &jobs.courier);
    courier.desk().look();
    let waiting = store.read(|tx| tx.due_channels()).await?;
    let due = waiting.into_iter().filter(|(_, first)| *first <= now);
    let asked: Vec<(Id<Channel>, u32)> = {
        let desk = courier.desk();
        let each = due.map(|(channel, _)| {
            let (room, under_way) = desk.room(&channel, now);
            // Those under way are due still, and stand among the first.
            let most = if room == 0 { 0 } else { room + under_way };
            (channel, most)
        });
        each.filter(|(_, most)| *most > 0).collect()
    };
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let found = store.read(move |tx| found(tx, &asked, now)).await?;
    let mut errands = Vec::new();
    for (id, channel, messages) in found {
        let Some(channel) = channel.filter(|it| it.state == ChannelState::Enabled) else {
            close(jobs, id, now).await?;
            continue;
        };
        let channel = Arc::new(channel);
        let mut desk = courier.desk();
        let taken =
            messages.into_iter().filter(|due| desk.take(&channel, &due.message.message_id, now));
        errands.extend(taken.map(|due| Errand { channel: Arc::clone(&channel), due }));
    }
    Ok(errands)
}

/// Channels with what may be sent to them; no channel where it is gone.
type Found = Vec<(Id<Channel>, Option<Channel>, Vec<Due>)>;

fn found(tx: &dyn Tx, asked: &[(Id<Channel>, u32)], now: Timestamp) -> Result<Found> {
    let each = asked.iter().map(|(id, most)| {
        let channel = tx.channel(&Scope::EVERYTHING, id)?;
        Ok((id.clone(), channel, tx.due_messages(id, now, *most)?))
    });
    each.collect()
}

/// Drops what waits for a channel that takes nothing any more.
async fn close(jobs: &Jobs, id: Id<Channel>, now: Timestamp) -> Result<()> {
    let mint = jobs.intake.mint.clone();
    let dropped = move |tx: &mut dyn Tx| {
        let hand = Hand { mint: &mint, now, actor: ACTOR };
        announce::drop_waiting(tx, (&id, id.as_str()), "its channel takes nothing any more", &hand)
    };
    jobs.intake.store.write(dropped).await
}

impl Errand {
    /// Sends the message, and writes down what came of it.
    async fn run(self, jobs: &Jobs) {
        let at = jobs.clock.now();
        let watch = Stopwatch::start();
        let parcel = self.parcel(jobs, at);
        let Channel { channel_id, kind, templates, .. } = &*self.channel;
        let sent = notify::deliver(&jobs.courier.outbound, (kind, templates), &parcel).await;
        let (now, sending) = (jobs.clock.now(), sending(&sent));
        jobs.intake.metrics.messages.get_or_create(&KindLabels { kind: word(sending) }).inc();
        jobs.courier.desk().learn(channel_id, sending, now);
        let took = watch.elapsed();
        let settled = self.settled((sent, sending), (at, took), now);
        let message_id = self.due.message.message_id.clone();
        self.keep(jobs, settled, now).await;
        jobs.courier.desk().done(channel_id, &message_id);
    }

    fn parcel(&self, jobs: &Jobs, now: Timestamp) -> Parcel {
        let Due { message, notices, thread } = &self.due;
        Parcel {
            message_id: message.message_id.clone(),
            notices: notices.clone(),
            ack_url: jobs.courier.ack_url(&self.due, now),
            thread: thread.clone(),
            base_url: jobs.courier.base_url(),
            now,
        }
    }

    fn settled(
        &self,
        (sent, sending): (Result<Delivered, SendFault>, Sending),
        (at, took): (Timestamp, Duration),
        now: Timestamp,
    ) -> Settled {
        let Message { message_id, attempts, .. } = &self.due.message;
        let next = after(attempts + 1, sending, message_id.as_str(), now);
        let took_ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        let (status, fault, thread, note) = match sent {
            Ok(Delivered { status, thread, note }) => (status, None, thread, note),
            Err(SendFault { retry: _, reason, status }) => (status, Some(reason), None, None),
        };
        let attempt = Attempt { number: attempts + 1, at, took_ms, status, fault };
        Settled { message_id: message_id.clone(), attempt, next, thread, note }
    }

    /// Writes down what came of the attempt. Where the store does not take it for long, the message is sent again.
    async fn keep(&self, jobs: &Jobs, settled: Settled, now: Timestamp) {
        let step = self.step(&settled);
        let notices = Arc::new(self.due.notices.clone());
        for _ in 0..WRITE_TRIES {
            let (settled, step, notices) = (settled.clone(), step.clone(), Arc::clone(&notices));
            let mint = jobs.intake.mint.clone();
            let written = jobs.intake.store.write(move |tx| {
                let waited = tx.settle_message(&settled, now)?;
                let hand = Hand { mint: &mint, now, actor: ACTOR };
                match step.filter(|_| waited) {
                    Some(step) => {
                        // What cannot be noted must not have the message sent again.
                        let note = &mut |tx: &mut dyn Tx| announce::noted(tx, &notices, &step, &hand);
                        if let Err(error) = tx.attempt(note) {
                            tracing::error!(%error, cause = ?error.cause, "what became of a message could not be noted");
                        }
                        Ok(())
                    }
                    None => Ok(()),
                }
            });
            match written.await {
                Ok(()) => return,
                Err(error) if error.code == Code::Unavailable => tokio::time::sleep(EVERY).await,
                Err(error) => {
                    tracing::error!(message.id = %self.due.message.message_id, %error, cause = ?error.cause, "what came of a message could not be written down; it is sent again");
                    return;
                }
            }
        }
    }

    /// What the history of its alerts says of the attempt: the first failure, and how it ended.
    fn step(&self, settled: &Settled) -> Option<NoticeStep> {
        let Channel { channel_id, name, .. } = &*self.channel;
        let Message { message_id, attempts, .. } = &self.due.message;
        let message = Written {
            message_id: message_id.clone(),
            channel_id: channel_id.clone(),
            name: name.clone(),
            why: None,
        };
        let (made, reason) = (attempts + 1, settled.attempt.fault.clone().unwrap_or_default());
        match settled.next {
            Next::Done => Some(NoticeStep::Sent { message, attempts: made }),
            Next::Again(again_at) if made == 1 => {
                Some(NoticeStep::Failed { message, attempt: made, reason, again_at })
            }
            Next::Again(_) => None,
            Next::GivenUp => Some(NoticeStep::Dead { message, attempts: made, reason }),
        }
    }
}

fn sending(sent: &Result<Delivered, SendFault>) -> Sending {
    match sent {
        Ok(_) => Sending::Arrived,
        Err(SendFault { retry: Retry::Never, .. }) => Sending::Refused,
        Err(SendFault { retry: Retry::Later(asked), .. }) => {
            Sending::Failed(asked.map(|asked| {
                TimeDelta::from_std(asked).unwrap_or(LONGEST_ASKED).min(LONGEST_ASKED)
            }))
        }
    }
}

const fn word(sending: Sending) -> &'static str {
    match sending {
        Sending::Arrived => "sent",
        Sending::Failed(_) => "failed",
        Sending::Refused => "refused",
    }
}
