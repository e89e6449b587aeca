//! The model: what a user, a client and all that was granted must be worth, from what was
//! acknowledged. It knows no HTTP and no database; `rules.rs` says what answers it allows.

use std::collections::BTreeMap;

use crate::time::{Ending, Fate, Register, Span, Tick, ended};

/// What an administrator changes about the user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) enabled: bool,
    /// The number of the password.
    pub(crate) password: usize,
    /// Holds the role that a restricted client asks for.
    pub(crate) reader: bool,
}

/// What an administrator changes about the client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) enabled: bool,
    /// The numbers of the secrets that count.
    pub(crate) secrets: Vec<usize>,
    /// Only for users with the role.
    pub(crate) restricted: bool,
    /// Whether it has the scope `all` beside `openid`.
    pub(crate) all: bool,
    /// A rotated refresh token is answered again: for the longest time there is, or never.
    pub(crate) grace: bool,
}

impl Client {
    fn admits(&self, user: &User) -> bool {
        !self.restricted || user.reader
    }

    pub(crate) fn accepts(&self, secret: usize) -> bool {
        self.enabled && self.secrets.contains(&secret)
    }
}

/// A browser that signed in.
pub(crate) struct Session {
    pub(crate) sid: String,
    birth: Span,
    password: usize,
    /// Sign-outs, and sign-ins that replace it.
    pub(crate) endings: Vec<Ending>,
}

/// What a family came from.
pub(crate) enum Root {
    /// A consent in this session: what ends the session by ending the user ends the family.
    Session(usize),
    /// The password grant.
    Password(usize),
    /// Client credentials of the client that acts as the user.
    Robot,
}

/// A code.
pub(crate) struct Code {
    pub(crate) value: String,
    pub(crate) issued: std::time::Instant,
    /// The scope that was asked for.
    pub(crate) scope: &'static str,
    /// Attempts of its client to redeem it.
    pub(crate) uses: Vec<Use>,
}

/// A use of a code or a refresh token that may have worked.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) sent: Tick,
    /// [`crate::time::PENDING`] while the answer has not come.
    pub(crate) answered: Tick,
    /// The scope that was asked for.
    pub(crate) scope: Option<&'static str>,
}

/// A pair of tokens.
pub(crate) struct Pair {
    pub(crate) access: String,
    /// Empty when there is none.
    pub(crate) refresh: String,
    pub(crate) scope: String,
    pub(crate) learned: std::time::Instant,
    /// Attempts to refresh with it.
    pub(crate) uses: Vec<Use>,
}

impl Pair {
    pub(crate) fn has_openid(&self) -> bool {
        self.scope.split(' ').any(|word| word == "openid")
    }
}

/// All that grew out of one grant.
pub(crate) struct Family {
    pub(crate) root: Root,
    pub(crate) birth: Span,
    pub(crate) code: Option<Code>,
    /// The pairs, each the successor of the one before.
    pub(crate) pairs: Vec<Pair>,
    pub(crate) endings: Vec<Ending>,
}

impl Family {
    pub(crate) fn is_robots(&self) -> bool {
        matches!(self.root, Root::Robot)
    }
}

/// Tokens ended by an administrator.
pub(crate) struct Sweep {
    pub(crate) ending: Ending,
    /// All of the user, or only those of the client.
    pub(crate) of_user: bool,
}

/// One user, one client, and what became of them.
pub(crate) struct World {
    now: Tick,
    pub(crate) user: Register<User>,
    pub(crate) client: Register<Client>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) families: Vec<Family>,
    pub(crate) sweeps: Vec<Sweep>,
    /// What was asked and answered, without secrets.
    pub(crate) trace: Vec<String>,
    /// How often each request came out how.
    pub(crate) counts: BTreeMap<(&'static str, &'static str), usize>,
}

impl World {
    /// The user has password 0 and the client secret 0.
    pub(crate) fn new() -> World {
        World {
            now: 1,
            user: Register::new(User {
                enabled: true,
                password: 0,
                reader: true,
            }),
            client: Register::new(Client {
                enabled: true,
                secrets: vec![0],
                restricted: false,
                all: true,
                grace: true,
            }),
            sessions: Vec::new(),
            families: Vec::new(),
            sweeps: Vec::new(),
            trace: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// The next moment.
    pub(crate) fn tick(&mut self) -> Tick {
        self.now += 1;
        self.now
    }

    /// A request that would be sent and answered now.
    pub(crate) fn moment(&mut self) -> Span {
        let sent = self.tick();
        let answered = self.tick();
        Span { sent, answered }
    }

    pub(crate) fn add_session(&mut self, sid: String, birth: Span, password: usize) {
        let endings = Vec::new();
        self.sessions.push(Session {
            sid,
            birth,
            password,
            endings,
        });
    }

    pub(crate) fn add_family(&mut self, root: Root, birth: Span, code: Option<Code>) -> usize {
        self.families.push(Family {
            root,
            birth,
            code,
            pairs: Vec::new(),
            endings: Vec::new(),
        });
        self.families.len() - 1
    }

    /// What ends of the user made of something that took this proof.
    fn user_survival(&self, birth: Span, password: Option<usize>, seen: Span) -> Fate {
        self.user.survival(birth, seen, |user| {
            user.enabled && password.is_none_or(|number| number == user.password)
        })
    }

    /// Whether a session is alive.
    pub(crate) fn session(&self, index: usize, seen: Span) -> Fate {
        let session = &self.sessions[index];
        let user = self.user_survival(session.birth, Some(session.password), seen);
        user.max(ended(&session.endings, seen, 0))
    }

    /// Whether a family is alive, apart from what one request may do to it.
    pub(crate) fn family(&self, index: usize, seen: Span, except: Tick) -> Fate {
        let family = &self.families[index];
        let user = match family.root {
            Root::Session(session) => {
                let session = &self.sessions[session];
                self.user_survival(session.birth, Some(session.password), seen)
            }
            Root::Password(number) => self.user_survival(family.birth, Some(number), seen),
            Root::Robot => self.user_survival(family.birth, None, seen),
        };
        let swept = self
            .sweeps
            .iter()
            .filter(|sweep| sweep.of_user || !family.is_robots())
            .filter(|sweep| sweep.ending.answered > family.birth.sent)
            .map(|sweep| {
                let fate = sweep.ending.fate(seen);
                // Begun meanwhile: nobody knows which was first.
                match sweep.ending.sent < family.birth.answered {
                    true => fate.min(Fate::Open),
                    false => fate,
                }
            });
        let swept = swept.max().unwrap_or(Fate::Alive);
        user.max(swept).max(ended(&family.endings, seen, except))
    }

    /// Whether the refresh token of a pair was redeemed, by others than this request: dead is
    /// redeemed.
    pub(crate) fn used(&self, family: usize, pair: usize, seen: Span, except: Tick) -> Fate {
        let pair = self.families[family].pairs.get(pair);
        used(pair.map_or(&[], |pair| &pair.uses), seen, except)
    }

    /// Whether the user may use the client of a family, both being what they are.
    pub(crate) fn entitled(&self, family: usize, seen: Span) -> Fate {
        self.holder(self.families[family].is_robots(), seen)
    }

    /// Whether the user may use the client: the one that acts as the user, or the other one.
    pub(crate) fn holder(&self, robot: bool, seen: Span) -> Fate {
        let mut chances = (false, false);
        for user in self.user.values(seen) {
            for client in self.client.values(seen) {
                match user.enabled && (robot || client.admits(user)) {
                    true => chances.0 = true,
                    false => chances.1 = true,
                }
            }
        }
        Fate::of_chances(chances.0, chances.1)
    }

    /// Whether the tokens of a pair open anything.
    pub(crate) fn token(&self, family: usize, pair: usize, seen: Span) -> Fate {
        let client = match self.families[family].is_robots() {
            true => Fate::Alive,
            false => self.client.fate(seen, |client| client.enabled),
        };
        client
            .max(self.entitled(family, seen))
            .max(self.family(family, seen, 0))
            .max(self.used(family, pair, seen, 0))
    }
}

/// Whether a credential was used, by others than this request: dead is used.
pub(crate) fn used(uses: &[Use], seen: Span, except: Tick) -> Fate {
    let others = uses.iter().filter(|one| one.sent != except);
    let fate =
        others.map(|one| Fate::of_chances(seen.sent < one.answered, one.sent < seen.answered));
    fate.max().unwrap_or(Fate::Alive)
}
