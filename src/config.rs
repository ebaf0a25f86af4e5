//! What can be set: flags, the environment variables of the same name, and their defaults. Nothing else reads the
//! environment.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use chrono::DateTime;
use clap::{Args, ValueEnum, builder::BoolishValueParser};

use crate::{
    clock::{Timestamp, rfc3339, to_millis},
    domain::office_hours::OfficeHours,
    outbound::{self, AllowPrivate, MailServer, Mailer, Outbound},
    store,
};

/// How the server is run.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Address and port to listen on.
    #[arg(
        long,
        env = "ALERTMILL_LISTEN",
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,
    /// Directory of everything that is kept; made if it does not exist.
    #[arg(long, env = "ALERTMILL_DATA", value_name = "DIR", default_value = "alertmill-data")]
    pub data: PathBuf,
    /// Directory of mappings that are added to the built-in ones, or replace them.
    #[arg(long, env = "ALERTMILL_RULES", value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Directory of plugin manifests that are added to the built-in ones, or replace them.
    #[arg(long, env = "ALERTMILL_PLUGINS", value_name = "DIR")]
    pub plugins: Option<PathBuf>,
    /// What the URLs that are shown to people begin with; by default the address that is listened on.
    #[arg(long, env = "ALERTMILL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Certificate chain to serve HTTPS with, as PEM.
    #[arg(long, env = "ALERTMILL_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, as PEM.
    #[arg(long, env = "ALERTMILL_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// When a delivery counts as kept: `full` once it is on the disk, `normal` once the operating system has it (a power
    /// cut may then lose what was already answered).
    #[arg(long, env = "ALERTMILL_DURABILITY", value_enum, default_value = "full")]
    pub durability: Durability,
    /// Largest body that is accepted, after decompression.
    #[arg(long, env = "ALERTMILL_MAX_BODY", value_name = "SIZE", default_value = "1MiB")]
    pub max_body: ByteSize,
    /// How many connections may be open at once, for each worker thread.
    #[arg(long, env = "ALERTMILL_MAX_CONNECTIONS", value_name = "COUNT", default_value_t = 2048)]
    pub max_connections: usize,
    /// How many worker threads answer requests; by default one for each processor core.
    #[arg(long, env = "ALERTMILL_WORKERS", value_name = "COUNT")]
    pub workers: Option<usize>,
    /// How long a sender may take to send the headers of a request.
    #[arg(long, env = "ALERTMILL_HEADER_TIMEOUT", value_name = "TIME", default_value = "10s")]
    pub header_timeout: Span,
    /// How long a sender may take to send the body of a request.
    #[arg(long, env = "ALERTMILL_BODY_TIMEOUT", value_name = "TIME", default_value = "30s")]
    pub body_timeout: Span,
    /// How long requests in flight may take when the server is stopped.
    #[arg(long, env = "ALERTMILL_STOP_TIMEOUT", value_name = "TIME", default_value = "30s")]
    pub stop_timeout: Span,
    /// How many deliveries a second one webhook takes, where the webhook itself sets no other limit; no limit by default.
    #[arg(long, env = "ALERTMILL_RATE_LIMIT", value_name = "COUNT")]
    pub rate_limit: Option<u32>,
    /// How many writes may wait; beyond that the answer is 503 at once.
    #[arg(long, env = "ALERTMILL_QUEUE", value_name = "COUNT", default_value_t = 4096)]
    pub queue: usize,
    /// How many writes may share a commit; 1 gives each request a transaction of its own.
    #[arg(long, env = "ALERTMILL_COMMIT_SHARE", value_name = "COUNT", default_value_t = 1024)]
    pub commit_share: usize,
    /// How many readers may watch `/api/v1/stream` at once; more are answered 503.
    #[arg(long, env = "ALERTMILL_STREAMS", value_name = "COUNT", default_value_t = 256)]
    pub streams: usize,
    /// How many events and changes of alerts a reader of `/api/v1/stream` may be behind; one who is further is dropped.
    #[arg(long, env = "ALERTMILL_STREAM_BACKLOG", value_name = "COUNT", default_value_t = 100_000)]
    pub stream_backlog: u32,
    /// How long a reader may take nothing of what is sent to it; one of `/api/v1/stream` is dropped then, any other
    /// connection after twice that time.
    #[arg(long, env = "ALERTMILL_STREAM_STALL", value_name = "TIME", default_value = "30s")]
    pub stream_stall: Span,
    /// How long a query may take; beyond that it is stopped, and the answer is 504.
    #[arg(long, env = "ALERTMILL_QUERY_TIMEOUT", value_name = "TIME", default_value = "10s")]
    pub query_timeout: Span,
    /// How long records of the audit trail are kept; `0s` keeps them for ever.
    #[arg(long, env = "ALERTMILL_AUDIT_RETENTION", value_name = "TIME", default_value = "90d")]
    pub audit_retention: Span,
    /// Proxy whose `X-Forwarded-For` is believed, as an address or a network; may be repeated.
    #[arg(
        long,
        env = "ALERTMILL_TRUSTED_PROXY",
        value_name = "ADDR[/BITS]",
        value_delimiter = ','
    )]
    pub trusted_proxy: Vec<Network>,
    /// How long a user who logged in stays so.
    #[arg(long, env = "ALERTMILL_SESSION_TIME", value_name = "TIME", default_value = "12h")]
    pub session_time: Span,
    /// How long the token works that an application gets for its secret.
    #[arg(long, env = "ALERTMILL_TOKEN_TIME", value_name = "TIME", default_value = "1h")]
    pub token_time: Span,
    /// Mail server that takes the mail of channels that name none, e.g.
    /// `smtp+starttls://name:password@mail.example.org:587`; with `smtps://` it is encrypted from the start, with `smtp://`
    /// not at all.
    #[arg(
        long,
        env = "ALERTMILL_SMTP",
        value_name = "URL",
        hide_env_values = true,
        requires = "mail_from"
    )]
    pub smtp: Option<MailServer>,
    /// Address that mail is sent from, e.g. `Alertmill <alerts@example.org>`.
    #[arg(long, env = "ALERTMILL_MAIL_FROM", value_name = "ADDRESS", value_parser = mailbox)]
    pub mail_from: Option<String>,
    /// How long a call out may take: to a channel, or to a confirmation address.
    #[arg(long, env = "ALERTMILL_OUTBOUND_TIMEOUT", value_name = "TIME", default_value = "10s")]
    pub outbound_timeout: Span,
    /// Address that is fetched again and again while Alertmill does its work, for a service that raises an alarm once it
    /// hears nothing.
    #[arg(long, env = "ALERTMILL_PING_URL", value_name = "URL", hide_env_values = true, value_parser = web_address)]
    pub ping_url: Option<String>,
    /// How often that address is fetched.
    #[arg(long, env = "ALERTMILL_PING_EVERY", value_name = "TIME", default_value = "1m")]
    pub ping_every: Span,
    /// Let outgoing requests go to private addresses too.
    #[arg(long, env = "ALERTMILL_ALLOW_PRIVATE_OUTBOUND", value_parser = BoolishValueParser::new())]
    pub allow_private_outbound: bool,
    /// Let the confirmation addresses that some senders post be fetched.
    #[arg(long, env = "ALERTMILL_ALLOW_CONFIRM", value_parser = BoolishValueParser::new())]
    pub allow_confirm: bool,
    /// Let time stand still at this moment, e.g. `2024-05-15T12:34:56.789Z`, and identifiers repeat, for tests and
    /// demonstrations that look the same each time; only where `--listen` is an address of this machine alone.
    #[arg(long, env = "ALERTMILL_CLOCK", value_name = "TIME")]
    pub clock: Option<Still>,
    /// When people are at work, e.g. `Mon-Fri 08:00-18:00 Europe/Berlin`: tokens, users and applications that are made at other
    /// times raise an alert. Where it is not said, none do.
    #[arg(long, env = "ALERTMILL_OFFICE_HOURS", value_name = "HOURS")]
    pub office_hours: Option<OfficeHours>,
    /// How log lines look.
    #[arg(long, env = "ALERTMILL_LOG", value_enum, default_value = "text")]
    pub log: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, for all or as `module=level,...`.
    #[arg(long, env = "ALERTMILL_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
    /// Add a route that parses a delivery and answers without keeping it, to measure against.
    #[arg(long, env = "ALERTMILL_BENCH", hide = true, value_parser = BoolishValueParser::new())]
    pub bench: bool,
}

/// How a command finds its server, and what it shows to be let in.
#[derive(Args, Clone, Debug)]
pub struct Reach {
    /// Data directory of a server on this machine; its address and token are found there.
    #[arg(
        long,
        env = "ALERTMILL_DATA",
        value_name = "DIR",
        default_value = "alertmill-data",
        global = true
    )]
    pub data: PathBuf,
    /// Address of the server, where it is not the one of `--data`.
    #[arg(long, env = "ALERTMILL_URL", value_name = "URL", global = true)]
    pub url: Option<String>,
    /// Token to show, where it is not the one of `--data`.
    #[arg(
        long,
        env = "ALERTMILL_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        global = true
    )]
    pub token: Option<String>,
    /// Print JSON instead of tables and sentences.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Where rules and plugins are read from by the commands that need no server.
#[derive(Args, Clone, Debug, Default)]
pub struct RuleFiles {
    /// Directory of mappings that are added to the built-in ones, or replace them.
    #[arg(long, env = "ALERTMILL_RULES", value_name = "DIR", global = true)]
    pub rules: Option<PathBuf>,
    /// Directory of plugins that are added to the built-in ones, or replace them.
    #[arg(long, env = "ALERTMILL_PLUGINS", value_name = "DIR", global = true)]
    pub plugins: Option<PathBuf>,
}

/// Whether what samples must become is rewritten.
#[derive(Args, Clone, Copy, Debug)]
pub struct UpdateSamples {
    /// Rewrite what stands beside the samples where it differs, instead of comparing.
    #[arg(long, env = "UPDATE_SAMPLES", value_parser = BoolishValueParser::new())]
    pub update: bool,
}

/// When a delivery counts as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// Once it is on the disk.
    Full,
    /// Once the operating system has it.
    Normal,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// A number of bytes, written as `512`, `64KiB` or `1MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub usize);

/// A length of time, written as `500ms`, `10s` or `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A moment at which time stands still, written as `2024-05-15T12:34:56.789Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Still(pub Timestamp);

/// An address, or all addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: u128,
    bits: u32,
}

/// A setting that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct BadSetting {
    found: String,
    expected: &'static str,
}

impl Config {
    /// How the store is opened.
    pub fn store_options(&self) -> store::Options {
        let durability = match self.durability {
            Durability::Full => store::Durability::Full,
            Durability::Normal => store::Durability::Normal,
        };
        store::Options {
            durability,
            share: self.commit_share.max(1),
            queue: self.queue.max(1),
            query_timeout: self.query_timeout.0,
            ..store::Options::default()
        }
    }

    /// What calls out.
    pub fn outbound(&self) -> Outbound {
        let private =
            if self.allow_private_outbound { AllowPrivate::Yes } else { AllowPrivate::No };
        let mailer = self.smtp.clone().zip(self.mail_from.clone());
        let mailer = mailer.map(|(server, from)| Mailer { server, from });
        Outbound::new(private).patient(self.outbound_timeout.0).with_mailer(mailer)
    }

    /// What URLs that are shown to people begin with, without a slash at the end.
    pub fn base_url(&self, bound: SocketAddr) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", reachable(bound))
    }
}

/// The address by which this machine reaches a server that listens on `bound`.
fn reachable(bound: SocketAddr) -> SocketAddr {
    match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), bound.port())
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), bound.port())
        }
        IpAddr::V4(_) | IpAddr::V6(_) => bound,
    }
}

/// An address of mail, with a name before it or without.
fn mailbox(text: &str) -> Result<String, BadSetting> {
    let address = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>')).trim();
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    let fits =
        address.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty());
    if fits && !address.contains(is_odd) {
        return Ok(text.trim().to_owned());
    }
    let expected = "an address such as alerts@example.org or `Alertmill <alerts@example.org>`";
    Err(BadSetting { found: text.to_owned(), expected })
}

/// An address of the web.
fn web_address(text: &str) -> Result<String, BadSetting> {
    let wrong = |_| BadSetting {
        found: text.to_owned(),
        expected: "an address such as https://ping.example.org/1",
    };
    outbound::callable(text).map(|()| text.to_owned()).map_err(wrong)
}

/// The number at the start of `text`, and what follows it.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim()))
}

impl FromStr for ByteSize {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let wrong = || BadSetting {
            found: text.to_owned(),
            expected: "a size such as 4096, 512KiB or 1MiB",
        };
        let (number, unit) = number_and_unit(text).ok_or_else(wrong)?;
        let factor = match unit {
            "" | "B" => 1,
            "KiB" | "K" | "k" => 1 << 10,
            "MiB" | "M" => 1 << 20,
            "GiB" | "G" => 1 << 30,
            _ => return Err(wrong()),
        };
        let bytes = number.checked_mul(factor).ok_or_else(wrong)?;
        usize::try_from(bytes).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            mib if mib > 0 && mib % (1 << 20) == 0 => write!(f, "{} MiB", mib >> 20),
            kib if kib > 0 && kib % (1 << 10) == 0 => write!(f, "{} KiB", kib >> 10),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

impl FromStr for Span {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let wrong =
            || BadSetting { found: text.to_owned(), expected: "a time such as 500ms, 10s or 2m" };
        let (number, unit) = number_and_unit(text).ok_or_else(wrong)?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        number.checked_mul(millis).map(|ms| Self(Duration::from_millis(ms))).ok_or_else(wrong)
    }
}

impl FromStr for Still {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let wrong = |_| BadSetting {
            found: text.to_owned(),
            expected: "a time such as 2024-05-15T12:34:56.789Z",
        };
        let time = DateTime::parse_from_rfc3339(text).map_err(wrong)?;
        Ok(Self(to_millis(time.to_utc())))
    }
}

impl fmt::Display for Still {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rfc3339(self.0))
    }
}

/// An address as bits; those of version 4 as version 6 embeds them.
fn address_bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

impl FromStr for Network {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let wrong = || BadSetting {
            found: text.to_owned(),
            expected: "an address such as 10.0.0.1 or a network such as 10.0.0.0/8",
        };
        let (address, bits) = text.split_once('/').unwrap_or((text, ""));
        let ip: IpAddr = address.parse().map_err(|_| wrong())?;
        let (widest, embedded) = if ip.is_ipv4() { (32, 96) } else { (128, 0) };
        let bits: u32 = if bits.is_empty() { widest } else { bits.parse().map_err(|_| wrong())? };
        if bits > widest {
            return Err(wrong());
        }
        Ok(Self { address: address_bits(ip), bits: bits + embedded })
    }
}

impl Network {
    /// Whether `ip` is in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let differing = self.address ^ address_bits(ip);
        differing.leading_zeros() >= self.bits
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Just {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn nothing_has_to_be_set() {
        let config = Just::parse_from(["alertmill"]).config;
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.max_body.0, 1 << 20);
        assert_eq!(config.body_timeout.0, Duration::from_secs(30));
        assert_eq!(config.commit_share, 1024);
        assert_eq!(config.rate_limit, None);
    }

    #[test]
    fn every_flag_is_an_environment_variable_too() {
        for arg in Just::command().get_arguments() {
            let Some(flag) = arg.get_long() else { continue };
            let wanted = format!("ALERTMILL_{}", flag.to_uppercase().replace('-', "_"));
            let env = arg.get_env().map(|name| name.to_string_lossy().into_owned());
            assert_eq!(env, Some(wanted));
            assert!(arg.get_help().is_some(), "--{flag} says nothing");
        }
    }

    #[test]
    fn a_network_holds_what_begins_with_its_bits() {
        let inside: IpAddr = "10.1.2.3".parse().unwrap();
        let outside: IpAddr = "11.1.2.3".parse().unwrap();
        let network: Network = "10.0.0.0/8".parse().unwrap();
        assert!(network.contains(inside) && !network.contains(outside));
        assert!("10.1.2.3".parse::<Network>().unwrap().contains(inside));
        assert!(!"10.1.2.4".parse::<Network>().unwrap().contains(inside));
        assert!("::/0".parse::<Network>().unwrap().contains(outside));
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!("64KiB".parse(), Ok(ByteSize(65536)));
        assert!("64 Kib".parse::<ByteSize>().is_err());
        assert!("99999999999999999999".parse::<ByteSize>().is_err());
        assert_eq!("2m".parse(), Ok(Span(Duration::from_secs(120))));
        assert!("10".parse::<Span>().is_err());
        let still: Still = "2024-05-15T14:34:56.789+02:00".parse().unwrap();
        assert_eq!(still.to_string(), "2024-05-15T12:34:56.789Z");
        assert!("yesterday".parse::<Still>().is_err());
    }
}
