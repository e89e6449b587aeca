//! What was acknowledged, and whether it still holds.

use std::time::{Duration, Instant};

use crate::load::{Client, Pair};

/// A code lives for 60 seconds; an older one than this is not tried any more.
const YOUNG: Duration = Duration::from_secs(40);

/// What the clients of a load know.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) machine_tokens: Vec<String>,
    pub(crate) families: Vec<Family>,
    /// Issued and not yet redeemed.
    pub(crate) codes: Vec<(String, Instant)>,
    /// Sent to be redeemed, with no answer.
    pub(crate) doubtful_codes: Vec<String>,
}

/// All that grew out of one code.
pub(crate) struct Family {
    /// The newest pair that was answered.
    pub(crate) pair: Pair,
    /// Pairs that later ones took the place of.
    pub(crate) past: Vec<Pair>,
    pub(crate) fate: Fate,
}

/// What became of a family, as far as its client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Live,
    Revoked,
    /// A refresh was sent and not answered.
    MaybeRefreshed,
    /// A revocation was sent and not answered.
    MaybeRevoked,
}

impl Family {
    pub(crate) fn new(pair: Pair) -> Family {
        Family {
            pair,
            past: Vec::new(),
            fate: Fate::Live,
        }
    }

    pub(crate) fn refreshed(&mut self, pair: Pair) {
        self.past.push(std::mem::replace(&mut self.pair, pair));
    }

    /// What was acknowledged holds, and what was in flight is whole or not there: the client does
    /// what clients do then, it asks again.
    async fn check(mut self, client: &Client) {
        match self.fate {
            Fate::Live => {
                assert!(client.is_active(&self.pair.access).await, "a token is lost");
            }
            Fate::Revoked => {}
            Fate::MaybeRefreshed => {
                let again = client.refresh(&self.pair.refresh).await.answer();
                let again = Pair::of(&again);
                assert!(client.is_active(&again.access).await);
                self.refreshed(again);
            }
            Fate::MaybeRevoked => {
                let again = client.revoke(&self.pair.refresh).await.answer();
                assert_eq!(again.status, 200, "{again:?}");
            }
        }
        for past in &self.past {
            assert!(!client.is_active(&past.access).await, "a token is revived");
        }
        if matches!(self.fate, Fate::Revoked | Fate::MaybeRevoked) {
            assert!(
                !client.is_active(&self.pair.access).await,
                "{:?}",
                self.fate
            );
            let refused = client.refresh(&self.pair.refresh).await.answer();
            assert_eq!(refused.status, 400, "{refused:?}");
            assert_eq!(refused.text("error"), "invalid_grant");
            return;
        }
        let next = Pair::of(&client.refresh(&self.pair.refresh).await.answer());
        assert!(!client.is_active(&self.pair.access).await);
        self.refreshed(next);
        // The memory of what is spent has survived too: a second use ends the family.
        if self.past.len() > 2 {
            let refused = client.refresh(&self.past[0].refresh).await.answer();
            assert_eq!(refused.status, 400, "{refused:?}");
            assert!(!client.is_active(&self.pair.access).await);
        }
    }
}

impl Ledger {
    pub(crate) fn add(&mut self, other: Ledger) {
        self.machine_tokens.extend(other.machine_tokens);
        self.families.extend(other.families);
        self.codes.extend(other.codes);
        self.doubtful_codes.extend(other.doubtful_codes);
    }

    /// How much there is of it, in words.
    pub(crate) fn summary(&self) -> String {
        let count = |fate| {
            self.families
                .iter()
                .filter(|family| family.fate == fate)
                .count()
        };
        let doubts =
            count(Fate::MaybeRefreshed) + count(Fate::MaybeRevoked) + self.doubtful_codes.len();
        format!(
            "{} live families, {} revoked, {} machine tokens, {} unused codes, {doubts} in doubt",
            count(Fate::Live),
            count(Fate::Revoked),
            self.machine_tokens.len(),
            self.codes.len(),
        )
    }

    /// Looks at everything with a server that is well.
    ///
    /// # Panics
    /// When something acknowledged does not hold.
    pub(crate) async fn check(self, client: &Client) {
        for token in &self.machine_tokens {
            assert!(client.is_active(token).await, "a machine's token is lost");
        }
        for (code, issued) in &self.codes {
            if issued.elapsed() < YOUNG {
                let answer = client.redeem(code).await.answer();
                // It may have grown too old on its way.
                let late = issued.elapsed() >= YOUNG;
                assert!(answer.status == 200 || late, "a code is lost: {answer:?}");
            }
        }
        for code in &self.doubtful_codes {
            // Redeemed already, or not at all: then it works, or is too old by now.
            let answer = client.redeem(code).await.answer();
            match answer.status {
                200 => assert!(client.is_active(&Pair::of(&answer).access).await),
                _ => assert_eq!(answer.text("error"), "invalid_grant", "{answer:?}"),
            }
        }
        for family in self.families {
            family.check(client).await;
        }
    }
}
