//! `alertmill audit list`: who did what, as a table.

use std::str::FromStr;

use clap::Args;
use serde_json::{Value, json};

use super::{
    Failure,
    client::Client,
    question::{OF_AUDITS, Question},
    show::{Screen, brief, field, minute, rows, table},
};
use crate::{
    config::Reach,
    domain::audit::{ActorKind, Trail},
    query::AUDITS,
};

/// List audit records, what occurred last first.
#[derive(Args)]
#[command(mut_arg("filter", |it| it.long_help(OF_AUDITS)))]
pub(super) struct List {
    /// Only those of this action, e.g. `webhook.create`.
    #[arg(long)]
    action: Option<String>,
    /// Only those of this actor: a name, an identifier, or both words of `user:user-0198...`.
    #[arg(long, value_name = "NAME|ID")]
    actor: Option<String>,
    /// Only those about this: a name, an identifier, or both words of `webhook:webhook-0198...`.
    #[arg(long, visible_alias = "resource", value_name = "NAME|ID")]
    entity: Option<String>,
    /// Whose doings: OWN (what was done to and in Alertmill), `POSTED`, `EVENT`, `AUDIT_EVENT` or `COMMUNICATION_EVENT`.
    #[arg(long, default_value_t = Trail::Own)]
    trail: Trail,
    /// Only those of this domain.
    #[arg(long, value_name = "ID")]
    domain: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    question: Question,
}

impl List {
    /// Does it.
    pub(super) async fn run(&self, reach: &Reach) -> Result<(), Failure> {
        let answer = Client::find(reach)?.post("/api/v1/audit/list", self.asked()?).await?;
        Screen::new(reach.json).show(&answer, |answer| self.told(answer))
    }

    fn asked(&self) -> Result<Value, Failure> {
        let mut query = self.question.query(&AUDITS)?;
        let mut filter = vec![equal("trail", self.trail.as_str())];
        filter.extend(self.action.as_deref().map(|action| equal("action", action)));
        filter.extend(self.domain.as_deref().map(|domain| equal("domain_id", domain)));
        filter.extend(self.actor.as_deref().map(by).into_iter().flatten());
        if let Some(entity) = &self.entity {
            match entity.split_once(':') {
                Some((kind, id)) => {
                    filter.extend([equal("entity_type", kind), equal("entity_id", id)]);
                }
                None if is_identifier(entity) => filter.push(equal("entity_id", entity)),
                None => {
                    let either = [equal("entity_id", entity), equal("entity_name", entity)];
                    query.insert("filter_or".to_owned(), either.to_vec().into());
                }
            }
        }
        if let Some(Value::Array(said)) = query.remove("filter") {
            filter.extend(said);
        }
        query.insert("filter".to_owned(), filter.into());
        query.insert("page".to_owned(), json!({ "limit": self.limit, "total": "none" }));
        if !self.question.columns.is_empty() {
            query.insert("only".to_owned(), self.question.columns.clone().into());
        }
        Ok(json!({ "query": query }))
    }

    fn told(&self, answer: &Value) -> String {
        if !self.question.columns.is_empty() {
            let headings: Vec<&str> = self.question.columns.iter().map(String::as_str).collect();
            let cells = |record| headings.iter().map(|name| field(record, name)).collect();
            return table(&headings, rows(answer).map(cells).collect(), NOTHING);
        }
        let cells = |record: &Value| {
            vec![
                minute(record, "occurred_at"),
                field(record, "action"),
                field(record, "outcome"),
                called(record, "entity"),
                called(record, "actor"),
                field(record, "remote"),
            ]
        };
        let headings = ["TIME (UTC)", "ACTION", "OUTCOME", "ENTITY", "ACTOR", "FROM"];
        let mut text = table(&headings, rows(answer).map(cells).collect(), NOTHING);
        if answer["next_cursor"].is_string() {
            text.push_str("\n\nThere are more; see them with --limit.");
        }
        text
    }
}

const NOTHING: &str = "No audit record is like that.";

/// What people call something, with what kind of thing it is; by its identifier where it has no name.
fn called(record: &Value, what: &str) -> String {
    let name = match field(record, &format!("{what}_name")) {
        none if none.is_empty() => brief(record, &format!("{what}_id")),
        name => name,
    };
    format!("{} {name}", field(record, &format!("{what}_type"))).trim_end().to_owned()
}

/// That somebody did it who is called so.
fn by(actor: &str) -> Vec<Value> {
    if let Some((kind, id)) = actor.split_once(':')
        && let Ok(kind) = ActorKind::from_str(kind)
    {
        return vec![equal("actor_type", kind.as_str()), equal("actor_id", id)];
    }
    let field = if is_identifier(actor) { "actor_id" } else { "actor_name" };
    vec![equal(field, actor)]
}

/// Whether that is an identifier as Alertmill makes them, e.g. `user-` and 32 hexadecimal digits.
fn is_identifier(text: &str) -> bool {
    let digits = text.rsplit_once('-').map_or("", |(_, digits)| digits);
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn equal(field: &str, value: &str) -> Value {
    json!({ "k": field, "v": value, "o": "eq" })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::query::Query;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        list: List,
    }

    fn read(line: &str) -> List {
        let words = ["list"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().list
    }

    fn filter(line: &str) -> Vec<Value> {
        let query = read(line).asked().unwrap()["query"].clone();
        let checked = Query::parse(&query, &AUDITS, crate::clock::from_millis(0));
        assert!(checked.is_ok(), "{line}: {checked:?}");
        query["filter"].as_array().unwrap()[1..].to_vec()
    }

    #[test]
    fn somebody_is_asked_for_by_name_or_identifier_as_it_is_shown() {
        let id = "user-01a1fb9034c874e28e4e646eae987800";
        assert_eq!(filter("--actor ada"), [equal("actor_name", "ada")]);
        assert_eq!(filter(&format!("--actor {id}")), [equal("actor_id", id)]);
        let both = [equal("actor_type", "user"), equal("actor_id", id)];
        assert_eq!(filter(&format!("--actor user:{id}")), both);
        let about = [equal("entity_type", "project"), equal("entity_id", "p1")];
        for flag in ["--entity", "--resource"] {
            assert_eq!(filter(&format!("{flag} project:p1")), about);
        }
        let either = read("--entity p1").asked().unwrap()["query"]["filter_or"].clone();
        assert_eq!(either, json!([equal("entity_id", "p1"), equal("entity_name", "p1")]));
    }

    #[test]
    fn all_that_narrows_an_export_narrows_the_list() {
        let all = filter("--since 2h --until 2026-01-02 --domain acme --filter is_success=false");
        let keys: Vec<&str> = all.iter().map(|it| it["k"].as_str().unwrap()).collect();
        assert_eq!(keys, ["domain_id", "is_success", "occurred_at", "occurred_at"]);
        let posted = read("--trail POSTED").asked().unwrap();
        assert_eq!(posted["query"]["filter"][0], equal("trail", "POSTED"));
    }

    #[test]
    fn names_are_shown_and_an_empty_list_claims_nothing() {
        let record = json!({
            "actor_type": "user", "actor_id": "user-01a1fb9034c874e28e4e646eae987800", "actor_name": "ada",
            "entity_type": "webhook", "entity_id": "webhook-01a1fb9034c874e28e4e646eae987800",
            "action": "webhook.create",
        });
        let told = read("").told(&json!({ "results": [record] }));
        assert!(told.contains("user ada") && told.contains("webhook webhook-…ae987800"), "{told}");
        assert_eq!(read("").told(&json!({ "results": [] })), "No audit record is like that.");
    }
}
