//! One call of a script in `QuickJS`: a fresh context, limits on time, memory and stack, JSON in and out.

use std::{cell::Cell, rc::Rc, time::Duration};

use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Exception, Function, Module, Object, Runtime, Value,
    context::intrinsic::{Eval, Json, MapSet, Promise, RegExp, RegExpCompiler},
    promise::PromiseState,
};

use super::{Failure, Source, host, host::Patterns, worker::Job};
use crate::clock::thread_cpu_time;

/// How long a call may compute.
const TIME: Duration = Duration::from_millis(50);

/// How many bytes it may hold at once.
const MEMORY: usize = 16 << 20;

/// How many bytes of stack it may use.
pub(super) const STACK: usize = 256 << 10;

/// How many bytes of JSON it may give.
const OUTPUT: usize = 4 << 20;

/// What every script finds before its first line.
const PRELUDE: &str = include_str!("prelude.js");

/// A runtime whose limits are set. It is thrown away after a call that went wrong.
pub(super) struct Engine {
    runtime: Runtime,
    deadline: Rc<Deadline>,
    patterns: Patterns,
}

/// When a call is stopped, on the clock of its thread.
#[derive(Default)]
struct Deadline {
    at: Cell<Duration>,
    is_over: Cell<bool>,
}

impl Deadline {
    fn has_come(&self) -> bool {
        if thread_cpu_time() >= self.at.get() {
            self.is_over.set(true);
        }
        self.is_over.get()
    }
}

impl Engine {
    /// The one in `slot`, or a new one there.
    pub(super) fn reused(slot: &mut Option<Self>) -> Result<&Self, Failure> {
        if slot.is_none() {
            let no_runtime =
                |fault| Failure::new(format!("not run: its engine does not start: {fault}"));
            *slot = Some(Self::new().map_err(no_runtime)?);
        }
        slot.as_ref().ok_or_else(|| Failure::new("not run: its engine is gone"))
    }

    fn new() -> rquickjs::Result<Self> {
        let runtime = Runtime::new()?;
        let deadline = Rc::new(Deadline::default());
        runtime.set_memory_limit(MEMORY);
        runtime.set_max_stack_size(STACK);
        let watched = Rc::clone(&deadline);
        runtime.set_interrupt_handler(Some(Box::new(move || watched.has_come())));
        Ok(Self { runtime, deadline, patterns: Patterns::default() })
    }

    /// Whether something is left of a call that could go on in the next one.
    pub(super) fn is_spent(&self) -> bool {
        self.runtime.is_job_pending()
    }

    /// Runs a job in a context of its own.
    pub(super) fn run(&self, job: &Job) -> Result<Option<String>, Failure> {
        type Parts = (Eval, RegExpCompiler, RegExp, Json, MapSet, Promise);
        self.deadline.is_over.set(false);
        self.deadline.at.set(thread_cpu_time() + TIME);
        let context = Context::custom::<Parts>(&self.runtime)
            .map_err(|fault| Failure::new(format!("not run: {fault}")))?;
        context.with(|ctx| {
            let call = Call { ctx: &ctx, job, deadline: &self.deadline };
            call.prepare(&self.patterns).and_then(|()| call.run())
        })
    }
}

/// A job in its context.
struct Call<'c, 'js> {
    ctx: &'c Ctx<'js>,
    job: &'c Job,
    deadline: &'c Deadline,
}

impl<'js> Call<'_, 'js> {
    /// Puts there what scripts may call, and takes away what they may not.
    fn prepare(&self, patterns: &Patterns) -> Result<(), Failure> {
        let prepared =
            host::install(self.ctx, patterns).and_then(|()| self.ctx.eval::<(), _>(PRELUDE));
        self.caught(prepared)
    }

    fn run(&self) -> Result<Option<String>, Failure> {
        let Source { file, text } = &*self.job.source;
        let declared = Module::declare(self.ctx.clone(), file.as_str(), text.as_str());
        let (module, loaded) = self.caught(declared.and_then(Module::eval))?;
        match loaded.state() {
            PromiseState::Resolved => {}
            PromiseState::Rejected => {
                self.caught(loaded.result::<()>().unwrap_or(Ok(())))?;
                return Err(Failure::new("its top level failed"));
            }
            PromiseState::Pending => {
                return Err(Failure::new(
                    "its top level waits for something, and nothing ever comes",
                ));
            }
        }
        let exports = self.caught(module.namespace())?;
        let Some((function, argument)) = &self.job.call else { return self.names(&exports) };
        let function: Function<'js> = self.caught(exports.get(*function))?;
        let argument = self.caught(self.ctx.json_parse(argument.as_str()))?;
        let value: Value<'js> = self.caught(function.call((argument,)))?;
        self.json(value)
    }

    /// The names of the functions that a script exports, as JSON.
    fn names(&self, exports: &Object<'js>) -> Result<Option<String>, Failure> {
        let mut names = Vec::new();
        for name in exports.keys::<String>() {
            let name = self.caught(name)?;
            let value: Value<'js> = self.caught(exports.get(name.as_str()))?;
            if !value.is_function() {
                return Err(Failure::new(format!("exports `{name}`, which is no function")));
            }
            names.push(name);
        }
        let names = serde_json::to_string(&names);
        names.map(Some).map_err(|fault| Failure::new(fault.to_string()))
    }

    /// A value as JSON; `None` where there is no JSON for it.
    fn json(&self, value: Value<'js>) -> Result<Option<String>, Failure> {
        if value.is_promise() {
            return Err(Failure::new("it returned a promise: its functions cannot be `async`"));
        }
        let Some(text) = self.caught(self.ctx.json_stringify(value))? else { return Ok(None) };
        let text = self.caught(text.to_string())?;
        if text.len() > OUTPUT {
            let limit = OUTPUT >> 20;
            return Err(Failure::new(format!("it returned more than {limit} MB of JSON")));
        }
        Ok(Some(text))
    }

    /// What came of something, or what went wrong in it.
    fn caught<T>(&self, result: rquickjs::Result<T>) -> Result<T, Failure> {
        let result = result.catch(self.ctx);
        if self.deadline.is_over.get() {
            let millis = TIME.as_millis();
            return Err(Failure::new(format!("stopped after {millis} ms of computing")));
        }
        result.map_err(|fault| match fault {
            CaughtError::Exception(exception) => self.thrown(&exception),
            CaughtError::Value(value) if value.is_null() => out_of_memory(),
            CaughtError::Value(value) => {
                let said = value.as_string().and_then(|text| text.to_string().ok());
                Failure::new(format!("threw {}", said.as_deref().map_or("no error", shortened)))
            }
            CaughtError::Error(rquickjs::Error::Allocation) => out_of_memory(),
            CaughtError::Error(fault) => Failure::new(fault.to_string()),
        })
    }

    fn thrown(&self, exception: &Exception<'js>) -> Failure {
        let message = exception.message().unwrap_or_default();
        if message == "out of memory" {
            return out_of_memory();
        }
        let name: String = exception.as_object().get("name").unwrap_or_else(|_| "Error".to_owned());
        let at = exception.stack().and_then(|stack| self.place(&stack));
        Failure { reason: format!("{}: {}", shortened(&name), shortened(&message)), at }
    }

    /// The innermost place of a stack that is in the script itself.
    fn place(&self, stack: &str) -> Option<(u32, u32)> {
        let start = format!("{}:", self.job.source.file);
        stack.lines().find_map(|line| {
            let (_, place) = line.split_once(&start)?;
            let mut numbers = place.trim_end_matches(')').split(':').map(str::parse);
            let line = numbers.next()?.ok()?;
            Some((line, numbers.next().and_then(Result::ok).unwrap_or(1)))
        })
    }
}

fn out_of_memory() -> Failure {
    Failure::new(format!("stopped when it needed more than {} MB", MEMORY >> 20))
}

/// The beginning of a text, which is all that a reason has room for.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(300).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
