//! Whether a request was made by somebody who meant it: a browser shows a cookie, or a password that it remembers, for
//! whatever page asks it to.

use actix_web::{HttpRequest, http::header};

use super::{Front, caller};
use crate::error::{Code, Error, Result};

/// The media types that no page of another server can send without asking first.
const ASKED_FIRST: [&str; 2] = ["application/json", "application/vnd.api+json"];

/// Checks that a request which changes something was not made by a page of another server. A bearer token is shown by
/// nobody who does not have it.
///
/// # Errors
/// `ERROR_PERMISSION_DENIED` where it may be.
pub(super) fn check(request: &HttpRequest) -> Result<()> {
    if caller::bearer(request).is_some() || caller::credential(request).is_none() {
        return Ok(());
    }
    let is_cookie = caller::password(request).is_none();
    if is_cookie && !is_json(request) {
        let detail = "who shows the cookie of a session changes something with \
                      `Content-Type: application/json` alone";
        return Err(Error::new(Code::PermissionDenied, detail));
    }
    if is_own(request) {
        return Ok(());
    }
    let detail = "a page of another server may change nothing by a cookie, or a password, that a browser keeps";
    Err(Error::new(Code::PermissionDenied, detail))
}

fn is_json(request: &HttpRequest) -> bool {
    let said = text(request, &header::CONTENT_TYPE).unwrap_or_default();
    let media_type = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    ASKED_FIRST.contains(&media_type.as_str())
}

/// Whether no other server's page made the request, as far as a browser says; what is no browser says nothing.
fn is_own(request: &HttpRequest) -> bool {
    if let Some(site) = text(request, &header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(request, &header::ORIGIN) else {
        return !request.headers().contains_key(header::ORIGIN);
    };
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let is_host = text(request, &header::HOST).is_some_and(|host| host == authority);
    // A proxy may have put its own name for us in the place of ours.
    let front = request.app_data::<actix_web::web::Data<Front>>();
    is_host || front.is_some_and(|front| front.app.public_url().trim_end_matches('/') == origin)
}

fn text<'a>(request: &'a HttpRequest, name: &header::HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_browser_says_whose_page_asks() {
        for (headers, is_ours) in [
            (vec![], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "http://mill.example")], false),
            (vec![("origin", "https://mill.example")], true),
            (vec![("origin", "https://mill.example:8443")], false),
            (vec![("origin", "https://other.example")], false),
            (vec![("origin", "null")], false),
        ] {
            let mut request = TestRequest::default().insert_header(("host", "mill.example"));
            for header in &headers {
                request = request.insert_header(*header);
            }
            assert_eq!(is_own(&request.to_http_request()), is_ours, "{headers:?}");
        }
    }

    #[test]
    fn forms_are_no_json() {
        for (said, is_one) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/vnd.api+json", true),
            ("text/plain", false),
            ("text/plain; application/json", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let request = TestRequest::default().insert_header(("content-type", said));
            assert_eq!(is_json(&request.to_http_request()), is_one, "{said}");
        }
    }
}
