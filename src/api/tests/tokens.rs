//! Who may let whom in.

use serde_json::json;

use super::house::House;
use crate::{
    api::{domain, token, workspace},
    domain::words::Role,
    error::Code,
};

#[tokio::test]
async fn a_token_is_shown_once_listed_and_taken_back() {
    let house = House::new().await;
    let request = json!({
        "name": "ci", "role": "SERVICE", "workspace_id": "default", "projects": ["default"],
        "expires_in": 60,
    });
    let made = house.write(token::create, request).await.unwrap();
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("amt_"));
    assert_eq!(made["domain_id"], "default");
    assert_eq!(made["expires_at"], "2026-01-01T12:01:00.000Z");
    let listed = house.read(token::list, json!({})).await.unwrap();
    assert_eq!(listed["total_count"], 1);
    assert!(!listed.to_string().contains(text));
    let request = json!({ "token_id": made["token_id"] });
    let gone = house.write(token::revoke, request.clone()).await.unwrap();
    assert_eq!(gone["revoked_at"], "2026-01-01T12:00:00.000Z");
    assert_eq!(house.write(token::revoke, request).await.unwrap(), gone);
}

#[tokio::test]
async fn an_owner_lets_in_nobody_beyond_the_own_workspace() {
    let house = House::new().await;
    house.write(workspace::create, json!({ "workspace_id": "w2", "name": "W" })).await.unwrap();
    house.write(domain::create, json!({ "domain_id": "d2", "name": "D" })).await.unwrap();
    let admin = json!({ "name": "root", "role": "SYSTEM_ADMIN" });
    let admin = house.write(token::create, admin).await.unwrap();
    let owner = house.seen_by(Role::WorkspaceOwner, None);
    for (request, code) in [
        (json!({ "name": "a", "role": "SYSTEM_ADMIN" }), Code::PermissionDenied),
        (
            json!({ "name": "a", "role": "DOMAIN_ADMIN", "domain_id": "default" }),
            Code::PermissionDenied,
        ),
        (json!({ "name": "a", "role": "WORKSPACE_OWNER" }), Code::InvalidParameter),
        (json!({ "name": "a", "role": "WORKSPACE_OWNER", "workspace_id": "w2" }), Code::NotFound),
        (
            json!({ "name": "a", "role": "WORKSPACE_OWNER", "workspace_id": "default", "domain_id": "d2" }),
            Code::NotFound,
        ),
        (
            json!({ "name": "a", "role": "SERVICE", "workspace_id": "default", "projects": ["x"] }),
            Code::NotFound,
        ),
        (
            json!({ "name": "a", "role": "SERVICE", "workspace_id": "default" }),
            Code::InvalidParameter,
        ),
    ] {
        let refused = owner.write(token::create, request.clone()).await.unwrap_err();
        assert_eq!(refused.code, code, "{request}");
    }
    let own = json!({ "name": "b", "role": "WORKSPACE_OWNER", "workspace_id": "default" });
    owner.write(token::create, own).await.unwrap();
    assert_eq!(owner.read(token::list, json!({})).await.unwrap()["total_count"], 1);
    let request = json!({ "token_id": admin["token_id"] });
    assert_eq!(owner.write(token::revoke, request).await.unwrap_err().code, Code::NotFound);
}
