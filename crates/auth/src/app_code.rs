//! What an app that comes with the program does beside holding records: methods of the API, what
//! follows its installation, patches.
//!
//! The binary hands a list of [`AppCode`] to [`crate::Environment`]; the HTTP layer looks there
//! for methods whose names it does not know itself. A site has them while the app is installed
//! on it.

use std::future::Future;
use std::pin::Pin;

use crema_document::{DocumentError, Registry};
use serde_json::{Map, Value as Json};

use crate::caller::Caller;
use crate::{Ctx, Failure};

/// Work of an app under way.
pub type AppFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The code of an app.
pub struct AppCode {
    /// The app's name, with which the names of its methods and patches begin.
    pub name: &'static str,
    /// What may be called.
    pub methods: &'static [AppMethod],
    /// Runs once the app is installed; may run again and then finds everything done.
    pub after_install: for<'a> fn(&'a Ctx) -> AppFuture<'a, Result<(), Failure>>,
    /// In their order.
    pub patches: &'static [AppPatch],
}

/// What a site needs that had the app already; never runs twice, unless the first time failed.
pub struct AppPatch {
    /// Its name in Patch Log: `<app>.patches.<version>.<what>`.
    pub name: &'static str,
    /// What it does. May run again after it failed half-way.
    pub run: for<'a> fn(&'a Ctx) -> AppFuture<'a, Result<(), Failure>>,
}

/// A method of an app.
pub struct AppMethod {
    /// Its dotted name.
    pub name: &'static str,
    /// The HTTP methods, as the header `Allow` has them.
    pub allow: &'static str,
    /// Which scope it takes, beside `all`.
    pub scope: MethodScope,
    /// One sentence for people and models.
    pub about: &'static str,
    /// The names of its arguments.
    pub arguments: &'static [&'static str],
    /// Answers a call. Nobody is signed in as Guest.
    pub run: for<'a> fn(MethodCall<'a>) -> AppFuture<'a, Result<Json, MethodError>>,
}

/// The scope that a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodScope {
    /// What its documents take, or the one that names it.
    Documents,
    /// The one that names it.
    Method,
}

/// A call to a method.
#[derive(Clone, Copy)]
pub struct MethodCall<'a> {
    /// The request.
    pub ctx: &'a Ctx,
    /// Who calls.
    pub caller: &'a Caller,
    /// What was sent: of a query or form all values are text.
    pub arguments: &'a Map<String, Json>,
}

/// Why a method did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// Something about documents.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Anything else.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<crema_document::Refusal> for MethodError {
    fn from(refusal: crema_document::Refusal) -> MethodError {
        MethodError::Document(refusal.into())
    }
}

/// The method of that name, of an app that the site has.
pub fn method(
    apps: &'static [AppCode],
    registry: &Registry,
    name: &str,
) -> Option<&'static AppMethod> {
    let app = apps.iter().find(|app| {
        let rest = name.strip_prefix(app.name);
        rest.is_some_and(|rest| rest.starts_with('.'))
    })?;
    let method = app.methods.iter().find(|method| method.name == name)?;
    is_installed(app, registry).then_some(method)
}

/// The methods of all apps that the site has.
pub fn methods(
    apps: &'static [AppCode],
    registry: &Registry,
) -> impl Iterator<Item = &'static AppMethod> {
    apps.iter()
        .filter(|app| is_installed(app, registry))
        .flat_map(|app| app.methods)
}

/// An app is on a site when its DocTypes are.
fn is_installed(app: &AppCode, registry: &Registry) -> bool {
    registry.doctypes().any(|doctype| doctype.app == app.name)
}
