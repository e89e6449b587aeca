//! Clients that work without a pause and write down what was acknowledged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crema_testkit::http::{Http, Request, encode};
use crema_testkit::visitor::AUTHORIZE;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::exchange::{Answer, Outcome, exchange};
use crate::harness::SITE;
use crate::ledger::{Family, Fate, Ledger};
use crate::place::Scene;

/// So many clients at a time.
const WORKERS: usize = 8;

/// One server, seen by clients of the scene.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) http: Http,
    pub(crate) scene: Scene,
}

/// A pair of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Pair {
    #[track_caller]
    pub(crate) fn of(answer: &Answer) -> Pair {
        assert_eq!(answer.status, 200, "{answer:?}");
        Pair {
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
        }
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr, scene: &Scene) -> Client {
        Client {
            address,
            http: Http::new(address, SITE),
            scene: scene.clone(),
        }
    }

    pub(crate) async fn send(&self, request: &Request) -> Outcome {
        exchange(self.address, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Outcome {
        self.send(&self.http.get(path)).await
    }

    pub(crate) async fn authorize(&self) -> Outcome {
        let params = self.scene.app.authorization(&[]);
        let pairs: Vec<_> = params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let path = format!("{AUTHORIZE}?{}", encode(&pairs));
        let request = self.http.get(&path).header("Accept", "text/html");
        self.send(&request.header("Cookie", &self.scene.cookie))
            .await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Outcome {
        let params = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.scene.app.redirect_uri),
        ];
        let app = &self.scene.app;
        self.send(&self.http.client_request("get_token", app, &params))
            .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Outcome {
        let params = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let app = &self.scene.app;
        self.send(&self.http.client_request("get_token", app, &params))
            .await
    }

    pub(crate) async fn machine_token(&self) -> Outcome {
        let params = [("grant_type", "client_credentials")];
        let machine = &self.scene.machine;
        self.send(&self.http.client_request("get_token", machine, &params))
            .await
    }

    pub(crate) async fn revoke(&self, token: &str) -> Outcome {
        let params = [("token", token)];
        let app = &self.scene.app;
        self.send(&self.http.client_request("revoke_token", app, &params))
            .await
    }

    pub(crate) async fn introspect(&self, token: &str) -> Outcome {
        let params = [("token", token)];
        let app = &self.scene.app;
        self.send(&self.http.client_request("introspect_token", app, &params))
            .await
    }

    /// Whether a token works; the server must be well.
    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let answer = self.introspect(token).await.answer();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.member("active").as_bool().unwrap()
    }

    /// A code; the server must be well.
    pub(crate) async fn code(&self) -> String {
        code_in(&self.authorize().await.answer())
    }

    /// A new family; the server must be well.
    pub(crate) async fn pair(&self) -> Pair {
        Pair::of(&self.redeem(&self.code().await).await.answer())
    }
}

/// The code that a browser is sent away with.
#[track_caller]
pub(crate) fn code_in(answer: &Answer) -> String {
    let location = answer.header("location").unwrap_or_default();
    let (_, rest) = location
        .split_once("code=")
        .unwrap_or_else(|| panic!("no code: {answer:?}"));
    rest.split('&').next().unwrap_or_default().to_owned()
}

/// Workers that run until they are told to stop.
pub(crate) struct Load {
    workers: JoinSet<Ledger>,
    stop: Arc<AtomicBool>,
    acknowledged: watch::Receiver<usize>,
    unavailable: watch::Receiver<usize>,
}

struct Worker {
    client: Client,
    stop: Arc<AtomicBool>,
    acknowledged: watch::Sender<usize>,
    unavailable: watch::Sender<usize>,
    ledger: Ledger,
}

impl Load {
    pub(crate) fn start(client: &Client) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let (acknowledged, acknowledged_seen) = watch::channel(0);
        let (unavailable, unavailable_seen) = watch::channel(0);
        let mut workers = JoinSet::new();
        for number in 0..WORKERS {
            let worker = Worker {
                client: client.clone(),
                stop: Arc::clone(&stop),
                acknowledged: acknowledged.clone(),
                unavailable: unavailable.clone(),
                ledger: Ledger::default(),
            };
            workers.spawn(worker.work(number));
        }
        Load {
            workers,
            stop,
            acknowledged: acknowledged_seen,
            unavailable: unavailable_seen,
        }
    }

    /// Waits until so many more requests have been acknowledged.
    pub(crate) async fn acknowledges(&mut self, more: usize) {
        let seen = self.acknowledged.clone();
        self.counts(seen, more).await;
    }

    /// Waits until so many more requests have been told to come again.
    pub(crate) async fn hears_no(&mut self, more: usize) {
        let seen = self.unavailable.clone();
        self.counts(seen, more).await;
    }

    async fn counts(&mut self, mut seen: watch::Receiver<usize>, more: usize) {
        let target = *seen.borrow() + more;
        let reached = tokio::time::timeout(
            Duration::from_secs(120),
            seen.wait_for(|count| *count >= target),
        );
        tokio::select! {
            reached = reached => drop(reached.expect("the load stands still").unwrap()),
            // Nobody ends by himself: this is a panic.
            ended = self.workers.join_next() => drop(ended.unwrap().unwrap()),
        }
    }

    /// How many requests have been told to come again.
    pub(crate) fn heard_no(&self) -> usize {
        *self.unavailable.borrow()
    }

    /// Tells the workers to begin nothing new, and takes what they have written down.
    pub(crate) async fn stop(mut self) -> Ledger {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Ledger::default();
        while let Some(ended) = self.workers.join_next().await {
            all.add(ended.unwrap());
        }
        all
    }
}

impl Worker {
    /// Whether an operation was acknowledged. Without an answer, and after a 503, nobody knows.
    #[track_caller]
    fn acknowledged(&mut self, outcome: Outcome) -> Option<Answer> {
        match outcome {
            Outcome::Answer(answer) if matches!(answer.status, 200 | 302 | 303) => {
                self.acknowledged.send_modify(|count| *count += 1);
                Some(answer)
            }
            Outcome::Answer(answer) => {
                if answer
                    .header("content-type")
                    .is_some_and(|kind| kind.contains("html"))
                {
                    answer.is_unavailable_page();
                } else {
                    answer.is_temporarily_unavailable();
                }
                self.unavailable.send_modify(|count| *count += 1);
                None
            }
            Outcome::Refused | Outcome::Cut => None,
        }
    }

    async fn work(mut self, number: usize) -> Ledger {
        for round in number.. {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            self.round(round).await;
        }
        self.ledger
    }

    async fn round(&mut self, round: usize) {
        let client = self.client.clone();
        let outcome = client.machine_token().await;
        if let Some(answer) = self.acknowledged(outcome) {
            self.ledger.machine_tokens.push(answer.text("access_token"));
        }
        let outcome = client.authorize().await;
        let Some(answer) = self.acknowledged(outcome) else {
            return;
        };
        let code = code_in(&answer);
        if round % 6 == 5 {
            self.ledger.codes.push((code, Instant::now()));
            return;
        }
        let outcome = client.redeem(&code).await;
        let Some(answer) = self.acknowledged(outcome) else {
            self.ledger.doubtful_codes.push(code);
            return;
        };
        let mut family = Family::new(Pair::of(&answer));
        for _ in 0..round % 4 {
            let outcome = client.refresh(&family.pair.refresh).await;
            match self.acknowledged(outcome) {
                Some(answer) => family.refreshed(Pair::of(&answer)),
                None => {
                    family.fate = Fate::MaybeRefreshed;
                    break;
                }
            }
        }
        if family.fate == Fate::Live && round % 3 == 1 {
            let outcome = client.revoke(&family.pair.refresh).await;
            family.fate = match self.acknowledged(outcome) {
                Some(_) => Fate::Revoked,
                None => Fate::MaybeRevoked,
            };
        }
        if family.fate != Fate::MaybeRefreshed && family.fate != Fate::MaybeRevoked {
            let outcome = client.introspect(&family.pair.access).await;
            if let Some(answer) = self.acknowledged(outcome) {
                let active = answer.member("active") == true;
                assert_eq!(active, family.fate == Fate::Live, "{answer:?}");
            }
        }
        self.ledger.families.push(family);
    }
}
