//! The OAuth Bearer Token record: written once when tokens are issued.
//!
//! Only hashes are stored. Frappe's columns are filled as Frappe fills them (`expiration_time`
//! in the site's time zone); ours (`expires_at`, UTC) decide.

use crema_document::{LocalTime, Timestamp};
use crema_store::{Sql, Transaction, params};

use crate::{Ctx, Failure};

static INSERT: Sql = Sql::new(
    r#"INSERT INTO "tabOAuth Bearer Token" (name, creation, modified, modified_by, owner,
    docstatus, idx, client, "user", scopes, access_token, refresh_token, expiration_time,
    expires_in, status, family, expires_at, issued_at, refresh_expires_at, resource, auth_time,
    claims, grant_type, session_sid, authorized_scopes)
    VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, 'Active', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"#,
);

/// The statements of this file, for the test that prepares each on every database.
pub static STATEMENTS: &[&Sql] = &[&INSERT];

/// One row to be written.
#[derive(Debug, Clone)]
pub struct BearerRow {
    /// Name of the record.
    pub name: String,
    /// OAuth Client.
    pub client: String,
    /// User; for client credentials the client's own.
    pub user: String,
    /// Granted scopes, space-separated.
    pub scopes: String,
    /// What was authorized in the first place, where a refresh has narrowed it since.
    pub authorized_scopes: Option<String>,
    /// SHA-256 of the access token.
    pub access_hash: String,
    /// SHA-256 of the refresh token.
    pub refresh_hash: Option<String>,
    /// Moment of issue.
    pub issued_at: Timestamp,
    /// Life of the access token in seconds.
    pub expires_in: i64,
    /// End of the refresh token.
    pub refresh_expires_at: Option<Timestamp>,
    /// Family, when there is one.
    pub family: Option<String>,
    /// Resources it is for, space-separated.
    pub resource: String,
    /// When the user signed in, in seconds.
    pub auth_time: Option<i64>,
    /// The `claims` parameter of the authorization request.
    pub claims: Option<String>,
    /// The grant that made it.
    pub grant_type: &'static str,
    /// The `sid` claim of the session.
    pub session: Option<String>,
    /// `issued_at` in the site's time zone.
    created: LocalTime,
    /// End of the access token in the site's time zone.
    expires: LocalTime,
}

impl BearerRow {
    /// A row for an access token issued now, with nothing optional in it.
    pub fn new(ctx: &Ctx, client: &str, user: &str, access_token: &str, expires_in: i64) -> Self {
        let site = ctx.provider.site();
        BearerRow {
            name: ctx.row_name(),
            client: client.to_owned(),
            user: user.to_owned(),
            scopes: String::new(),
            authorized_scopes: None,
            access_hash: crema_crypto::hash_hex(access_token),
            refresh_hash: None,
            issued_at: ctx.now,
            expires_in,
            refresh_expires_at: None,
            family: None,
            resource: String::new(),
            auth_time: None,
            claims: None,
            grant_type: "",
            session: None,
            created: site.local(ctx.now),
            expires: site.local(ctx.now.plus_seconds(expires_in)),
        }
    }

    /// End of the access token.
    pub fn expires_at(&self) -> Timestamp {
        self.issued_at.plus_seconds(self.expires_in)
    }

    /// Writes the row.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert(&self, tx: &mut Transaction) -> Result<(), Failure> {
        let values = params![
            &self.name,
            self.created,
            self.created,
            &self.user,
            &self.user,
            &self.client,
            &self.user,
            &self.scopes,
            &self.access_hash,
            self.refresh_hash.as_deref(),
            self.expires,
            self.expires_in,
            self.family.as_deref(),
            self.expires_at().micros(),
            self.issued_at.micros(),
            // Frappe's numbers are never null: 0 is none.
            self.refresh_expires_at.map_or(0, Timestamp::micros),
            &self.resource,
            self.auth_time.unwrap_or(0),
            self.claims.as_deref(),
            self.grant_type,
            self.session.as_deref(),
            self.authorized_scopes.as_deref(),
        ];
        tx.execute(&INSERT, values).await?;
        Ok(())
    }
}
