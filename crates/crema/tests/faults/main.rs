//! What breaks around the server while it works: processes that are killed, disks that are full,
//! databases that are away, slow, silent or locked, connections that break in the middle, clocks
//! that step, and the order to stop.
//!
//! What was acknowledged holds afterwards, what was not is whole or not there, whoever asks
//! meanwhile is told to come again (503 with `Retry-After`), and nothing has to be restarted.
//!
//! In the usual test run each fault comes a few times. The long form:
//! `CREMA_FAULT_ROUNDS=50 cargo test -p crema --test faults -- --nocapture` says what it did.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that cannot be set up has failed; test programs may look at their environment"
)]

mod clock;
mod connections;
mod disk;
mod exchange;
#[allow(dead_code, reason = "shared with the tests of the command line")]
#[path = "../cli/harness.rs"]
mod harness;
mod kill;
mod ledger;
mod load;
mod locks;
mod place;
mod proxy;
mod records;
mod servers;
mod stop;

/// How often a fault comes: so often in the usual test run, else as `CREMA_FAULT_ROUNDS` says.
fn rounds(usual: usize) -> usize {
    match std::env::var("CREMA_FAULT_ROUNDS") {
        Ok(wanted) => wanted.parse().expect("CREMA_FAULT_ROUNDS is a number"),
        Err(_) => usual,
    }
}

/// Says what was done; shown with `--nocapture`.
fn report(text: &str) {
    eprintln!("faults: {text}");
}

/// Does the same on several databases at the same time: most of it is waiting.
fn side_by_side(engines: &[crema_testkit::Engine], test: fn(crema_testkit::Engine)) {
    std::thread::scope(|scope| {
        for engine in engines {
            scope.spawn(|| test(*engine));
        }
    });
}
