//! Server processes on one bench behind a round-robin proxy: every connection, which is one
//! request here, goes to the next process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// The program under test: the one that cargo built for this test, or the one that
/// `CREMA_MODEL_PROGRAM` names, since a release build does more in a long run.
pub(crate) fn program() -> String {
    let built = || env!("CARGO_BIN_EXE_crema").to_owned();
    std::env::var("CREMA_MODEL_PROGRAM").unwrap_or_else(|_| built())
}

/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The processes and their proxy. They end when it is dropped.
pub(crate) struct Cluster {
    /// Where the proxy listens.
    pub(crate) address: SocketAddr,
    processes: Vec<Child>,
    proxy: JoinHandle<()>,
}

impl Cluster {
    pub(crate) async fn start(bench: &Path, count: usize) -> Cluster {
        let mut processes = Vec::new();
        let mut addresses = Vec::new();
        for _ in 0..count {
            let (process, address) = start(bench).await;
            processes.push(process);
            addresses.push(address);
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = tokio::spawn(forward(listener, addresses));
        Cluster {
            address,
            processes,
            proxy,
        }
    }

    /// All processes are still there.
    pub(crate) fn assert_running(&mut self) {
        for process in &mut self.processes {
            assert!(process.try_wait().unwrap().is_none(), "a server has ended");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.proxy.abort();
    }
}

async fn start(bench: &Path) -> (Child, SocketAddr) {
    let mut child = Command::new(program())
        .arg("--bench")
        .arg(bench)
        .args(["serve", "--port", "0"])
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let found = async {
        let mut line = String::new();
        while output.read_line(&mut line).await.unwrap() > 0 {
            if let Some((_, address)) = line.trim_end().split_once("listens on http://") {
                return address.parse().unwrap();
            }
            line.clear();
        }
        panic!("the server ended at once");
    };
    let address = tokio::time::timeout(PATIENCE, found).await;
    let address = address.expect("the server is too slow");
    // Read to its end, or the server would stop at a full pipe.
    tokio::spawn(async move { output.read_to_end(&mut Vec::new()).await });
    (child, address)
}

async fn forward(listener: TcpListener, servers: Vec<SocketAddr>) {
    let next = Arc::new(AtomicUsize::new(0));
    while let Ok((mut client, _)) = listener.accept().await {
        let server = servers[next.fetch_add(1, Ordering::Relaxed) % servers.len()];
        tokio::spawn(async move {
            // What goes wrong here is seen by the client, who waits for an answer.
            if let Ok(mut server) = TcpStream::connect(server).await {
                copy_bidirectional(&mut client, &mut server).await.ok();
            }
        });
    }
}
