//! Who is logged in, and which version of the API this is: what clients ask before anything else.

use actix_web::{
    HttpResponse,
    cookie::{Cookie, SameSite},
    web::Data,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Front, login};
use crate::{
    api::{Call, Moment, manual_event::tenant_of, session::NewSession, user::Typed},
    domain::project::Domain,
    error::Result,
    id::Id,
    store::Tx,
};

/// The version of Iguazio's API that this is like.
const VERSION: &str = "3.6.0";

/// An answer that shows one thing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Document<T> {
    /// The thing.
    pub(super) data: Resource<T>,
}

/// A thing as JSON:API shows it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Resource<T> {
    /// What it is.
    #[serde(rename = "type")]
    pub(super) what: &'static str,
    /// Its identifier.
    pub(super) id: String,
    /// What there is to say of it.
    pub(super) attributes: T,
}

/// Asks who is logged in.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Verify {
    /// The part of the system that is asked; all answer alike.
    #[serde(rename = "plane")]
    _plane: String,
}

/// Who is logged in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Verified {
    /// What people call it.
    pub(super) username: String,
    /// More about it.
    pub(super) context: Context,
}

/// More about who is logged in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Context {
    /// Who it is.
    pub(super) authentication: Authentication,
}

/// Who somebody is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Authentication {
    /// Its tenant: a domain.
    pub(super) tenant_id: Id<Domain>,
    /// Who it is in records, e.g. `token:token-0198…`.
    pub(super) user_id: String,
    /// What it may do.
    pub(super) role: &'static str,
}

/// Says who is logged in.
#[expect(clippy::unnecessary_wraps, reason = "the table takes what may fail")]
pub(super) fn verify(_: &dyn Tx, call: &Call, _: Verify) -> Result<Document<Verified>> {
    Ok(Document {
        data: Resource {
            what: "session_verification",
            id: call.caller.token_id.to_string(),
            attributes: Verified {
                username: call.caller.name.clone(),
                context: Context {
                    authentication: Authentication {
                        tenant_id: tenant_of(call),
                        user_id: call.caller.actor.clone(),
                        role: call.caller.role.as_str(),
                    },
                },
            },
        },
    })
}

/// Asks for the version of the API.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct AskVersion {
    /// The node that is asked through; all are this server.
    #[serde(rename = "tunnel")]
    _tunnel: String,
    /// The node that is meant.
    node: String,
}

/// The version of the API.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct ExternalVersion {
    /// The version.
    external: &'static str,
}

/// Says which version of the API this is like.
#[expect(clippy::unnecessary_wraps, reason = "the table takes what may fail")]
pub(super) fn version(
    _: &dyn Tx,
    _: &Call,
    request: AskVersion,
) -> Result<Document<ExternalVersion>> {
    let attributes = ExternalVersion { external: VERSION };
    Ok(Document { data: Resource { what: "external_version", id: request.node, attributes } })
}

/// Asks to log in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    /// The session to open.
    data: Wanted,
}

/// A session to open.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `session`.
    #[serde(rename = "type", default)]
    _what: Option<SessionWord>,
    /// Who wants it.
    attributes: Who,
    /// Taken from clients, and not used.
    #[serde(rename = "relationships", default)]
    _relationships: serde_json::Map<String, serde_json::Value>,
}

/// What can be opened.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SessionWord {
    /// A session.
    Session,
}

/// Who wants to log in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    /// The name.
    username: String,
    /// The password.
    password: Typed,
    /// The part of the system that is meant; all are this server.
    #[serde(rename = "plane", default)]
    _plane: Option<String>,
}

/// A session that was opened; its token stands in the cookie alone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Opened {
    /// Who logged in.
    username: String,
    /// When it ends.
    expires_at: Moment,
}

/// Opens a session for a user's name and password; a cookie holds it.
pub(super) async fn log_in(front: Data<Front>, call: Call, request: LogIn) -> Result<HttpResponse> {
    let Who { username, password, .. } = request.data.attributes;
    let opened = login::login(&front, &call, (&username, password.secret())).await?;
    let NewSession { session_id, token, expires_at, user } = opened;
    let attributes = Opened { username: user.name, expires_at };
    let (what, id) = ("session", session_id.to_string());
    let document = Document { data: Resource { what, id, attributes } };
    let cookie = Cookie::build("session", sid(&token))
        .path("/api")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(call.public_url.starts_with("https:"))
        .finish();
    Ok(HttpResponse::Created().cookie(cookie).json(document))
}

/// A token as the cookie of a session holds it, percent-encoded, since a cookie has no room for quotes.
fn sid(token: &str) -> String {
    format!("j%3A%7B%22sid%22%3A%22{token}%22%7D")
}
