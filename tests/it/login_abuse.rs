//! Ten thousand wrong passwords from many addresses: who has the right one still comes in, nothing grows without bound, and
//! the trail says what happened without a password in it.

use actix_web::test::TestRequest;
use alertmill::clock::Stopwatch;
use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::{
    harness::{Answer, House},
    users::{log_in, user},
};

/// How many wrong passwords there are.
const WRONG: usize = 10_000;

/// How many names of users the attackers know.
const KNOWN: usize = 10;

/// How many are under way at once.
const AT_ONCE: usize = 100;

/// By how much memory may grow, in KiB. Ten thousand hashes at once would take 190 GiB; other tests of this process take
/// their part too.
const ROOM: u64 = 512 * 1024;

/// What the attackers type; it must turn up nowhere.
const GUESS: &str = "a-guess-that-is-wrong";

/// A wrong password: each from an address of its own, half of them for users that exist.
async fn guess(house: &House, number: usize) -> Answer {
    let name = if number.is_multiple_of(2) {
        format!("victim{}", number / 2 % KNOWN)
    } else {
        format!("{GUESS}-as-a-name-{number}")
    };
    let from = format!("198.{}.{}.{}", 18 + number / 65_536, number / 256 % 256, number % 256);
    let asked = json!({ "name": name, "password": format!("{GUESS}-{number}") });
    let request = TestRequest::post().uri("/api/v1/login").insert_header(("x-forwarded-for", from));
    house.send(request.set_json(asked)).await
}

/// The resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// All records of an action, newest first.
async fn records(house: &House, action: &str) -> Vec<Value> {
    let page = house.get(&format!("/api/v1/audit?action={action}&limit=1000")).await;
    assert!(page.body["next_cursor"].is_null(), "more than a thousand records");
    page.body["results"].as_array().unwrap().clone()
}

#[actix_web::test]
#[expect(clippy::print_stderr, reason = "says how long it took")]
async fn ten_thousand_wrong_passwords_keep_nobody_out_and_fill_nothing() {
    let house = House::with(&["--trusted-proxy", "192.0.2.7"]).await;
    for number in 0..KNOWN {
        user(&house, &format!("victim{number}"), "WORKSPACE_MEMBER").await;
    }
    user(&house, "ada", "WORKSPACE_MEMBER").await;
    let timing = Stopwatch::start();
    log_in(&house, "ada", "correct horse battery").await;
    // A second, or what twenty logins take where the machine is busy with other things.
    let patience = (timing.elapsed().as_secs_f64() * 20.0).max(1.0);
    let before = resident();
    let mut slowest = 0.0_f64;
    for first in (0..WRONG).step_by(AT_ONCE) {
        let attack = join_all((first..first + AT_ONCE).map(|number| guess(&house, number)));
        let honest = async {
            let timing = Stopwatch::start();
            let answer = log_in(&house, "ada", "correct horse battery").await;
            (answer, timing.elapsed())
        };
        let (refused, (honest, took)) = join(attack, honest).await;
        assert!(refused.iter().all(|answer| [401, 429].contains(&answer.status)));
        assert_eq!(honest.status, 200, "{honest:?}");
        slowest = slowest.max(took.as_secs_f64());
    }
    let grown = resident().saturating_sub(before);
    eprintln!("the slowest right password took {slowest:.3} s; memory grew by {grown} KiB");
    assert!(slowest < patience, "the right password took {slowest} s");
    assert!(grown < ROOM, "memory grew by {grown} KiB");
    house.later(TimeDelta::minutes(1));
    house.tick().await;
    let (logins, locks) = (records(&house, "user.login").await, records(&house, "user.lock").await);
    assert_eq!(locks.len(), KNOWN);
    let outcome = |code: &str| logins.iter().filter(|it| it["outcome"] == code).count();
    assert_eq!(outcome("SUCCESS"), WRONG / AT_ONCE + 1);
    assert!(outcome("ERROR_TOO_MANY_REQUESTS") >= 1);
    // Five each for those who exist, and no more than a hundred or so of what was counted.
    assert!(logins.len() < KNOWN * 5 + WRONG / AT_ONCE + 150, "{}", logins.len());
    let counted: u64 = logins.iter().filter_map(|it| it["details"]["calls"].as_u64()).sum();
    let counted = usize::try_from(counted).unwrap();
    assert_eq!(counted + KNOWN * 5, WRONG, "each try is told of");
    let all = house.get("/api/v1/audit?limit=1000").await.text;
    assert!(!all.contains(GUESS), "a guess stands in the trail");
}

#[actix_web::test]
async fn forwarded_addresses_are_believed_of_trusted_proxies_alone() {
    let house = House::new().await;
    for number in 0..30 {
        assert_eq!(guess(&house, number * 2 + 1).await.status, 401);
    }
    let refused = guess(&house, 61).await;
    assert_eq!(refused.code(), "ERROR_TOO_MANY_REQUESTS");
    assert!(refused.text.contains("from this address"), "{refused:?}");
}

#[actix_web::test]
async fn refusals_take_as_long_whoever_is_asked_for() {
    let house = House::new().await;
    user(&house, "ada", "WORKSPACE_MEMBER").await;
    for name in ["ada", "nobody"] {
        let timing = Stopwatch::start();
        log_in(&house, name, "wrong horse battery").await;
        let took = timing.elapsed().as_millis();
        assert!(took >= 250, "{name}: {took} ms");
    }
}
