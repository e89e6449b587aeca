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

/// What was found, and until when it counts.
struct Kept {
    until: Timestamp,
    etag: Option<String>,
    found: Found,
}

/// The text of a document, or why there is none.
type Found = Result<Arc<[u8]>, &'static str>;

impl Kept {
    /// A clock that was set back makes nothing live longer than anything may. Requests that came
    /// a little before the one that fetched are as good as those after it.
    fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.until && self.until <= now.plus_seconds(LONGEST + SHORTEST)
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
    let config = ctx.provider.site().config();
    let outgoing = &ctx.provider.environment().outgoing;
    let (found, etag, fresh_for) = match outgoing.get(&config, &request).await {
        Ok(answer) => take(answer, before),
        // Nothing was learned about the document.
        Err(OutgoingError::Busy) => return Err(Failure::TooMany { retry_after: 5 }),
        Err(error) => (Err(reason(error)), None, None),
    };
    let usable = found
        .as_ref()
        .is_ok_and(|text| parse(address, text, settings).is_ok());
    let seconds = if usable { kept_for(fresh_for) } else { FAILED };
    Ok(Kept {
        until: ctx.now.plus_seconds(seconds),
        etag,
        found,
    })
}

/// The text of an answer, its entity tag and for how long its server takes it to be fresh.
/// `before` is what the request asked about.
fn take(
    answer: Answer,
    before: Option<(&str, &Arc<[u8]>)>,
) -> (Found, Option<String>, Option<u64>) {
    if answer.status == 304 {
        return match before {
            Some((tag, text)) => {
                let tag = answer.etag.unwrap_or_else(|| tag.to_owned());
                (Ok(Arc::clone(text)), Some(tag), answer.fresh_for)
            }
            None => (Err(reason(OutgoingError::Status)), None, None),
        };
    }
    if !is_media_type(&answer.media_type) {
        let why = "its media type is neither application/json nor application/…+json.";
        return (Err(why), None, None);
    }
    (Ok(answer.body.into()), answer.etag, answer.fresh_for)
}

/// Seconds for which a usable document is kept.
// spec: draft-ietf-oauth-client-id-metadata-document §4.4, "upper and/or lower bounds"
fn kept_for(fresh_for: Option<u64>) -> i64 {
    match fresh_for {
        None => USUAL,
        Some(seconds) => i64::try_from(seconds)
            .unwrap_or(LONGEST)
            .clamp(SHORTEST, LONGEST),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_waited_share_what_the_first_one_fetched() {
        let now = Timestamp::from_seconds(1_000_000);
        let kept = Kept {
            until: now.plus_seconds(kept_for(Some(u64::MAX))),
            etag: None,
            found: Err("any"),
        };
        // Their moment is that of their arrival, before or after the fetch.
        for moment in [now, now.minus_seconds(5), now.plus_seconds(5)] {
            assert!(kept.is_fresh(moment));
        }
        assert!(kept.is_fresh(kept.until.minus_seconds(1)));
        assert!(!kept.is_fresh(kept.until));
        assert!(!kept.is_fresh(now.minus_seconds(2 * LONGEST)), "set back");
    }
}
