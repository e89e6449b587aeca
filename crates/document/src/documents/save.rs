//! Making and changing documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use crema_store::{StoreError, Transaction};
use serde_json::{Map, Value as Json};

use super::given::Given;
use super::load::{self, text_of};
use super::naming::{MAX_NAME, valid_name};
use super::sql::{Lock, Source};
use super::validate::not_permitted;
use super::{Change, Documents};
use crate::access::Grant;
use crate::doctype::Naming;
use crate::refusal::{DocumentError, Reason, Refusal};
use crate::zone::LocalTime;
use crate::{DocType, SecretText};

/// How often the fields of a single are written when others make them at the same moment.
const ATTEMPTS: usize = 5;

/// A document that is going to be made or changed.
pub(super) struct Save {
    documents: Documents,
    doctype: Arc<DocType>,
    /// The stored document; none for a new one.
    name: Option<String>,
    given: Given,
    grant: Grant,
    prepared: Prepared,
}

/// What the layers above made of the change before the transaction.
#[derive(Default)]
struct Prepared {
    /// A name that they chose for a new document.
    name: String,
    /// Members that they changed.
    members: Map<String, Json>,
    secrets: BTreeMap<String, SecretText>,
}

/// Why nothing was written.
enum Failure {
    Document(DocumentError),
    /// A unique value or the name is taken; what was to be written tells which.
    Taken(Box<Change>),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Document(error.into())
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Failure {
        Failure::Document(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Document(refusal.into())
    }
}

impl Documents {
    /// Makes (`name` is none) or changes a document. What comes back is the whole document as
    /// it is stored now.
    pub(super) async fn save(
        &self,
        doctype: &Arc<DocType>,
        name: Option<&str>,
        given: Given,
        grant: Grant,
        chosen: Option<String>,
    ) -> Result<Change, DocumentError> {
        let before = match name {
            None => None,
            Some(name) => {
                let stored = self.stored(doctype, name).await?;
                check_latest(&stored, given.modified)?;
                admit(doctype, &grant, &stored)?;
                self.rows_admitted(doctype, &stored)?;
                Some(stored)
            }
        };
        let draft = self.draft(doctype, before, &given);
        let mut change = draft.clone();
        if let Some(chosen) = chosen {
            change.name = chosen;
        }
        self.rules.prepare(self, &mut change).await?;
        let save = Arc::new(Save {
            documents: self.clone(),
            doctype: Arc::clone(doctype),
            name: name.map(str::to_owned),
            given,
            grant,
            prepared: Prepared::of(&draft, change),
        });
        let mut written = self.write_once(&save).await;
        for _ in 1..ATTEMPTS {
            // The fields of a single are rows: somebody else has made one of them first, and
            // now it is there to be changed.
            match written {
                Err(Failure::Taken(_)) if doctype.issingle => {
                    written = self.write_once(&save).await;
                }
                _ => break,
            }
        }
        match written {
            Ok(change) => Ok(change),
            Err(Failure::Taken(change)) => Err(self.taken(&change).await?.into()),
            Err(Failure::Document(DocumentError::Store(error))) => Err(misfit(error)),
            Err(Failure::Document(error)) => Err(error),
        }
    }

    async fn write_once(&self, save: &Arc<Save>) -> Result<Change, Failure> {
        let save = Arc::clone(save);
        self.site
            .database()
            .write(move |tx| {
                let save = Arc::clone(&save);
                Box::pin(async move { save.run(tx).await })
            })
            .await
    }

    /// The stored document.
    ///
    /// # Errors
    /// [`Reason::DoesNotExist`].
    pub(super) async fn stored(
        &self,
        doctype: &DocType,
        name: &str,
    ) -> Result<Map<String, Json>, DocumentError> {
        let mut source = Source::Database(self.site.database());
        load::document(&mut source, &self.registry, doctype, name, Lock::None)
            .await?
            .ok_or_else(|| not_found(doctype, name).into())
    }

    /// Which value of a document that could not be written is taken.
    async fn taken(&self, change: &Change) -> Result<Refusal, StoreError> {
        let doctype = &change.doctype;
        let mut source = Source::Database(self.site.database());
        let name = text_of(&change.after, "name").filter(|_| change.is_new());
        // A name that was counted or drawn went back with the transaction and may be somebody
        // else's by now: it is the last that is suspected.
        let chosen = matches!(doctype.naming(), Naming::Field(_) | Naming::Given);
        if chosen && let Some(refusal) = name_taken(&mut source, doctype, name.as_deref()).await? {
            return Ok(refusal);
        }
        for field in doctype.value_fields().filter(|field| field.unique) {
            let shown = change.after.get(&field.fieldname).unwrap_or(&Json::Null);
            let Ok(stored) = super::value::convert(field, shown) else {
                continue;
            };
            let wanted = vec![(field.fieldname.as_str(), stored)];
            let (dialect, table) = (source.dialect(), doctype.table());
            let statement = super::sql::select(dialect, &table, &["name"], wanted, "", Lock::None);
            let other = |row: &crema_store::Row| {
                super::value::stored_text(row.get(0)).is_some_and(|name| name != change.name)
            };
            if source.rows(statement).await?.iter().any(other) {
                let message = format!("{} must be unique", super::value::label(field));
                return Ok(Refusal::new(Reason::Unique, message));
            }
        }
        if let Some(refusal) = name_taken(&mut source, doctype, name.as_deref()).await? {
            return Ok(refusal);
        }
        let message = format!("There is a {} with the same values already", doctype.name);
        Ok(Refusal::new(Reason::Unique, message))
    }
}

/// The refusal of a name that another document has.
async fn name_taken(
    source: &mut Source<'_>,
    doctype: &DocType,
    name: Option<&str>,
) -> Result<Option<Refusal>, StoreError> {
    let Some(name) = name else {
        return Ok(None);
    };
    let row = load::row(source, doctype, name, Lock::None).await?;
    Ok(row.map(|_| super::naming::duplicate(doctype, name)))
}

impl Prepared {
    fn of(draft: &Change, change: Change) -> Prepared {
        let members = change
            .after
            .into_iter()
            .filter(|(member, value)| draft.after.get(member) != Some(value))
            .collect();
        Prepared {
            name: change.name,
            members,
            secrets: change.secrets,
        }
    }
}

impl Save {
    async fn run(&self, tx: &mut Transaction) -> Result<Change, Failure> {
        let documents = &self.documents;
        let mut change = self.change(tx).await?;
        let moment = self.stamp(&mut change);
        self.name_it(tx, &mut change).await?;
        documents.follow_links(tx, &mut change).await?;
        documents.validate(&mut change)?;
        admit(&self.doctype, &self.grant, &change.after)?;
        let rules = &documents.rules;
        rules.before_write(documents, &mut change, tx).await?;
        match documents.write(tx, &mut change, moment).await {
            Ok(()) => {}
            Err(DocumentError::Store(error)) if error.is_unique_violation() => {
                return Err(Failure::Taken(Box::new(change)));
            }
            Err(error) => return Err(error.into()),
        }
        rules.after_write(documents, &change, tx).await?;
        Ok(change)
    }

    /// The change, from what is stored at this moment; nobody else changes that until the end.
    async fn change(&self, tx: &mut Transaction) -> Result<Change, Failure> {
        let documents = &self.documents;
        let before = match &self.name {
            None => None,
            Some(name) => {
                let mut source = Source::Transaction(tx);
                let (registry, lock) = (&documents.registry, Lock::Exclusive);
                let stored =
                    load::document(&mut source, registry, &self.doctype, name, lock).await?;
                let stored = stored.ok_or_else(|| not_found(&self.doctype, name))?;
                check_latest(&stored, self.given.modified)?;
                admit(&self.doctype, &self.grant, &stored)?;
                documents.rows_admitted(&self.doctype, &stored)?;
                Some(stored)
            }
        };
        let mut change = documents.draft(&self.doctype, before, &self.given);
        for (member, value) in &self.prepared.members {
            change.after.insert(member.clone(), value.clone());
        }
        change.secrets = self.prepared.secrets.clone();
        if change.is_new() {
            change.name.clone_from(&self.prepared.name);
        }
        Ok(change)
    }

    /// Who and when. A document's `modified` grows with every change, however close they are.
    fn stamp(&self, change: &mut Change) -> LocalTime {
        let documents = &self.documents;
        let now = documents.site.local(documents.now);
        let stored = change.before.as_ref().and_then(modified);
        let moment = match stored {
            Some(stored) => now.micros().max(stored.saturating_add(1)),
            None => now.micros(),
        };
        let moment = LocalTime::from_micros(moment);
        let user = Json::from(documents.actor.user.as_str());
        let shown = Json::from(moment.to_string());
        let is_new = change.is_new();
        let mut put = |member: &str, value: &Json| {
            change.after.insert(member.to_owned(), value.clone());
        };
        if is_new {
            put("owner", &user);
            put("creation", &shown);
        }
        put("modified", &shown);
        put("modified_by", &user);
        moment
    }

    async fn name_it(&self, tx: &mut Transaction, change: &mut Change) -> Result<(), Failure> {
        if !change.is_new() {
            return Ok(());
        }
        if change.name.is_empty() {
            let given = self.given.name.as_deref();
            let Some(name) = self.documents.new_name(tx, change, given).await? else {
                return Ok(());
            };
            change.name = name;
        } else {
            change.name = valid_name(&self.doctype, &change.name)?;
        }
        let name = Json::from(change.name.as_str());
        change.after.insert("name".to_owned(), name);
        Ok(())
    }
}

/// There is no such document.
pub(super) fn not_found(doctype: &DocType, name: &str) -> Refusal {
    // Any text may be asked for; no name is longer, or has such characters.
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let name: String = name.chars().take(MAX_NAME).map(plain).collect();
    let message = format!("{} {name} not found", doctype.name);
    Refusal::new(Reason::DoesNotExist, message)
}

/// Whether the actor may touch this document.
pub(super) fn admit(
    doctype: &DocType,
    grant: &Grant,
    document: &Map<String, Json>,
) -> Result<(), Refusal> {
    if grant.rows.admits(&|column| text_of(document, column)) {
        return Ok(());
    }
    Err(not_permitted(&doctype.name))
}

/// Optimistic locking: whoever says which state they know has to know the last.
pub(super) fn check_latest(stored: &Map<String, Json>, known: Option<i64>) -> Result<(), Refusal> {
    if known.is_none() || known == modified(stored) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::TimestampMismatch,
        "Error: Document has been modified after you have opened it. \
         Please refresh to get the latest document.",
    ))
}

fn modified(document: &Map<String, Json>) -> Option<i64> {
    crema_store::parse_datetime(document.get("modified")?.as_str()?)
}

/// A value that the database has no place for is the fault of whoever gave it.
fn misfit(error: StoreError) -> DocumentError {
    match error {
        StoreError::TooLong { .. } => {
            DocumentError::refused(Reason::TooLong, "A value is too long or too big")
        }
        StoreError::UniqueViolation { .. } => {
            DocumentError::refused(Reason::Unique, "There is a record of the same kind already")
        }
        StoreError::NotNull { .. } => {
            DocumentError::refused(Reason::Mandatory, "A value is missing")
        }
        error => error.into(),
    }
}
