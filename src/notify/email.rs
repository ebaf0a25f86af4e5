//! Mail, handed to a server by SMTP. Each recipient is asked for by itself, so that one address that is gone does not
//! keep the message from the others.

use std::time::Duration;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{
        Mailbox, Mailboxes,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

use super::{Delivered, Retry, SendFault, http, text};
use crate::{
    domain::{channel::targets::EmailTarget, parcel::Parcel},
    outbound::{MailSecurity, MailServer, Outbound},
};

/// The most letters of a subject.
const LONGEST_SUBJECT: usize = 200;

/// What SMTP answers where the name or the password is not taken, which may be mended while the message waits.
const NOT_LET_IN: [u16; 4] = [530, 534, 535, 538];

pub(super) async fn send(
    outbound: &Outbound,
    target: &EmailTarget,
    (said, parcel): (&text::Said, &Parcel),
) -> Result<Delivered, SendFault> {
    let mailer = outbound.mailer();
    // Nobody mails in a name of choice through the operator's server.
    let (server, sender, named_by_operator) = match (&target.server, mailer) {
        (Some(own), _) => (own, target.from.as_deref(), false),
        (None, Some(mailer)) => (&mailer.server, Some(mailer.from.as_str()), true),
        (None, None) => {
            return Err(unsendable(
                "no mail server is set: start the server with `--smtp`, or give the channel one",
            ));
        }
    };
    let sender = sender.ok_or_else(|| unsendable("no address to send from is set"))?;
    let letter = Letter::new(sender, target, (said, parcel))?;
    let transport = connect(outbound, server, named_by_operator).await?;
    let mut outcome = Outcome::default();
    for recipient in &letter.to {
        let envelope = Envelope::new(Some(letter.from.clone()), vec![recipient.clone()])
            .map_err(|fault| unsendable(&fault.to_string()))?;
        // A server that is silent costs one wait, not one for each recipient.
        let patience = outbound.patience().saturating_mul(2);
        let sending = transport.send_raw(&envelope, &letter.bytes);
        match tokio::time::timeout(patience, sending).await {
            Ok(Ok(answer)) => outcome.taken(answer.code().into()),
            Ok(Err(fault)) => outcome.failed(recipient, failed(&fault)),
            Err(_) => outcome.failed(recipient, silent(patience)),
        }
        if outcome.is_hopeless() {
            break;
        }
    }
    outcome.told()
}

/// A mail as it goes out.
struct Letter {
    from: Address,
    to: Vec<Address>,
    bytes: Vec<u8>,
}

impl Letter {
    fn new(
        sender: &str,
        target: &EmailTarget,
        (said, parcel): (&text::Said, &Parcel),
    ) -> Result<Self, SendFault> {
        let mailbox = |text: &str| {
            text.parse::<Mailbox>().map_err(|fault| unsendable(&format!("`{text}`: {fault}")))
        };
        let from = mailbox(sender)?;
        let mut to = Mailboxes::new();
        for address in &target.to {
            to.push(mailbox(address)?);
        }
        let host = from.email.domain().to_owned();
        let addresses = to.iter().map(|mailbox| mailbox.email.clone()).collect();
        let mut builder = Message::builder().from(from.clone());
        for one in to {
            builder = builder.to(one);
        }
        // The same at each try, so that who gets it twice sees it once.
        let id = |name: &str| format!("<{}@{host}>", word(name));
        builder = builder
            .subject(text::cut(&said.title, LONGEST_SUBJECT))
            .message_id(Some(id(parcel.message_id.as_str())))
            .date(parcel.now.into())
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .header(ContentType::TEXT_PLAIN);
        // What happens to an alert stands in one thread.
        if let [notice] = parcel.notices.as_slice() {
            let thread = id(notice.alert_id.as_str());
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        let letter =
            builder.body(body(said, parcel)).map_err(|fault| unsendable(&fault.to_string()))?;
        Ok(Self { from: from.email, to: addresses, bytes: letter.formatted() })
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// An identifier as a part of a message's.
fn word(text: &str) -> String {
    http::escaped(text).replace('%', "=")
}

fn body(said: &text::Said, parcel: &Parcel) -> String {
    let mut body = said.plain();
    if let Some(url) = &parcel.ack_url {
        body = format!("{body}\n\nAcknowledge: {url}");
    }
    format!("{}\n", body.trim())
}

/// A connection to a server, or what stands for one: it is made when something is sent.
async fn connect(
    outbound: &Outbound,
    server: &MailServer,
    named_by_operator: bool,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendFault> {
    let MailServer { host, port, security, username, password } = server;
    // What a channel names is resolved and checked, and what was checked is connected to.
    let address = if named_by_operator {
        host.clone()
    } else {
        let address = outbound.address_of(host, *port).await;
        address.map_err(|fault| http::uncalled(&fault))?.ip().to_string()
    };
    let parameters = || {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        TlsParameters::new_rustls(host).map_err(|fault| unsendable(&fault.to_string()))
    };
    let tls = match security {
        MailSecurity::Tls => Tls::Wrapper(parameters()?),
        MailSecurity::StartTls => Tls::Required(parameters()?),
        MailSecurity::Plain => Tls::None,
    };
    let patience: Duration = outbound.patience();
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address)
        .port(*port)
        .tls(tls)
        .timeout(Some(patience));
    if let (Some(username), Some(password)) = (username, password) {
        let credentials = Credentials::new(username.clone(), password.reveal().to_owned());
        builder = builder.credentials(credentials);
    }
    Ok(builder.build())
}

fn unsendable(reason: &str) -> SendFault {
    SendFault { retry: Retry::Never, reason: reason.to_owned(), status: None }
}

fn silent(patience: Duration) -> SendFault {
    let reason = format!("the mail server did not answer within {} s", patience.as_secs_f32());
    SendFault { retry: Retry::Later(None), reason, status: None }
}

fn failed(fault: &Error) -> SendFault {
    let status = fault.status().map(u16::from);
    let is_refusal = fault.is_permanent() && !status.is_some_and(|it| NOT_LET_IN.contains(&it));
    let retry = if is_refusal { Retry::Never } else { Retry::Later(None) };
    let mut reason = fault.to_string();
    if let Some(cause) = std::error::Error::source(fault) {
        reason = format!("{reason}: {cause}");
    }
    SendFault { retry, reason: http::words(&reason), status }
}

/// What became of a mail with each recipient.
#[derive(Default)]
struct Outcome {
    status: Option<u16>,
    refused: Vec<String>,
    fault: Option<SendFault>,
}

impl Outcome {
    fn taken(&mut self, status: u16) {
        self.status = Some(status);
    }

    fn failed(&mut self, recipient: &Address, fault: SendFault) {
        self.refused.push(format!("{recipient}: {}", fault.reason));
        let is_worse = self.fault.as_ref().is_none_or(|before| before.retry == Retry::Never);
        if is_worse {
            self.fault = Some(fault);
        }
    }

    /// Whether the server itself failed, so that it need not be asked about the others.
    fn is_hopeless(&self) -> bool {
        let fault = self.fault.as_ref();
        fault.is_some_and(|fault| fault.status.is_none() && fault.retry != Retry::Never)
    }

    /// Whether somebody has it. Whoever may still get it is tried again, although others then get it twice.
    fn told(self) -> Result<Delivered, SendFault> {
        let reason = self.refused.join("; ");
        match (self.status, self.fault) {
            (status, None) => Ok(Delivered { status, ..Delivered::default() }),
            (Some(status), Some(SendFault { retry: Retry::Never, .. })) => {
                let note = Some(format!("not taken for {reason}"));
                Ok(Delivered { status: Some(status), thread: None, note })
            }
            (_, Some(fault)) => Err(SendFault { reason, ..fault }),
        }
    }
}
