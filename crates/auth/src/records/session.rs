//! Sessions: removing the record of one is a sign-out.
//!
//! Records: Session (`tabSessions`), Activity Log.
// spec: doctypes.md, "list and revoke own tokens and sessions"

use crema_document::DocumentError;
use crema_store::Transaction;
use serde_json::{Map, Value as Json};

use super::View;
use super::error::failed;
use super::values::text;
use crate::audit::{Entry, Operation, Status};
use crate::session;

/// The session ends, by the code that every sign-out goes through; nothing is left of it that
/// the general code would have to remove.
pub(super) async fn before_delete(
    view: &View,
    session: &Map<String, Json>,
    tx: &mut Transaction,
) -> Result<(), DocumentError> {
    let entry = Entry::new(&view.ctx, Operation::Logout, Status::Success)
        .user(view.by())
        .about("User", text(session, "user"))
        .detail("sessions", "one");
    let ended = session::end_in(tx, text(session, "sid"), &entry).await;
    ended.map(drop).map_err(failed)
}
