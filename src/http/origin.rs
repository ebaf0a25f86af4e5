//! Whether a request was made by somebody who meant it: a browser shows a cookie, or a password that it remembers, for
//! whatever page asks it to.

use actix_web::{
    HttpRequest,
    http::{Uri, header},
    web::Data,
};

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
    let front = request.app_data::<Data<Front>>();
    if is_own(request, front.map(|front| front.app.public_url()).unwrap_or_default()) {
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

/// Whether no other server's page made the request, as far as a browser says; what is no browser says nothing. A proxy may have
/// put its own name for us in the place of ours, so `public_url` is ours too.
fn is_own(request: &HttpRequest, public_url: &str) -> bool {
    if let Some(site) = text(request, &header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin" || site == "none";
    }
    if !request.headers().contains_key(header::ORIGIN) {
        return true;
    }
    let Some(origin) = text(request, &header::ORIGIN).and_then(server) else { return false };
    let host = text(request, &header::HOST);
    let host = host.and_then(|host| server(&format!("{}://{host}", origin.0)));
    host.as_ref() == Some(&origin) || server(public_url).as_ref() == Some(&origin)
}

/// The server that an address names: its scheme, host and port.
fn server(address: &str) -> Option<(String, String, u16)> {
    let uri: Uri = address.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let port = uri.port_u16().or(match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })?;
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
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
            (vec![("origin", "https://Mill.Example:443")], true),
            (vec![("origin", "https://front.example")], true),
            (vec![("origin", "http://front.example")], false),
            (vec![("origin", "https://mill.example:8443")], false),
            (vec![("origin", "https://other.example")], false),
            (vec![("origin", "null")], false),
        ] {
            let mut request = TestRequest::default().insert_header(("host", "mill.example"));
            for header in &headers {
                request = request.insert_header(*header);
            }
            let is_own = is_own(&request.to_http_request(), "https://front.example/mill");
            assert_eq!(is_own, is_ours, "{headers:?}");
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
