//! Starts the server, and stops it so that nobody's request is cut.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use actix_web::{HttpServer, dev::ServerHandle, web::Data};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::signal::unix::{SignalKind, signal};

use super::{Front, application, gone};
use crate::{
    app::{App, StartError},
    config::Config,
    jobs,
};

/// How long an idle connection stays open; senders that post once a minute need not connect each time.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How many threads each worker has for what may take its time. The store bounds its reads below that, so that there is
/// one for a quick read however many slow ones wait; a thread without work ends.
const THREADS: usize = 64;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 2048;

/// Serves `app` until it is told to stop. `bound` is told where it listens once it does.
///
/// # Errors
/// Where it cannot listen, or certificate and key do not fit.
pub async fn serve(
    app: Arc<App>,
    bound: impl FnOnce(SocketAddr) -> io::Result<()>,
) -> Result<(), StartError> {
    let front = Data::new(Front::new(Arc::clone(&app)));
    let config = &app.config;
    let edge = front.clone();
    let server = HttpServer::new(move || application(edge.clone()))
        .workers(workers(config))
        .worker_max_blocking_threads(THREADS)
        .on_connect(gone::connected)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(config.header_timeout.0)
        .client_disconnect_timeout(config.header_timeout.0)
        .max_connections(config.max_connections)
        .shutdown_timeout(config.stop_timeout.0.as_secs())
        .disable_signals();
    let cannot_listen = |cause| StartError::Files { path: config.listen.to_string().into(), cause };
    let listener = listener(config).map_err(cannot_listen)?;
    let server = match (&config.tls_cert, &config.tls_key) {
        (Some(cert), Some(key)) => server.listen_rustls_0_23(listener, tls(cert, key)?),
        (None, _) | (_, None) => server.listen(listener),
    }
    .map_err(cannot_listen)?;
    let address = server.addrs().first().copied().unwrap_or(config.listen);
    let running = server.run();
    stop_when_told(running.handle(), front).map_err(cannot_listen)?;
    app.announce(address)?;
    bound(address).map_err(cannot_listen)?;
    tracing::info!(address = %address, "listening");
    running.await.map_err(cannot_listen)?;
    if let Err(error) = jobs::write_all(&app.jobs()).await {
        tracing::warn!(%error, cause = ?error.cause, "who was turned away last could not be recorded");
    }
    app.close();
    tracing::info!("stopped");
    Ok(())
}

/// Listens, so that the system itself ends a connection whose reader takes nothing: what answers it is not asked for more
/// meanwhile, so nobody else could. Connections inherit it.
fn listener(config: &Config) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(config.listen)?;
    let patience = config.stream_stall.0.saturating_mul(2).as_millis();
    let patience = u32::try_from(patience).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(&listener, patience)?;
    // Once more, since the standard library lets too few wait.
    rustix::net::listen(&listener, BACKLOG)?;
    Ok(listener)
}

fn workers(config: &Config) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    config.workers.unwrap_or(cores).max(1)
}

/// Stops the server at the first signal once everything in flight is answered, at the second at once.
fn stop_when_told(server: ServerHandle, front: Data<Front>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut told = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    actix_web::rt::spawn(async move {
        told().await;
        tracing::info!("stopping: finishing what is in flight");
        front.streams.stop();
        actix_web::rt::spawn(server.stop(true));
        told().await;
        server.stop(false).await;
    });
    Ok(())
}

fn tls(cert: &Path, key: &Path) -> Result<ServerConfig, StartError> {
    let unusable = |path: &Path, cause: &dyn std::fmt::Display| StartError::Files {
        path: path.to_owned(),
        cause: io::Error::new(io::ErrorKind::InvalidData, cause.to_string()),
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| unusable(cert, &cause))?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|cause| unusable(key, &cause))?;
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .map_err(|cause| unusable(key, &cause))
}
