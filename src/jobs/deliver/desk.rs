//! What is known of channels since the start: which of them fail, how fast they are sent to, what is under way.
//!
//! It is not kept: after a restart each channel is tried anew.

use std::collections::{BTreeSet, HashMap};

use crate::{
    clock::Timestamp,
    domain::{
        channel::Channel,
        message::{Circuit, Message, Pace, Sending, State},
        project::Workspace,
    },
    id::Id,
};

/// How many messages may be under way at once.
pub(super) const MOST_AT_ONCE: u32 = 256;

/// How many of them to one channel.
const MOST_TO_ONE: u32 = 8;

/// How many of them through the channels of one workspace, so that one whose receivers are slow holds up no other.
const MOST_OF_WORKSPACE: u32 = 64;

/// What is known of channels since the start.
#[derive(Debug, Default)]
pub(super) struct Desk {
    channels: HashMap<Id<Channel>, Stand>,
    under_way: u32,
    /// How many of them, by workspace, for those that have any.
    of_workspaces: HashMap<Id<Workspace>, u32>,
    /// What was done since the look at the store that is under way began, which may not see that yet.
    done: BTreeSet<Id<Message>>,
}

/// What is known of one channel.
#[derive(Debug, Default)]
struct Stand {
    circuit: Circuit,
    pace: Option<Pace>,
    under_way: BTreeSet<Id<Message>>,
    /// Whose it is, once something was sent to it.
    workspace: Option<Id<Workspace>>,
}

impl Desk {
    /// Somebody begins to look for what is due; one at a time.
    pub(super) fn look(&mut self) {
        self.done.clear();
    }

    /// How many more messages may be under way to a channel, and how many are.
    pub(super) fn room(&self, channel: &Id<Channel>, now: Timestamp) -> (u32, u32) {
        let Some(stand) = self.channels.get(channel) else {
            return (MOST_TO_ONE.min(self.left()), 0);
        };
        let under_way = u32::try_from(stand.under_way.len()).unwrap_or(u32::MAX);
        let most = match stand.circuit.state(now) {
            State::Closed => MOST_TO_ONE,
            State::Trying => 1,
            State::Open(_) => 0,
        };
        let left = stand.workspace.as_ref().map_or(u32::MAX, |it| self.left_to(it));
        (most.saturating_sub(under_way).min(self.left()).min(left), under_way)
    }

    fn left_to(&self, workspace: &Id<Workspace>) -> u32 {
        MOST_OF_WORKSPACE.saturating_sub(self.of_workspaces.get(workspace).copied().unwrap_or(0))
    }

    fn left(&self) -> u32 {
        MOST_AT_ONCE.saturating_sub(self.under_way)
    }

    /// Takes a message to be sent, unless it is under way already or its channel has no room now.
    pub(super) fn take(
        &mut self,
        channel: &Channel,
        message: &Id<Message>,
        now: Timestamp,
    ) -> bool {
        let workspace = channel.home.workspace_id();
        let is_full = self.room(&channel.channel_id, now).0 == 0 || self.left_to(workspace) == 0;
        if is_full || self.done.contains(message) {
            return false;
        }
        let stand = self.channels.entry(channel.channel_id.clone()).or_default();
        if stand.under_way.contains(message) {
            return false;
        }
        match channel.rate {
            None => stand.pace = None,
            Some(rate) => {
                let fits = stand.pace.take().filter(|pace| pace.per_minute() == rate);
                let pace = stand.pace.insert(fits.unwrap_or_else(|| Pace::new(rate, now)));
                if pace.left(now) == 0 {
                    return false;
                }
                pace.spend(now);
            }
        }
        stand.under_way.insert(message.clone());
        stand.workspace = Some(workspace.clone());
        self.under_way += 1;
        *self.of_workspaces.entry(workspace.clone()).or_default() += 1;
        true
    }

    /// A message is not under way any more.
    pub(super) fn done(&mut self, channel: &Id<Channel>, message: &Id<Message>) {
        if let Some(stand) = self.channels.get_mut(channel)
            && stand.under_way.remove(message)
        {
            self.under_way = self.under_way.saturating_sub(1);
            if let Some(workspace) = &stand.workspace
                && let Some(of_it) = self.of_workspaces.get_mut(workspace)
            {
                *of_it = of_it.saturating_sub(1);
                if *of_it == 0 {
                    self.of_workspaces.remove(workspace);
                }
            }
            self.done.insert(message.clone());
        }
    }

    /// What an attempt says of its channel.
    pub(super) fn learn(&mut self, channel: &Id<Channel>, sending: Sending, now: Timestamp) {
        let stand = self.channels.entry(channel.clone()).or_default();
        match sending {
            // One that refuses a message is there.
            Sending::Arrived | Sending::Refused => stand.circuit.succeeded(),
            // One that asks for time is there too.
            Sending::Failed(Some(asked)) => stand.circuit.hold(now + asked),
            Sending::Failed(None) => stand.circuit.failed(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;
    use crate::{
        clock::from_millis,
        domain::channel::{ChannelKind, ChannelState, Place, Templates, Wanted, kind::ChannelType},
    };

    fn channel(rate: Option<u32>) -> Channel {
        let settings = json!({ "url": "https://example.com/hook" });
        Channel {
            channel_id: "channel-1".into(),
            name: "one".to_owned(),
            home: Place::Workspace("d".into(), "w".into()),
            state: ChannelState::Enabled,
            kind: ChannelKind::parse(ChannelType::Webhook, settings.as_object().unwrap(), None)
                .unwrap(),
            levels: Vec::new(),
            filter: Wanted::default(),
            templates: Templates::default(),
            gather: None,
            rate,
            tags: BTreeMap::new(),
            created_at: from_millis(0),
        }
    }

    fn id(number: u32) -> Id<Message> {
        format!("message-{number}").into()
    }

    #[test]
    fn a_message_is_under_way_once_and_a_channel_has_a_few_at_a_time() {
        let (mut desk, channel, now) = (Desk::default(), channel(None), from_millis(0));
        assert!(desk.take(&channel, &id(1), now));
        assert!(!desk.take(&channel, &id(1), now));
        let taken = (2..100).filter(|number| desk.take(&channel, &id(*number), now)).count();
        assert_eq!(taken, MOST_TO_ONE as usize - 1);
        desk.done(&channel.channel_id, &id(1));
        assert!(!desk.take(&channel, &id(1), now), "who looked before it was done sees it still");
        desk.look();
        assert!(desk.take(&channel, &id(1), now));
    }

    #[test]
    fn a_workspace_has_a_share_of_what_is_under_way() {
        let (mut desk, now) = (Desk::default(), from_millis(0));
        let of = |workspace: &str, number: u32| Channel {
            channel_id: format!("channel-{workspace}-{number}").into(),
            home: Place::Workspace("d".into(), workspace.into()),
            ..channel(None)
        };
        let take = |desk: &mut Desk, workspace: &str| {
            let mut taken = 0;
            for each in 0..100 {
                let name = Id::from(format!("message-{workspace}-{each}"));
                taken += u32::from(desk.take(&of(workspace, each), &name, now));
            }
            taken
        };
        assert_eq!(take(&mut desk, "slow"), MOST_OF_WORKSPACE);
        assert_eq!(take(&mut desk, "other"), MOST_OF_WORKSPACE);
        desk.done(&of("slow", 0).channel_id, &"message-slow-0".into());
        desk.look();
        assert_eq!(take(&mut desk, "slow"), 1);
    }

    #[test]
    fn a_channel_that_fails_is_tried_with_one_message_after_a_while() {
        let (mut desk, channel, now) = (Desk::default(), channel(None), from_millis(0));
        (0..5).for_each(|_| desk.learn(&channel.channel_id, Sending::Failed(None), now));
        assert!(!desk.take(&channel, &id(1), now));
        let later = now + TimeDelta::seconds(10);
        assert!(desk.take(&channel, &id(1), later));
        assert!(!desk.take(&channel, &id(2), later));
        desk.learn(&channel.channel_id, Sending::Arrived, later);
        assert!(desk.take(&channel, &id(2), later));
    }

    #[test]
    fn a_channel_is_sent_no_more_than_its_rate() {
        let (mut desk, channel, now) = (Desk::default(), channel(Some(12)), from_millis(0));
        let take = |desk: &mut Desk, now| {
            let taken: Vec<u32> =
                (0..100).filter(|number| desk.take(&channel, &id(*number), now)).collect();
            for number in &taken {
                desk.done(&channel.channel_id, &id(*number));
            }
            desk.look();
            taken.len()
        };
        assert_eq!(take(&mut desk, now), 2);
        assert_eq!(take(&mut desk, now + TimeDelta::seconds(4)), 0);
        assert_eq!(take(&mut desk, now + TimeDelta::seconds(5)), 1);
    }
}
