//! A TCP proxy between a storage and its server that breaks connections where it is told to. A request is what the
//! client writes at once, an answer what comes back for it; the proxy does not know the protocol.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What is to go wrong; once, if nothing else is said.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The request after this many others does not arrive: its connection breaks.
    LoseRequest(usize),
    /// The request after this many others is carried out; instead of its answer, its connection breaks.
    LoseAnswer(usize),
    /// Likewise, the first request that contains this.
    LoseAnswerTo(&'static [u8]),
    /// Neither the first request that contains this arrives nor any after it, for as long as the fault lasts: their
    /// connections break.
    LoseFrom(&'static [u8]),
    /// No request arrives for as long as the fault lasts.
    Stall,
}

/// A running proxy; it ends when it is dropped, and its connections with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    plan: Arc<Plan>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Plan {
    state: Mutex<State>,
    stalled: watch::Sender<bool>,
    struck: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    fault: Option<Fault>,
    passed: usize,
    /// Nothing arrives any more.
    severed: bool,
}

/// What is to become of a request.
enum Verdict {
    Pass,
    PassAndCut,
    Cut,
}

impl Proxy {
    /// A proxy before the server at this address.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let plan =
            Plan { state: Mutex::default(), stalled: watch::Sender::new(false), struck: watch::Sender::new(false) };
        let plan = Arc::new(plan);
        let shared = Arc::clone(&plan);
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, server, Arc::clone(&shared)));
            }
        });
        Self { address, plan, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes something go wrong from now on; requests are counted anew.
    pub fn arm(&self, fault: Fault) {
        *self.plan.state() = State { fault: Some(fault), ..State::default() };
        self.plan.struck.send_replace(false);
        self.plan.stalled.send_replace(matches!(fault, Fault::Stall));
    }

    /// Makes nothing go wrong any more, and says whether something has.
    pub fn lift(&self) -> bool {
        *self.plan.state() = State::default();
        self.plan.stalled.send_replace(false);
        *self.plan.struck.borrow()
    }

    /// Waits until it has gone wrong: a connection is broken, or a request does not get through.
    pub async fn struck(&self) {
        let mut struck = self.plan.struck.subscribe();
        struck.wait_for(|struck| *struck).await.expect("the proxy is there");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Plan {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, request: &[u8]) -> Verdict {
        let mut state = self.state();
        let contains = |what: &[u8]| request.windows(what.len()).any(|part| part == what);
        let verdict = match state.fault {
            Some(Fault::LoseFrom(what)) => {
                state.severed |= contains(what);
                return if state.severed { Verdict::Cut } else { Verdict::Pass };
            }
            Some(Fault::LoseRequest(after)) if state.passed == after => Verdict::Cut,
            Some(Fault::LoseAnswer(after)) if state.passed == after => Verdict::PassAndCut,
            Some(Fault::LoseAnswerTo(what)) if contains(what) => Verdict::PassAndCut,
            _ => Verdict::Pass,
        };
        state.passed += 1;
        if !matches!(verdict, Verdict::Pass) {
            state.fault = None;
        }
        verdict
    }

    fn strike(&self) {
        self.struck.send_replace(true);
    }
}

/// Carries one connection until either end closes it, or it is to break. Both ends close when this returns.
async fn carry(mut client: TcpStream, server: SocketAddr, plan: Arc<Plan>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut requests, mut answers) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut doomed = false;
    let mut stalled = plan.stalled.subscribe();
    loop {
        tokio::select! {
            read = client.read(&mut requests) => {
                let Ok(length @ 1..) = read else { return };
                if *stalled.borrow() {
                    plan.strike();
                    if stalled.wait_for(|stalled| !*stalled).await.is_err() {
                        return;
                    }
                }
                match plan.judge(&requests[..length]) {
                    Verdict::Pass => {}
                    Verdict::PassAndCut => doomed = true,
                    Verdict::Cut => return plan.strike(),
                }
                if server.write_all(&requests[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answers) => {
                let Ok(length @ 1..) = read else { return };
                if doomed {
                    return plan.strike();
                }
                if client.write_all(&answers[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
