//! Failures of use cases as refusals of documents, and the other way.

use crema_document::{DocumentError, Reason};

use crate::Failure;

/// What a use case could not do, in the terms of documents.
pub fn failed(failure: Failure) -> DocumentError {
    let (reason, message) = match failure {
        Failure::Store(error) => return DocumentError::Store(error),
        Failure::Internal(text) => return DocumentError::Internal(text),
        Failure::Validation(text) => (Reason::Validation, text),
        Failure::NotFound(text) => (Reason::DoesNotExist, text),
        Failure::Duplicate(text) => (Reason::Duplicate, text),
        Failure::Permission(text) => (Reason::Permission, text),
        Failure::OAuth(error) => (Reason::Validation, error.description.to_string()),
        Failure::TooMany { retry_after } => (
            Reason::Validation,
            format!("Too many attempts. Try again in {retry_after} seconds."),
        ),
    };
    DocumentError::refused(reason, message)
}

/// What was refused of a document, in the terms of use cases.
pub fn refused(error: DocumentError) -> Failure {
    let refusal = match error {
        DocumentError::Store(error) => return Failure::Store(error),
        DocumentError::Internal(text) => return Failure::Internal(text),
        DocumentError::Refused(refusal) => refusal,
    };
    match refusal.reason {
        Reason::DoesNotExist => Failure::NotFound(refusal.message),
        Reason::Duplicate | Reason::Unique => Failure::Duplicate(refusal.message),
        Reason::Permission | Reason::Scope(_) => Failure::Permission(refusal.message),
        _ => Failure::Validation(refusal.message),
    }
}
