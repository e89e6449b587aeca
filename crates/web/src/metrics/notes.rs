//! What is learnt about a request while it is answered, for its figures and its log line.

use std::sync::atomic::{AtomicU8, Ordering};

use axum::http::StatusCode;
use crema_protocol::error::ErrorCode;

use super::{Endpoint, Grant, Outcome};

/// Notes on one request. Written through a shared reference, by whoever knows.
pub struct Notes {
    endpoint: AtomicU8,
    grant: AtomicU8,
    /// Zero: not known; else the number of the outcome, plus one.
    outcome: AtomicU8,
}

impl Notes {
    /// Nothing is known but the endpoint.
    pub fn new(endpoint: Endpoint) -> Notes {
        Notes {
            endpoint: AtomicU8::new(endpoint as u8),
            grant: AtomicU8::new(Grant::None as u8),
            outcome: AtomicU8::new(0),
        }
    }

    /// The parameters name another endpoint than the path does.
    pub fn set_endpoint(&self, endpoint: Endpoint) {
        self.endpoint.store(endpoint as u8, Ordering::Relaxed);
    }

    /// The endpoint.
    pub fn endpoint(&self) -> Endpoint {
        let index = usize::from(self.endpoint.load(Ordering::Relaxed));
        Endpoint::ALL.get(index).copied().unwrap_or(Endpoint::Other)
    }

    /// A token request asks for this.
    pub fn set_grant(&self, grant: Grant) {
        self.grant.store(grant as u8, Ordering::Relaxed);
    }

    /// What a token request asks for.
    pub fn grant(&self) -> Grant {
        let index = usize::from(self.grant.load(Ordering::Relaxed));
        Grant::ALL.get(index).copied().unwrap_or(Grant::None)
    }

    /// The answer holds this OAuth error.
    pub fn set_error(&self, code: ErrorCode) {
        self.set_outcome(Outcome::of_code(code));
    }

    /// The answer sends the browser away with this OAuth error.
    pub fn set_error_name(&self, name: &str) {
        let known = ErrorCode::ALL.iter().find(|code| code.as_str() == name);
        self.set_outcome(
            known.map_or(Outcome::of_status(StatusCode::BAD_REQUEST), |code| {
                Outcome::of_code(*code)
            }),
        );
    }

    fn set_outcome(&self, outcome: Outcome) {
        let number = u8::try_from(outcome.index() + 1).unwrap_or(0);
        self.outcome.store(number, Ordering::Relaxed);
    }

    /// How it ended: as noted, else as the status says.
    pub fn outcome(&self, status: StatusCode) -> Outcome {
        let number = usize::from(self.outcome.load(Ordering::Relaxed));
        let noted = number.checked_sub(1).and_then(Outcome::at);
        noted.unwrap_or_else(|| Outcome::of_status(status))
    }
}
