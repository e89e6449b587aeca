//! The open connections of a server: how far each has come, which have taken too long, and which
//! one has to go when there is no room for another.
//!
//! One sweep a second looks at all of them. A request therefore sets no timer of its own, and a
//! crowd of connections that send nothing, or too slowly, costs next to nothing.
// spec: security.md, Inputs, outputs, network, "Timeouts on slow headers and bodies"

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::server::Limits;

/// How often [`Connections::sweep`] wants to be called.
pub(crate) const SWEEP: Duration = Duration::from_secs(1);

/// How far a connection has come with its present request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No byte of a further request has come.
    Waiting,
    /// A request has begun to come, or the connection is new.
    Head,
    /// Its body is still coming.
    Body,
    /// It is here, and being worked on.
    Answering,
    /// The answer is on its way.
    Sending,
    /// The connection has been told to go.
    Gone,
}

const PHASE_BITS: u32 = 3;

impl Phase {
    const fn of(state: u64) -> Phase {
        match state & ((1 << PHASE_BITS) - 1) {
            0 => Phase::Waiting,
            1 => Phase::Head,
            2 => Phase::Body,
            3 => Phase::Answering,
            4 => Phase::Sending,
            _ => Phase::Gone,
        }
    }

    /// Whether nothing of ours is lost when the connection ends now.
    const fn may_go(self) -> bool {
        !matches!(self, Phase::Answering | Phase::Gone)
    }

    const fn limit(self, limits: &Limits) -> Duration {
        match self {
            Phase::Waiting => limits.idle,
            Phase::Head => limits.head,
            Phase::Sending => limits.sending,
            // The server answers 408 or 503 itself; this is for what it cannot answer any more.
            Phase::Body | Phase::Answering => limits.request.saturating_add(limits.head),
            Phase::Gone => Duration::ZERO,
        }
    }
}

/// One connection.
pub(crate) struct Connection {
    table: Arc<Connections>,
    id: u64,
    network: IpAddr,
    /// The phase in the lowest bits, above it the turn: a number that grows over all connections
    /// whenever one of them begins to wait.
    state: AtomicU64,
    /// The state that the last sweep saw, and how many sweeps have seen it.
    seen: AtomicU64,
    sweeps: AtomicU32,
    /// What the client sends from now on is not read as requests any more.
    unread: AtomicBool,
    /// The answer is made while it is sent: what is sent is not all of it.
    pieces: AtomicBool,
    task: OnceLock<AbortHandle>,
}

impl Connection {
    /// Remembers what runs it, so that it can be ended.
    pub(crate) fn runs_in(&self, task: AbortHandle) {
        let _ = self.task.set(task);
    }

    /// All connections of its server.
    pub(crate) fn table(&self) -> &Connections {
        &self.table
    }

    /// Bytes have come; whether they are the first of a further request.
    pub(crate) fn received(&self) -> bool {
        self.advance(Phase::Waiting, Phase::Head)
    }

    /// A request has come, perhaps without its body; `false` when the connection is to go.
    pub(crate) fn requested(&self, has_body: bool) -> bool {
        let phase = if has_body {
            Phase::Body
        } else {
            Phase::Answering
        };
        // A request that was pipelined comes without new bytes.
        self.advance(Phase::Head, phase)
            || self.advance(Phase::Waiting, phase)
            || self.advance(Phase::Sending, phase)
    }

    /// The request's body has come.
    pub(crate) fn has_body(&self) {
        self.advance(Phase::Body, Phase::Answering);
    }

    /// Whether the request's body is still coming.
    pub(crate) fn lacks_body(&self) -> bool {
        Phase::of(self.state.load(Ordering::Relaxed)) == Phase::Body
    }

    /// The answer is made before the request has been read, and is the last one.
    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Whether the connection is closed with bytes of the client unread: those of a body that
    /// nobody wants, or behind a head that is none.
    pub(crate) fn has_unread(&self) -> bool {
        let phase = Phase::of(self.state.load(Ordering::Relaxed));
        self.unread.load(Ordering::Relaxed) || phase == Phase::Head
    }

    /// The answer is made.
    pub(crate) fn answered(&self) {
        let _ = self.advance(Phase::Answering, Phase::Sending)
            || self.advance(Phase::Body, Phase::Sending);
    }

    /// Whether there is more of the answer than what has been handed over.
    pub(crate) fn in_pieces(&self, more: bool) {
        self.pieces.store(more, Ordering::Relaxed);
    }

    /// All that was handed over is sent. Where more is to come, the client has its time anew.
    pub(crate) fn flushed(&self) {
        let state = self.state.load(Ordering::Relaxed);
        if Phase::of(state) == Phase::Sending {
            let turn = self.table.turns.fetch_add(1, Ordering::Relaxed);
            let phase = match self.pieces.load(Ordering::Relaxed) {
                true => Phase::Sending,
                false => Phase::Waiting,
            };
            let next = turn << PHASE_BITS | phase as u64;
            let _ = self
                .state
                .compare_exchange(state, next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn advance(&self, from: Phase, to: Phase) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        let next = state >> PHASE_BITS << PHASE_BITS | to as u64;
        Phase::of(state) == from
            && self
                .state
                .compare_exchange(state, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Ends it if it still is in this state.
    fn end(&self, state: u64) -> bool {
        let gone = state >> PHASE_BITS << PHASE_BITS | Phase::Gone as u64;
        let ended = self
            .state
            .compare_exchange(state, gone, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if ended && let Some(task) = self.task.get() {
            task.abort();
        }
        ended
    }

    /// Counts a sweep; whether the connection has been in its phase for too long.
    fn is_overdue(&self, state: u64, limits: &Limits) -> bool {
        if self.seen.swap(state, Ordering::Relaxed) != state {
            self.sweeps.store(0, Ordering::Relaxed);
            return false;
        }
        let sweeps = self
            .sweeps
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        SWEEP.saturating_mul(sweeps) >= Phase::of(state).limit(limits)
    }
}

/// Holds a connection's place; gives it back when dropped.
pub(crate) struct Place(pub(crate) Arc<Connection>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.table.remove(self.0.id);
    }
}

/// All connections of a server.
pub(crate) struct Connections {
    limits: Limits,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    turns: AtomicU64,
    draining: AtomicBool,
    none_left: Notify,
}

impl Connections {
    pub(crate) fn new(limits: Limits) -> Arc<Connections> {
        Arc::new(Connections {
            limits,
            open: Mutex::default(),
            turns: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            none_left: Notify::new(),
        })
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A place for a connection from there. When all are taken, the connection that has waited
    /// longest gives way, of those from the network that holds the most. `None` when every
    /// connection has a request that is being answered.
    pub(crate) fn enter(self: &Arc<Connections>, peer: IpAddr) -> Option<Place> {
        let mut open = self.lock();
        if open.len() >= self.limits.connections.max(1) {
            let id = longest_waiting(&open)?;
            open.remove(&id);
        }
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        // Who has just come has something to say: the longer patience is for later requests.
        let state = turn << PHASE_BITS | Phase::Head as u64;
        let connection = Arc::new(Connection {
            table: Arc::clone(self),
            id: turn,
            network: network(peer),
            state: AtomicU64::new(state),
            seen: AtomicU64::new(0),
            sweeps: AtomicU32::new(0),
            unread: AtomicBool::new(false),
            pieces: AtomicBool::new(false),
            task: OnceLock::new(),
        });
        open.insert(turn, Arc::clone(&connection));
        Some(Place(connection))
    }

    /// Ends the connection that has waited longest, if there is one: something else is needed.
    pub(crate) fn make_room(&self) {
        let mut open = self.lock();
        if let Some(id) = longest_waiting(&open) {
            open.remove(&id);
        }
    }

    /// Ends the connections that have taken too long.
    pub(crate) fn sweep(&self) {
        let mut ended = 0_u32;
        for connection in self.lock().values() {
            let state = connection.state.load(Ordering::Relaxed);
            if connection.is_overdue(state, &self.limits) && connection.end(state) {
                ended += 1;
            }
        }
        if ended > 0 {
            tracing::debug!(ended, "connections that took too long were closed");
        }
    }

    /// From now on an answer is the last one of its connection.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Waits until there are none.
    pub(crate) async fn all_closed(&self) {
        loop {
            let closed = self.none_left.notified();
            if self.lock().is_empty() {
                return;
            }
            closed.await;
        }
    }

    fn remove(&self, id: u64) {
        let mut open = self.lock();
        open.remove(&id);
        if open.is_empty() {
            self.none_left.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends one connection and gives its number.
fn longest_waiting(open: &HashMap<u64, Arc<Connection>>) -> Option<u64> {
    // One that goes on at this very moment is not the one: look again.
    for _ in 0..3 {
        let mut by_network: HashMap<IpAddr, (usize, u64, &Arc<Connection>)> = HashMap::new();
        for connection in open.values() {
            let state = connection.state.load(Ordering::Relaxed);
            if !Phase::of(state).may_go() {
                continue;
            }
            let found = by_network
                .entry(connection.network)
                .or_insert((0, state, connection));
            found.0 += 1;
            if state < found.1 {
                (found.1, found.2) = (state, connection);
            }
        }
        let (_, state, connection) = by_network
            .into_values()
            .max_by_key(|(count, state, _)| (*count, std::cmp::Reverse(*state)))?;
        if connection.end(state) {
            return Some(connection.id);
        }
    }
    None
}

/// What one party holds: an address, of IPv6 the 64 bits that one subscriber gets.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(connections: usize) -> Arc<Connections> {
        Connections::new(Limits {
            connections,
            ..Limits::default()
        })
    }

    fn enter(table: &Arc<Connections>, address: &str) -> Option<Place> {
        table.enter(address.parse().expect("an address"))
    }

    fn phase(place: &Place) -> Phase {
        Phase::of(place.0.state.load(Ordering::Relaxed))
    }

    #[test]
    fn a_request_passes_through_the_phases() {
        let table = table(1);
        let place = enter(&table, "192.0.2.1").expect("room");
        let connection = &place.0;
        assert_eq!(phase(&place), Phase::Head);
        assert!(connection.requested(true) && connection.lacks_body());
        connection.has_body();
        assert_eq!(phase(&place), Phase::Answering);
        connection.flushed();
        assert_eq!(phase(&place), Phase::Answering, "100 Continue was flushed");
        connection.answered();
        connection.flushed();
        assert_eq!(phase(&place), Phase::Waiting);
        connection.received();
        assert_eq!(phase(&place), Phase::Head);
        assert!(connection.requested(false));
        connection.answered();
        assert!(connection.requested(false), "a pipelined request");
        assert_eq!(phase(&place), Phase::Answering);
    }

    #[test]
    fn who_waits_longest_gives_way_and_who_is_answered_does_not() {
        let table = table(3);
        let places: Vec<_> = (0..3).filter_map(|_| enter(&table, "192.0.2.1")).collect();
        assert!(places[0].0.requested(false));
        let fourth = enter(&table, "192.0.2.2").expect("the second gave way");
        assert_eq!(phase(&places[1]), Phase::Gone);
        assert!(!places[1].0.requested(false), "its request is not taken");
        assert!(places[2].0.requested(false) && fourth.0.requested(false));
        assert!(enter(&table, "192.0.2.3").is_none(), "all are answered");
        places[0].0.answered();
        assert!(enter(&table, "192.0.2.3").is_some());
        assert_eq!(phase(&places[0]), Phase::Gone);
    }

    #[test]
    fn a_place_is_given_back() {
        let table = table(1);
        let place = enter(&table, "192.0.2.1").expect("room");
        assert!(place.0.requested(false));
        assert!(enter(&table, "192.0.2.1").is_none());
        drop(place);
        assert!(enter(&table, "192.0.2.1").is_some());
    }

    // spec: security.md, Inputs, outputs, network, "Timeouts on slow headers and bodies"
    #[test]
    fn a_crowd_from_one_network_gives_way_before_others_do() {
        let table = table(4);
        let lonely = enter(&table, "2001:db8:1::1").expect("room");
        let crowd: Vec<_> = (1..4)
            .filter_map(|host| enter(&table, &format!("2001:db8:2::{host}")))
            .collect();
        let fifth = enter(&table, "2001:db8:2::9").expect("one of the crowd gave way");
        assert_eq!(phase(&lonely), Phase::Head);
        assert_eq!(phase(&crowd[0]), Phase::Gone, "the first of the crowd");
        drop(fifth);
    }

    #[test]
    fn only_who_stays_in_a_phase_is_overdue() {
        let table = table(1);
        let place = enter(&table, "192.0.2.1").expect("room");
        let head = table.limits.head.as_secs();
        for _ in 0..head {
            table.sweep();
        }
        assert_eq!(phase(&place), Phase::Head, "the first sweep only saw it");
        table.sweep();
        assert_eq!(phase(&place), Phase::Gone);
    }
}
