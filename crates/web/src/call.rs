//! One request, read as far as the edge may read it: site, sender, parameters, credentials.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri, header};
use crema_auth::caller::Caller;
use crema_auth::session::Session;
use crema_auth::{Ctx, Failure, Provider};
use crema_protocol::params::Params;
use crema_protocol::scope::Scope;
use crema_protocol::{endpoints, multipart};
use tokio::sync::OnceCell;

use crate::cookies;
use crate::metrics::{Endpoint, Notes};
use crate::pages::{Lang, negotiate};
use crate::reply::Problem;
use crate::request_id::RequestId;

/// Which form of the API a path asks for. OAuth answers are flat in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVersion {
    /// `/api/…` and `/api/v1/…`: results in `message`.
    V1,
    /// `/api/v2/…`: results in `data`, errors in `errors`.
    V2,
}

/// What became of the access token of a request, for the challenge of a refusal.
#[derive(Debug)]
pub(crate) enum TokenNote {
    /// It is good, and for another resource.
    Elsewhere,
    /// It was taken.
    Taken {
        /// Whether nobody vouched for its client.
        self_registered: bool,
        /// What was granted, where that is a part of the challenge.
        scope: Option<Scope>,
    },
}

/// A request at a site that is known.
pub struct Call {
    /// Site, time, sender.
    pub ctx: Ctx,
    /// The HTTP method.
    pub method: Method,
    /// Path and query as they were sent.
    pub uri: Uri,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body, within the limit of its path.
    pub body: Bytes,
    /// Whether the browser speaks https to us or to a trusted proxy.
    pub secure: bool,
    /// v1 or v2 of the API.
    pub version: ApiVersion,
    /// Id of the request in logs and on error pages.
    pub request_id: RequestId,
    /// For its figures.
    pub notes: Notes,
    session: OnceCell<Option<Session>>,
    token: OnceLock<TokenNote>,
    /// Who calls, when it is no request.
    acting: OnceLock<Caller>,
    /// The form, when somebody has read it ahead of who needs it.
    form: Mutex<Option<Params>>,
}

impl Call {
    /// Puts a call together.
    #[expect(
        clippy::too_many_arguments,
        reason = "made at one place, from the parts of a request"
    )]
    pub(crate) fn new(
        provider: Arc<Provider>,
        address: IpAddr,
        issuer: String,
        secure: bool,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
        request_id: RequestId,
        endpoint: Endpoint,
    ) -> Call {
        let agent = headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Call {
            ctx: Ctx::new(provider, address, agent, issuer),
            method,
            version: crate::app::api_version(uri.path()),
            uri,
            body,
            secure,
            request_id,
            notes: Notes::new(endpoint),
            session: OnceCell::new(),
            token: OnceLock::new(),
            acting: OnceLock::new(),
            form: Mutex::new(None),
            headers,
        }
    }

    /// A header as text, when it is text.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The `Authorization` header. Empty, undecodable or doubled headers are there but say
    /// nothing, so that they never fall back to a cookie.
    pub fn authorization(&self) -> Option<&str> {
        let mut all = self.headers.get_all(header::AUTHORIZATION).iter();
        match (all.next(), all.next()) {
            (None, _) => None,
            (Some(one), None) => Some(one.to_str().unwrap_or_default()),
            (Some(_), Some(_)) => Some(""),
        }
    }

    /// The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.authorization()?.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' '))
            .then_some(token)
    }

    /// Says who calls where there is no request that could show it. Only the command line may.
    pub(crate) fn act_as(&self, caller: Caller) {
        let _ = self.acting.set(caller);
    }

    /// Who calls, when it is no request.
    pub(crate) fn acting(&self) -> Option<&Caller> {
        self.acting.get()
    }

    /// Notes what became of the access token; the first note stays.
    pub(crate) fn note_token(&self, note: TokenNote) {
        let _ = self.token.set(note);
    }

    /// What became of the access token, once it was looked at.
    pub(crate) fn token_note(&self) -> Option<&TokenNote> {
        self.token.get()
    }

    /// The query's parameters.
    ///
    /// # Errors
    /// 400 for malformed percent-encoding, UTF-8 or U+0000.
    pub fn query(&self) -> Result<Params, Problem> {
        Params::from_query(self.uri.query().unwrap_or_default().as_bytes())
            .map_err(|error| Problem::oauth(error.into()))
    }

    /// The body's parameters, from a form or a JSON object.
    ///
    /// # Errors
    /// 400 for anything malformed, and for a body of another media type.
    pub fn form(&self) -> Result<Params, Problem> {
        if self.body.is_empty() {
            return Ok(Params::default());
        }
        let read_ahead = self
            .form
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(params) = read_ahead {
            return Ok(params);
        }
        let parsed = match self.media_type().as_str() {
            "application/json" => Params::from_json(&self.body),
            "application/x-www-form-urlencoded" | "" => Params::from_form(&self.body),
            _ => {
                return Err(Problem::oauth(
                    crema_protocol::error::OAuthError::invalid_request(
                        "The body has to be a form (application/x-www-form-urlencoded) or JSON.",
                    ),
                ));
            }
        };
        parsed.map_err(|error| Problem::oauth(error.into()))
    }

    /// The same, and from a `multipart/form-data` body as well: Frappe takes those everywhere,
    /// OAuth nowhere.
    ///
    /// # Errors
    /// As [`Call::form`].
    pub fn any_form(&self) -> Result<Params, Problem> {
        if self.media_type() != "multipart/form-data" {
            return self.form();
        }
        multipart::boundary(self.content_type())
            .and_then(|boundary| multipart::parse(boundary, &self.body))
            .map_err(|error| Problem::malformed(error.to_string()))
    }

    /// Keeps what [`Call::form`] gave, for the next who asks.
    pub(crate) fn keep_form(&self, params: Params) {
        *self.form.lock().unwrap_or_else(PoisonError::into_inner) = Some(params);
    }

    /// The query's and the form's parameters together, in that order.
    ///
    /// # Errors
    /// As [`Call::query`] and [`Call::form`].
    pub fn params(&self) -> Result<Params, Problem> {
        let mut params = self.query()?;
        for (name, value) in self.form()?.iter() {
            params.push(name, value);
        }
        Ok(params)
    }

    /// The `Content-Type` header.
    pub fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE).unwrap_or_default()
    }

    /// The media type of the body in lower case, without parameters.
    pub fn media_type(&self) -> String {
        media_type(self.content_type())
    }

    /// The browser's session. A request with an `Authorization` header has none, whatever
    /// cookies it carries.
    ///
    /// # Errors
    /// When the database cannot be read.
    // spec: security.md, "A request with an Authorization header ignores cookies"
    pub async fn session(&self) -> Result<Option<&Session>, Failure> {
        let session = self
            .session
            .get_or_try_init(|| async {
                match (self.authorization(), self.sid()) {
                    (None, Some(sid)) => crema_auth::session::resolve(&self.ctx, sid).await,
                    _ => Ok(None),
                }
            })
            .await?;
        Ok(session.as_ref())
    }

    /// The session that [`Call::session`] found, without looking again.
    pub fn known_session(&self) -> Option<&Session> {
        self.session.get().and_then(Option::as_ref)
    }

    /// The `sid` cookie.
    pub fn sid(&self) -> Option<&str> {
        cookies::get(&self.headers, "sid").filter(|sid| !sid.is_empty() && *sid != "Guest")
    }

    /// Whether the answer should be a page: outside `/api/`, or when `Accept` begins with `text`.
    // spec: http.md, Resource server, "JSON unless the path is outside /api/ …"
    pub fn wants_html(&self) -> bool {
        wants_html(self.uri.path(), self.header(header::ACCEPT))
    }

    /// The language to answer in.
    pub fn lang(&self, ui_locales: Option<&str>) -> Lang {
        negotiate(ui_locales, self.header(header::ACCEPT_LANGUAGE))
    }

    /// The site's name, as pages show it.
    pub fn site_name(&self) -> &str {
        self.ctx.provider.site().name()
    }
}

/// [`Call::wants_html`] by path and `Accept`, where there is no call yet.
pub(crate) fn wants_html(path: &str, accept: Option<&str>) -> bool {
    let accept = accept.unwrap_or_default();
    // Clients of MCP accept `text/event-stream` as well.
    if path.strip_suffix('/').unwrap_or(path) == endpoints::MCP.path {
        return false;
    }
    // Where clients register nobody looks at pages.
    // spec: http.md, register_client, "Off: 404 JSON"
    if Endpoint::of(path) == Endpoint::Register {
        return false;
    }
    let api = path.starts_with("/api/") || path.contains("/.well-known/");
    accept.trim_start().starts_with("text/") || (!api && !accept.contains("application/json"))
}

/// The media type that a `Content-Type` names, in lower case, without parameters.
pub(crate) fn media_type(content_type: &str) -> String {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}
