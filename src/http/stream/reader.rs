//! One reader: waits for a commit, reads a short stretch, hands over its messages one by one, and goes on.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use actix_web::web::{Bytes, Data};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior},
};

use super::{
    message::{self, Dropped},
    pace::Pace,
};
use crate::{
    api::stream::{Told, Watched, tell},
    bus::{KEPT, Place},
    digest::Digest,
    domain::scope::Scope,
    error::{Error, Result},
    http::{Front, caller},
    store::Between,
};

/// How long a stream is silent at most.
const ALIVE: Duration = Duration::from_secs(15);

/// How long after news the store is read, so that many commits make one read.
const GATHER: Duration = Duration::from_millis(20);

/// After how many rows that were not wanted the reader is told where it stands.
const UNWANTED: i64 = 10_000;

/// One reader of the stream.
pub(super) struct Reader {
    front: Data<Front>,
    watched: Arc<Watched>,
    /// The digest of its token.
    token: Digest,
    /// Up to where it has been looked at.
    place: Place,
    /// Up to where the reader knows.
    told: Place,
    news: watch::Receiver<Place>,
    stopping: watch::Receiver<bool>,
    alive: Interval,
    ready: VecDeque<(Bytes, Place)>,
    /// What could be seen when it was read.
    seen: Option<Scope>,
    has_ended: bool,
    pace: Arc<Pace>,
}

/// What comes next.
enum Next {
    /// There may be something to read.
    Read,
    /// Nothing happened for a while.
    Silence,
}

impl Reader {
    /// A reader that goes on after `place`, or from now on.
    pub(super) fn open(
        front: &Data<Front>,
        watched: Arc<Watched>,
        token: Digest,
        place: Option<Place>,
    ) -> Result<Self> {
        let entered = front.streams.enter(front.app.config.stream_stall.0)?;
        let news = front.app.store.snapshots().bus.subscribe();
        let place = place.unwrap_or_else(|| *news.borrow());
        let mut alive = tokio::time::interval(ALIVE);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        alive.reset();
        Ok(Self {
            front: front.clone(),
            watched,
            token,
            place,
            told: place,
            news,
            stopping: front.streams.stopping(),
            alive,
            ready: VecDeque::from([(message::greeting(place), place)]),
            seen: None,
            has_ended: false,
            pace: entered,
        })
    }

    /// The next bytes for the reader; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.pace.asked();
        if self.pace.is_stalled() && !self.has_ended {
            return Some(self.end(Dropped::TooSlow));
        }
        self.forget_what_may_not_be_seen();
        let bytes = match self.ready.pop_front() {
            Some((bytes, place)) => {
                self.told = place;
                bytes
            }
            None if self.has_ended => return None,
            None => self.wait().await,
        };
        self.alive.reset();
        self.pace.gave();
        Some(bytes)
    }

    /// Forgets what was read, and is not told yet, where its reader may see something else by now; it is read anew.
    fn forget_what_may_not_be_seen(&mut self) {
        if !self.ready.is_empty() && self.seen.is_some() && self.seen != self.scope() {
            self.ready.clear();
            self.place = self.told;
        }
    }

    async fn wait(&mut self) -> Bytes {
        loop {
            match self.read().await {
                Ok(()) => {}
                Err(why) => {
                    self.pace.dropped(why);
                    return self.end(why);
                }
            }
            if let Some((bytes, place)) = self.ready.pop_front() {
                self.told = place;
                return bytes;
            }
            if self.place.beyond(self.told) >= UNWANTED {
                return self.moved_on();
            }
            match self.news().await {
                Next::Read => {}
                Next::Silence if self.place == self.told => return message::NOTHING,
                Next::Silence => return self.moved_on(),
            }
        }
    }

    /// Tells the reader where it stands although nothing was for it.
    fn moved_on(&mut self) -> Bytes {
        self.told = self.place;
        message::moved_on(self.place)
    }

    /// Waits until there may be something to read; not at all where there is.
    async fn news(&mut self) -> Next {
        if self.place != *self.news.borrow_and_update() {
            return Next::Read;
        }
        tokio::select! {
            _ = self.news.changed() => {
                tokio::time::sleep(GATHER).await;
                Next::Read
            }
            _ = self.stopping.changed() => Next::Read,
            _ = self.alive.tick() => Next::Silence,
        }
    }

    /// Reads the next stretch, if there is one.
    async fn read(&mut self) -> Result<(), Dropped> {
        if *self.stopping.borrow_and_update() {
            return Err(Dropped::Stopping);
        }
        let scope = self.scope().ok_or(Dropped::Revoked)?;
        let newest = *self.news.borrow();
        if !self.place.is_within(newest) {
            return Err(Dropped::Ahead);
        }
        if self.place == newest {
            return Ok(());
        }
        let backlog = self.front.app.config.stream_backlog.min(KEPT);
        if newest.beyond(self.place) > i64::from(backlog) {
            return Err(Dropped::TooFarBehind);
        }
        let Told { messages, reached, forgotten } =
            self.told_of(scope.clone(), newest).await.map_err(|error| {
                tracing::warn!(%error, cause = ?error.cause, "a stream could not be read");
                Dropped::Failed
            })?;
        if !forgotten.is_within(self.place) {
            return Err(Dropped::Removed);
        }
        self.place = reached;
        self.seen = Some(scope);
        self.ready.extend(messages.iter().map(|it| (message::told(it), it.place)));
        Ok(())
    }

    async fn told_of(&self, scope: Scope, newest: Place) -> Result<Told, Error> {
        let (watched, after) = (Arc::clone(&self.watched), self.place);
        let stretch = Between { after, upto: newest };
        self.front.app.store.read(move |tx| tell(tx, &scope, &watched, stretch)).await
    }

    /// What the reader may see at this moment; `None` where its token does not work any more.
    fn scope(&self) -> Option<Scope> {
        let app = &self.front.app;
        caller::rights(app, &self.token, app.clock.now()).map(|(_, scope)| scope)
    }

    /// Ends the stream with a last message.
    fn end(&mut self, why: Dropped) -> Bytes {
        self.has_ended = true;
        self.ready.clear();
        let place = if why.is_gap() { *self.news.borrow() } else { self.told };
        why.message(place)
    }
}
