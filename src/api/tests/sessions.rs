//! What was right when it was looked at, and is not when it counts.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::house::House;
use crate::{
    api::{
        Call, application,
        session::{open, open_for_application},
        user::{self, CreateUser},
    },
    digest::sha256,
    domain::user::{Application, User},
    error::{Code, Error, Result},
    id::Id,
    password::PasswordHash,
    store::Tx,
};

/// How long a session lives.
const HOUR: TimeDelta = TimeDelta::hours(1);

fn kept(text: &str) -> PasswordHash {
    PasswordHash::kept(text.to_owned())
}

/// What came of tries that should be refused, and of one that should not.
fn told<T>(late: Result<T>, right: Result<T>) -> Value {
    let word = |tried: Result<T>| tried.err().map_or("done", |Error { code, .. }| code.name());
    json!([word(late), word(right)])
}

/// A user whose password was changed, and as it was before.
fn changed(tx: &mut dyn Tx, call: &Call, request: CreateUser) -> Result<(User, User)> {
    let id = user::create(tx, call, (request, Some(kept("before"))))?.user_id;
    let before = tx.user(&id)?.unwrap();
    let after = User { password: Some(kept("after")), ..before.clone() };
    tx.put_user(&after)?;
    Ok((before, after))
}

fn logs_in(tx: &mut dyn Tx, call: &Call, request: CreateUser) -> Result<Value> {
    let (before, after) = changed(tx, call, request)?;
    let late = open(tx, call, (&before, HOUR));
    Ok(told(late, open(tx, call, (&after, HOUR))))
}

fn changes_it(tx: &mut dyn Tx, call: &Call, request: CreateUser) -> Result<Value> {
    let (before, after) = changed(tx, call, request)?;
    let late = user::change_password(tx, call, (Arc::new(before), kept("late")));
    Ok(told(late, user::change_password(tx, call, (Arc::new(after), kept("new")))))
}

fn asks_for_a_token(tx: &mut dyn Tx, call: &Call, id: Id<Application>) -> Result<Value> {
    let (before, after) = (tx.application(&id)?.unwrap().secret, sha256(b"another"));
    tx.put_application(&Application { secret: after, ..tx.application(&id)?.unwrap() })?;
    let late = open_for_application(tx, call, ((&id, &before), HOUR));
    Ok(told(late, open_for_application(tx, call, ((&id, &after), HOUR))))
}

#[tokio::test]
async fn what_was_changed_while_somebody_logged_in_lets_nobody_in() {
    let house = House::new().await;
    let expected = json!([Code::AuthenticateFailure.name(), "done"]);
    let ada = json!({ "name": "ada", "role": "SYSTEM_ADMIN" });
    assert_eq!(house.write(logs_in, ada).await.unwrap(), expected);
    let bob = json!({ "name": "bob", "role": "SYSTEM_ADMIN" });
    assert_eq!(house.write(changes_it, bob).await.unwrap(), expected);
    let asked = json!({ "name": "reader", "role": "SYSTEM_ADMIN" });
    let made = house.write(application::create, asked).await.unwrap();
    let tried = house.write(asks_for_a_token, made["application_id"].clone()).await.unwrap();
    assert_eq!(tried, expected);
}

#[tokio::test]
async fn names_that_look_like_others_are_refused() {
    let house = House::new().await;
    for name in ["audit\u{200b} reader", "\u{202e}redaer tidua", "a\u{7}", "a\nb"] {
        let asked = json!({ "name": name, "role": "SYSTEM_ADMIN" });
        let refused = house.write(application::create, asked.clone()).await.unwrap_err();
        assert_eq!(refused.mistakes[0].pointer, "/name", "{name:?}");
        let refused = house.write(crate::api::token::create, asked).await.unwrap_err();
        assert_eq!(refused.mistakes[0].pointer, "/name", "{name:?}");
    }
}
