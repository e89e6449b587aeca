//! Those who use a group: which request comes next, and of which token.

use std::sync::Arc;

use crema_testkit::{Response, TestClient};
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::group::{Group, send};
use crate::rules::Verdict;
use crate::time::Span;
use crate::world::World;

/// How many requests make a storm.
const TWINS: usize = 4;

/// One of those who use a group, one request after the other.
pub(crate) struct Actor {
    pub(crate) group: Arc<Group>,
    pub(crate) name: String,
    pub(crate) dice: Dice,
}

/// A token, by its place in the model.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) family: usize,
    pub(crate) pair: usize,
    pub(crate) refresh: bool,
}

impl Place {
    pub(crate) fn label(self) -> String {
        let kind = if self.refresh { "refresh" } else { "access" };
        format!("family {} pair {} {kind}", self.family, self.pair)
    }
}

impl Actor {
    pub(crate) fn new(group: &Arc<Group>, name: &str, dice: Dice) -> Actor {
        Actor {
            group: Arc::clone(group),
            name: format!("{} {name}", group.name),
            dice,
        }
    }

    /// One request, or the few that belong together.
    pub(crate) async fn step(&mut self) {
        // Where nothing lives there is little to see.
        if !self.has_session() && self.dice.one_in(2) {
            return self.login().await;
        }
        if !self.has_family() && self.dice.one_in(2) {
            return match self.dice.weighted(&[4, 4, 1]) {
                0 => self.authorize().await,
                1 => self.redeem().await,
                _ => self.password_grant().await,
            };
        }
        match self
            .dice
            .weighted(&[2, 2, 1, 4, 4, 1, 1, 10, 1, 6, 3, 3, 2, 3])
        {
            0 => self.login().await,
            1 => self.ask_session().await,
            2 => self.logout().await,
            3 => self.authorize().await,
            4 => self.redeem().await,
            5 => self.password_grant().await,
            6 => self.client_credentials().await,
            7 => self.refresh().await,
            8 => self.revoke().await,
            9 => self.introspect().await,
            10 => self.userinfo().await,
            11 => self.logged_user().await,
            12 => self.as_a_stranger().await,
            _ => self.storm().await,
        }
    }

    /// Several requests about one family at the same moment, at as many processes.
    async fn storm(&mut self) {
        let Some((place, _)) = self.token(false) else {
            return;
        };
        let mut twins = JoinSet::new();
        for number in 0..TWINS {
            let dice = Dice::new(self.dice.number(), 0);
            let name = format!("{} in a storm {number}", self.name);
            let group = Arc::clone(&self.group);
            let mut twin = Actor { group, name, dice };
            twins.spawn(async move { twin.look_at(place.family).await });
        }
        while let Some(ended) = twins.join_next().await {
            ended.unwrap();
        }
    }

    async fn look_at(&mut self, family: usize) {
        let what = self.dice.weighted(&[5, 3, 1]);
        let Some((place, token)) = self.token_of(family, what == 0) else {
            return;
        };
        match what {
            0 => self.refresh_with(place, &token).await,
            1 => self.introspect_at(place, &token).await,
            _ => self.revoke_one(place, &token).await,
        }
    }

    fn has_session(&self) -> bool {
        let mut world = self.group.world();
        let now = world.moment();
        let last = world.sessions.len().checked_sub(1);
        last.is_some_and(|last| world.session(last, now).may_work())
    }

    fn has_family(&self) -> bool {
        let mut world = self.group.world();
        let now = world.moment();
        let last = world.families.iter().rposition(|one| !one.pairs.is_empty());
        last.is_some_and(|last| world.family(last, now, 0).may_work())
    }

    pub(crate) fn settle(
        &self,
        what: (&'static str, &str),
        sent: u64,
        judge: impl FnOnce(&mut World, Span) -> (&'static str, Verdict),
    ) {
        self.group.settle(&self.name, what, sent, judge);
    }

    /// The secret to use: nearly always the one that counts.
    pub(crate) fn secret(&mut self) -> (usize, TestClient) {
        let known = self.group.world().client.known().secrets.clone();
        let number = match self.dice.one_in(12) {
            true => self.dice.below(known.last().unwrap() + 1),
            false => *known.last().unwrap(),
        };
        (number, self.group.client_with(number))
    }

    /// The password to use: nearly always the one that counts.
    pub(crate) fn password(&mut self) -> usize {
        let known = self.group.world().user.known().password;
        match self.dice.one_in(10) {
            true => self.dice.below(known + 1),
            false => known,
        }
    }

    pub(crate) fn token(&mut self, refresh: bool) -> Option<(Place, String)> {
        let group = Arc::clone(&self.group);
        let world = group.world();
        let with_pairs: Vec<usize> = (0..world.families.len())
            .filter(|index| !world.families[*index].pairs.is_empty())
            .collect();
        if with_pairs.is_empty() {
            return None;
        }
        let family = with_pairs[self.dice.recent(with_pairs.len())];
        drop(world);
        self.token_of(family, refresh)
    }

    /// A token of that family, mostly of its newest pair.
    fn token_of(&mut self, family: usize, refresh: bool) -> Option<(Place, String)> {
        let group = Arc::clone(&self.group);
        let world = group.world();
        let pairs = &world.families[family].pairs;
        let pair = match self.dice.below(8) {
            0 => self.dice.recent(pairs.len()),
            1 => pairs.len().saturating_sub(2),
            _ => pairs.len() - 1,
        };
        let token = match refresh {
            true => &pairs[pair].refresh,
            false => &pairs[pair].access,
        };
        let place = Place {
            family,
            pair,
            refresh,
        };
        (!token.is_empty()).then(|| (place, token.clone()))
    }

    pub(crate) async fn post(
        &mut self,
        name: &str,
        client: &TestClient,
        params: &[(&str, &str)],
    ) -> Response {
        let request = self.group.http().client_request(name, client, params);
        send(request, self.dice.number()).await
    }

    pub(crate) async fn get_as(&mut self, path: &str, token: &str) -> Response {
        let request = self.group.http().get(path).bearer(token);
        send(request, self.dice.number()).await
    }
}

/// How a server says that the database did not answer in time, which a slow machine may come to:
/// whether the request did anything is open then.
pub(crate) const UNAVAILABLE: &str = "unavailable";

pub(crate) fn is_unavailable(answer: &Response) -> bool {
    answer.status == 503 && answer.header("retry-after").is_some()
}

/// An answer that no request here may get, a 500 for example.
pub(crate) fn unexpected(answer: &Response) -> (&'static str, Verdict) {
    if is_unavailable(answer) {
        return (UNAVAILABLE, Ok(()));
    }
    // What succeeded may carry secrets.
    let text = match answer.status {
        200..400 => String::new(),
        _ => answer.text(),
    };
    let complaint = format!("unexpected: {} {text}", answer.status);
    ("unexpected", Err(complaint))
}
