//! One provider's mapping: which variant reads a payload, and what it makes of each item.

use std::{borrow::Cow, cell::OnceCell, collections::BTreeMap, sync::Arc};

use chrono_tz::Tz;
use serde_json::Value;

use super::{
    expr::{Expr, Want},
    fields::{FieldReader, Fields},
    plan::{ITEMS_LOOKED_AT, MOST_HEADS, Plan, Way},
    scene::{MOST_TOLD, Missing, Run, Scene, Source, Trace},
    tally::{Site, Tally},
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
    pub(super) missing: Option<Missing>,
    pub(super) lets: Vec<Expr>,
    pub(super) variants: Vec<Variant>,
    pub(super) plan: Arc<Plan>,
    pub(super) live: Arc<Tally>,
    pub(super) is_scripted: bool,
}

/// One shape of payload.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    /// Its name.
    pub(super) name: Arc<str>,
    /// Where it begins in the rule file.
    pub(super) line: u32,
    /// Where it is counted.
    pub(super) site: Site,
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
    /// Where their paths part.
    pub(super) heads: Vec<Way>,
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

/// The most items of a payload that are read.
const MOST_ITEMS: usize = 10_000;

/// Whether origins are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// Values only.
    Values,
    /// Values, and where they came from.
    Origins,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
enum Count<'a> {
    /// Nothing.
    Nothing,
    /// What is cheap, and the rest now and then.
    Live(&'a Tally),
    /// Everything.
    All(&'a Tally),
}

impl Mapping {
    /// Which mapping this is: its provider and a digest of its text.
    pub fn version(&self) -> &Arc<MappingVersion> {
        &self.version
    }

    /// The same mapping, of which nothing was counted yet.
    pub(super) fn uncounted(&self) -> Self {
        Self { live: Arc::new(self.tally()), ..self.clone() }
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
        self.read(input, Detail::Values, Count::Nothing)
    }

    /// What it makes of a payload, and where each value came from. Several times slower than [`Self::apply`].
    pub fn apply_traced(&self, input: &Input<'_>) -> Reading {
        self.read(input, Detail::Origins, Count::Nothing)
    }

    /// What it makes of a payload, counting all that was used of it.
    pub fn apply_tallied(&self, input: &Input<'_>, tally: &Tally) -> Reading {
        self.read(input, Detail::Values, Count::All(tally))
    }

    /// What it makes of a payload, counting into its own tally. Cheap enough for every delivery: everything is counted,
    /// except that paths are looked for in one payload a second at most.
    pub fn apply_live(&self, input: &Input<'_>) -> Reading {
        self.read(input, Detail::Values, Count::Live(&self.live))
    }

    /// What was used of it since it was loaded, counted by [`Self::apply_live`].
    pub fn live(&self) -> &Tally {
        &self.live
    }

    /// An empty tally of it.
    pub fn tally(&self) -> Tally {
        self.plan.tally()
    }

    fn read(&self, input: &Input<'_>, detail: Detail, count: Count<'_>) -> Reading {
        let run = Run::new(self.plan.once);
        let bare = self.scene(input, &run, count);
        bare.hit(Site::PAYLOADS);
        let mut shared = Vec::new();
        extend(&mut shared, &self.lets, bare, with_shared);
        let common = shared.len();
        for (number, variant) in self.variants.iter().enumerate() {
            shared.truncate(common);
            extend(&mut shared, &variant.shared, bare, with_shared);
            let scene = with_shared(bare, &shared);
            if !variant.when.holds(&scene) {
                continue;
            }
            scene.hit(variant.site);
            return match &variant.makes {
                Makes::Nothing(reason) => Reading::Ignored(reason.clone()),
                Makes::Events(items) => {
                    self.look(number, &scene, count);
                    Reading::Items(self.read_items(variant, items, scene, detail))
                }
            };
        }
        Reading::NoVariant(self.no_variant(bare, shared, common))
    }

    fn scene<'a>(&'a self, input: &'a Input<'a>, run: &'a Run, count: Count<'a>) -> Scene<'a> {
        let stripe = match count {
            Count::Nothing => None,
            Count::Live(tally) | Count::All(tally) => Some(tally.stripe()),
        };
        Scene {
            input,
            element: input.payload,
            shared: &[],
            own: &[],
            heads: &[],
            missing: self.missing.as_ref(),
            trace: None,
            stripe,
            run,
        }
    }

    /// Looks for the paths of a variant, where they are counted.
    fn look(&self, variant: usize, scene: &Scene<'_>, count: Count<'_>) {
        // What looking costs is not what reading costs.
        let scene = Scene { stripe: None, run: &Run::default(), ..*scene };
        match count {
            Count::All(tally) => self.plan.look(tally, variant, &scene, usize::MAX),
            Count::Live(tally) if tally.is_time_to_look(scene.input.received_at) => {
                self.plan.look(tally, variant, &scene, ITEMS_LOOKED_AT);
            }
            Count::Nothing | Count::Live(_) => {}
        }
    }

    fn read_items(
        &self,
        variant: &Variant,
        items: &Items,
        scene: Scene<'_>,
        detail: Detail,
    ) -> Vec<Result<Mapped, MapError>> {
        let Some(each) = &items.each else {
            if let Some(stripe) = scene.stripe {
                stripe.hit(Site::ITEMS);
            }
            return vec![self.read_placed(variant, items, scene, (0, || "$".to_owned(), detail))];
        };
        let elements = each.raw(&scene);
        if scene.is_spent() {
            return vec![Err(self.too_costly(None))];
        }
        if let Some(stripe) = scene.stripe {
            stripe.add(Site::ITEMS, elements.len() as u64);
        }
        let places = OnceCell::new();
        let place = |item: usize| {
            let places: &Vec<(String, &Value)> =
                places.get_or_init(|| each.located(&scene, MOST_ITEMS));
            places.get(item).map(|(place, _)| place.clone()).unwrap_or_default()
        };
        let mut read = Vec::with_capacity(elements.len().min(MOST_ITEMS));
        for ((at, element), item) in elements.iter().enumerate().zip(0..).take(MOST_ITEMS) {
            let scene = Scene { element, ..scene };
            read.push(self.read_placed(variant, items, scene, (item, || place(at), detail)));
        }
        if elements.len() > MOST_ITEMS {
            let item = u32::try_from(MOST_ITEMS).ok();
            let reason = format!(
                "the payload holds {} items; only the first {MOST_ITEMS} are read",
                elements.len()
            );
            read.push(Err(self.refusal(item, reason)));
        }
        read
    }

    /// Reads an item; where that fails, again, since what went wrong is told with its place and only origins know places.
    fn read_placed(
        &self,
        variant: &Variant,
        items: &Items,
        scene: Scene<'_>,
        (item, place, detail): (u32, impl Fn() -> String, Detail),
    ) -> Result<Mapped, MapError> {
        let traced = |scene| {
            let trace = Trace::of(&place());
            self.place_shared(variant, scene, &trace);
            self.read_item(
                variant,
                items,
                Scene { trace: Some(&trace), stripe: None, ..scene },
                item,
            )
        };
        if scene.is_spent() {
            return Err(self.too_costly(Some(item)));
        }
        let read = match detail {
            Detail::Values => match self.read_item(variant, items, scene, item) {
                Err(_) if scene.run.may_tell_again() => traced(scene),
                Err(error) => Err(self.refusal(
                    error.item,
                    format!(
                        "it cannot be read ({}), like {MOST_TOLD} items of this payload before it",
                        error.unreadable.cause
                    ),
                )),
                read => read,
            },
            Detail::Origins => traced(scene),
        };
        if scene.is_spent() { Err(self.too_costly(Some(item))) } else { read }
    }

    /// Notes where the variables of the payload came from.
    fn place_shared(&self, variant: &Variant, scene: Scene<'_>, trace: &Trace) {
        let element = scene.input.payload;
        let scene =
            Scene { element, own: &[], heads: &[], trace: Some(trace), stripe: None, ..scene };
        for expr in self.lets.iter().chain(&variant.shared) {
            expr.eval(&scene, Want::All);
            trace.place_shared();
        }
    }

    fn read_item(
        &self,
        variant: &Variant,
        items: &Items,
        scene: Scene<'_>,
        item: u32,
    ) -> Result<Mapped, MapError> {
        let mut own = Vec::new();
        for expr in &items.own {
            extend(&mut own, std::slice::from_ref(expr), scene, with_own);
            if let Some(trace) = scene.trace {
                trace.place_own();
            }
        }
        let scene = Scene { own: &own, ..scene };
        let mut heads = [None; MOST_HEADS];
        for (at, way) in items.heads.iter().enumerate().take(MOST_HEADS) {
            heads[at] = way.follow(&scene, &heads[..at]);
        }
        let scene = Scene { heads: &heads[..items.heads.len().min(MOST_HEADS)], ..scene };
        let mut reader = FieldReader { scene, file: &self.file, item, origins: BTreeMap::new() };
        let draft = items.fields.read(&mut reader)?;
        Ok(Mapped { draft, variant: Arc::clone(&variant.name), origins: reader.origins })
    }

    /// That too much was to be copied.
    fn too_costly(&self, item: Option<u32>) -> MapError {
        let reason = "the payload is too costly to read: what its items share is too large to be repeated for each, or                       a path looks at too many values";
        self.refusal(item, reason.to_owned())
    }

    fn refusal(&self, item: Option<u32>, reason: String) -> MapError {
        let (file, cause) = (Some(self.file.clone()), Cause::BadItem);
        MapError { item, unreadable: Unreadable { cause, reason, file, line: None, path: None } }
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
