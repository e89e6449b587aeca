//! How a request ended, as a closed set: an OAuth error code, or the class of the status.

use axum::http::StatusCode;
use crema_protocol::error::ErrorCode;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome(u8);

/// What no OAuth error code says.
const CLASSES: [&str; 13] = [
    "success",
    "redirect",
    "unauthorized",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "too_large",
    "too_many_requests",
    "client_error",
    "timeout",
    "temporarily_unavailable",
    "server_error",
    "abandoned",
];

impl Outcome {
    /// So many there are.
    pub const COUNT: usize = CLASSES.len() + ErrorCode::ALL.len();

    /// The client has gone, or the request took longer than it may.
    pub const ABANDONED: Outcome = Outcome(12);

    /// By the status alone.
    pub fn of_status(status: StatusCode) -> Outcome {
        Outcome(match status.as_u16() {
            100..=299 | 304 => 0,
            300..=399 => 1,
            401 => 2,
            403 => 3,
            404 => 4,
            405 => 5,
            413 | 414 | 431 => 6,
            429 => 7,
            408 => 9,
            400..=499 => 8,
            503 => 10,
            _ => 11,
        })
    }

    /// An OAuth error, wherever it was said: in an answer's body or in a redirect.
    pub fn of_code(code: ErrorCode) -> Outcome {
        match code {
            // The same words for the same thing.
            ErrorCode::TooManyRequests => Outcome(7),
            ErrorCode::TemporarilyUnavailable => Outcome(10),
            ErrorCode::ServerError => Outcome(11),
            code => {
                let place = ErrorCode::ALL.iter().position(|known| *known == code);
                let place = place.and_then(|place| u8::try_from(CLASSES.len() + place).ok());
                Outcome(place.unwrap_or(8))
            }
        }
    }

    /// The outcome of that number.
    pub fn at(index: usize) -> Option<Outcome> {
        let index = u8::try_from(index).ok()?;
        (usize::from(index) < Self::COUNT).then_some(Outcome(index))
    }

    /// Its number, below [`Outcome::COUNT`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The name in figures and log lines.
    pub fn label(self) -> &'static str {
        let index = self.index();
        match CLASSES.get(index) {
            Some(class) => class,
            None => ErrorCode::ALL
                .get(index - CLASSES.len())
                .map_or("client_error", |code| code.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_happen_has_a_name_of_its_own() {
        let reached = ErrorCode::ALL.iter().map(|code| Outcome::of_code(*code));
        let by_status = (200..600).map(|s| Outcome::of_status(StatusCode::from_u16(s).unwrap()));
        let mut all: Vec<Outcome> = reached.chain(by_status).collect();
        all.sort_by_key(|outcome| outcome.index());
        all.dedup();
        let mut labels: Vec<&str> = all.iter().map(|outcome| outcome.label()).collect();
        assert!(labels.contains(&"invalid_grant") && labels.contains(&"success"));
        labels.sort_unstable();
        let number = labels.len();
        labels.dedup();
        assert_eq!(labels.len(), number);
        assert_eq!(Outcome::ABANDONED.label(), "abandoned");
        assert_eq!(Outcome::at(Outcome::COUNT), None);
    }
}
