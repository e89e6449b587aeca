//! A family as a state machine: whatever is refreshed, replayed and revoked in whatever order and
//! at whatever time, the server agrees with a model that is small enough to be read.
// spec: security.md, Codes and tokens, line 3: rotation, grace window, never a second live pair

use crema_testkit::Engine;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::*;

/// Short lives, in seconds, so that all of them end within a few steps.
const ACCESS: i64 = 60;
const REFRESH: i64 = 150;
const ABSOLUTE: i64 = 400;
const GRACE: i64 = 10;

/// What is done; tokens are counted from the newest.
#[derive(Debug, Clone, Copy)]
enum Step {
    Refresh { back: usize, narrow: bool },
    Revoke { back: usize, refresh: bool },
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let back = || prop_oneof![6 => Just(0), 4 => Just(1), 1 => 2..4_usize];
    let often = |times: u32| (0..times).prop_map(|number| number == 0);
    let edges = vec![
        1,
        5,
        GRACE - 1,
        GRACE,
        GRACE + 1,
        ACCESS - 1,
        ACCESS,
        REFRESH - 1,
        REFRESH,
    ];
    prop_oneof![
        6 => (back(), often(5)).prop_map(|(back, narrow)| Step::Refresh { back, narrow }),
        1 => (back(), often(2)).prop_map(|(back, refresh)| Step::Revoke { back, refresh }),
        4 => proptest::sample::select(edges).prop_map(Step::Wait),
    ]
}

/// A pair of the model.
#[derive(Debug, Clone)]
struct Pair {
    narrow: bool,
    access_end: i64,
    refresh_end: i64,
    /// When it was refreshed, and whether less was asked for then.
    rotated: Option<(i64, bool)>,
}

/// The model: a list of pairs, of which at most the last one lives.
#[derive(Debug)]
struct Model {
    now: i64,
    end: i64,
    ended: bool,
    pairs: Vec<Pair>,
}

/// What a refresh comes to.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The pair with that number, with so many seconds left.
    Pair(usize, i64),
    Refused,
}

impl Model {
    fn new() -> Model {
        let (now, end, ended, pairs) = (0, ABSOLUTE, false, Vec::new());
        let mut model = Model {
            now,
            end,
            ended,
            pairs,
        };
        model.issue(false);
        model
    }

    fn issue(&mut self, narrow: bool) {
        self.pairs.push(Pair {
            narrow,
            access_end: self.now + ACCESS,
            refresh_end: self.end.min(self.now + REFRESH),
            rotated: None,
        });
    }

    fn lives(&self, number: usize) -> bool {
        !self.ended && number + 1 == self.pairs.len()
    }

    fn refresh(&mut self, number: usize, narrow: bool) -> Answer {
        let pair = self.pairs[number].clone();
        if self.lives(number) && self.now < pair.refresh_end {
            self.pairs[number].rotated = Some((self.now, narrow));
            self.issue(narrow || pair.narrow);
            return Answer::Pair(number + 1, ACCESS);
        }
        let Some((when, asked)) = pair.rotated else {
            return Answer::Refused;
        };
        if self.now < when + GRACE {
            if asked != narrow {
                return Answer::Refused;
            }
            let left = self.pairs[number + 1].access_end - self.now;
            if self.lives(number + 1) && left > 0 {
                return Answer::Pair(number + 1, left);
            }
        }
        self.ended = true;
        Answer::Refused
    }
}

/// The server's side of a family.
struct Family<'a> {
    app: &'a App,
    client: &'a TestClient,
    pairs: Vec<Tokens>,
}

impl Family<'_> {
    async fn refresh(&mut self, number: usize, narrow: bool) -> Answer {
        let more: &[(&str, &str)] = if narrow { &[("scope", "openid")] } else { &[] };
        let answer = refresh_with(self.app, self.client, &self.pairs[number], more).await;
        if answer.status == 400 && answer.error() == "invalid_grant" {
            return Answer::Refused;
        }
        let new = answer.tokens();
        let left = new.expires_in;
        let same = |pair: &Tokens| {
            (&pair.access_token, &pair.refresh_token) == (&new.access_token, &new.refresh_token)
        };
        let known = self.pairs.iter().position(same);
        let number = known.unwrap_or(self.pairs.len());
        if known.is_none() {
            self.pairs.push(new);
        }
        Answer::Pair(number, left)
    }

    /// Compares what every token is worth.
    async fn compare(&self, model: &Model) -> Result<(), String> {
        for (number, (tokens, pair)) in self.pairs.iter().zip(&model.pairs).enumerate() {
            let ends = [
                (&tokens.access_token, pair.access_end),
                (&tokens.refresh_token, pair.refresh_end),
            ];
            for (kind, (token, end)) in ends.into_iter().enumerate() {
                let about = self.app.http().introspect(self.client, token).await.json();
                let lives = model.lives(number) && model.now < end;
                if about["active"].as_bool() != Some(lives) {
                    return Err(format!(
                        "pair {number} token {kind} lives: {lives}, but {about}"
                    ));
                }
                let scope = if pair.narrow { "openid" } else { "openid all" };
                if lives && about["scope"] != scope {
                    return Err(format!("pair {number}: {about}"));
                }
            }
        }
        Ok(())
    }
}

async fn play(app: &App, client: &TestClient, steps: &[Step]) -> Result<(), String> {
    let first = tokens(app, client, &[("scope", "openid all")]).await;
    let (mut model, pairs) = (Model::new(), vec![first]);
    let mut family = Family { app, client, pairs };
    for step in steps {
        let count = model.pairs.len();
        match *step {
            Step::Refresh { back, narrow } => {
                let number = count - 1 - back.min(count - 1);
                let expected = model.refresh(number, narrow);
                let answer = family.refresh(number, narrow).await;
                if answer != expected {
                    return Err(format!("{answer:?} instead of {expected:?}, {model:?}"));
                }
            }
            Step::Revoke { back, refresh } => {
                let pair = &family.pairs[count - 1 - back.min(count - 1)];
                let token = if refresh {
                    &pair.refresh_token
                } else {
                    &pair.access_token
                };
                app.http().revoke(client, token).await;
                model.ended = true;
            }
            Step::Wait(seconds) => {
                app.clock.advance_seconds(seconds.unsigned_abs());
                model.now += seconds;
            }
        }
        let compared = family.compare(&model).await;
        compared.map_err(|text| format!("after {step:?}: {text}, {model:?}"))?;
    }
    Ok(())
}

async fn machine(app: &App) -> TestClient {
    app.add_user(USER, PASSWORD, &[]).await;
    let spec = spec()
        .with("access_token_lifetime", &ACCESS.to_string())
        .with("refresh_token_lifetime", &REFRESH.to_string())
        .with("refresh_token_absolute_lifetime", &ABSOLUTE.to_string())
        .with("refresh_grace_seconds", &GRACE.to_string());
    app.add_client(spec).await
}

fn agrees(engine: Engine, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let app = runtime.block_on(App::start(engine));
    let client = runtime.block_on(machine(&app));
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let played = runner.run(&vec(step(), 1..12), |steps| {
        let played = runtime.block_on(play(&app, &client, &steps));
        played.map_err(TestCaseError::fail)
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
    runtime.block_on(app.close());
}

#[test]
fn a_family_is_what_the_model_says_on_sqlite() {
    agrees(Engine::Sqlite, 48);
}

#[test]
fn a_family_is_what_the_model_says_on_mariadb() {
    agrees(Engine::MariaDb, 12);
}

#[test]
fn a_family_is_what_the_model_says_on_postgres() {
    agrees(Engine::Postgres, 12);
}
