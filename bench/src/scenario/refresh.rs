//! Refreshing: each connection walks along a chain of its own.

use anyhow::Result;

use super::{Setup, Side, code, expect, member, post, token_head};
use crate::load::{self, Answer, Conversation, Progress};

/// A chain and its newest refresh token.
pub(super) struct Chain {
    side: Side,
    head: Vec<u8>,
    token: Vec<u8>,
}

/// A chain that begins with a code flow for these scopes.
///
/// # Errors
/// When the flow fails.
pub(super) async fn chain(setup: &Setup, side: Side, scope: &str) -> Result<Chain> {
    let token = match side {
        Side::Crema => {
            let mut flow = code::flow(setup, side, scope);
            load::once(setup.address, &mut flow, |_, _| {}).await?;
            flow.refresh_token
        }
        Side::Raw => b"0123456789012345678901234567890123456789012".to_vec(),
    };
    Ok(Chain {
        side,
        head: token_head(&setup.site),
        token,
    })
}

impl Conversation for Chain {
    fn request(&mut self, out: &mut Vec<u8>) {
        let form: [&[u8]; 2] = [b"grant_type=refresh_token&refresh_token=", &self.token];
        post(out, &self.head, &form);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 200)?;
        if self.side == Side::Crema {
            let next = member(answer, "refresh_token")?;
            self.token.clear();
            self.token.extend_from_slice(next);
        }
        Ok(Progress::Done)
    }
}
