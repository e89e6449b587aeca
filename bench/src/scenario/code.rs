//! Authorization codes: issuing one, and the whole way to tokens.

use anyhow::{Context as _, Result};

use super::{AUTHORIZE, Setup, Side, expect, get, member, post, token_head};
use crate::load::{Answer, Conversation, Progress};
use crate::site::{CHALLENGE, VERIFIER};

/// As long as a code; the raw server does not look at it.
const SOME_CODE: &[u8] = b"0123456789012345678901234567890123456789012";

/// The authorization request of a signed-in user.
fn authorization(setup: &Setup, scope: &str) -> Vec<u8> {
    let path = format!(
        "{AUTHORIZE}?client_id={}&response_type=code&scope={scope}&state=s-1&nonce=n-1\
         &redirect_uri=https%3A%2F%2Fclient.example%2Fcallback\
         &code_challenge={CHALLENGE}&code_challenge_method=S256",
        setup.site.client_id
    );
    let mut request = get(&path, &format!("Cookie: {}\r\n", setup.cookie));
    request.extend_from_slice(b"\r\n");
    request
}

/// The code in the address that the browser is sent to.
fn code<'a>(answer: &Answer<'a>) -> Result<&'a [u8]> {
    const NAME: &[u8] = b"code=";
    let location = answer.header("location").context("no Location")?;
    location
        .windows(NAME.len())
        .position(|part| part == NAME)
        .and_then(|start| location.get(start + NAME.len()..))
        .and_then(|rest| rest.split(|byte| *byte == b'&').next())
        .with_context(|| format!("no code in {}", String::from_utf8_lossy(location)))
}

/// Issues codes.
pub(super) struct Issue {
    side: Side,
    request: Vec<u8>,
}

/// A code for each request.
pub(super) fn issue(setup: &Setup, side: Side) -> Issue {
    Issue {
        side,
        request: authorization(setup, "all%20openid"),
    }
}

impl Conversation for Issue {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 302)?;
        if self.side == Side::Crema {
            code(answer)?;
        }
        Ok(Progress::Done)
    }
}

/// A code, then tokens for it.
pub(super) struct Flow {
    side: Side,
    authorize: Vec<u8>,
    redeem: Vec<u8>,
    code: Option<Vec<u8>>,
    /// The last refresh token that was got.
    pub(super) refresh_token: Vec<u8>,
}

/// The whole way, for these scopes.
pub(super) fn flow(setup: &Setup, side: Side, scope: &str) -> Flow {
    Flow {
        side,
        authorize: authorization(setup, scope),
        redeem: token_head(&setup.site),
        code: None,
        refresh_token: Vec::new(),
    }
}

impl Conversation for Flow {
    fn request(&mut self, out: &mut Vec<u8>) {
        match &self.code {
            None => out.extend_from_slice(&self.authorize),
            Some(code) => {
                let form: [&[u8]; 5] = [
                    b"grant_type=authorization_code&code=",
                    code,
                    b"&redirect_uri=https%3A%2F%2Fclient.example%2Fcallback",
                    b"&code_verifier=",
                    VERIFIER.as_bytes(),
                ];
                post(out, &self.redeem, &form);
            }
        }
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        if self.code.take().is_none() {
            expect(answer, 302)?;
            let code = match self.side {
                Side::Crema => code(answer)?,
                Side::Raw => SOME_CODE,
            };
            self.code = Some(code.to_vec());
            return Ok(Progress::More);
        }
        expect(answer, 200)?;
        if self.side == Side::Crema {
            self.refresh_token = member(answer, "refresh_token")?.to_vec();
        }
        Ok(Progress::Done)
    }
}
