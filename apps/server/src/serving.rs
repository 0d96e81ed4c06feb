//! Serves HTTP on a listener. The framework's own loop waits for ever for a request that never comes whole; here a
//! connection has so long for its first one and for each further one, and what a head may have is bounded. Bodies
//! and requests have limits of their own in `rest` and `socketio`.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use parlance_socketio::{ConnectionIo, Listener, Peer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// How long a new connection has until its first request is there.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// The same for every further one, idle time included: longer than proxies keep idle connections (60 s), which
/// otherwise send a request into one that is just being closed.
const NEXT_REQUEST: Duration = Duration::from_secs(65);
/// What the head of a request may have, and what is read ahead of a body, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Serves `routes` until `closed` says so, then lets each connection finish the request that it carries.
///
/// With a certificate the first request includes the handshake of TLS.
pub(crate) async fn serve(
    mut listener: Listener,
    tls: Option<TlsAcceptor>,
    routes: Router,
    mut closed: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let told = closed.clone();
    loop {
        tokio::select! {
            (io, address) = listener.accept() => {
                let peer = Peer::of(&io, &address);
                let (routes, told) = (routes.clone(), told.clone());
                match tls.clone() {
                    None => connections.spawn(connection(io, peer, routes, told)),
                    Some(tls) => connections.spawn(encrypted(tls, io, peer, routes, told)),
                };
            }
            Some(_) = connections.join_next() => {}
            _ = closed.wait_for(|closed| *closed) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn encrypted(tls: TlsAcceptor, io: ConnectionIo, peer: Peer, routes: Router, mut closed: watch::Receiver<bool>) {
    let accepted = tokio::select! {
        accepted = timeout(FIRST_REQUEST, tls.accept(io)) => accepted,
        _ = closed.wait_for(|closed| *closed) => return,
    };
    match accepted {
        Ok(Ok(io)) => connection(io, peer, routes, closed).await,
        Ok(Err(error)) => tracing::debug!(%error, "a connection does not speak TLS as it should"),
        Err(_) => tracing::trace!("a connection took too long for TLS"),
    }
}

async fn connection(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    routes: Router,
    mut closed: watch::Receiver<bool>,
) {
    let begun = Arc::new(AtomicBool::new(false));
    let service = tower::service_fn({
        let begun = Arc::clone(&begun);
        move |request: hyper::Request<hyper::body::Incoming>| {
            begun.store(true, Ordering::Relaxed);
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer.clone()));
            routes.clone().oneshot(request)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(NEXT_REQUEST).max_buf_size(MAX_HEAD_BYTES);
    let mut served = pin!(builder.serve_connection_with_upgrades(TokioIo::new(io), TowerToHyperService::new(service)));
    let mut first = pin!(sleep(FIRST_REQUEST));
    let (mut waiting, mut closing) = (true, false);
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(error, "a connection ended");
                }
                return;
            }
            () = first.as_mut(), if waiting => {
                if !begun.load(Ordering::Relaxed) {
                    return;
                }
                waiting = false;
            }
            _ = closed.wait_for(|closed| *closed), if !closing => {
                if !begun.load(Ordering::Relaxed) {
                    return;
                }
                closing = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}
