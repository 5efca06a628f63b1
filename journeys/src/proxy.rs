//! A network that misbehaves on request, between a client and a server.

use crate::Failure;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What happens to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing: everything arrives.
    Healthy,
    /// Everything arrives this much later, in each direction.
    Slow(Duration),
    /// Connections break, and new ones are closed at once.
    Cut,
    /// Connections stay open and new ones are accepted, but nothing arrives any more. What was
    /// sent meanwhile arrives when the network heals, as TCP would deliver it.
    HalfOpen,
    /// What the server answers arrives as noise, whose seed this is.
    Garbage(u64),
}

/// A proxy for TCP on a port of its own; drop breaks its connections.
///
/// ```
/// use cloakroom_journeys::proxy::{Network, Proxy};
/// use std::io::{Read, Write};
/// let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// let proxy = Proxy::start(server.local_addr().unwrap()).unwrap();
/// let mut client = std::net::TcpStream::connect(proxy.address()).unwrap();
/// client.write_all(b"hi").unwrap();
/// let mut heard = [0; 2];
/// server.accept().unwrap().0.read_exact(&mut heard).unwrap();
/// assert_eq!(&heard, b"hi");
///
/// proxy.set(Network::Cut);
/// assert_eq!(client.read(&mut heard).unwrap_or(0), 0);
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: Mutex<SocketAddr>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    network: Network,
    open: Vec<TcpStream>,
    closed: bool,
    accepted: u64,
}

impl Proxy {
    /// Starts a healthy network in front of `upstream`.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub fn start(upstream: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.map_err(Failure::when("no port for the proxy"))?;
        let address = listener.local_addr().map_err(Failure::when("no port for the proxy"))?;
        let state =
            State { network: Network::Healthy, open: Vec::new(), closed: false, accepted: 0 };
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.lock().closed {
                    break;
                }
                accepting.connect(client);
            }
        });
        Ok(Self { address, shared })
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the network for what passes from now on.
    pub fn set(&self, network: Network) {
        let mut state = self.shared.lock();
        state.network = network;
        if network == Network::Cut {
            state.hang_up();
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// New connections lead to another server, as after a failover behind one address.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *self.shared.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
    }

    /// How many connections clients have opened so far, those included that were closed at once.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.lock().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.hang_up();
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    fn hang_up(&mut self) {
        for stream in self.open.drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let mut state = self.lock();
        state.accepted += 1;
        let cut = state.network == Network::Cut;
        drop(state);
        if cut {
            return;
        }
        let upstream = *self.upstream.lock().unwrap_or_else(PoisonError::into_inner);
        // A server that is down answers a connection with its end, as it would without us.
        let Ok(server) = TcpStream::connect(upstream) else { return };
        drop(client.set_nodelay(true));
        drop(server.set_nodelay(true));
        let Some([up, down]) = both_ways(&client, &server) else { return };
        let mut state = self.lock();
        if state.closed || state.network == Network::Cut {
            return;
        }
        state.open.extend([client, server]);
        drop(state);
        for (way, from_server) in [(up, false), (down, true)] {
            let shared = Arc::clone(self);
            std::thread::spawn(move || shared.pump(way, from_server));
        }
    }

    fn pump(&self, (mut from, mut to): (TcpStream, TcpStream), from_server: bool) {
        let mut buffer = vec![0; 16 * 1024];
        let mut noise = None;
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let Some(chunk) = buffer.get_mut(..length) else { break };
            match self.passable() {
                Some(Network::Slow(delay)) => std::thread::sleep(delay),
                Some(Network::Garbage(seed)) if from_server => {
                    scramble(chunk, noise.get_or_insert(seed | 1));
                }
                Some(Network::Healthy | Network::Garbage(_) | Network::HalfOpen | Network::Cut) => {
                }
                None => break,
            }
            if to.write_all(chunk).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
        drop(from.shutdown(Shutdown::Both));
    }

    /// Waits while nothing arrives; `None` once the proxy is gone.
    fn passable(&self) -> Option<Network> {
        let stuck = |state: &mut State| state.network == Network::HalfOpen && !state.closed;
        let state = self.changed.wait_while(self.lock(), stuck);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        (!state.closed).then_some(state.network)
    }
}

type Way = (TcpStream, TcpStream);

fn both_ways(client: &TcpStream, server: &TcpStream) -> Option<[Way; 2]> {
    let copy = |stream: &TcpStream| stream.try_clone().ok();
    Some([(copy(client)?, copy(server)?), (copy(server)?, copy(client)?)])
}

fn scramble(chunk: &mut [u8], noise: &mut u64) {
    for octet in chunk {
        *noise ^= *noise << 13;
        *noise ^= *noise >> 7;
        *noise ^= *noise << 17;
        *octet ^= noise.to_le_bytes()[0];
    }
}
