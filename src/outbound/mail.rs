//! Where mail is handed in: a server, and how to speak to it.

use std::str::FromStr;

use reqwest::Url;

use crate::digest::Secret;

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// Encrypted from the first byte.
    Tls,
    /// Encrypted once the server was greeted; nothing is sent where it cannot.
    StartTls,
    /// Not encrypted.
    Plain,
}

/// A server that takes mail.
#[derive(Clone, Debug, PartialEq)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: MailSecurity,
    /// Who we are to it, where it asks.
    pub username: Option<String>,
    /// What we show to be let in.
    pub password: Option<Secret>,
}

/// A mail server, and the address that mail is sent from.
#[derive(Clone, Debug, PartialEq)]
pub struct Mailer {
    /// The server.
    pub server: MailServer,
    /// The address, with a name before it where it has one.
    pub from: String,
}

impl MailSecurity {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::StartTls => "STARTTLS",
            Self::Plain => "NONE",
        }
    }

    /// The port where it is usual.
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::Plain => 25,
        }
    }
}

impl FromStr for MailSecurity {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "TLS" => Ok(Self::Tls),
            "STARTTLS" => Ok(Self::StartTls),
            "NONE" => Ok(Self::Plain),
            _ => Err("one of TLS, STARTTLS and NONE is expected here"),
        }
    }
}

impl FromStr for MailServer {
    type Err = &'static str;

    /// Reads `smtps://name:password@host:465`, `smtp+starttls://…` or `smtp://…`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "an address such as smtp+starttls://name:password@mail.example.org:587 is expected; \
            it begins with smtps://, smtp+starttls:// or smtp:// (not encrypted)";
        let url = Url::parse(text).map_err(|_| wrong)?;
        let security = match url.scheme() {
            "smtps" => MailSecurity::Tls,
            "smtp+starttls" => MailSecurity::StartTls,
            "smtp" => MailSecurity::Plain,
            _ => return Err(wrong),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(wrong)?.to_owned();
        let username = Some(url.username()).filter(|name| !name.is_empty()).map(plain);
        let password = url.password().map(|password| Secret::from(plain(password)));
        if username.is_some() != password.is_some() {
            return Err("a name and a password are expected, or neither");
        }
        let port = url.port().unwrap_or(security.usual_port());
        Ok(Self { host, port, security, username, password })
    }
}

/// A part of an address without its escapes.
fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let digits = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_an_address() {
        let server: MailServer =
            "smtps://ops%40example.org:p%3Aw@mail.example.org".parse().unwrap();
        assert_eq!((server.host.as_str(), server.port), ("mail.example.org", 465));
        assert_eq!(server.username.as_deref(), Some("ops@example.org"));
        assert_eq!(server.password, Some(Secret::from("p:w")));
        assert!(!format!("{server:?}").contains("p:w"));
        let open: MailServer = "smtp://127.0.0.1:1025".parse().unwrap();
        assert_eq!((open.port, open.security, open.username), (1025, MailSecurity::Plain, None));
        let submitted: MailServer = "smtp+starttls://mail.example.org".parse().unwrap();
        assert_eq!(submitted.port, 587);
        for wrong in ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://name@host"]
        {
            assert!(wrong.parse::<MailServer>().is_err(), "{wrong}");
        }
    }
}
