//! Random records of every kind, and random things to ask of them. Pools are small, so that what is asked is often there.

use proptest::{collection::vec, option, prelude::*, sample::select};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::{
    query::{Catalogue, Kind, Operator},
    store::{Packing, Payload},
};

/// Texts that a column may hold: it never has a NUL.
const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "disk",
    "Disk FULL",
    "100%",
    "%",
    "_",
    "it's",
    "\"quoted\"",
    "--",
    "ß",
    "ẞ",
    "SS",
    "İ",
    "i",
    "ı",
    "I",
    "K",
    "k",
    "\u{212a}",
    "ſ",
    "Σας",
    "ΣΑΣ",
    "ä",
    "a\u{308}",
    "3",
    "03",
    "3.0",
    "true",
    "null",
    "🜚 mill",
    "2024-05-15T12:30:00Z",
    "2024-05-15T14:30:00+02:00",
    "2024-05-15",
    "x' OR 1=1; --",
    "\u{fffd}",
    "\n",
];

/// Names of members, and steps of paths.
const NAMES: &[&str] = &["a", "b", "0", "1", "type", "size", "a__b", "$x", "", "ä", "\"", "2"];

/// Where in JSON something is asked for.
const PATHS: &[&str] = &[
    "", ".a", ".b", ".0", ".1", ".a.b", ".a.0", ".0.a", ".a.a.a", ".type", ".a__b", ".$x", ".ä",
    ".none", ".b.1.a",
];

const EXPRESSIONS: &[&str] = &[
    "",
    "a",
    "^a",
    "k$",
    "[0-9]+",
    ".",
    "^$",
    "ß",
    "ss",
    "\\s",
    "(?-i)K",
    "i",
    "^(disk|ΣΑΣ)",
    "%",
    "\\p{Lu}",
];

const TIMES: &[&str] = &[
    "2024-05-15T12:30:00Z",
    "2024-05-15",
    "2024-05-15T12:30:00.001Z",
    "2001-01-01T00:00:00Z",
    "2024-05-15T14:30:00+02:00",
];

const DISTANCES: &[&str] = &["now", "now-2h", "now/d", "now+1w", "now/m - 3d"];

/// 2024-05-15T12:30:00Z and what is around it.
const MOMENTS: &[i64] = &[
    1_715_776_200_000,
    1_715_776_200_001,
    1_715_776_199_999,
    0,
    -1,
    1_715_731_200_000,
    978_307_200_000,
];

fn text() -> impl Strategy<Value = String> {
    select(TEXTS).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (-2i64..4).prop_map(Value::from),
        1 => select(vec![i64::MIN, i64::MAX, (1 << 53) + 1, 1 << 53, -(1 << 53) - 1]).prop_map(Value::from),
        1 => select(vec![u64::MAX, 1 << 63, (1 << 63) + 1]).prop_map(Value::from),
        2 => select(vec![0.5, -0.0, 3.0, 1e308, -1e-300, 9_007_199_254_740_992.0, 9.3e18, 0.1]).prop_map(Value::from),
    ]
}

pub(super) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => number(),
        4 => text().prop_map(Value::from),
        1 => Just(json!("a\u{0}b")),
    ]
}

/// Any JSON.
pub(super) fn anything() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((select(NAMES), inner), 0..3).prop_map(|members| {
                Value::Object(
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    vec((select(NAMES), anything()), 0..4).prop_map(|members| {
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

/// What fills a row, of an event or of an alert.
#[derive(Clone, Debug)]
pub(super) struct Row {
    texts: Vec<Option<String>>,
    words: (usize, usize, usize),
    resources: Vec<String>,
    info: Value,
    body: Option<Vec<u8>>,
    joins: bool,
    project: i64,
    alert: i64,
    moments: Vec<Option<i64>>,
    count: i64,
}

/// A row of either kind.
pub(super) fn row() -> impl Strategy<Value = Row> {
    let body = prop_oneof![
        3 => anything().prop_map(|value| Some(value.to_string().into_bytes())),
        1 => text().prop_map(|text| Some(text.into_bytes())),
        1 => Just(Some(vec![0xff, 0x00, 0x7b])),
        1 => Just(None),
    ];
    let words = (0..5usize, 0..3usize, 0..2usize);
    let parts =
        (vec(option::of(text()), 8), words, vec(text(), 0..3), object(), body, any::<bool>());
    let rest = (1i64..4, 0i64..4, vec(option::of(select(MOMENTS)), 4), 0i64..4);
    (parts, rest).prop_map(
        |((texts, words, resources, info, body, joins), (project, alert, moments, count))| Row {
            texts,
            words,
            resources,
            info,
            body,
            joins,
            project,
            alert,
            moments,
            count,
        },
    )
}

impl Row {
    fn severity(&self) -> &'static str {
        ["CRITICAL", "ERROR", "WARNING", "INFO", "NONE"][self.words.0]
    }

    fn moment(&self, at: usize) -> i64 {
        self.moments[at].unwrap_or(MOMENTS[0])
    }

    fn resources(&self) -> String {
        json!(self.resources).to_string()
    }

    /// Adds it as the alert with this number.
    pub(super) fn add_alert(&self, connection: &Connection, number: i64) {
        let texts = &self.texts;
        let sql = "INSERT INTO alert (alert, alert_id, workspace, alert_number, project, event_key, state, title,
                     description, rule, image_url, resources, provider, account, additional_info, assignee, responder,
                     triggered_by, webhook, created_at, acknowledged_at, resolved_at, ending)
                   SELECT ?1, 'alert-' || ?1, p.workspace, ?1, p.project, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
                     ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20 FROM project p WHERE p.project = ?2";
        let state = ["TRIGGERED", "ACKNOWLEDGED", "RESOLVED"][self.words.1];
        let webhook = self.joins.then_some(self.project.min(2));
        let values = params![
            number,
            self.project,
            key(number),
            state,
            texts[0],
            texts[1],
            texts[2],
            texts[3],
            self.resources(),
            texts[4],
            texts[5],
            self.info.to_string(),
            texts[6],
            texts[7],
            "person",
            webhook,
            self.moment(0),
            self.moments[1],
            self.moments[2],
            texts[2],
        ];
        assert_eq!(connection.execute(sql, values).unwrap(), 1);
        let sql = "INSERT INTO standing (alert, severity, urgency, event_count, last_event_at, updated_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let urgency = ["LOW", "HIGH"][self.words.2];
        let values =
            params![number, self.severity(), urgency, self.count, self.moment(3), self.moment(1)];
        assert_eq!(connection.execute(sql, values).unwrap(), 1);
    }

    /// Adds it as the event with this number, of the delivery of the one before it if it joins that; there are so many
    /// alerts.
    pub(super) fn add_event(&self, connection: &Connection, number: i64, alerts: i64) {
        let texts = &self.texts;
        let alert = (self.alert >= 1 && self.alert <= alerts).then_some(self.alert);
        let key = alert.map_or_else(|| key(self.alert + 2), key);
        let last = "SELECT max(delivery) FROM delivery";
        let last: i64 = connection.query_row(last, [], |row| row.get(0)).unwrap();
        let delivery = if self.joins && last > 0 {
            connection
                .execute("UPDATE delivery SET events = events + 1 WHERE delivery = ?1", [last])
                .unwrap();
            last
        } else {
            self.add_delivery(connection, last + 1, number);
            last + 1
        };
        let sql = "INSERT INTO event (event, event_id, alert, webhook, project, delivery, item, event_key, event_type,
                     severity, title, description, rule, image_url, resources, provider, account, additional_info,
                     occurred_at, created_at, why)
                   VALUES (?1, 'event-' || ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                     ?18, ?19, 'new_key')";
        let event_type = ["ALERT", "RECOVERY", "ERROR"][self.words.1];
        let values = params![
            number,
            alert,
            self.project.min(2),
            self.project,
            delivery,
            self.count,
            key,
            event_type,
            self.severity(),
            texts[0],
            texts[1],
            texts[2],
            texts[3],
            self.resources(),
            texts[4],
            texts[5],
            self.info.to_string(),
            self.moments[1],
            self.moment(0),
        ];
        assert_eq!(connection.execute(sql, values).unwrap(), 1);
    }

    fn add_delivery(&self, connection: &Connection, delivery: i64, event: i64) {
        let sql = "INSERT INTO delivery (delivery, delivery_id, webhook, state, items, dead, first_event, events, remote,
                     received_at) VALUES (?1, 'receipt-' || ?1, 1, 'applied', 1, 0, ?2, 1, '', 0)";
        connection.execute(sql, params![delivery, event]).unwrap();
        let Some(body) = &self.body else { return };
        let none = std::collections::BTreeMap::new();
        let Payload { packing, content } = Payload::pack(&none, &none, body).unwrap();
        let packing = i64::from(packing == Packing::Zlib);
        let sql = "INSERT INTO payload (delivery, packing, content) VALUES (?1, ?2, ?3)";
        connection.execute(sql, params![delivery, packing, content]).unwrap();
    }
}

/// The key of the alert with this number; each has its own.
fn key(number: i64) -> String {
    ["none", "disk", "Disk", "ß", "it's \"x\"", "K", "k%", "3"]
        [usize::try_from(number % 8).unwrap()]
    .to_owned()
}

/// A field, or a path below one.
fn place(catalogue: &'static Catalogue) -> impl Strategy<Value = (String, Kind)> {
    let fields: Vec<_> = catalogue.fields.iter().map(|field| (field.name, field.kind)).collect();
    let json: Vec<_> = fields
        .iter()
        .filter(|(_, kind)| matches!(kind, Kind::Object | Kind::Texts | Kind::Objects))
        .copied()
        .collect();
    let below = (select(json), select(PATHS))
        .prop_map(|((name, _), path)| (format!("{name}{path}"), Kind::Object));
    let named =
        select(vec!["resources.name", "resources.0.name", "resource", "title.a", "created_at.a"])
            .prop_map(|key| (key.to_owned(), Kind::Object));
    let plain = select(fields).prop_map(|(name, kind)| (name.to_owned(), kind));
    prop_oneof![4 => plain, 4 => below, 1 => named]
}

/// What an operator may be given where it is asked of this kind of field.
fn operand(operator: Operator, kind: Kind) -> BoxedStrategy<Value> {
    let ids = [
        "event-1",
        "event-2",
        "alert-1",
        "alert-2",
        "project-2",
        "webhook-1",
        "receipt-1",
        "domain-1",
        "RESOLVED",
        "CRITICAL",
        "ALERT",
        "HIGH",
        "disk",
        "ß",
        "it's \"x\"",
        "new_key",
    ];
    let times = || select(TIMES).prop_map(Value::from);
    let one = match kind {
        Kind::Time => prop_oneof![4 => times(), 1 => Just(Value::Null), 1 => scalar()].boxed(),
        Kind::Integer => prop_oneof![4 => number(), 1 => Just(Value::Null), 1 => scalar()].boxed(),
        Kind::Text => prop_oneof![
            3 => select(ids.to_vec()).prop_map(Value::from), 3 => text().prop_map(Value::from), 1 => scalar()
        ]
        .boxed(),
        Kind::Texts | Kind::Objects | Kind::Object => prop_oneof![4 => scalar(), 1 => anything()].boxed(),
    };
    let list = |inner: BoxedStrategy<Value>| vec(inner, 0..4).prop_map(Value::from).boxed();
    match operator {
        Operator::In | Operator::NotIn => list(one),
        Operator::Contain | Operator::NotContain => text().prop_map(Value::from).boxed(),
        Operator::ContainIn | Operator::NotContainIn => list(text().prop_map(Value::from).boxed()),
        Operator::Regex => select(EXPRESSIONS).prop_map(Value::from).boxed(),
        Operator::RegexIn => list(select(EXPRESSIONS).prop_map(Value::from).boxed()),
        Operator::Exists => any::<bool>().prop_map(Value::from).boxed(),
        Operator::Match => object().boxed(),
        Operator::DatetimeGt
        | Operator::DatetimeGte
        | Operator::DatetimeLt
        | Operator::DatetimeLte => times().boxed(),
        Operator::TimediffGt
        | Operator::TimediffGte
        | Operator::TimediffLt
        | Operator::TimediffLte => select(DISTANCES).prop_map(Value::from).boxed(),
        Operator::Eq
        | Operator::Not
        | Operator::Gt
        | Operator::Gte
        | Operator::Lt
        | Operator::Lte => one,
    }
}

/// A condition that is well formed most of the time.
pub(super) fn condition(catalogue: &'static Catalogue) -> impl Strategy<Value = Value> {
    (place(catalogue), select(Operator::ALL)).prop_flat_map(|((key, kind), operator)| {
        operand(operator, kind)
            .prop_map(move |operand| json!({ "k": key, "o": operator.word(), "v": operand }))
    })
}

/// A query with conditions, words and an order.
pub(super) fn query(catalogue: &'static Catalogue) -> impl Strategy<Value = Value> {
    let sort = vec((place(catalogue), any::<bool>()), 0..3).prop_map(|keys| {
        let keys = keys.into_iter().map(|((key, _), desc)| json!({ "key": key, "desc": desc }));
        keys.collect::<Value>()
    });
    let keyword = prop_oneof![4 => Just(Value::Null), 1 => text().prop_map(Value::from)];
    (vec(condition(catalogue), 0..3), vec(condition(catalogue), 0..3), keyword, sort).prop_map(
        |(all, any, keyword, sort)| {
            let mut query = json!({ "filter": all, "filter_or": any, "sort": sort });
            if !keyword.is_null() {
                query["keyword"] = keyword;
            }
            query
        },
    )
}
