//! Signals: SIGTERM and SIGINT end the server, SIGHUP makes it read everything again.

use std::future::Future;
use std::sync::Arc;

use anyhow::Context as _;
use crema_web::Sites;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    NotYet,
    /// Finish what runs.
    Asked,
    /// Somebody at the terminal does not want to wait for that.
    Now,
}

/// The signals that the server obeys, from the moment on when this is made.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes the signals over from the operating system's defaults.
    pub(super) fn listen() -> anyhow::Result<Signals> {
        let listen = |kind| signal(kind).context("signals cannot be caught");
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Obeys them in the background. Gives the end of serving, and a second Ctrl-C.
    pub(super) fn obey(
        self,
        sites: Arc<Sites>,
    ) -> (
        impl Future<Output = ()> + Send,
        impl Future<Output = ()> + Send,
    ) {
        let (sender, receiver) = watch::channel(End::NotYet);
        tokio::spawn(self.watch(sites, sender));
        (
            reached(receiver.clone(), End::Asked),
            reached(receiver, End::Now),
        )
    }

    // spec: cli.md, "SIGTERM drains", "SIGHUP reloads"
    async fn watch(mut self, sites: Arc<Sites>, end: watch::Sender<End>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {
                    tracing::info!("SIGTERM: finishing what runs");
                    end.send_modify(|end| *end = (*end).max(End::Asked));
                }
                _ = self.interrupt.recv() => {
                    tracing::info!("SIGINT: finishing what runs");
                    end.send_modify(|end| {
                        *end = if *end == End::NotYet { End::Asked } else { End::Now };
                    });
                }
                _ = self.hangup.recv() => {
                    tracing::info!("SIGHUP: reading the bench again");
                    sites.reload();
                }
            }
        }
    }
}

async fn reached(mut receiver: watch::Receiver<End>, end: End) {
    if receiver.wait_for(|now| *now >= end).await.is_err() {
        // Nobody is left to say so.
        std::future::pending::<()>().await;
    }
}
