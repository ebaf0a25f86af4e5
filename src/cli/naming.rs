//! What people call things instead of by their identifiers: alerts by their numbers, channels and the like by their names.
//!
//! Requests of all commands pass through here, so whatever takes an identifier takes these too.

use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    show::{field, rows},
};

/// What has a name that may be given where its identifier is expected.
struct Named {
    /// The parameter that names one.
    parameter: &'static str,
    /// What its identifiers begin with.
    prefix: &'static str,
    /// What it is called.
    what: &'static str,
    /// Where they are listed.
    list: &'static str,
}

const NAMED: [Named; 6] = [
    Named::new("channel_id", "channel-", ("channel", "/api/v1/channel/list")),
    Named::new(
        "escalation_policy_id",
        "ep-",
        ("escalation policy", "/monitoring/v1/escalation-policy/list"),
    ),
    Named::new("event_rule_id", "er-", ("event rule", "/monitoring/v1/event-rule/list")),
    Named::new("group_rule_id", "gr-", ("group rule", "/api/v1/group-rule/list")),
    Named::new("on_call_id", "oncall-", ("on-call schedule", "/api/v1/on-call/list")),
    Named::new("heartbeat_id", "heartbeat-", ("heartbeat", "/api/v1/heartbeat/list")),
];

/// The parameters that name alerts.
const ALERTS: [&str; 2] = ["alert_id", "into"];

impl Named {
    const fn new(
        parameter: &'static str,
        prefix: &'static str,
        (what, list): (&'static str, &'static str),
    ) -> Self {
        Self { parameter, prefix, what, list }
    }

    /// Whether that is an identifier already.
    fn is_id(&self, text: &str) -> bool {
        let digits = text.strip_prefix(self.prefix);
        digits.is_some_and(|it| it.len() == 32 && it.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}

/// A request with the identifiers of what it calls by number or name.
///
/// # Errors
/// Where a number or a name is that of several.
pub(super) async fn meant(client: &Client, body: Value) -> Result<Value, Failure> {
    let Value::Object(mut asked) = body else { return Ok(body) };
    for parameter in ALERTS {
        if let Some(Value::String(text)) = asked.get(parameter) {
            let id = alert(client, text).await?;
            asked.insert(parameter.to_owned(), id.into());
        }
    }
    if let Some(Value::Array(several)) = asked.get_mut("alert_ids") {
        for one in several {
            if let Value::String(text) = one {
                *one = alert(client, text).await?.into();
            }
        }
    }
    for kind in &NAMED {
        if let Some(Value::String(name)) = asked.get(kind.parameter)
            && !kind.is_id(name)
        {
            let id = named(client, kind, name).await?;
            asked.insert(kind.parameter.to_owned(), id.into());
        }
    }
    Ok(Value::Object(asked))
}

/// The identifier of the alert that is called by its identifier, or by its number as in `12` or `#12`.
///
/// # Errors
/// Where there is no alert of that number, or one in several workspaces.
pub(super) async fn alert(client: &Client, text: &str) -> Result<String, Failure> {
    let Some(number) = number(text) else { return Ok(text.to_owned()) };
    let filter = json!([{ "k": "alert_number", "v": number, "o": "eq" }]);
    let asked = json!({ "query": { "filter": filter } });
    let found = client.post_as_it_is("/monitoring/v1/alert/list", asked).await?;
    let all = found_ids(&found, "alert_id");
    one(all, &format!("alert number {number}"))?
        .ok_or_else(|| Failure::refused(format!("There is no alert number {number}.")))
}

/// The number of an alert, where that is how it is called.
fn number(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

async fn named(client: &Client, kind: &Named, name: &str) -> Result<String, Failure> {
    let asked = Map::from_iter([("name".to_owned(), Value::from(name))]);
    let found = client.post_as_it_is(kind.list, Value::Object(asked)).await?;
    let all = found_ids(&found, kind.parameter);
    let id = one(all, &format!("{} `{name}`", kind.what))?;
    // The server says what it is that is not there.
    Ok(id.unwrap_or_else(|| name.to_owned()))
}

/// The identifiers in a list, each with where it is.
fn found_ids(found: &Value, parameter: &str) -> Vec<(String, String)> {
    let each = rows(found).map(|row| {
        let project = field(row, "project_id");
        (field(row, parameter), project)
    });
    each.collect()
}

/// The only one of those that were found, if there is any.
fn one(found: Vec<(String, String)>, what: &str) -> Result<Option<String>, Failure> {
    if found.len() <= 1 {
        return Ok(found.into_iter().next().map(|(id, _)| id));
    }
    let each = found.iter().map(|(id, project)| format!("\n  {id}  (project {project})"));
    let each: String = each.collect();
    Err(Failure::refused(format!(
        "There is more than one {what}; give the identifier of one:{each}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_called_by_its_number_with_or_without_a_sign() {
        assert_eq!((number("12"), number("#12")), (Some(12), Some(12)));
        for other in ["alert-12", "#", "", "1a", "-1"] {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_that_several_have_is_told_with_all_of_them() {
        let list = json!({ "results": [
            { "channel_id": "channel-1", "project_id": "web" }, { "channel_id": "channel-2", "project_id": "*" },
        ] });
        let all = found_ids(&list, "channel_id");
        let told = one(all.clone(), "channel `ops`").unwrap_err().to_string();
        assert!(told.contains("channel-1  (project web)") && told.contains("channel-2"), "{told}");
        assert_eq!(one(all[..1].to_vec(), "x").unwrap().as_deref(), Some("channel-1"));
        assert_eq!(one(Vec::new(), "x").unwrap(), None);
    }
}
