//! What is worked out about a mapping before any payload comes: what all items share, where paths part, what is counted.

use std::{collections::BTreeMap, mem, sync::Arc};

use serde_json::Value;

use super::{
    coverage::{ArmUse, Coverage, DefaultUse, PathUse, RowUse, UnknownValue, VariantUse},
    expr::Expr,
    mapping::{Items, Makes, Variant},
    ops::Step,
    scene::{Head, Scene, Slot, Source},
    tally::{Site, Tally},
    walk::{Depth, Part, walk},
};

/// The most heads of a variant.
pub(super) const MOST_HEADS: usize = 16;

/// How many items of a payload a live tally looks for paths in.
pub(super) const ITEMS_LOOKED_AT: usize = 16;

/// What is counted of a mapping.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// How many places are counted.
    pub(super) sites: usize,
    /// How many values do not depend on the item.
    pub(super) once: usize,
    counted: Vec<Counted>,
    /// The paths that tallies look for, by variant.
    looks: Vec<Looks>,
}

/// A place that is counted.
#[derive(Clone, Debug)]
struct Counted {
    site: Site,
    variant: Arc<str>,
    field: &'static str,
    what: What,
}

/// What is counted there.
#[derive(Clone, Debug)]
enum What {
    Variant,
    Arm,
    Row(Box<str>),
    Default,
    Map,
}

/// The paths of one variant that tallies look for.
#[derive(Clone, Debug)]
struct Looks {
    variant: Arc<str>,
    first: usize,
    each: Option<Source>,
    sources: Vec<Source>,
}

/// A place where paths part, and how to come there.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The head before it on the way, if there is one.
    before: Option<Head>,
    /// How many steps lead there.
    taken: usize,
    /// One of the paths that go through it.
    along: Source,
}

impl Way {
    /// What is there; `found` is what is at the heads before it.
    pub(super) fn follow<'a>(
        &self,
        scene: &Scene<'a>,
        found: &[Option<&'a Value>],
    ) -> Option<&'a Value> {
        let (from, taken) = match self.before {
            Some(head) => ((*found.get(head.at)?)?, head.taken),
            None => (self.along.root(scene)?, 0),
        };
        self.along.path.only_through(taken..self.taken, from)
    }
}

impl Plan {
    /// Works a mapping out: `lets` and `variants` are changed to be read faster, and numbered.
    pub(super) fn of(lets: &mut [Expr], variants: &mut [Variant]) -> Self {
        let mut plan = Self { sites: Site::ITEMS.at + 1, ..Self::default() };
        let nowhere: Arc<str> = "".into();
        for expr in lets {
            plan.share_below(expr);
            plan.number(expr, &nowhere, "let");
        }
        let mut paths = 0;
        for variant in variants {
            let name = Arc::clone(&variant.name);
            variant.site = plan.count(Site::at_line(variant.line), &name, "", What::Variant);
            for expr in &mut variant.shared {
                plan.share_below(expr);
                plan.number(expr, &name, "let");
            }
            let mut looks = Looks { variant: name, first: paths, each: None, sources: Vec::new() };
            if let Makes::Events(items) = &mut variant.makes {
                plan.items(items, &mut looks);
            }
            paths += looks.count();
            plan.looks.push(looks);
        }
        plan
    }

    /// An empty tally.
    pub(super) fn tally(&self) -> Tally {
        Tally::of(self.sites, self.looks.iter().map(Looks::count).sum())
    }

    fn items(&mut self, items: &mut Items, looks: &mut Looks) {
        let name = Arc::clone(&looks.variant);
        looks.each.clone_from(&items.each);
        let is_loop = items.each.is_some();
        for expr in &mut items.own {
            self.share_if(is_loop, expr);
            self.number(expr, &name, "let");
        }
        for (field, slot) in items.fields.all_mut() {
            let Some(field_of) = slot else { continue };
            self.share_if(is_loop, &mut field_of.expr);
            self.number(&mut field_of.expr, &name, field);
            looks.add(&mut field_of.expr);
        }
        items.heads = heads(items);
    }

    fn share_if(&mut self, is_loop: bool, expr: &mut Expr) {
        if is_loop { self.share(expr, false) } else { self.share_below(expr) }
    }

    /// Marks what does not depend on the element; it would be read for each. `is_copied` where what comes out is copied
    /// on the way, so that even a look-up costs.
    fn share(&mut self, expr: &mut Expr, is_copied: bool) {
        if !depends_on_element(expr) {
            let is_worth_it = match expr {
                Expr::Constant(_) | Expr::ReceivedAt | Expr::Once(..) => false,
                Expr::Header(_) | Expr::Query(_) => is_copied,
                Expr::Path(source) => is_copied || !source.path.is_singular(),
                _ => true,
            };
            self.share_below(expr);
            if is_worth_it {
                let of = mem::replace(expr, Expr::ReceivedAt);
                *expr = Expr::Once(self.once, Box::new(of));
                self.once += 1;
            }
            return;
        }
        match expr {
            Expr::Hash(parts) | Expr::List(parts) => {
                for part in parts {
                    self.share(part, true);
                }
            }
            Expr::Merge(parts) => {
                for part in parts {
                    self.share(part, is_copied);
                }
            }
            Expr::Json(of) | Expr::Object(of) | Expr::Pairs(of) => self.share(of, true),
            Expr::Fields(fields) => {
                for (_, field) in fields {
                    self.share(field, is_copied);
                }
            }
            Expr::Chain(chain) => {
                let is_copied = is_copied || !chain.then.is_empty();
                for part in &mut chain.from {
                    self.share(part, is_copied);
                }
                self.share_steps(&mut chain.then);
                if let Some(otherwise) = &mut chain.otherwise {
                    self.share(&mut otherwise.gives, is_copied);
                }
            }
            Expr::Case(arms, otherwise) => {
                for arm in arms {
                    self.share(&mut arm.gives, is_copied);
                }
                if let Some(otherwise) = otherwise {
                    self.share(&mut otherwise.gives, is_copied);
                }
            }
            Expr::Path(_)
            | Expr::Template(_)
            | Expr::Constant(_)
            | Expr::Header(_)
            | Expr::Query(_)
            | Expr::ReceivedAt
            | Expr::Once(..) => {}
        }
    }

    fn share_steps(&mut self, steps: &mut [Step]) {
        for step in steps {
            match step {
                Step::Join(_, Some(each)) | Step::Each(each) => self.share(each, true),
                Step::Default(otherwise) => self.share(&mut otherwise.gives, true),
                Step::Join(_, None)
                | Step::Filter(_)
                | Step::Regex(..)
                | Step::Replace(..)
                | Step::Split(_)
                | Step::Index(_)
                | Step::Unique
                | Step::Number
                | Step::Time(_)
                | Step::Json
                | Step::Pairs => {}
            }
        }
    }

    /// The same for an expression that is read once: only its steps go through elements.
    fn share_below(&mut self, expr: &mut Expr) {
        walk(expr, Depth::Item, &mut |part| {
            if let Part::Steps(steps) = part {
                self.share_steps(steps);
            }
        });
    }

    fn count(&mut self, site: Site, variant: &Arc<str>, field: &'static str, what: What) -> Site {
        let site = Site { at: self.sites, ..site };
        self.sites += 1;
        self.counted.push(Counted { site, variant: Arc::clone(variant), field, what });
        site
    }

    /// Numbers what is counted in an expression.
    fn number(&mut self, expr: &mut Expr, variant: &Arc<str>, field: &'static str) {
        walk(expr, Depth::Item, &mut |part| match part {
            Part::Source(..) | Part::Steps(_) => {}
            Part::Arm(site) => *site = self.count(*site, variant, field, What::Arm),
            Part::Default(site) => *site = self.count(*site, variant, field, What::Default),
            Part::Lookup(lookup) => {
                lookup.is_of_severity = field == "severity";
                lookup.site = self.count(lookup.site, variant, field, What::Map);
                for row in &mut lookup.rows {
                    row.site = self.count(row.site, variant, field, What::Row(row.word.clone()));
                }
            }
        });
    }

    /// Looks for the paths of a variant, in so many items at most.
    pub(super) fn look(&self, tally: &Tally, variant: usize, scene: &Scene<'_>, most: usize) {
        let Some(looks) = self.looks.get(variant) else { return };
        let mut found = Vec::with_capacity(looks.count());
        let note = |is_there: bool| if is_there { (1, 0) } else { (0, 1) };
        let elements = match &looks.each {
            Some(each) => {
                let elements = each.raw(scene);
                found.push(note(!elements.is_empty()));
                elements
            }
            None => vec![scene.element],
        };
        for source in &looks.sources {
            let is_there = |element| source.first(&Scene { element, ..*scene }).is_some();
            if source.slot != Slot::Element {
                found.push(note(is_there(scene.element)));
                continue;
            }
            let (mut present, mut absent) = (0, 0);
            for element in elements.iter().take(most) {
                if is_there(element) { present += 1 } else { absent += 1 }
            }
            found.push((present, absent));
        }
        tally.look(looks.first, &found, scene.input.received_at);
    }

    /// What a tally counted.
    pub(super) fn report(&self, tally: &Tally) -> Coverage {
        let mut coverage = Coverage {
            payloads: tally.hits(Site::PAYLOADS),
            items: tally.hits(Site::ITEMS),
            ..Coverage::default()
        };
        for Counted { site, variant, field, what } in &self.counted {
            let (variant, field, line) = (variant.to_string(), (*field).to_owned(), site.line);
            let hits = tally.hits(*site);
            match what {
                What::Variant => coverage.variants.push(VariantUse { name: variant, line, hits }),
                What::Arm => coverage.arms.push(ArmUse { variant, field, line, hits }),
                What::Row(word) => {
                    let word = word.to_string();
                    coverage.rows.push(RowUse { variant, field, line, word, hits });
                }
                What::Default => coverage.defaults.push(DefaultUse { variant, field, line, hits }),
                What::Map => {
                    let unknown = tally.unknown_words();
                    for (value, count) in unknown.words.get(&site.at).into_iter().flatten() {
                        let (variant, field) = (variant.clone(), field.clone());
                        let (value, count) = (value.clone(), *count);
                        coverage.unknown.push(UnknownValue { variant, field, line, value, count });
                    }
                }
            }
        }
        coverage.unknown_others = tally.unknown_words().others;
        self.report_paths(tally, &mut coverage);
        coverage
    }

    fn report_paths(&self, tally: &Tally, coverage: &mut Coverage) {
        let (lives, looked) = tally.lives();
        coverage.looked = looked;
        let named = self.looks.iter().flat_map(|looks| {
            looks.each.iter().chain(&looks.sources).map(move |source| (&looks.variant, source))
        });
        for ((variant, source), life) in named.zip(lives) {
            coverage.paths.push(PathUse {
                variant: variant.to_string(),
                path: source.path.to_string(),
                line: source.line,
                present: life.present.count,
                absent: life.absent.count,
                first_present: life.present.first,
                last_present: life.present.last,
                first_absent: life.absent.first,
                last_absent: life.absent.last,
                run: life.run,
                run_since: life.since,
                longest_present: life.present.longest,
                longest_absent: life.absent.longest,
            });
        }
    }
}

impl Looks {
    fn count(&self) -> usize {
        usize::from(self.each.is_some()) + self.sources.len()
    }

    /// Adds the paths of a field that begin at the payload, its variables or the item.
    fn add(&mut self, expr: &mut Expr) {
        walk(expr, Depth::Item, &mut |part| {
            let Part::Source(source, Depth::Item) = part else { return };
            let is_known = self.sources.iter().any(|known| {
                known.slot == source.slot && known.path.to_string() == source.path.to_string()
            });
            if !is_known && !matches!(source.slot, Slot::Own(_)) {
                self.sources.push(source.clone());
            }
        });
    }
}

/// Whether an expression depends on what `@` is, or on what was made of it.
fn depends_on_element(expr: &mut Expr) -> bool {
    let mut depends = false;
    walk(expr, Depth::Item, &mut |part| {
        if let Part::Source(source, depth) = part {
            depends |= match source.slot {
                Slot::Element => depth == Depth::Item,
                Slot::Own(_) => true,
                Slot::Payload | Slot::Shared(_) => false,
            };
        }
    });
    depends
}

/// Where the paths of an item part: these are looked up once for each, before its fields.
fn heads(items: &mut Items) -> Vec<Way> {
    let is_loop = items.each.is_some();
    let varies = |slot| match slot {
        Slot::Element | Slot::Own(_) => true,
        Slot::Payload | Slot::Shared(_) => !is_loop,
    };
    let mut ways: BTreeMap<(Slot, Vec<String>), (usize, Source)> = BTreeMap::new();
    for_each_source(items, &mut |source| {
        let names = source.path.leading_names();
        for taken in (1..=names.len()).filter(|_| varies(source.slot)) {
            let prefix = names[..taken].iter().map(|name| (*name).to_owned()).collect();
            let known = ways.entry((source.slot, prefix));
            known.or_insert_with(|| (0, source.clone())).0 += 1;
        }
    });
    // What is behind the same first name is worth a look-up from two paths on, what is further down from three on, unless
    // all of them share the next step too.
    let is_head = |(slot, names): &(Slot, Vec<String>), uses: usize| {
        let deeper = ways.iter().any(|((other, longer), (others, _))| {
            other == slot
                && longer.len() == names.len() + 1
                && longer.starts_with(names)
                && *others == uses
        });
        uses >= 2 + usize::from(names.len() > 1) && !deeper
    };
    let chosen = ways.iter().filter(|(key, (uses, _))| is_head(key, *uses)).take(MOST_HEADS);
    let mut heads: Vec<((Slot, Vec<String>), Way)> = Vec::new();
    for (key, (_, along)) in chosen {
        let before = head_of(&heads, key);
        let way = Way { before, taken: key.1.len(), along: along.clone() };
        heads.push((key.clone(), way));
    }
    for_each_source(items, &mut |source| {
        let names = source.path.leading_names().into_iter().map(ToOwned::to_owned).collect();
        source.head = head_of(&heads, &(source.slot, names));
    });
    heads.into_iter().map(|(_, way)| way).collect()
}

/// The last head on the way to some place.
fn head_of(heads: &[((Slot, Vec<String>), Way)], place: &(Slot, Vec<String>)) -> Option<Head> {
    let leads = |((slot, names), _): &&((Slot, Vec<String>), Way)| {
        *slot == place.0 && place.1.starts_with(names)
    };
    let on_the_way = heads.iter().enumerate().filter(|(_, head)| leads(head));
    let last = on_the_way.max_by_key(|(_, (_, way))| way.taken);
    last.map(|(at, (_, way))| Head { at, taken: way.taken })
}

/// Every path of a variant's fields that selects one value at most and whose `@` is the item.
fn for_each_source(items: &mut Items, see: &mut dyn FnMut(&mut Source)) {
    for (_, field) in items.fields.all_mut() {
        if let Some(field) = field {
            walk(&mut field.expr, Depth::Item, &mut |part| {
                if let Part::Source(source, Depth::Item) = part
                    && source.path.is_singular()
                {
                    see(source);
                }
            });
        }
    }
}
