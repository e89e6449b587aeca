//! Documents as they were fetched, in memory, one place per site.
//!
//! Fetched anew when the other server's word about it has ended, which is taken within bounds. One
//! request at a time fetches one document; those that come meanwhile wait for it. What is kept is
//! the text, so that a change of OAuth Settings tells at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crema_document::Timestamp;
use crema_protocol::error::OAuthError;
use crema_protocol::metadata_document::{
    DocumentAddress, LARGEST, MetadataDocument, bad_document, is_media_type,
};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use crate::outgoing::{Answer, OutgoingError, OutgoingRequest};
use crate::settings::Settings;
use crate::{Ctx, Failure, register};

/// How many documents of a site are kept: with [`LARGEST`], at most 8 MiB.
const KEPT: usize = 500;
/// The shortest time a document is kept, in seconds, whatever its server says.
const SHORTEST: i64 = 60;
/// How long it is kept when its server says nothing, in seconds.
const USUAL: i64 = 300;
/// The longest time it is kept, in seconds.
const LONGEST: i64 = 86_400;
/// For how long a document that could not be used is not fetched again, in seconds. The draft
/// wants failures not to be kept (§4.4); this is long enough to keep reloads from hammering the
/// other server, and too short to be noticed by whoever mends the document.
const FAILED: i64 = 30;
/// The longest time a fetch takes.
const TIME: Duration = Duration::from_secs(5);
/// What documents are served as.
const ACCEPT: &str = "application/json";

/// The documents that this process has fetched for one site.
pub(crate) struct Documents {
    slots: Cache<String, Arc<Slot>>,
}

/// The place of one document. Whoever holds it may fetch.
type Slot = Mutex<Option<Kept>>;

/// What was found, from and until when it counts.
struct Kept {
    from: Timestamp,
    until: Timestamp,
    etag: Option<String>,
    found: Found,
}

/// The text of a document, or why there is none.
type Found = Result<Arc<[u8]>, &'static str>;

impl Kept {
    /// A clock that was set back makes nothing live longer.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

impl Documents {
    /// Nothing yet.
    pub(crate) fn new() -> Documents {
        Documents {
            slots: Cache::new(KEPT),
        }
    }

    /// The document at the address, as it was found at most a day ago.
    ///
    /// # Errors
    /// The inner error when there is none that can be used; [`Failure::TooMany`] when this
    /// address, or everybody together, makes the server fetch too much.
    pub(crate) async fn read(
        &self,
        ctx: &Ctx,
        address: &DocumentAddress,
        settings: &Settings,
    ) -> Result<Result<MetadataDocument, OAuthError>, Failure> {
        let made = self
            .slots
            .get_or_insert_with(address.as_str(), || Ok::<_, Infallible>(Arc::default()));
        let slot = match made {
            Ok(slot) => slot,
            Err(never) => match never {},
        };
        let mut kept = slot.lock().await;
        let found = match kept.as_ref().filter(|kept| kept.is_fresh(ctx.now)) {
            Some(fresh) => fresh.found.clone(),
            None => {
                let fetched = fetch(ctx, address, settings, kept.as_ref()).await?;
                kept.insert(fetched).found.clone()
            }
        };
        drop(kept);
        Ok(found
            .map_err(bad_document)
            .and_then(|text| parse(address, &text, settings)))
    }
}

/// The document that the text is, as far as this site takes it.
fn parse(
    address: &DocumentAddress,
    text: &[u8],
    settings: &Settings,
) -> Result<MetadataDocument, OAuthError> {
    let schemes = settings.allowed_redirect_schemes.iter();
    let schemes: Vec<&str> = schemes.map(String::as_str).collect();
    let document = MetadataDocument::parse(address, text, &schemes)?;
    match register::allowed_scope(&document.metadata, settings) {
        Ok(_) => Ok(document),
        Err(error) => Err(bad_document(&error.description)),
    }
}

/// Fetches a document, or asks whether the one at hand still stands.
async fn fetch(
    ctx: &Ctx,
    address: &DocumentAddress,
    settings: &Settings,
    before: Option<&Kept>,
) -> Result<Kept, Failure> {
    // Whoever asks: with an account, too, nobody makes this server hammer another one.
    register::admit(ctx).await?;
    // An entity tag is worth something only beside the text that it belongs to.
    let before = before.and_then(|kept| Some((kept.etag.as_deref()?, kept.found.as_ref().ok()?)));
    let request = OutgoingRequest {
        url: address.as_str(),
        accept: ACCEPT,
        if_none_match: before.map(|(etag, _)| etag),
        largest: LARGEST,
        time: TIME,
    };
    let site = ctx.provider.site();
    let outgoing = &ctx.provider.environment().outgoing;
    let (found, etag, fresh_for) = match outgoing.get(&site.config(), &request).await {
        Err(OutgoingError::Busy) => return Err(Failure::TooMany { retry_after: 5 }),
        Err(error) => (Err(reason(error)), None, None),
        Ok(Answer {
            status: 304,
            etag,
            fresh_for,
            ..
        }) => match before {
            Some((tag, text)) => {
                let etag = etag.unwrap_or_else(|| tag.to_owned());
                (Ok(Arc::clone(text)), Some(etag), fresh_for)
            }
            None => (Err(reason(OutgoingError::Status)), None, None),
        },
        Ok(answer) if !is_media_type(&answer.media_type) => (
            Err("its media type is neither application/json nor application/…+json."),
            None,
            None,
        ),
        Ok(answer) => (Ok(answer.body.into()), answer.etag, answer.fresh_for),
    };
    let usable = found
        .as_ref()
        .is_ok_and(|text: &Arc<[u8]>| parse(address, text, settings).is_ok());
    let seconds = match (usable, fresh_for) {
        (false, _) => FAILED,
        (true, None) => USUAL,
        (true, Some(seconds)) => i64::try_from(seconds)
            .unwrap_or(LONGEST)
            .clamp(SHORTEST, LONGEST),
    };
    Ok(Kept {
        from: ctx.now,
        until: ctx.now.plus_seconds(seconds),
        etag,
        found,
    })
}

/// What people are told: nothing from which they could learn what is where inside.
fn reason(error: OutgoingError) -> &'static str {
    match error {
        OutgoingError::Refused | OutgoingError::Unreachable | OutgoingError::Busy => {
            "this server cannot fetch it: nobody answers there in time, or requests to that \
             address are not allowed."
        }
        OutgoingError::Status => {
            "its server answers with an error or a redirect instead of status 200."
        }
        OutgoingError::TooLarge => "it is larger than 16 KiB.",
    }
}
