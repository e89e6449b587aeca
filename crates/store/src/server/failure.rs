//! Errors of the driver and the connection.

use crate::StoreError;
use crate::error::Failure;

/// Sorts an error that does not come from the server itself.
pub(crate) fn driver_error(error: &sqlx::Error) -> Failure {
    use sqlx::Error;
    match error {
        Error::PoolClosed => StoreError::Closed.into(),
        Error::PoolTimedOut => StoreError::Unavailable("no connection in time".to_owned()).into(),
        // Refused, reset, or what is wrong with the server's certificate.
        Error::Io(error) => Failure::again(StoreError::Unavailable(error.to_string())),
        Error::Tls(error) => StoreError::Unavailable(format!("TLS: {error}")).into(),
        Error::Configuration(_) => {
            StoreError::Unavailable("the connection's settings are not valid".to_owned()).into()
        }
        // A desynchronised or unexpected conversation: the connection is given up.
        Error::Protocol(_) => Failure::again(StoreError::Unavailable(
            "the server's answer was not understood".to_owned(),
        )),
        _ => StoreError::Other("the driver failed".to_owned()).into(),
    }
}
