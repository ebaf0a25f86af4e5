//! One provider's mapping: which variant reads a payload, and what it makes of each item.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use chrono_tz::Tz;
use regex::RegexSet;
use serde_json::Value;

use super::{
    expr::{Expr, Want},
    fields::{FieldReader, Fields},
    scene::{Scene, Source, Trace},
    tally::Tally,
    when::When,
};
use crate::{
    clock::Timestamp,
    domain::{
        event::{MapError, Mapped, MappingVersion},
        receipt::Unreadable,
        webhook::Overrides,
        words::Cause,
    },
};

/// One provider's mapping, compiled.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) version: Arc<MappingVersion>,
    pub(super) file: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) missing: Option<RegexSet>,
    pub(super) lets: Vec<Expr>,
    pub(super) variants: Vec<Variant>,
    pub(super) live: Arc<Tally>,
}

/// One shape of payload.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    /// Its name.
    pub(super) name: Arc<str>,
    /// Where it begins in the rule file.
    pub(super) line: u32,
    /// Which payloads it reads.
    pub(super) when: When,
    /// The variables of the payload that it adds.
    pub(super) shared: Vec<Expr>,
    /// What it makes of them.
    pub(super) makes: Makes,
}

/// What a variant makes of a payload.
#[derive(Clone, Debug)]
pub(super) enum Makes {
    /// No event, for this reason.
    Nothing(String),
    /// An event of each item.
    Events(Box<Items>),
}

/// How a variant reads the items of a payload.
#[derive(Clone, Debug)]
pub(super) struct Items {
    /// The items; where absent, the payload is the only one.
    pub(super) each: Option<Source>,
    /// The variables of one item.
    pub(super) own: Vec<Expr>,
    /// The fields of the event.
    pub(super) fields: Fields,
}

/// What a mapping reads.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The body, decoded.
    pub payload: &'a Value,
    /// The headers, by lower-case name.
    pub headers: &'a BTreeMap<String, String>,
    /// The parameters of the query string.
    pub query: &'a BTreeMap<String, String>,
    /// When the delivery arrived.
    pub received_at: Timestamp,
    /// The zone of times that name none.
    pub zone: Tz,
    /// What the webhook says over the mapping.
    pub overrides: &'a Overrides,
}

/// What a mapping made of a payload.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// One outcome per item, in the order of the payload. No items are no events, which is legal.
    Items(Vec<Result<Mapped, MapError>>),
    /// It is deliberately no event, for this reason.
    Ignored(String),
    /// No variant fits.
    NoVariant(MapError),
}

/// Whether origins are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Values only.
    Values,
    /// Values, and where they came from.
    Origins,
}

impl Mapping {
    /// Which mapping this is: its provider and a digest of its text.
    pub fn version(&self) -> &Arc<MappingVersion> {
        &self.version
    }

    /// Its YAML.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file it was read from, relative to its rules directory.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What people call the provider.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The names of its variants, in the order they are tried.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().map(|variant| variant.name.as_ref())
    }

    /// What it makes of a payload.
    pub fn apply(&self, input: &Input<'_>) -> Reading {
        self.read(input, Detail::Values)
    }

    /// What it makes of a payload, and where each value came from. Several times slower than [`Self::apply`].
    pub fn apply_traced(&self, input: &Input<'_>) -> Reading {
        self.read(input, Detail::Origins)
    }

    /// What it makes of a payload, counting what was used of it.
    pub fn apply_tallied(&self, input: &Input<'_>, tally: &Tally) -> Reading {
        let _ = tally;
        self.read(input, Detail::Values)
    }

    /// What it makes of a payload, counting into its own tally. Cheap enough for every delivery.
    pub fn apply_live(&self, input: &Input<'_>) -> Reading {
        self.apply_tallied(input, &self.live)
    }

    /// What was used of it since it was loaded, counted by [`Self::apply_live`].
    pub fn live(&self) -> &Tally {
        &self.live
    }

    /// An empty tally of it.
    pub fn tally(&self) -> Tally {
        Tally::default()
    }

    fn read(&self, input: &Input<'_>, detail: Detail) -> Reading {
        let bare = self.scene(input);
        let mut shared = Vec::new();
        extend(&mut shared, &self.lets, bare, with_shared);
        let common = shared.len();
        for variant in &self.variants {
            shared.truncate(common);
            extend(&mut shared, &variant.shared, bare, with_shared);
            let scene = with_shared(bare, &shared);
            if !variant.when.holds(&scene) {
                continue;
            }
            return match &variant.makes {
                Makes::Nothing(reason) => Reading::Ignored(reason.clone()),
                Makes::Events(items) => {
                    Reading::Items(self.read_items(variant, items, scene, detail))
                }
            };
        }
        Reading::NoVariant(self.no_variant(bare, shared, common))
    }

    fn scene<'a>(&'a self, input: &'a Input<'a>) -> Scene<'a> {
        let missing = self.missing.as_ref();
        Scene { input, element: input.payload, shared: &[], own: &[], missing, trace: None }
    }

    fn read_items(
        &self,
        variant: &Variant,
        items: &Items,
        scene: Scene<'_>,
        detail: Detail,
    ) -> Vec<Result<Mapped, MapError>> {
        let Some(each) = &items.each else {
            let read = |detail| self.read_item(variant, items, scene, (0, "$"), detail);
            // What went wrong is told with its place, and only origins know places.
            return vec![read(detail).or_else(|_| read(Detail::Origins))];
        };
        if detail == Detail::Origins {
            let located = each.located(&scene).into_iter().zip(0..);
            return located
                .map(|((place, element), item)| {
                    self.read_item(
                        variant,
                        items,
                        Scene { element, ..scene },
                        (item, &place),
                        detail,
                    )
                })
                .collect();
        }
        let elements = each.raw(&scene).into_iter().zip(0..);
        let mut read: Vec<Result<Mapped, MapError>> = elements
            .map(|(element, item)| {
                self.read_item(variant, items, Scene { element, ..scene }, (item, "@"), detail)
            })
            .collect();
        if read.iter().any(Result::is_err) {
            for ((outcome, item), (place, element)) in
                read.iter_mut().zip(0..).zip(each.located(&scene))
            {
                if outcome.is_err() {
                    let scene = Scene { element, ..scene };
                    *outcome =
                        self.read_item(variant, items, scene, (item, &place), Detail::Origins);
                }
            }
        }
        read
    }

    fn read_item(
        &self,
        variant: &Variant,
        items: &Items,
        scene: Scene<'_>,
        (item, place): (u32, &str),
        detail: Detail,
    ) -> Result<Mapped, MapError> {
        let mut own = Vec::new();
        extend(&mut own, &items.own, scene, with_own);
        let trace = (detail == Detail::Origins).then(|| Trace::of(place));
        let scene = Scene { own: &own, trace: trace.as_ref(), ..scene };
        let mut reader = FieldReader { scene, file: &self.file, item, origins: BTreeMap::new() };
        let draft = items.fields.read(&mut reader)?;
        Ok(Mapped { draft, variant: Arc::clone(&variant.name), origins: reader.origins })
    }

    /// Why no variant fits.
    fn no_variant(
        &self,
        bare: Scene<'_>,
        mut shared: Vec<Option<Value>>,
        common: usize,
    ) -> MapError {
        let mut missed = Vec::new();
        for variant in &self.variants {
            shared.truncate(common);
            extend(&mut shared, &variant.shared, bare, with_shared);
            let complaint = variant.when.missed(&with_shared(bare, &shared));
            missed.push(format!("{}: {complaint}", variant.name));
        }
        let unreadable = Unreadable {
            cause: Cause::NoVariant,
            reason: format!("no variant of the mapping fits; {}", missed.join("; ")),
            file: Some(self.file.clone()),
            line: None,
            path: None,
        };
        MapError { item: None, unreadable }
    }
}

/// Adds variables, each of which may use those before it.
fn extend(
    found: &mut Vec<Option<Value>>,
    exprs: &[Expr],
    bare: Scene<'_>,
    with: for<'v> fn(Scene<'v>, &'v [Option<Value>]) -> Scene<'v>,
) {
    for expr in exprs {
        let value = expr.eval(&with(bare, found), Want::All).map(Cow::into_owned);
        found.push(value);
    }
}

fn with_shared<'v>(scene: Scene<'v>, shared: &'v [Option<Value>]) -> Scene<'v> {
    Scene { shared, ..scene }
}

fn with_own<'v>(scene: Scene<'v>, own: &'v [Option<Value>]) -> Scene<'v> {
    Scene { own, ..scene }
}
