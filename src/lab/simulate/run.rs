//! Running a scenario: step by step, with everything that happens by itself in between.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    deliver,
    expected::{self, Came, Expected},
    file::Scenario,
    furnish::{self, furnish, key_place},
    house::{House, NOBODY, write},
    log::Log,
    mail,
    outcome::Outcome,
    refer::{Refer, Today},
    seen::Seen,
    step::{Action, Step, Update, Which},
};
use crate::{
    api,
    clock::{Timestamp, rfc3339},
    domain::webhook::Webhook,
    error::{Error, Result},
    id::Id,
    ingest::Books,
    load_error::LoadError,
    rules::{At, Node},
};

/// How often things may happen by themselves within one step: beyond that something goes round in circles.
const MOST_TICKS: usize = 1_000_000;

/// A scenario while it runs.
pub(super) struct Run<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) house: House,
    refer: Refer,
    pub(super) books: Arc<Books>,
    /// The webhooks that steps made by naming a provider.
    pub(super) webhooks: BTreeMap<String, Id<Webhook>>,
    log: Log,
    /// How many notifications were looked at already.
    looked: usize,
    failures: Vec<LoadError>,
    trace: Vec<Value>,
}

/// How a step ended that did not go through: what is wrong, and whether the steps after it make sense.
pub(super) enum Halt {
    /// Something in the step that cannot be.
    Mistake(Vec<LoadError>),
    /// The API or the door refused it.
    Refused(Box<Error>, Vec<LoadError>),
}

impl Scenario {
    /// Runs it by these rules and plugins.
    ///
    /// # Errors
    /// What is wrong with the configuration, or a step that cannot be, with its place.
    pub async fn run(&self, books: &Arc<Books>) -> std::result::Result<Outcome, Vec<LoadError>> {
        let here = |error: &Error| self.refused(error, |_| super::file::BEGINNING);
        let house = House::new(books, self.start).await.map_err(|error| here(&error))?;
        let refer = furnish(&house, self).await?;
        let mut run = Run {
            scenario: self,
            log: Log::new(self),
            house,
            refer,
            books: Arc::clone(books),
            webhooks: BTreeMap::new(),
            looked: 0,
            failures: Vec::new(),
            trace: Vec::new(),
        };
        run.log.forget(&run.house).await.map_err(|error| here(&error))?;
        for (number, step) in self.steps.iter().enumerate() {
            run.step(number, step).await?;
        }
        run.end().await.map_err(|error| here(&error))
    }
}

impl Run<'_> {
    async fn step(
        &mut self,
        number: usize,
        step: &Step,
    ) -> std::result::Result<(), Vec<LoadError>> {
        if let Some(note) = &step.note {
            self.log.say(&self.house, "note", note);
        }
        let brought = match (self.act(step).await, &step.refused) {
            (Ok(brought), None) => brought,
            (Ok(_), Some(_)) => {
                self.fail(step.at, "this step was expected to be refused, and was not");
                json!({})
            }
            (Err(Halt::Mistake(mistakes)), _) => return Err(mistakes),
            (Err(Halt::Refused(error, _)), Some(expected))
                if error.to_string().contains(expected.as_str()) =>
            {
                self.log.say(&self.house, "refused", &error.to_string());
                json!({ "error": error.to_string(), "http": error.code.status() })
            }
            (Err(Halt::Refused(_, told)), _) => {
                self.failures.extend(told);
                json!({})
            }
        };
        let due = self.settle_due(step.at).await;
        due.map_err(|error| self.scenario.refused(&error, |_| step.at))?;
        if let Some(expected) = self.scenario.trace.get(number) {
            self.failures.extend(expected::trace(&self.scenario.source, expected, &brought));
        }
        self.trace.push(brought);
        Ok(())
    }

    fn fail(&mut self, at: At, detail: impl Into<String>) {
        let failure = self.scenario.source.mistake(at, detail);
        self.failures.push(failure);
    }

    /// Does what a step says; what it brought, in the recorded form.
    async fn act(&mut self, step: &Step) -> std::result::Result<Value, Halt> {
        let refused = |error: Error| self.scenario.halted(error, |_| step.at);
        match &step.action {
            Action::Post(_) | Action::Unparsable(_) | Action::Deliver(_) => {
                let sentences = deliver::deliver(self, step).await?;
                for (verdict, sentence) in sentences.told {
                    self.log.say(&self.house, &verdict, &sentence);
                }
                Ok(json!({ "http": sentences.http }))
            }
            Action::Advance(span) => {
                let end = self.house.now() + *span;
                self.pass(end, step.at).await.map_err(refused)
            }
            Action::AdvanceTo(moment) if *moment < self.house.now() => {
                let now = rfc3339(self.house.now());
                let mistake = self
                    .scenario
                    .source
                    .mistake(step.at, format!("time does not go back: it is {now} already"));
                Err(Halt::Mistake(vec![mistake]))
            }
            Action::AdvanceTo(moment) => self.pass(*moment, step.at).await.map_err(refused),
            Action::Update(update) => self.update(update).await,
            Action::Call(name, request) => self.call(name, (request, step.at)).await,
            Action::Look => {
                self.tick(step.at).await.map_err(refused)?;
                let sent = self.log.sent.get(self.looked..).unwrap_or_default().to_vec();
                self.looked = self.log.sent.len();
                Ok(json!({ "notifications": sent }))
            }
            Action::Expect(expected) => {
                self.expect(expected).await.map_err(refused)?;
                Ok(json!({}))
            }
        }
    }

    /// Lets time pass, with all that happens by itself until `end`.
    async fn pass(&mut self, end: Timestamp, at: At) -> Result<Value> {
        self.log.passes(&self.house, end);
        for _ in 0..MOST_TICKS {
            let Some(due) = self.house.next(end).await? else {
                self.house.reach(end);
                return Ok(json!({}));
            };
            self.house.reach(due);
            if !self.tick(at).await? {
                self.house.reach(end);
                return Ok(json!({}));
            }
        }
        self.fail(at, format!("more than {MOST_TICKS} things happen by themselves in this step"));
        Ok(json!({}))
    }

    /// Does what is due now on account of what just happened, and settles.
    async fn settle_due(&mut self, at: At) -> Result<()> {
        self.settle().await?;
        let now = self.house.now();
        for _ in 0..MOST_TICKS {
            if self.house.next(now).await?.is_none() || !self.tick(at).await? {
                break;
            }
        }
        Ok(())
    }

    /// Notes what was decided, and takes the messages that were written.
    async fn settle(&mut self) -> Result<()> {
        self.log.catch_up(&self.house).await?;
        let mailed = mail::collect(&self.house, self.scenario.start).await?;
        self.log.mail(mailed);
        Ok(())
    }

    /// Does what is due now; whether all of it could be done.
    async fn tick(&mut self, at: At) -> Result<bool> {
        let failed = self.house.tick().await?;
        self.settle().await?;
        match failed {
            None => Ok(true),
            Some(detail) => {
                self.fail(at, detail);
                Ok(false)
            }
        }
    }

    /// Changes an alert as somebody does it.
    async fn update(&mut self, update: &Update) -> std::result::Result<Value, Halt> {
        let (which, at) = &update.which;
        let refused = |error: Error| self.scenario.halted(error, |_| *at);
        let seen = Seen::of(&self.house).await.map_err(refused)?;
        let is_it = |alert: &&Value| match which {
            Which::Number(number) => alert["alert_number"] == *number,
            Which::Key(key) => alert["event_key"] == **key || alert["alert_id"] == **key,
        };
        let Some(alert) = seen.alerts.iter().rev().find(is_it) else {
            let there = seen.alerts.len();
            let detail = format!("there is no such alert; so far there are {there}");
            let told = self.scenario.source.mistake(*at, &detail);
            return Err(Halt::Refused(Box::new(Error::not_found("alert", detail)), vec![told]));
        };
        let mut request = json!({ "alert_id": alert["alert_id"] });
        for (field, node) in &update.fields {
            request[field] = node.to_json();
        }
        self.refer.resolve(&mut request, &Today { now: self.house.now(), alerts: &seen.alerts });
        let actor = update.by.as_deref().unwrap_or(NOBODY);
        let place = |pointer: &str| {
            let (_, name) = pointer.split_once('/').unwrap_or_default();
            let field =
                update.fields.iter().find(|(field, _)| name.split('/').next() == Some(field));
            field.map_or(*at, |(_, node)| node.at)
        };
        let changed =
            update.fields.iter().map(|(field, node)| format!("{field} {}", node.describe()));
        let told = format!("{actor} sets {}", changed.collect::<Vec<_>>().join(", "));
        self.log.say(&self.house, "update", &told);
        let done = self.house.ask(write(api::alert::update), actor, request).await;
        done.map(|_| json!({})).map_err(|error| self.scenario.halted(error, place))
    }

    /// Calls a method of the API.
    async fn call(
        &mut self,
        name: &str,
        (request, at): (&Node, At),
    ) -> std::result::Result<Value, Halt> {
        let method = furnish::method(name)
            .map_err(|detail| Halt::Mistake(vec![self.scenario.source.mistake(at, detail)]))?;
        let refused = |error: Error| self.scenario.halted(error, |_| at);
        let seen = Seen::of(&self.house).await.map_err(refused)?;
        let mut asked = request.to_json();
        let actor = actor(&mut asked);
        self.refer.resolve(&mut asked, &Today { now: self.house.now(), alerts: &seen.alerts });
        self.log.say(&self.house, "call", &format!("{actor} calls {name}"));
        let done = self.house.ask(method, &actor, asked).await;
        let done = done
            .map_err(|error| self.scenario.halted(error, |pointer| key_place(request, pointer)))?;
        self.refer.made_by(name, &done);
        Ok(done)
    }

    async fn expect(&mut self, expected: &Expected) -> Result<()> {
        self.settle().await?;
        let seen = Seen::of(&self.house).await?;
        let came = Came {
            alerts: &seen.alerts,
            events: &seen.events,
            notifications: self.log.sent.get(self.looked..).unwrap_or_default(),
            requests: &seen.requests,
        };
        self.failures.extend(expected.differences(&self.scenario.source, &came));
        if expected.looks_at_notifications() {
            self.looked = self.log.sent.len();
        }
        Ok(())
    }

    /// Holds what is there at the end to what must be.
    async fn end(mut self) -> Result<Outcome> {
        for expected in &self.scenario.expected {
            self.expect(expected).await?;
        }
        let Seen { alerts, events, requests } = Seen::of(&self.house).await?;
        Ok(Outcome {
            name: self.scenario.name.clone(),
            passed: self.failures.is_empty(),
            began_at: rfc3339(self.scenario.start),
            ended_at: rfc3339(self.house.now()),
            timeline: self.log.lines(&alerts),
            alerts,
            events,
            notifications: self.log.sent,
            messages: self.log.messages,
            requests,
            trace: self.trace,
            failures: self.failures.into_iter().map(Into::into).collect(),
        })
    }
}

/// Who calls, where a request says `by`.
fn actor(request: &mut Value) -> String {
    let by = request.as_object_mut().and_then(|fields| fields.remove("by"));
    by.as_ref().and_then(Value::as_str).unwrap_or(NOBODY).to_owned()
}

impl Scenario {
    /// What was refused, at its places.
    pub(super) fn halted(&self, error: Error, place: impl Fn(&str) -> At) -> Halt {
        let told = self.refused(&error, place);
        Halt::Refused(Box::new(error), told)
    }
}
