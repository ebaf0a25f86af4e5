//! What changed between two values, as a JSON patch (RFC 6902) that says what was so before as well.

use serde_json::{Map, Value, json};

/// The patch that turns `before` into `after`. Ahead of whatever it replaces or removes stands a `test` of what was
/// there, so that it holds old and new, applies to `before` alone, and can be turned round. What is not there at all is
/// null.
pub fn between(before: &Value, after: &Value) -> Vec<Value> {
    let mut steps = Vec::new();
    differ(&mut steps, "", (before, after));
    steps
}

fn differ(steps: &mut Vec<Value>, path: &str, (before, after): (&Value, &Value)) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => members(steps, path, (before, after)),
        // Where lists differ in length, who reads it wants to see both whole, rather than what moved.
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (at, pair) in before.iter().zip(after).enumerate() {
                differ(steps, &format!("{path}/{at}"), pair);
            }
        }
        (Value::Null, after) if path.is_empty() => {
            steps.push(json!({ "op": "add", "path": "", "value": after }));
        }
        (before, after) => {
            steps.push(json!({ "op": "test", "path": path, "value": before }));
            steps.push(json!({ "op": "replace", "path": path, "value": after }));
        }
    }
}

fn members(
    steps: &mut Vec<Value>,
    path: &str,
    (before, after): (&Map<String, Value>, &Map<String, Value>),
) {
    let below = |name: &str| format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
    for (name, was) in before {
        let path = below(name);
        if let Some(is) = after.get(name) {
            differ(steps, &path, (was, is));
        } else {
            steps.push(json!({ "op": "test", "path": path, "value": was }));
            steps.push(json!({ "op": "remove", "path": path }));
        }
    }
    for (name, is) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        steps.push(json!({ "op": "add", "path": below(name), "value": is }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Applies a patch as the standard says, as far as ours go.
    fn applied(value: &Value, patch: &[Value]) -> Value {
        let mut value = value.clone();
        for step in patch {
            let place = step["path"].as_str().unwrap();
            let (above, name) = place.rsplit_once('/').unwrap_or_default();
            let name = name.replace("~1", "/").replace("~0", "~");
            match step["op"].as_str().unwrap() {
                "test" => assert_eq!(value.pointer(place), Some(&step["value"]), "{place}"),
                "replace" => *value.pointer_mut(place).unwrap() = step["value"].clone(),
                "add" if place.is_empty() => value = step["value"].clone(),
                "add" => value.pointer_mut(above).unwrap()[name] = step["value"].clone(),
                _ => {
                    let above = value.pointer_mut(above).unwrap().as_object_mut().unwrap();
                    assert!(above.remove(&name).is_some(), "{place}");
                }
            }
        }
        value
    }

    #[test]
    fn a_patch_holds_what_was_so_and_what_is() {
        let before = json!({ "name": "old", "tags": { "a/b": 1 }, "keys": [1, 2], "gone": true });
        let after = json!({ "name": "new", "tags": { "a/b": 2, "c": 3 }, "keys": [1, 3] });
        let said: Vec<String> = between(&before, &after).iter().map(Value::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        {"op":"test","path":"/gone","value":true}
        {"op":"remove","path":"/gone"}
        {"op":"test","path":"/keys/1","value":2}
        {"op":"replace","path":"/keys/1","value":3}
        {"op":"test","path":"/name","value":"old"}
        {"op":"replace","path":"/name","value":"new"}
        {"op":"test","path":"/tags/a~1b","value":1}
        {"op":"replace","path":"/tags/a~1b","value":2}
        {"op":"add","path":"/tags/c","value":3}
        "#);
        assert!(between(&after, &after).is_empty());
    }

    #[test]
    fn what_is_made_is_added_whole_and_what_is_deleted_is_null_after() {
        let there = json!({ "name": "new" });
        assert_eq!(
            between(&Value::Null, &there),
            [json!({ "op": "add", "path": "", "value": there })]
        );
        assert_eq!(
            between(&there, &Value::Null),
            [
                json!({ "op": "test", "path": "", "value": there }),
                json!({ "op": "replace", "path": "", "value": null }),
            ]
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..4).prop_map(Value::from),
            "[a~/]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab~/]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_turns_what_was_into_what_is(before in any_json(), after in any_json()) {
            prop_assert_eq!(applied(&before, &between(&before, &after)), after);
        }
    }
}
