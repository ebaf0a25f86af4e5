//! What requests say of a channel, checked.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{
    clock::Timestamp,
    domain::{
        channel::{Channel, Gather, LONGEST_GATHER, MOST_GATHERED_BY, Templates, Wanted},
        notice::NotificationLevel,
    },
    error::{Code, Error, Result},
    load_error::did_you_mean,
    query::ALERTS,
};

/// The most conditions that a channel has of each kind.
const MOST_CONDITIONS: usize = 50;

/// The highest rate, in messages a minute.
const HIGHEST_RATE: u32 = 60_000;

/// The longest template, in characters.
const LONGEST_TEMPLATE: usize = 64 << 10;

/// What may be said of a channel when it is made or changed; what is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    pub(super) levels: Option<Vec<NotificationLevel>>,
    pub(super) filter: Option<Vec<Value>>,
    pub(super) filter_or: Option<Vec<Value>>,
    pub(super) templates: Option<Templates>,
    pub(super) gather: Said<GatherRequest>,
    pub(super) rate: Said<u32>,
    pub(super) tags: Option<Map<String, Value>>,
}

/// How a storm is gathered.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GatherRequest {
    /// The fields in which those agree that go out in one message, e.g. `additional_info.cluster`; at most 8, all of the
    /// channel's in one where absent.
    #[serde(default)]
    by: Vec<String>,
    /// For how many seconds after the first one a message waits for more; from 1 to 900.
    seconds: u32,
}

/// What a request says of something that may be taken away.
#[derive(Clone, Debug, Default)]
pub(super) enum Said<T> {
    /// Nothing: it stays as it is.
    #[default]
    Nothing,
    /// Null: it goes.
    Null,
    /// This.
    This(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Null, Self::This))
    }
}

impl Form {
    /// The channel once this is said of it.
    pub(super) fn over(self, channel: Channel, now: Timestamp) -> Result<Channel> {
        let Self { levels, filter, filter_or, templates, gather, rate, tags } = self;
        let wanted = match (filter, filter_or) {
            (None, None) => channel.filter,
            (all, any) => {
                let all = all.unwrap_or_else(|| channel.filter.all.clone());
                filtered((all, any.unwrap_or_else(|| channel.filter.any.clone())), now)?
            }
        };
        Ok(Channel {
            levels: levels.map_or(channel.levels, ordered),
            filter: wanted,
            templates: templates.map_or(Ok(channel.templates), written)?,
            gather: match gather {
                Said::Nothing => channel.gather,
                Said::Null => None,
                Said::This(request) => Some(gathered(request)?),
            },
            rate: match rate {
                Said::Nothing => channel.rate,
                Said::Null => None,
                Said::This(rate) => Some(paced(rate)?),
            },
            tags: tags.map_or(channel.tags, |tags| tags.into_iter().collect()),
            ..channel
        })
    }
}

/// Each level once, in their order.
fn ordered(mut levels: Vec<NotificationLevel>) -> Vec<NotificationLevel> {
    levels.sort_unstable();
    levels.dedup();
    levels
}

fn filtered((all, any): (Vec<Value>, Vec<Value>), now: Timestamp) -> Result<Wanted> {
    for (name, list) in [("filter", &all), ("filter_or", &any)] {
        if list.len() > MOST_CONDITIONS {
            return Err(wrong(name, format!("at most {MOST_CONDITIONS} conditions")));
        }
    }
    Ok(Wanted::parse(all, any, now)?)
}

fn written(templates: Templates) -> Result<Templates> {
    let texts = [("title", &templates.title), ("body", &templates.body)];
    for (name, text) in texts {
        if text.as_ref().is_some_and(|text| text.len() > LONGEST_TEMPLATE) {
            let detail = format!("a template has at most {LONGEST_TEMPLATE} bytes");
            return Err(wrong(&format!("templates/{name}"), detail));
        }
    }
    templates.checked("/templates")
}

fn gathered(request: GatherRequest) -> Result<Gather> {
    let GatherRequest { by, seconds } = request;
    let longest = LONGEST_GATHER.num_seconds();
    if !(1..=longest).contains(&i64::from(seconds)) {
        return Err(wrong("gather/seconds", format!("expected 1 to {longest} seconds")));
    }
    if by.len() > MOST_GATHERED_BY {
        return Err(wrong("gather/by", format!("at most {MOST_GATHERED_BY} fields")));
    }
    for (at, path) in by.iter().enumerate() {
        let first = path.split('.').next().unwrap_or_default();
        let is_alias = ALERTS.aliases.iter().any(|(alias, _)| *alias == path);
        if ALERTS.field(first).is_none() && !is_alias {
            let near = did_you_mean(first, ALERTS.fields.iter().map(|field| field.name));
            let detail = format!("an alert has no field `{first}`{near}");
            return Err(wrong(&format!("gather/by/{at}"), detail));
        }
    }
    Ok(Gather { by, seconds })
}

fn paced(rate: u32) -> Result<u32> {
    if (1..=HIGHEST_RATE).contains(&rate) {
        return Ok(rate);
    }
    Err(wrong("rate", format!("expected 1 to {HIGHEST_RATE} messages a minute, or null")))
}

fn wrong(place: &str, detail: String) -> Error {
    Error::at(Code::InvalidParameter, format!("/{place}"), detail)
}
