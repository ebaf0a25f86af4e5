//! What is asked, and how long each answer takes.

use alertmill::{
    clock::{Stopwatch, Timestamp, rfc3339},
    domain::scope::{Reach, Scope},
    error::Result,
    query::{ALERTS, Catalogue, Cursor, EVENTS, Keyset, Query, Stat},
    store::{Bulk, Explainable, Explained, Found, Tx},
};
use serde_json::{Value, json};

use super::house::{END, House, home, middle, webhook};

/// A question, and whose it is.
pub(crate) struct Question {
    pub(crate) name: String,
    catalogue: &'static Catalogue,
    query: Value,
    scope: Scope,
    /// Whether it is asked from the middle of the store on.
    is_deep: bool,
}

/// How long the answers to a question took, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) median: f64,
    pub(crate) p99: f64,
    /// How many rows the page has.
    pub(crate) rows: usize,
}

/// All that is asked.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn questions(alert: &str) -> Vec<Question> {
    let mut all = Vec::new();
    let one = |key: &str, value: &str| json!([{ "k": key, "v": value, "o": "eq" }]);
    let several = |projects: &[u64]| Scope {
        projects: Reach::Only(projects.iter().map(|project| home(*project).project_id).collect()),
        ..Scope::EVERYTHING
    };
    let workspace = Scope { workspaces: Reach::one(home(3).workspace_id), ..Scope::EVERYTHING };
    let domain = Scope { domains: Reach::one("default".into()), ..Scope::EVERYTHING };
    let mut add = |name: &str, catalogue, filter: Value, scope: &Scope| {
        for is_deep in [false, true] {
            let name = if is_deep { format!("{name}, deep") } else { name.to_owned() };
            let page = json!({ "limit": 50, "total": "none" });
            let query = json!({ "filter": filter, "page": page });
            all.push(Question { name, catalogue, query, scope: scope.clone(), is_deep });
        }
    };
    let everything = &Scope::EVERYTHING;
    add("everything", &EVENTS, json!([]), everything);
    add("whole domain", &EVENTS, json!([]), &domain);
    add("workspace of 10 projects", &EVENTS, json!([]), &workspace);
    add("3 projects of a member", &EVENTS, json!([]), &several(&[0, 5, 77]));
    add("99 small projects", &EVENTS, json!([]), &several(&(1..100).collect::<Vec<_>>()));
    add("large project", &EVENTS, one("project_id", "project-000"), &domain);
    add("small project", &EVENTS, one("project_id", "project-042"), &domain);
    add("webhook", &EVENTS, one("webhook_id", &webhook(0)), &domain);
    add("alert", &EVENTS, one("alert_id", alert), &domain);
    add("busy key", &EVENTS, one("event_key", "key-000007"), &domain);
    add("key", &EVENTS, one("event_key", "key-000502"), &domain);
    add("busy resource", &EVENTS, one("resource", "host-00007"), &domain);
    add("resource", &EVENTS, one("resource", "host-00502"), &domain);
    add("resource in a project", &EVENTS, one("resource", "host-00502"), &several(&[0]));
    let hour = |from: Timestamp| {
        let to = from + chrono::TimeDelta::hours(6);
        json!([{ "k": "created_at", "v": rfc3339(from), "o": "gte" },
               { "k": "created_at", "v": rfc3339(to), "o": "lt" }])
    };
    add("six hours, 15 days ago", &EVENTS, hour(middle() - chrono::TimeDelta::hours(3)), &domain);
    add("critical ones of 3 projects", &EVENTS, one("severity", "CRITICAL"), &several(&[0, 5, 77]));
    add("alerts of everything", &ALERTS, json!([]), everything);
    add("alerts of a project", &ALERTS, one("project_id", "project-042"), &domain);
    add("alerts of a webhook", &ALERTS, one("webhook_id", &webhook(0)), &domain);
    add("alerts of a resource", &ALERTS, one("resource", "host-00007"), &domain);
    add(
        "open alerts of a project",
        &ALERTS,
        json!([
            { "k": "project_id", "v": "project-042", "o": "eq" },
            { "k": "state", "v": ["TRIGGERED", "ACKNOWLEDGED"], "o": "in" },
        ]),
        &domain,
    );
    for (name, catalogue, words, scope) in [
        ("keyword, common", &EVENTS, "checkout", everything),
        ("keyword, one form of 2 000", &EVENTS, "temperature of ledger is stale", everything),
        ("keyword, a number", &EVENTS, "47114", everything),
        ("keyword, nowhere", &EVENTS, "zeppelin", everything),
        ("keyword, nowhere but made of common parts", &EVENTS, "checkouterrorrate", everything),
        ("keyword, digits of an identifier", &EVENTS, "c0ffee", everything),
        ("keyword, a number in a small project", &EVENTS, "4711", &several(&[42])),
        ("keyword, alerts", &ALERTS, "replication", everything),
        ("keyword, alerts, nowhere", &ALERTS, "zeppelin", everything),
    ] {
        for (what, total) in [("", "none"), (", with total", "capped")] {
            let page = json!({ "limit": 50, "total": total });
            // A keyword is split at spaces, any of them may match; this asks for the whole.
            let query = if words.contains(' ') {
                json!({ "filter": [{ "k": "title", "v": words, "o": "contain" }], "page": page })
            } else {
                json!({ "keyword": words, "page": page })
            };
            let (name, scope) = (format!("{name}{what}"), scope.clone());
            all.push(Question { name, catalogue, query, scope, is_deep: false });
        }
    }
    all
}

impl Question {
    pub(crate) fn new(
        name: &str,
        catalogue: &'static Catalogue,
        query: Value,
        scope: Scope,
    ) -> Self {
        Self { name: name.to_owned(), catalogue, query, scope, is_deep: false }
    }

    fn is_stat(&self) -> bool {
        self.query.get("aggregate").is_some()
    }

    fn is_about_events(&self) -> bool {
        std::ptr::eq(self.catalogue, &raw const EVENTS)
    }

    fn stat(&self) -> Stat {
        #[expect(clippy::expect_used, reason = "a bench that cannot run should say where")]
        Stat::parse(&self.query, self.catalogue, middle()).expect("a statistic")
    }

    /// How it is answered, and from which index.
    pub(crate) async fn explained(&self, house: &House) -> Result<Explained> {
        let bulk = if self.is_about_events() { Bulk::Events } else { Bulk::Alerts };
        let scope = self.scope.clone();
        if self.is_stat() {
            let stat = self.stat();
            let explain = move |tx: &dyn Tx| tx.explain(bulk, &scope, Explainable::Stat(&stat));
            return house.store.read(explain).await;
        }
        let query = self.query();
        house.store.read(move |tx| tx.explain(bulk, &scope, Explainable::List(&query))).await
    }

    async fn count(&self, house: &House) -> Result<usize> {
        let (stat, scope, is_about_events) =
            (self.stat(), self.scope.clone(), self.is_about_events());
        let counted = move |tx: &dyn Tx| {
            let rows = if is_about_events {
                tx.event_stat(&scope, &stat)?
            } else {
                tx.alert_stat(&scope, &stat)?
            };
            Ok(rows.len())
        };
        house.store.read(counted).await
    }

    fn query(&self) -> Query {
        #[expect(clippy::expect_used, reason = "a bench that cannot run should say where")]
        let mut query = Query::parse(&self.query, self.catalogue, middle()).expect("a query");
        if self.is_deep {
            let created_at = middle().timestamp_millis();
            query.page.from = Cursor::After(Keyset { created_at, row: 0 });
        }
        query
    }

    async fn ask(&self, house: &House) -> Result<usize> {
        if self.is_stat() {
            return self.count(house).await;
        }
        let (query, scope) = (self.query(), self.scope.clone());
        if self.is_about_events() {
            house.store.read(move |tx| Ok(rows(&tx.events(&scope, &query)?))).await
        } else {
            house.store.read(move |tx| Ok(rows(&tx.alerts(&scope, &query)?))).await
        }
    }

    /// Asks so many times, or for two seconds.
    pub(crate) async fn measure(&self, house: &House, times: usize) -> Result<Took> {
        let mut rows = self.ask(house).await?;
        let whole = Stopwatch::start();
        let mut took = Vec::with_capacity(times);
        while took.len() < times && (took.len() < 3 || whole.elapsed().as_secs() < 2) {
            let watch = Stopwatch::start();
            rows = self.ask(house).await?;
            took.push(watch.elapsed().as_secs_f64() * 1e3);
        }
        took.sort_unstable_by(f64::total_cmp);
        let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
        Ok(Took { median: at(50), p99: at(99), rows })
    }
}

fn rows<T>(found: &Found<T>) -> usize {
    found.rows.len()
}

/// The alert with the most events of those that ended lately.
pub(crate) async fn an_alert(house: &House) -> Result<String> {
    let filter = json!({ "filter": [{ "k": "event_key", "v": "key-000007", "o": "eq" }],
                         "sort": [{ "key": "event_count", "desc": true }],
                         "page": { "limit": 1, "total": "none" } });
    #[expect(clippy::expect_used, reason = "a bench that cannot run should say where")]
    let query = Query::parse(&filter, &ALERTS, middle()).expect("a query");
    let found = house.store.read(move |tx| tx.alerts(&Scope::EVERYTHING, &query)).await?;
    Ok(found
        .rows
        .first()
        .map_or_else(|| format!("none-{END}"), |alert| alert.alert_id().to_string()))
}
