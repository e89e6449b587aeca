//! Password hashing as it costs in earnest: the same for everybody, and nobody else waits for it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crema_auth::password::PasswordPool;
use crema_auth::{Environment, user};
use crema_crypto::{PasswordCost, Secret, SystemEntropy};
use crema_document::{Clock, Registry};
use crema_testkit::{App, Http};
use crema_web::Sites;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::security::scene::{self, PASSWORD, USER, is_alive};

/// Another process on the same bench, whose password work is slow.
async fn slow_server(app: &App, cost: PasswordCost, workers: usize, queue: usize) -> Http {
    let environment = Environment {
        clock: Arc::clone(&app.clock) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        passwords: PasswordPool::bounded(cost, workers, queue),
        signers: crema_auth::signing::Signers::default(),
        events: Arc::default(),
        outgoing: crema_auth::outgoing::Outgoing::system(),
        apps: &[],
    };
    let registry = Registry::builtin().unwrap();
    let sites = Arc::new(Sites::new(app.bench().clone(), registry, environment));
    // Hashes of this cost.
    let provider = sites.for_host(app.site()).await.unwrap();
    let ctx = crema_auth::Ctx::new(provider, Ipv4Addr::LOCALHOST.into(), "test", app.issuer());
    let password = Secret::new(PASSWORD.to_owned());
    user::set_password(&ctx, "Administrator", USER, &password)
        .await
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let web = crema_web::App::new(sites);
    tokio::spawn(crema_web::serve(listener, web, std::future::pending()));
    Http::new(address, app.site())
}

async fn no_lock(app: &App) {
    app.set_settings(
        "System Settings",
        &[("allow_consecutive_login_attempts", "0")],
    )
    .await;
}

async fn attempt(http: &Http, usr: &str, pwd: &str) -> u16 {
    let request = http.post("/api/method/login");
    request
        .form(&[("usr", usr), ("pwd", pwd)])
        .send()
        .await
        .status
}

// spec: security.md, Sign-in and sessions, line 1: logins cannot starve token checks
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_checks_do_not_wait_for_passwords() {
    let app = scene::start().await;
    no_lock(&app).await;
    let client = scene::confidential(&app).await;
    let cost = PasswordCost {
        memory_kib: 64 * 1024,
        iterations: 4,
        parallelism: 1,
    };
    let http = slow_server(&app, cost, 1, 2).await;
    let tokens = scene::tokens(&app, &client, "openid").await;
    let mut attempts = JoinSet::new();
    for _ in 0..8 {
        let http = http.clone();
        attempts.spawn(async move { attempt(&http, "unknown@example.com", "wrong").await });
    }
    // One works, two wait, the others are turned away at once.
    for _ in 0..5 {
        assert_eq!(attempts.join_next().await.unwrap().unwrap(), 429);
    }
    for _ in 0..10 {
        assert!(is_alive(&http, &tokens.access_token).await);
    }
    let mut done = 0;
    while let Some(status) = attempts.try_join_next() {
        assert_eq!(status.unwrap(), 401);
        done += 1;
    }
    assert!(done < 3, "the checks were quicker than the passwords");
    while let Some(status) = attempts.join_next().await {
        assert_eq!(status.unwrap(), 401);
    }
    app.close().await;
}

#[expect(clippy::disallowed_methods, reason = "time is what this is about")]
async fn timed(http: &Http, usr: &str, pwd: &str) -> Duration {
    let began = Instant::now();
    assert_eq!(attempt(http, usr, pwd).await, 401);
    began.elapsed()
}

fn is_like(took: Duration, other: Duration) -> bool {
    (0.4..2.5).contains(&(took.as_secs_f64() / other.as_secs_f64()))
}

// spec: security.md, Sign-in and sessions, line 2: the same time
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_wrong_and_disabled_take_the_same_work() {
    let app = scene::start().await;
    no_lock(&app).await;
    app.add_user("disabled@example.com", PASSWORD, &["Report Manager"])
        .await;
    let ctx = app.ctx().await;
    let disabled = user::disable(&ctx, "Administrator", "disabled@example.com");
    disabled.await.unwrap();
    let cost = PasswordCost {
        memory_kib: 16 * 1024,
        iterations: 4,
        parallelism: 1,
    };
    let http = slow_server(&app, cost, 2, 100).await;
    let who = [
        (USER, "wrong"),
        ("unknown@example.com", PASSWORD),
        ("disabled@example.com", PASSWORD),
        ("Guest", PASSWORD),
        ("no address", PASSWORD),
    ];
    // The shortest of some attempts in turn: what else the machine does only adds to it, so that a
    // busy one needs more of them.
    let mut shortest = [Duration::MAX; 5];
    for round in 1..=40 {
        for (best, (usr, pwd)) in shortest.iter_mut().zip(who) {
            *best = (*best).min(timed(&http, usr, pwd).await);
        }
        if round >= 6 && shortest.iter().all(|took| is_like(*took, shortest[0])) {
            break;
        }
    }
    for (took, (usr, _)) in shortest.iter().zip(who) {
        assert!(is_like(*took, shortest[0]), "{usr}: {shortest:?}");
    }
    app.close().await;
}
