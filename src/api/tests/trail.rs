//! What is posted is written once, each item with a result of its own.

use serde_json::{Value, json};

use super::house::House;
use crate::{
    api::{
        Call,
        trail::{self, Draft},
    },
    domain::audit::{Actor, AuditEntry, Trail},
    error::{Code, Result},
    store::Tx,
};

/// Posts what says each of these things under these names; the number each got, or its error.
fn post(tx: &mut dyn Tx, call: &Call, items: Vec<(Option<String>, String)>) -> Result<Value> {
    let draft = |(posted_id, said): (Option<String>, String)| Draft {
        posted_id,
        entry: AuditEntry::new(call.now, Actor::parse("service:users/u"), &said),
    };
    let drafts = items.into_iter().map(draft).collect();
    let results = trail::post(tx, call, Trail::Posted, drafts)?;
    let told = results.into_iter().map(|result| match result {
        Ok(record) => json!(record.sequence),
        Err(error) => json!(error.code.name()),
    });
    Ok(told.collect())
}

#[tokio::test]
async fn each_item_has_a_result_of_its_own_and_the_numbers_have_no_gaps() {
    let house = House::new().await;
    let first =
        json!([["a", "read"], ["b", "write"], ["a", "read"], [null, "read"], [null, "read"]]);
    let told = house.write(post, first).await.unwrap();
    assert_eq!(told, json!([1, 2, Code::NotUnique.name(), 3, 4]));
    let again = json!([["b", "write"], ["a", "delete"], ["c", "read"]]);
    let told = house.write(post, again).await.unwrap();
    assert_eq!(told, json!([2, Code::NotUnique.name(), 5]));
    let chain = house.tx(|tx| tx.chain(&"default".into(), Trail::Posted, (0, 100))).await.unwrap();
    let mut previous = [0; 32];
    for (at, record) in (1..).zip(&chain) {
        assert!(record.sequence == at && record.follows(&previous));
        assert_eq!(record.entry.details[trail::POSTED_BY], "token:token-1");
        previous = record.hash;
    }
    assert_eq!(chain.len(), 5);
}
