//! The `prompt` parameter. OpenID Connect Core §3.1.2.1.

use crate::error::OAuthError;

/// What the client wants the user to be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Nothing at all; answer with an error if something would have to be asked.
    pub none: bool,
    /// To sign in again.
    pub login: bool,
    /// For consent again.
    pub consent: bool,
    /// Which account to use.
    pub select_account: bool,
}

impl Prompt {
    /// The values that are understood, for the metadata.
    pub const VALUES: [&'static str; 4] = ["none", "login", "consent", "select_account"];

    /// Reads the parameter; values that are not understood are ignored, as the standard advises.
    ///
    /// # Errors
    /// `invalid_request` when `none` comes with anything else.
    // spec: OpenID Connect Core §3.1.2.1, prompt
    pub fn parse(text: &str) -> Result<Prompt, OAuthError> {
        let mut prompt = Prompt::default();
        let mut others = false;
        for value in text.split_ascii_whitespace() {
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => {}
            }
            others |= value != "none";
        }
        if prompt.none && others {
            return Err(OAuthError::invalid_request(
                "prompt=none excludes all other values.",
            ));
        }
        Ok(prompt)
    }

    /// Whether the user has to act although a session and a consent exist.
    pub const fn interactive(self) -> bool {
        self.login || self.consent || self.select_account
    }
}
