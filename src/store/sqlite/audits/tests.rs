//! Tests of the audit trail in the store.

use serde_json::{Value, json};

use super::*;
use crate::{
    clock::from_millis,
    domain::{
        audit::{Actor, ActorKind, Entity, SealKey},
        scope::Reach,
    },
    query::AUDITS,
    store::{Projects, sqlite::connect},
};

const TRAILS: [Trail; 3] = [Trail::Own, Trail::Posted, Trail::AuditEvent];

fn work() -> (tempfile::TempDir, Work) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let connection = connect::writer(&file, crate::store::Durability::Normal).unwrap();
    let seal = SealKey::new([3; 32]);
    connect::migrate(&connection, &seal).unwrap();
    let mut work = Work::writer(connection, seal).unwrap();
    for id in ["default", "rival"] {
        let name = id.to_owned();
        let domain = Domain { domain_id: id.into(), name, created_at: from_millis(0) };
        work.put_domain(&domain).unwrap();
    }
    (directory, work)
}

/// Whatever it is, the same each time.
fn chance(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

fn entry(number: u64) -> AuditEntry {
    let dice = chance(number);
    let now = from_millis(i64::try_from(1_000_000 + number).unwrap());
    // What others post may have occurred at any time before.
    let earlier = chrono::TimeDelta::milliseconds(i64::try_from(dice % 50).unwrap());
    let actor =
        Actor::new(ActorKind::User, format!("user-{}", dice % 5), format!("amy{}", dice % 5));
    let action = ["webhook.create", "webhook.delete", "user.login"][(dice / 5 % 3) as usize];
    let mut entry = AuditEntry::new(now, actor, action);
    entry.occurred_at -= earlier;
    if !dice.is_multiple_of(7) {
        let name = dice.is_multiple_of(2).then(|| format!("hook {}", dice % 9));
        entry = entry.on(Entity::new("webhook", format!("webhook-{}", dice % 11)).called(name));
    }
    if dice.is_multiple_of(6) {
        entry.outcome = "ERROR_PERMISSION_DENIED".to_owned();
        entry.reason = Some("no".to_owned());
    }
    entry.remote = Some(format!("192.0.2.{}", dice % 3));
    let severity = ["info", "major"][(dice % 2) as usize];
    entry.saying(json!({ "severity": severity, "source": dice % 4, "tags": [dice % 3] }))
}

fn filled() -> (tempfile::TempDir, Work) {
    let (directory, mut work) = work();
    let mint = Mint::unpredictable();
    for number in 0..300 {
        let trail = TRAILS[(chance(number + 1000) % 3) as usize];
        let domain = if number % 4 == 0 { "rival" } else { "default" }.into();
        let posted = format!("posted-{number}");
        match trail {
            Trail::Own => drop(work.add_audit(&domain, entry(number), &mint).unwrap()),
            _ => drop(
                work.post_audit(&domain, (trail, Some(&posted)), entry(number), &mint).unwrap(),
            ),
        }
    }
    (directory, work)
}

fn asked(query: &Value) -> Query {
    Query::parse(query, &AUDITS, from_millis(2_000_000)).unwrap()
}

/// The identifiers of what is found, page by page.
fn found(work: &Work, query: &Query) -> Vec<String> {
    let mut query = query.clone();
    let mut all = Vec::new();
    loop {
        let page = work.audits(&Scope::EVERYTHING, &query).unwrap();
        all.extend(page.rows.iter().map(|it| it.audit_id.as_str().to_owned()));
        let Some(next) = page.next_cursor else { return all };
        query.page.from = Cursor::read(&next).unwrap();
    }
}

/// The same, as the filter over records in memory has it.
fn expected(work: &Work, query: &Query) -> Vec<String> {
    let fields = AUDITS.fields.iter().map(|field| field.name).collect();
    let everything = Query::default();
    let scan = Scan { filter: &everything.filter, fields: &fields, sort: &[] };
    let mut all = Vec::new();
    let mut keep = |record| {
        all.push(record);
        Ok(std::ops::ControlFlow::Continue(()))
    };
    work.visit_audits(&Scope::EVERYTHING, &scan, &mut keep).unwrap();
    assert_eq!(all.len(), 300);
    if !query.sort.is_empty() {
        all.sort_by_key(|record| record["created_at"].as_str().unwrap().to_owned());
    }
    let unlimited = Query { page: crate::query::Page::default(), ..query.clone() };
    let listed = unlimited.list(all, &AUDITS);
    listed.rows.iter().map(|row| row["audit_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_is_what_the_same_filter_finds_in_memory_page_by_page() {
    let (_directory, work) = filled();
    let eq = |k: &str, v: Value| json!({ "k": k, "v": v, "o": "eq" });
    let among = |k: &str, v: Value| json!({ "k": k, "v": v, "o": "in" });
    for filter in [
        json!([]),
        json!([eq("trail", json!("OWN"))]),
        json!([among("trail", json!(["OWN", "AUDIT_EVENT"])), eq("domain_id", json!("rival"))]),
        json!([eq("action", json!("user.login"))]),
        json!([among("action", json!(["user.login", "webhook.create", "user.login"]))]),
        json!([among("actor_name", json!(["amy1", "amy2"])), eq("is_success", json!("false"))]),
        json!([eq("is_success", json!("true")), eq("actor_id", json!("user-3"))]),
        json!([eq("outcome", json!("ERROR_PERMISSION_DENIED"))]),
        json!([eq("actor", json!("user:user-2"))]),
        json!([eq("actor", json!("nonsense"))]),
        json!([eq("entity_type", Value::Null)]),
        json!([eq("entity_name", json!("hook 4"))]),
        json!([{ "k": "entity_name", "v": "hook", "o": "not_contain" }]),
        json!([eq("details.severity", json!("major")), eq("remote", json!("192.0.2.1"))]),
        json!([among("details.severity", json!(["major", "none"]))]),
        json!([eq("details.source", json!(2))]),
        json!([eq("details.source", json!("2"))]),
        json!([eq("details.tags", json!(1))]),
        json!([{ "k": "occurred_at", "v": "1970-01-01T00:16:40.100Z", "o": "lt" }, eq("action", json!("user.login"))]),
        json!([{ "k": "created_at", "v": "1970-01-01T00:16:40.100Z", "o": "gte" }]),
        json!([{ "k": "action", "v": "^web.*te$", "o": "regex" }]),
        json!([eq("posted_id", json!("posted-7"))]),
        json!([eq("sequence", json!(3))]),
    ] {
        for (limit, rest) in [
            (7, json!({})),
            (1000, json!({ "keyword": "hook" })),
            (
                11,
                json!({ "filter_or": [eq("actor_id", json!("user-1")), eq("trail", json!("OWN"))] }),
            ),
            (13, json!({ "sort": [{ "key": "created_at" }] })),
            (
                50,
                json!({ "sort": [{ "key": "details.source", "desc": true }, { "key": "created_at", "desc": true }] }),
            ),
        ] {
            let mut query = json!({ "filter": filter, "page": { "limit": limit } });
            query.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            let query = asked(&query);
            let found = found(&work, &query);
            assert_eq!(found, expected(&work, &query), "{filter} {rest}");
            let total = work.audits(&Scope::EVERYTHING, &query).unwrap().total;
            assert_eq!(total, Total::Exact(found.len() as u64), "{filter} {rest}");
        }
    }
}

#[test]
fn more_chains_than_one_statement_merges_are_listed_in_one_order() {
    let (_directory, mut work) = work();
    let mint = Mint::unpredictable();
    let mut all = Vec::new();
    for number in 0..230 {
        let id = format!("domain-{:03}", number % 115);
        if number < 115 {
            let domain = Domain {
                domain_id: id.as_str().into(),
                name: id.clone(),
                created_at: from_millis(0),
            };
            work.put_domain(&domain).unwrap();
        }
        let record = work.add_audit(&id.as_str().into(), entry(number), &mint).unwrap();
        all.push((record.entry.occurred_at, number, record.audit_id.as_str().to_owned()));
    }
    all.sort_unstable_by(|a, b| b.cmp(a));
    let all: Vec<String> = all.into_iter().map(|(.., id)| id).collect();
    for start in [json!({ "limit": 9 }), json!({ "limit": 9, "start": 1 })] {
        assert_eq!(found(&work, &asked(&json!({ "page": start }))), all);
    }
    let sorted = asked(&json!({ "sort": [{ "key": "occurred_at" }], "page": { "limit": 500 } }));
    assert_eq!(work.audits(&Scope::EVERYTHING, &sorted).unwrap().rows.len(), 230);
}

#[test]
fn who_reaches_only_part_of_a_domain_finds_nothing() {
    let (_directory, work) = filled();
    let part = Scope { workspaces: Reach::one("default".into()), ..Scope::EVERYTHING };
    assert!(work.audits(&part, &Query::default()).unwrap().rows.is_empty());
    assert!(work.heads(&part).unwrap().is_empty());
    assert_eq!(work.audit(&part, Trail::Posted, "posted-1").unwrap(), None);
    let rival = Scope { domains: Reach::one("rival".into()), ..Scope::EVERYTHING };
    let found = work.audits(&rival, &Query::default()).unwrap().rows;
    assert!(found.len() == 75 && found.iter().all(|it| it.domain_id.as_str() == "rival"));
}

#[test]
fn each_field_that_names_something_is_found_by_an_index_in_the_order_of_the_list() {
    let (_directory, work) = filled();
    let fields = [
        ("audit_id", "audit_named"),
        ("posted_id", "audit_posted"),
        ("action", "audit_by_action"),
        ("actor", "audit_by_actor_id"),
        ("actor_type", "audit_by_actor_type"),
        ("actor_id", "audit_by_actor_id"),
        ("actor_name", "audit_by_actor_name"),
        ("entity_type", "audit_by_entity_type"),
        ("entity_id", "audit_by_entity_id"),
        ("entity_name", "audit_by_entity_name"),
        ("outcome", "audit_by_outcome"),
        ("is_success", "audit_by_"),
        ("remote", "audit_by_remote"),
        ("request_id", "audit_by_request"),
        ("details.source", "audit_by_source"),
        ("details.severity", "audit_by_severity"),
        ("details.classification", "audit_by_classification"),
        ("details.visibility", "audit_by_visibility"),
    ];
    let scope = Scope::EVERYTHING;
    for (field, index) in fields {
        let value = match field {
            "actor" => json!("user:a"),
            "is_success" => json!("false"),
            _ => json!("a"),
        };
        for trails in [json!(["OWN"]), json!(["OWN", "POSTED", "AUDIT_EVENT"])] {
            let query = json!({ "filter": [
                { "k": "trail", "v": trails, "o": "in" },
                { "k": field, "v": value, "o": "eq" },
                { "k": "occurred_at", "v": "2026-01-01T00:00:00Z", "o": "lt" },
            ] });
            let strands = sql::strands(&asked(&query).filter, &work.chains_within(&scope).unwrap());
            let along = Along { page: Some((41, 0)), ..Along::default() };
            let (sql, values) = strands.read(&strands.all, &along);
            let plan = format!("EXPLAIN QUERY PLAN {sql}");
            let plan = work
                .many(&plan, params_from_iter(values), |row| Ok(row.get::<_, String>(3)?))
                .unwrap();
            let searches: Vec<&String> = plan.iter().filter(|it| it.contains("a USING")).collect();
            assert_eq!(searches.len(), strands.all.len(), "{field}: {plan:#?}");
            assert!(searches.iter().all(|it| it.contains(index)), "{field}: {plan:#?}");
            // One record at most has a name of its own; else nothing is sorted.
            let sorts = plan.iter().any(|it| it.contains("TEMP B-TREE"));
            assert!(
                !sorts || index == "audit_named" || index == "audit_posted",
                "{field}: {plan:#?}"
            );
        }
    }
}

#[test]
fn numbers_have_no_gaps_and_do_not_come_back_when_old_records_went() {
    let (_directory, mut work) = work();
    let mint = Mint::unpredictable();
    let domain: Id<Domain> = "default".into();
    for number in 0..20 {
        work.add_audit(&domain, entry(number), &mint).unwrap();
    }
    let removed = work.cut_audits(&domain, from_millis(1_000_010), 6).unwrap();
    assert_eq!(removed, 6);
    assert_eq!(work.cut_audits(&domain, from_millis(1_000_010), 600).unwrap(), 4);
    assert_eq!(work.cut_audits(&domain, from_millis(1_000_010), 600).unwrap(), 0);
    let kept = work.chain(&domain, Trail::Own, (0, 100)).unwrap();
    assert_eq!(kept.first().unwrap().sequence, 11);
    // The newest stays, whatever its age.
    assert_eq!(work.cut_audits(&domain, from_millis(9_000_000), 600).unwrap(), 9);
    let next = work.add_audit(&domain, entry(20), &mint).unwrap();
    assert_eq!(next.sequence, 21);
    let head = work.heads(&Scope::EVERYTHING).unwrap().remove(0);
    assert!(work.seal().proves(&head));
    assert_eq!((head.start().sequence, head.records()), (19, 2));
    let mut verification =
        crate::store::Verification::new(Scope::EVERYTHING, Some(SealKey::new([3; 32])), Vec::new());
    while verification.go_on(&work).unwrap() {}
    assert!(verification.is_whole(), "{verification:?}");
}

#[test]
fn a_doubt_ends_when_all_that_is_older_was_removed() {
    let (_directory, mut work) = work();
    let (mint, domain) = (Mint::unpredictable(), Id::<Domain>::from("default"));
    for number in 0..5 {
        work.add_audit(&domain, entry(number), &mint).unwrap();
    }
    work.command("UPDATE audit_chain SET signature = x'00'").unwrap();
    for number in 5..10 {
        work.add_audit(&domain, entry(number), &mint).unwrap();
    }
    let doubted = |work: &Work| work.heads(&Scope::EVERYTHING).unwrap().remove(0).doubted_from;
    assert_eq!(doubted(&work), Some(6));
    assert_eq!(work.cut_audits(&domain, from_millis(9_000_000), 5).unwrap(), 5);
    assert_eq!(doubted(&work), Some(6), "the first that is kept is the one that is doubted");
    assert_eq!(work.cut_audits(&domain, from_millis(9_000_000), 1).unwrap(), 1);
    assert_eq!(doubted(&work), None);
}

/// The hash of a record of before there were trails.
fn first_hash(sequence: i64, previous: &[u8; 32]) -> [u8; 32] {
    let said = json!({
        "sequence": sequence,
        "occurred_at": "1970-01-01T00:00:00.000Z",
        "actor": "token:token-1",
        "action": "webhook.create",
        "resource": (sequence % 2 == 0).then_some("webhook:webhook-1"),
        "outcome": "SUCCESS",
        "before": Value::Null,
        "after": { "name": "one" },
        "remote": Value::Null,
        "request_id": "request-1",
        "previous": crate::digest::hex(previous),
    });
    crate::digest::sha256(said.to_string().as_bytes())
}

/// A store of before there were trails, with five records.
fn store_of_old() -> (tempfile::TempDir, rusqlite::Connection, [u8; 32]) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.db");
    let connection = connect::writer(&file, crate::store::Durability::Normal).unwrap();
    for step in &connect::MIGRATIONS[..12] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "user_version", 12).unwrap();
    let sql = "INSERT INTO domain (domain_id, name, created_at) VALUES ('default', 'default', 0)";
    connection.execute(sql, []).unwrap();
    let mut previous = [0; 32];
    for sequence in 1..=5_i64 {
        let hash = first_hash(sequence, &previous);
        let resource = (sequence % 2 == 0).then_some("webhook:webhook-1");
        connection
            .execute(
                "INSERT INTO audit (audit_id, domain, sequence, occurred_at, actor, action, resource, outcome, after,
                                    request_id, previous, hash)
                 VALUES ('audit-' || ?1, 1, ?1, 0, 'token:token-1', 'webhook.create', ?2, 'SUCCESS', '{\"name\":\"one\"}',
                         'request-1', ?3, ?4)",
                rusqlite::params![sequence, resource, previous.as_slice(), hash.as_slice()],
            )
            .unwrap();
        previous = hash;
    }
    (directory, connection, previous)
}

fn verified(work: &Work, key: &SealKey) -> crate::store::Verification {
    let key = Some(key.clone());
    let mut verification = crate::store::Verification::new(Scope::EVERYTHING, key, Vec::new());
    while verification.go_on(work).unwrap() {}
    verification
}

#[test]
fn a_store_is_signed_once_and_not_again_because_somebody_made_it_an_older_one() {
    let (_directory, connection, _) = store_of_old();
    let seal = SealKey::new([3; 32]);
    connect::migrate(&connection, &seal).unwrap();
    let work = Work::writer(connection, seal.clone()).unwrap();
    let verified = verified(&work, &seal);
    let broken = verified.chains[0].broken.as_ref().unwrap();
    assert_eq!(broken.fault, crate::domain::audit::Fault::Unproven, "{verified:?}");
    assert_eq!(verified.wrong.len(), 1, "{verified:?}");
}

#[test]
fn records_of_an_older_store_keep_their_hashes_and_are_still_verified() {
    let (_directory, connection, previous) = store_of_old();
    let seal = SealKey::fresh([3; 32]);
    connect::migrate(&connection, &seal).unwrap();
    let mut work = Work::writer(connection, seal.clone()).unwrap();
    let domain: Id<Domain> = "default".into();
    let next = work.add_audit(&domain, entry(1), &Mint::unpredictable()).unwrap();
    assert_eq!((next.sequence, next.previous), (6, previous));
    assert!(verified(&work, &seal).is_whole(), "{:?}", verified(&work, &seal));
    // What the first hashes do not know cannot be slipped into the records that have them.
    for change in [
        "actor_name = 'amy'",
        "entity_type = 'webhook:webhook-1', entity_id = ''",
        "reason = 'none'",
        "details = '{\"a\":1}'",
    ] {
        let sql = format!("UPDATE audit SET {change} WHERE sequence = 2");
        work.connection.execute(&sql, []).unwrap();
        let broken = verified(&work, &seal).chains.remove(0).broken.unwrap();
        assert_eq!(broken.sequence, 2, "{change}: {broken:?}");
        let back = "UPDATE audit SET actor_name = actor_id, entity_type = 'webhook', entity_id = 'webhook-1', reason = NULL, details = '{}' WHERE sequence = 2";
        work.connection.execute(back, []).unwrap();
    }
}

#[test]
fn what_is_posted_twice_under_one_name_is_kept_once() {
    let (_directory, mut work) = work();
    let mint = Mint::unpredictable();
    let domain: Id<Domain> = "default".into();
    let first = work.post_audit(&domain, (Trail::Posted, Some("a")), entry(1), &mint).unwrap();
    let again = work.post_audit(&domain, (Trail::Posted, Some("a")), entry(2), &mint).unwrap();
    let (Posting::New(first), Posting::Known(known)) = (first, again) else { panic!("not known") };
    assert_eq!(first, known);
    let other = work.post_audit(&domain, (Trail::AuditEvent, Some("a")), entry(3), &mint).unwrap();
    assert!(matches!(other, Posting::New(_)));
}
