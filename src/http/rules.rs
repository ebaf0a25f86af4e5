//! The methods of `/api/v1/rules`, and why a stored event is what it is.
//!
//! What checks, tests and explains changes nothing and costs time, so it needs a token that may write, takes at most one
//! mebibyte, and few run at once.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::web::Data;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Front,
    method::{Method, act, compute},
    reload,
};
use crate::{
    api::{Call, Moment},
    app::App,
    domain::event::Event,
    error::{Code, Error, Mistake, Result},
    id::Id,
    ingest::Books,
    lab::{
        explain::Explained,
        posted::Posted,
        samples::{Difference, SampleResult, Shelf, Update, Verdict, check_samples_of},
        stored::{ExplainedEvent, explain_event},
    },
    load_error::LoadError,
    rules::{check, samples::SampleRequest},
};

/// The most that a mapping and a payload have together, in bytes.
const MOST: usize = 1 << 20;

/// The methods of this file.
pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::get(
            "/api/v1/rules",
            "rules.list",
            "Lists the mappings that are live, and what of a change was refused.",
            compute(list),
        ),
        Method::post(
            "/api/v1/rules/check",
            "rules.check",
            "Tells everything that is wrong with the text of a mapping.",
            compute(check_text),
        ),
        Method::post(
            "/api/v1/rules/test",
            "rules.test",
            "Holds samples to what they must become, by the live rules or with another text for one of them.",
            compute(test),
        ),
        Method::post(
            "/api/v1/rules/explain",
            "rules.explain",
            "Says what a payload becomes, and where each value of it came from.",
            compute(explain),
        ),
        reload::method(),
        Method::get(
            "/api/v1/events/{event_id}/explain",
            "event.explain",
            "Says where each value of an event came from, and why it did to alerts what it did.",
            act(explain_stored),
        ),
    ]
}

/// Asks for nothing in particular.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// The rules that are live.
#[derive(Serialize, JsonSchema)]
struct RulesInfo {
    /// Every mapping, by the name of its provider.
    results: Vec<ProviderInfo>,
    /// Which rules and plugins are live: a digest of them all.
    version: String,
    /// When they were loaded.
    loaded_at: Moment,
    /// What was refused after that; null where nothing was.
    refused: Option<RefusedInfo>,
}

/// A mapping that is live.
#[derive(Serialize, JsonSchema)]
struct ProviderInfo {
    /// The provider whose mapping it is.
    provider: String,
    /// What people call the provider.
    title: String,
    /// Which version of it: a digest of its text.
    version: String,
    /// The rule file.
    file: String,
    /// The shapes of payload that it knows, in the order they are tried.
    variants: Vec<String>,
    /// Where it was loaded from.
    origin: Origin,
    /// The plugins that read by it.
    plugins: Vec<String>,
}

/// Where a mapping was loaded from.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Origin {
    /// It is in the binary.
    Builtin,
    /// It is in the directory of `--rules`.
    Overlay,
}

/// Rules or plugins that were not loaded.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RefusedRules")]
struct RefusedInfo {
    /// When.
    at: Moment,
    /// Everything that is wrong with them.
    errors: Vec<MistakeInfo>,
}

/// What is wrong with a rule file or a manifest, or most likely not meant.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RuleMistake")]
struct MistakeInfo {
    /// The file, relative to its directory.
    file: String,
    /// The line, from one; zero where the file as a whole is meant.
    line: u32,
    /// The column in letters, from one; zero where the file as a whole is meant.
    column: u32,
    /// What is wrong, what was expected, and what may have been meant.
    detail: String,
    /// The line as it stands in the file.
    excerpt: Option<String>,
}

impl MistakeInfo {
    fn all(mistakes: &[LoadError]) -> Vec<Self> {
        let of = |LoadError { file, line, column, detail, excerpt }| Self {
            file,
            line,
            column,
            detail,
            excerpt,
        };
        mistakes.iter().cloned().map(of).collect()
    }
}

// Computed, since mappings in the binary are compiled when they are first asked for.
#[expect(clippy::unnecessary_wraps, reason = "what computes has this shape")]
fn list(app: &App, _: &Call, _: Nothing) -> Result<RulesInfo> {
    let intake = &app.intake;
    let (books, standing) = (intake.books.load_full(), intake.shelves.standing());
    let results = books.rulebook.providers().filter_map(|provider| {
        let mapping = books.rulebook.get(provider)?;
        let origin = if standing.overlays(&format!("rules/{provider}/mapping.yaml")) {
            Origin::Overlay
        } else {
            Origin::Builtin
        };
        let plugins = books.plugins.names().filter(|name| {
            books.plugins.get(name).is_some_and(|plugin| plugin.mapping() == provider)
        });
        Some(ProviderInfo {
            provider: provider.to_owned(),
            title: mapping.title().to_owned(),
            version: mapping.version().version.clone(),
            file: mapping.file().to_owned(),
            variants: mapping.variants().map(str::to_owned).collect(),
            origin,
            plugins: plugins.map(str::to_owned).collect(),
        })
    });
    Ok(RulesInfo {
        results: results.collect(),
        version: standing.version.clone(),
        loaded_at: standing.loaded_at.into(),
        refused: standing.refused.as_ref().map(|refusal| RefusedInfo {
            at: refusal.at.into(),
            errors: MistakeInfo::all(&refusal.mistakes),
        }),
    })
}

/// Asks what is wrong with the text of a mapping.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CheckText {
    /// The provider whose mapping it is to be.
    provider: String,
    /// The text.
    text: String,
}

/// What is wrong with the text of a mapping.
#[derive(Serialize, JsonSchema)]
struct Checked {
    /// What is wrong with it, so that it cannot be used.
    errors: Vec<MistakeInfo>,
    /// What is most likely not meant.
    warnings: Vec<MistakeInfo>,
}

fn check_text(app: &App, _: &Call, request: CheckText) -> Result<Checked> {
    let CheckText { provider, text } = request;
    bounded(&[&text])?;
    let rulebook = app.intake.books.load().rulebook.with_text(&provider, &text);
    let (errors, warnings) = match rulebook {
        Err(errors) => (errors, Vec::new()),
        Ok(rulebook) => (Vec::new(), check::check_provider(&rulebook, &provider)),
    };
    Ok(Checked { errors: MistakeInfo::all(&errors), warnings: MistakeInfo::all(&warnings) })
}

/// Asks whether samples become what they must.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct TestSamples {
    /// Only those of this provider.
    provider: Option<String>,
    /// What stands in place of that provider's mapping.
    text: Option<String>,
}

/// Whether samples become what they must.
#[derive(Serialize, JsonSchema)]
struct Tested {
    /// Each sample, and each row of `problems.yaml`.
    results: Vec<TestedSample>,
    /// How many are not as they should be.
    wrong: usize,
}

/// Whether a sample becomes what it must, or whether the samples of one problem share a key that is theirs alone.
#[derive(Serialize, JsonSchema)]
struct TestedSample {
    /// The payload's file, or `problems.yaml`.
    file: String,
    /// The provider.
    provider: String,
    /// What it shows, e.g. `firing`; for a row of `problems.yaml` e.g. `problem: firing, resolved`.
    case: String,
    /// Whether it is as it should be.
    right: bool,
    /// Why it cannot be said what it becomes, or must become.
    problem: Option<String>,
    /// Where it becomes something else.
    differences: Vec<DifferenceInfo>,
}

/// One place where what came differs from what was expected.
#[derive(Serialize, JsonSchema)]
struct DifferenceInfo {
    /// The place, as a JSON pointer.
    pointer: String,
    /// What must stand there; absent where nothing must.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<serde_json::Value>,
    /// What came; absent where nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<serde_json::Value>,
}

impl From<SampleResult> for TestedSample {
    fn from(result: SampleResult) -> Self {
        let right = result.is_right();
        let SampleResult { checked: _, file, provider, case, verdict } = result;
        let (problem, differences) = match verdict {
            Verdict::Holds | Verdict::Rewritten => (None, Vec::new()),
            Verdict::Unsaid => (Some("there is no .events.json beside it".to_owned()), Vec::new()),
            Verdict::Broken(why) => (Some(why), Vec::new()),
            Verdict::Differs(differences) => (None, differences),
        };
        let info =
            |Difference { pointer, expected, actual }| DifferenceInfo { pointer, expected, actual };
        let differences = differences.into_iter().map(info).collect();
        Self { file, provider, case, right, problem, differences }
    }
}

fn test(app: &App, _: &Call, request: TestSamples) -> Result<Tested> {
    let TestSamples { provider, text } = request;
    let only = provider.as_deref();
    let books = match (only, &text) {
        (Some(provider), text) => with_text(app, provider, text.as_deref())?,
        (None, None) => app.intake.books.load_full(),
        (None, Some(_)) => return Err(Error::required("provider")),
    };
    let of = |shelf: &Shelf| {
        check_samples_of(shelf, &books, only, Update::Compare).map_err(Error::internal)
    };
    let mut results = match &app.config.rules {
        Some(directory) => of(&Shelf::Directory(directory.clone()))?,
        None => Vec::new(),
    };
    // Samples of the directory stand for those in the binary, as its mappings do.
    let shipped: Vec<SampleResult> = of(&Shelf::Shipped)?
        .into_iter()
        .filter(|shipped| results.iter().all(|own| own.provider != shipped.provider))
        .collect();
    results.extend(shipped);
    let wrong = results.iter().filter(|result| !result.is_right()).count();
    Ok(Tested { results: results.into_iter().map(TestedSample::from).collect(), wrong })
}

/// Asks what a payload becomes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExplainPayload {
    /// Whose payload it is.
    provider: String,
    /// The payload.
    body: String,
    /// The headers it is posted with.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The parameters of the query string it is posted with.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Its content type.
    content_type: Option<String>,
    /// When it arrives, in RFC 3339; now where absent.
    received_at: Option<String>,
    /// The zone of times that name none, e.g. `Asia/Seoul`; UTC where absent.
    time_zone: Option<String>,
    /// What stands in place of the provider's mapping.
    text: Option<String>,
}

fn explain(app: &App, call: &Call, request: ExplainPayload) -> Result<Explained> {
    let ExplainPayload {
        provider,
        body,
        headers,
        query,
        content_type,
        received_at,
        time_zone,
        text,
    } = request;
    bounded(&[&body, text.as_deref().unwrap_or_default()])?;
    let wrong = |field: &str| {
        let pointer = format!("/{field}");
        move |detail| Error::at(Code::InvalidParameter, pointer, detail)
    };
    let is_now = received_at.is_none();
    let request = SampleRequest { headers, query, content_type, received_at };
    let mut posted =
        Posted::sample(&provider, body.into_bytes(), request).map_err(wrong("received_at"))?;
    if is_now {
        posted.received_at = call.now;
    }
    if let Some(zone) = time_zone {
        posted = posted.in_zone(&zone).map_err(wrong("time_zone"))?;
    }
    let live = app.intake.books.load_full();
    let mapping = posted.plugin(&live).mapping().to_owned();
    if live.plugins.get(&provider).is_none()
        && live.rulebook.get(&mapping).is_none()
        && text.is_none()
    {
        return Err(Error::not_found("provider", provider));
    }
    let books = with_text(app, &mapping, text.as_deref())?;
    Ok(Explained::of(&books, &posted))
}

/// The rules that are live, with another text for one mapping where one is given.
fn with_text(app: &App, provider: &str, text: Option<&str>) -> Result<Arc<Books>> {
    let live = app.intake.books.load_full();
    let Some(text) = text else { return Ok(live) };
    bounded(&[text])?;
    let rulebook = live.rulebook.with_text(provider, text).map_err(|mistakes| {
        let mistakes: Vec<Mistake> = mistakes
            .iter()
            .map(|mistake| Mistake { pointer: "/text".to_owned(), detail: mistake.sentence() })
            .collect();
        let detail = "`text` is no mapping; `/api/v1/rules/check` tells where it is wrong";
        Error { mistakes, ..Error::new(Code::InvalidParameter, detail) }
    })?;
    Ok(Arc::new(Books { rulebook, plugins: live.plugins.clone(), ..Books::default() }))
}

/// Refuses what is too large to be tried.
fn bounded(texts: &[&str]) -> Result<()> {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    if bytes <= MOST {
        return Ok(());
    }
    let detail = format!("text and body have {bytes} bytes together; at most {MOST} are tried");
    Err(Error::new(Code::PayloadTooLarge, detail))
}

/// Asks why an event is what it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExplainEvent {
    /// Its identifier.
    event_id: Id<Event>,
}

async fn explain_stored(
    front: Data<Front>,
    call: Call,
    request: ExplainEvent,
) -> Result<ExplainedEvent> {
    let app = &front.app;
    let (books, store) = (app.intake.books.load_full(), app.store.clone());
    let scope = call.caller.scope.clone();
    let explained = app.store.read(move |tx| {
        let id = &request.event_id;
        let event = tx.event(&scope, id)?.ok_or_else(|| Error::not_found("event", id))?;
        let webhook = store.snapshots().webhooks.get(&event.webhook_id);
        explain_event(tx, (&books, webhook.as_deref()), &scope, event)
    });
    explained.await
}
