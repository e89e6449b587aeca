//! Which answers the model allows, and what it learns from them.

use crate::time::{Ended, Fate, Span, Tick, conclude};
use crate::world::{Pair, Use, World, used};

/// What is wrong with an answer.
pub(crate) type Verdict = Result<(), String>;

/// How the token endpoint answered.
#[derive(Debug)]
pub(crate) enum Granted {
    /// With these tokens.
    Pair(Pair),
    /// 401 `invalid_client`
    InvalidClient,
    /// 400 `invalid_grant`
    InvalidGrant,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "a pair for {:?}", self.scope)
    }
}

/// Whether something may have worked, or failed.
pub(crate) fn allow(what: &str, fate: Fate, worked: bool) -> Verdict {
    match (fate, worked) {
        (Fate::Dead, true) => Err(format!("{what} was accepted, and has to be dead")),
        (Fate::Alive, false) => Err(format!("{what} was refused, and has to be alive")),
        _ => Ok(()),
    }
}

/// A use of a code or refresh token, as it was sent.
pub(crate) struct Attempt {
    pub(crate) family: usize,
    /// The number of the secret.
    pub(crate) secret: usize,
    /// The scope that was asked for, at a refresh.
    pub(crate) scope: Option<&'static str>,
    /// With a verifier that does not fit, or too late.
    pub(crate) hopeless: bool,
}

impl World {
    /// Client authentication with that secret.
    pub(crate) fn proof(&self, secret: usize, seen: Span) -> Fate {
        self.client.fate(seen, |client| client.accepts(secret))
    }

    fn grace(&self, seen: Span) -> Fate {
        self.client.fate(seen, |client| client.grace)
    }

    /// The scopes of an answer are those that were asked for, as far as the client had them in
    /// that span.
    pub(crate) fn allow_scope(&self, scope: &str, asked: &str, seen: Span) -> Verdict {
        let has_all = |scope: &str| scope.split(' ').any(|word| word == "all");
        let had = match has_all(asked) {
            true => self.client.fate(seen, |client| client.all),
            false => Fate::Dead,
        };
        allow("the scope all", had, has_all(scope))
    }

    /// A code was sent to the token endpoint.
    pub(crate) fn judge_redeem(
        &mut self,
        attempt: &Attempt,
        seen: Span,
        answer: Granted,
    ) -> Verdict {
        let (index, own) = (attempt.family, seen.sent);
        let proof = self.proof(attempt.secret, seen);
        let family_fate = self.family(index, seen, own);
        let holder = self.entitled(index, seen);
        let uses = &self.families[index].code.as_ref().unwrap().uses;
        let spent = used(uses, seen, own);
        match answer {
            Granted::InvalidClient => {
                self.forget_redeem(index, own);
                allow("the client", proof, false)
            }
            Granted::InvalidGrant => {
                // Whatever was wrong with it, the code is burnt and its family ends.
                self.forget_use(index, own);
                self.end(index, own, Ended::At(seen.answered));
                allow("the client", proof, true)?;
                let fate = family_fate.max(holder).max(spent);
                match attempt.hopeless {
                    true => Ok(()),
                    false => allow("a code", fate, false),
                }
            }
            Granted::Pair(pair) => {
                self.end(index, own, Ended::Not);
                allow("the client", proof, true)?;
                allow("a family", family_fate, true)?;
                allow("the user", holder, true)?;
                allow("a code", spent, true)?;
                if attempt.hopeless {
                    return Err("a code was accepted with a wrong verifier".to_owned());
                }
                let asked = self.families[index].code.as_ref().unwrap().scope;
                self.allow_scope(&pair.scope, asked, self.families[index].birth)?;
                let family = &mut self.families[index];
                if !family.pairs.is_empty() {
                    return Err("a code was redeemed twice".to_owned());
                }
                family.pairs.push(pair);
                let uses = &mut family.code.as_mut().unwrap().uses;
                for one in uses.iter_mut().filter(|one| one.sent == own) {
                    one.answered = seen.answered;
                }
                Ok(())
            }
        }
    }

    /// A refresh token was sent to the token endpoint.
    pub(crate) fn judge_refresh(
        &mut self,
        attempt: &Attempt,
        number: usize,
        seen: Span,
        answer: Granted,
    ) -> Verdict {
        let (index, own) = (attempt.family, seen.sent);
        let proof = self.proof(attempt.secret, seen);
        match answer {
            Granted::InvalidClient => {
                self.forget_refresh(index, number, own);
                self.end(index, own, Ended::Not);
                allow("the client", proof, false)
            }
            Granted::InvalidGrant => {
                let refusal = self.judge_refusal(attempt, number, seen);
                self.forget_refresh(index, number, own);
                self.end(index, own, refusal.ended);
                allow("the client", proof, true)?;
                match refusal.justified {
                    true => Ok(()),
                    false => allow("a refresh token", Fate::Alive, false),
                }
            }
            Granted::Pair(pair) => {
                self.end(index, own, Ended::Not);
                allow("the client", proof, true)?;
                self.judge_successor(attempt, number, seen, pair)
            }
        }
    }

    /// Why a refresh token may have been refused, and what became of its family.
    fn judge_refusal(&self, attempt: &Attempt, number: usize, seen: Span) -> Refusal {
        let (index, own) = (attempt.family, seen.sent);
        let dead = self.family(index, seen, own).may_fail();
        let holder = self.entitled(index, seen).may_fail();
        let rotated = self.used(index, number, seen, own);
        let grace = self.grace(seen);
        let successor = self.used(index, number + 1, seen, own);
        let uses = &self.families[index].pairs[number].uses;
        let others = uses.iter().filter(|one| one.sent != own);
        let differs = others
            .into_iter()
            .any(|one| one.sent < seen.answered && one.scope != attempt.scope);
        // Within the window another request than the first one is refused, and nothing ends.
        let other_request = differs && grace.may_work();
        let reuse = rotated.may_fail() && (grace.may_fail() || successor.may_fail());
        let surely_reuse = rotated == Fate::Dead
            && (grace == Fate::Dead || (successor == Fate::Dead && !other_request));
        let ended = if surely_reuse || ((dead || reuse) && !holder && !other_request) {
            Ended::At(seen.answered)
        } else if reuse {
            Ended::Perhaps
        } else {
            Ended::Not
        };
        Refusal {
            justified: dead || holder || other_request || reuse,
            ended,
        }
    }

    fn judge_successor(
        &mut self,
        attempt: &Attempt,
        number: usize,
        seen: Span,
        pair: Pair,
    ) -> Verdict {
        let (index, own) = (attempt.family, seen.sent);
        allow("a family", self.family(index, seen, own), true)?;
        allow("the user", self.entitled(index, seen), true)?;
        let successor = self.used(index, number + 1, seen, own);
        allow("a token whose successor was used", successor, true)?;
        if self.used(index, number, seen, own) == Fate::Dead {
            allow("a rotated token", self.grace(seen), true)?;
        }
        let pairs = &mut self.families[index].pairs;
        let mut granted = pairs[number]
            .uses
            .iter()
            .filter(|one| one.sent != own && one.answered != crate::time::PENDING);
        if granted.any(|one| one.scope != attempt.scope) {
            return Err("a rotated token was accepted for another scope".to_owned());
        }
        let wanted = attempt.scope.unwrap_or(pairs[number].scope.as_str());
        if pair.scope != wanted {
            return Err(format!("{wanted:?} became {:?}", pair.scope));
        }
        for one in pairs[number].uses.iter_mut().filter(|one| one.sent == own) {
            one.answered = seen.answered;
        }
        match pairs.get(number + 1) {
            None => pairs.push(pair),
            Some(known) if known.access == pair.access && known.refresh == pair.refresh => {}
            Some(_) => return Err("there are two successors".to_owned()),
        }
        Ok(())
    }

    /// A code or refresh token is about to be sent: whatever becomes of it, its family may end.
    pub(crate) fn begin_use(&mut self, attempt: &Attempt, number: Option<usize>, sent: Tick) {
        let (answered, scope) = (crate::time::PENDING, attempt.scope);
        let family = &mut self.families[attempt.family];
        let uses = match number {
            Some(number) => &mut family.pairs[number].uses,
            None => &mut family.code.as_mut().unwrap().uses,
        };
        uses.push(Use {
            sent,
            answered,
            scope,
        });
        family.endings.push(crate::time::Ending { sent, answered });
    }

    fn forget_redeem(&mut self, family: usize, own: Tick) {
        self.forget_use(family, own);
        self.end(family, own, Ended::Not);
    }

    fn forget_use(&mut self, family: usize, own: Tick) {
        let code = self.families[family].code.as_mut().unwrap();
        code.uses.retain(|one| one.sent != own);
    }

    fn forget_refresh(&mut self, family: usize, number: usize, own: Tick) {
        let uses = &mut self.families[family].pairs[number].uses;
        uses.retain(|one| one.sent != own);
    }

    pub(crate) fn end(&mut self, family: usize, sent: Tick, outcome: Ended) {
        conclude(&mut self.families[family].endings, sent, outcome);
    }
}

struct Refusal {
    justified: bool,
    ended: Ended,
}
