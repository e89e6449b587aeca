//! The record of a client with a metadata document: made when a user allows it something, brought
//! up to date when the document has changed since.

use std::sync::Arc;

use crema_crypto::{hash_hex, random_name};
use crema_document::row::{self, RowHead};
use crema_document::{DocType, version};
use crema_protocol::metadata_document::DocumentAddress;
use crema_store::{Sql, Transaction, params};

use super::super::check::Surroundings;
use super::super::record::{ALLOWED_ROLES, ClientFields, Record};
use super::super::{Client, DEFAULT_ROLE, DOCTYPE, load_by_document};
use super::{Described, Standing, blank, doctype, fill, is_known_as, leads_nowhere_new, record_of};
use crate::audit::{self, Entry, Operation, Status};
use crate::settings::Settings;
use crate::{Ctx, Failure};

static LOCK: Sql =
    Sql::new(r#"SELECT * FROM "tabOAuth Client" WHERE metadata_document_hash = ? {lock}"#);
static DELETE_CONSENTS: Sql = Sql::new(r#"DELETE FROM "tabOAuth Consent" WHERE client = ?"#);

/// The statements of this file, for the test that prepares each on every database.
pub(super) static STATEMENTS: &[&Sql] = &[&LOCK, &DELETE_CONSENTS];

impl Described {
    /// The client with a record that says what the document says. `by` is the user who allows it
    /// something; `None` when an administrator has disabled it meanwhile.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn keep(&self, ctx: &Ctx, by: &str) -> Result<Option<Arc<Client>>, Failure> {
        if self.standing == Standing::Same {
            return Ok(Some(Arc::clone(&self.client)));
        }
        let kept = match self.write(ctx, by).await {
            // Somebody else's user was faster: now there is a record to be compared with.
            Err(Failure::Store(error)) if error.is_unique_violation() => {
                self.write(ctx, by).await?
            }
            kept => kept?,
        };
        if !kept {
            return Ok(None);
        }
        // From the database: this request still sees the version before its own change.
        let client = load_by_document(&ctx.provider, self.address.as_str()).await?;
        Ok(client.filter(|client| client.enabled).map(Arc::new))
    }

    async fn write(&self, ctx: &Ctx, by: &str) -> Result<bool, Failure> {
        let write = Arc::new(Write::prepare(ctx, self, by).await?);
        let database = ctx.provider.database();
        database
            .write(move |tx| {
                let write = Arc::clone(&write);
                Box::pin(async move { write.run(tx).await })
            })
            .await
    }
}

/// One attempt, made ready outside of the transaction and owned, so that it can be run again.
struct Write {
    address: DocumentAddress,
    fields: ClientFields,
    doctype: Arc<DocType>,
    settings: Arc<Settings>,
    developer_mode: bool,
    head: RowHead,
    role: RowHead,
    entry: Entry,
}

impl Write {
    async fn prepare(ctx: &Ctx, described: &Described, by: &str) -> Result<Write, Failure> {
        let entropy = &*ctx.provider.environment().entropy;
        let now = ctx.provider.site().local(ctx.now);
        let name = random_name(entropy);
        let role = RowHead::new(random_name(entropy), by, now);
        Ok(Write {
            address: described.address.clone(),
            fields: described.fields.clone(),
            doctype: doctype(ctx)?,
            settings: ctx.settings().await?,
            developer_mode: ctx.provider.site().config().developer_mode(),
            role: role.below(DOCTYPE, &name, ALLOWED_ROLES, 1),
            head: RowHead::new(name, by, now),
            entry: Entry::new(ctx, Operation::ClientChanged, Status::Success)
                .user(by)
                .detail("client_id", described.address.as_str()),
        })
    }

    /// `false` when the client is disabled: then nothing is written.
    async fn run(&self, tx: &mut Transaction) -> Result<bool, Failure> {
        let hash = hash_hex(self.address.as_str());
        let row = tx.row(&LOCK, params![hash]).await?;
        match row.as_ref().and_then(|row| record_of(row, &self.address)) {
            None => self.insert(tx).await?,
            Some(record) if !record.flag("enabled") => return Ok(false),
            Some(record) => self.update(tx, &record).await?,
        }
        Ok(true)
    }

    fn fill(&self, record: &mut Record) -> Result<(), Failure> {
        let around = Surroundings {
            settings: &self.settings,
            developer_mode: self.developer_mode,
        };
        fill(record, &self.doctype, &self.fields, &around)
    }

    async fn insert(&self, tx: &mut Transaction) -> Result<(), Failure> {
        let mut record = blank(&self.doctype, &self.address);
        record.put("client_id", self.head.name.as_str());
        self.fill(&mut record)?;
        row::insert(tx, DOCTYPE, &self.head, record.columns(&self.doctype)).await?;
        let role = vec![("role", DEFAULT_ROLE.into())];
        row::insert(tx, "OAuth Client Role", &self.role, role).await?;
        let entry = self.entry.clone().client(&self.head.name);
        self.record(tx, entry.detail("change", "created"), None, &record)
            .await
    }

    async fn update(&self, tx: &mut Transaction, before: &Record) -> Result<(), Failure> {
        let mut record = before.clone();
        self.fill(&mut record)?;
        if before.columns(&self.doctype) == record.columns(&self.doctype) {
            return Ok(());
        }
        let name = before.text("name").unwrap_or_default();
        if !leads_nowhere_new(before, &record) {
            // An administrator vouched for the app as it was: nobody is sent to other places
            // without being asked.
            record.put("skip_authorization", 0);
        }
        let columns = record.columns(&self.doctype);
        row::update(tx, DOCTYPE, name, &self.head.owner, self.head.now, columns).await?;
        // What users allowed was another app, as far as they could see.
        if !is_known_as(before, &record) {
            tx.execute(&DELETE_CONSENTS, params![name]).await?;
        }
        let entry = self.entry.clone().client(name);
        let entry = entry.detail("change", "metadata document");
        self.record(tx, entry, Some(before), &record).await
    }

    /// Writes down what the record says now and did not say before.
    async fn record(
        &self,
        tx: &mut Transaction,
        mut entry: Entry,
        before: Option<&Record>,
        after: &Record,
    ) -> Result<(), Failure> {
        for field in super::FILLED {
            let is = after.text(field);
            if is != before.and_then(|before| before.text(field)) {
                entry = entry.detail(field, is.unwrap_or_default());
            }
        }
        audit::record(tx, &entry).await?;
        Ok(version::bump(tx).await?)
    }
}
