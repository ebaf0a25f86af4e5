//! Whether the caller of a request still waits for its answer.
//!
//! The server keeps a request going though its caller hung up, since a sender may close its side after the last byte
//! and still read the receipt. A query has nothing to keep: whoever closes the connection while it runs is gone, and it
//! stops. The connection is watched by a descriptor of our own, because the server does not let go of its own.

use std::{
    any::Any,
    future::{Future, pending},
    io, net,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{HttpRequest, dev::Extensions, rt::net::TcpStream};
use tokio::io::Interest;

use crate::error::{Code, Error, Result};

/// How long a request takes before its caller is watched; most are answered by then.
const PATIENCE: Duration = Duration::from_millis(20);

/// The connection of a request.
struct Line(OwnedFd);

/// Keeps what is needed to watch a connection.
pub(super) fn connected(io: &dyn Any, kept: &mut Extensions) {
    let plain = io.downcast_ref::<TcpStream>();
    let inner = || io.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
    // Where there are no descriptors left, queries end by their limit alone.
    if let Some(fd) = plain.or_else(inner).and_then(|it| it.as_fd().try_clone_to_owned().ok()) {
        kept.insert(Line(fd));
    }
}

/// What `work` comes to, unless the caller of `request` goes away before; then it is dropped.
pub(super) async fn awaited<T>(
    request: &HttpRequest,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        done = work => done,
        () = gone(request) => Err(Error::new(Code::Deadline, "the caller did not wait for the answer")),
    }
}

/// Ends when the caller closes its side of the connection.
async fn gone(request: &HttpRequest) {
    if let Some(Line(fd)) = request.conn_data::<Line>() {
        tokio::time::sleep(PATIENCE).await;
        return closed(fd).await;
    }
    pending::<()>().await;
}

/// Ends when the other side closed, or never where that cannot be found out.
async fn closed(line: &OwnedFd) {
    let watched = line.try_clone().map(net::TcpStream::from).and_then(TcpStream::from_std);
    let Ok(watched) = watched else { return pending().await };
    while let Ok(ready) = watched.ready(Interest::READABLE).await {
        if ready.is_read_closed() {
            return;
        }
        // The next request may be there already, and is not ours to read; what matters is what comes after.
        let nothing = || -> io::Result<()> { Err(io::ErrorKind::WouldBlock.into()) };
        let _ = watched.try_io(Interest::READABLE, nothing);
    }
    pending::<()>().await;
}
