//! Tokens for the client itself.

use anyhow::Result;

use super::{Setup, Side, expect, member, post, token_head};
use crate::load::{Answer, Conversation, Progress};

/// The same request again and again.
pub(super) struct Grant {
    side: Side,
    request: Vec<u8>,
}

/// The client credentials grant.
pub(super) fn grant(setup: &Setup, side: Side) -> Grant {
    let mut request = Vec::new();
    let form: &[u8] = b"grant_type=client_credentials&scope=all";
    post(&mut request, &token_head(&setup.site), &[form]);
    Grant { side, request }
}

impl Conversation for Grant {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 200)?;
        if self.side == Side::Crema {
            member(answer, "access_token")?;
        }
        Ok(Progress::Done)
    }
}
