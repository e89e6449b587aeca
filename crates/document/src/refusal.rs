//! Why a document is not read or written as was asked: the one error type of documents and lists.

use crema_store::StoreError;

/// Something that was asked about documents was not done.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Whoever asked is at fault, or may not.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The database did not do its part.
    #[error("{0}")]
    Store(#[source] StoreError),
    /// Something of ours is broken.
    #[error("{0}")]
    Internal(String),
}

/// A refusal in Frappe's terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of fault it is.
    pub reason: Reason,
    /// One or two sentences for people. No markup, no value of a secret field.
    pub message: String,
}

/// The kinds of refusals: Frappe's exceptions, and one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A rule of the record is broken.
    Validation,
    /// A required field is empty.
    Mandatory,
    /// A link leads nowhere.
    Link,
    /// Another document has this value in a unique field.
    Unique,
    /// A text is longer than its field admits.
    TooLong,
    /// The document was changed since it was read.
    TimestampMismatch,
    /// A field that is set once is set already.
    Constant,
    /// Other documents link to the one that is to be removed.
    LinkExists,
    /// The name cannot be a name.
    Name,
    /// There is a document of this name.
    Duplicate,
    /// There is no such document or DocType.
    DoesNotExist,
    /// The user may not.
    Permission,
    /// The user may, but the credential of the request does not reach that far; holds the scope
    /// that would.
    Scope(String),
    /// The request cannot be understood: bad JSON, an unknown field or operator.
    Malformed,
}

impl Reason {
    /// The name of Frappe's exception.
    pub const fn exc_type(&self) -> &'static str {
        match self {
            Reason::Validation | Reason::Malformed => "ValidationError",
            Reason::Mandatory => "MandatoryError",
            Reason::Link => "LinkValidationError",
            Reason::Unique => "UniqueValidationError",
            Reason::TooLong => "CharacterLengthExceededError",
            Reason::TimestampMismatch => "TimestampMismatchError",
            Reason::Constant => "CannotChangeConstantError",
            Reason::LinkExists => "LinkExistsError",
            Reason::Name => "NameError",
            Reason::Duplicate => "DuplicateEntryError",
            Reason::DoesNotExist => "DoesNotExistError",
            Reason::Permission | Reason::Scope(_) => "PermissionError",
        }
    }
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, message: impl Into<String>) -> Refusal {
        Refusal {
            reason,
            message: message.into(),
        }
    }
}

impl From<StoreError> for DocumentError {
    fn from(error: StoreError) -> DocumentError {
        match error {
            // Whoever asked for so much can ask for less.
            StoreError::TooMuch => DocumentError::refused(
                Reason::Validation,
                "This is too long to be read at once: ask for fewer rows or fields",
            ),
            error => DocumentError::Store(error),
        }
    }
}

impl DocumentError {
    /// A refusal as an error.
    pub fn refused(reason: Reason, message: impl Into<String>) -> DocumentError {
        DocumentError::Refused(Refusal::new(reason, message))
    }
}
