//! The table of paths, and what every request passes through on its way in and out.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use crema_auth::Provider;
use crema_protocol::endpoints;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use tracing::Instrument as _;

use crate::api::arguments::Arguments;
use crate::api::path::endpoint as resource_path;
use crate::call::{ApiVersion, Call, wants_html};
use crate::metrics::endpoint::suffix;
use crate::metrics::{Endpoint, Grant, Metrics, Outcome, Timing};
use crate::pages::{ErrorPage, NotFoundPage, asset, negotiate};
use crate::reply::{self, Problem, Reply};
use crate::request_id::{RequestId, RequestIds};
use crate::request_line::RequestLine;
use crate::sites::{NoSite, Sites};
use crate::{account, ahead, api, cookies, cors, mcp, oauth, openapi, origin};

/// The largest body on OAuth paths, sign-in and `/mcp`, in bytes.
// spec: security.md, "Bodies over the limit (1 MiB on OAuth paths, 25 MiB elsewhere)"
const SMALL_BODY: usize = 1024 * 1024;
/// The largest body elsewhere, in bytes.
const LARGE_BODY: usize = 25 * 1024 * 1024;

/// How long `/readyz` waits for a database.
const PROBE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);

/// One server process: its sites and whether it still takes work.
pub struct App {
    sites: Arc<Sites>,
    draining: AtomicBool,
    traced: AtomicBool,
    request_ids: RequestIds,
    metrics: Arc<Metrics>,
}

impl App {
    /// An application over the sites of a bench.
    pub fn new(sites: Arc<Sites>) -> Arc<App> {
        Arc::new(App {
            request_ids: RequestIds::new(&*sites.environment().entropy),
            metrics: Arc::new(Metrics::new(sites.environment().clock.now())),
            sites,
            draining: AtomicBool::new(false),
            traced: AtomicBool::new(false),
        })
    }

    /// The sites.
    pub fn sites(&self) -> &Arc<Sites> {
        &self.sites
    }

    /// What it counts about itself.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// From now on the span of a request gets what only a trace shows.
    pub fn trace(&self) {
        self.traced.store(true, Ordering::Relaxed);
    }

    /// From now on `/readyz` says no, so that a load balancer sends nothing more.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Why this process should get no requests at the moment: it is about to end, or none of the
    /// databases of its open sites answers. One that answers is enough: the others are down at
    /// every process alike.
    async fn unready(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Acquire) {
            return Some("draining\n");
        }
        let mut probes = tokio::task::JoinSet::new();
        for provider in self.sites.opened() {
            probes.spawn(async move { provider.site().version().await.is_ok() });
        }
        if probes.is_empty() {
            return None;
        }
        let answered = async {
            while let Some(probe) = probes.join_next().await {
                if probe.unwrap_or(false) {
                    return true;
                }
            }
            false
        };
        match tokio::time::timeout(PROBE_TIMEOUT, answered).await {
            Ok(true) => None,
            Ok(false) | Err(_) => Some("no database answers\n"),
        }
    }

    /// Answers a request. Every path needs the site of the `Host` header first, so there is one
    /// handler for all, which looks into the table below.
    pub async fn answer(&self, peer: IpAddr, request: Request<Body>) -> Reply {
        let endpoint = Endpoint::of(request.uri().path());
        let timing = self.metrics.begin(endpoint);
        if endpoint == Endpoint::Health {
            let reply = secured(health(self, request.uri().path()).await, false);
            timing.end(endpoint, Grant::None, Outcome::of_status(reply.status()));
            return reply;
        }
        let id = self.request_ids.next();
        // The fields with dots are those of OpenTelemetry.
        let span = tracing::info_span!(
            "request",
            request_id = %id,
            otel.kind = "server",
            otel.name = endpoint.label(),
            http.request.method = request.method().as_str(),
            http.response.status_code = tracing::field::Empty,
        );
        serve(self, peer, request, id, timing)
            .instrument(span)
            .await
    }
}

/// Answers, counts and logs.
async fn serve(
    app: &App,
    peer: IpAddr,
    request: Request<Body>,
    mut id: RequestId,
    timing: Timing,
) -> Reply {
    let endpoint = timing.endpoint();
    let line = RequestLine::new(request.method(), request.uri(), endpoint);
    let reply = match admit(app, peer, request, endpoint, &mut id).await {
        Err(reply) => {
            let outcome = Outcome::of_status(reply.status());
            let micros = timing.end(endpoint, Grant::None, outcome);
            line.write(peer, None, &reply, outcome, micros);
            secured(reply, false)
        }
        Ok((call, problem)) => {
            let reply = answer(&call, problem).await;
            let outcome = call.notes.outcome(reply.status());
            let micros = timing.end(call.notes.endpoint(), call.notes.grant(), outcome);
            line.write(call.ctx.address, Some(&call), &reply, outcome, micros);
            secured(reply, call.secure)
        }
    };
    if app.traced.load(Ordering::Relaxed) {
        let status = reply.status().as_u16();
        tracing::Span::current().record("http.response.status_code", status);
    }
    identified(reply, id)
}

/// Headers of every answer.
fn secured(mut reply: Reply, secure: bool) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    reply
}

/// The request's id, under Frappe's name for it.
// spec: newest.md, "`X-Frappe-Request-Id` when monitoring"
fn identified(mut reply: Reply, id: RequestId) -> Reply {
    if let Some(id) = id.header() {
        let name = header::HeaderName::from_static("x-frappe-request-id");
        reply.headers_mut().insert(name, id);
    }
    reply
}

/// `/healthz` and `/readyz`, on any host.
// spec: security.md, "`/healthz` answers on any Host"
pub(crate) async fn health(app: &App, path: &str) -> Reply {
    let problem = if path.starts_with("/healthz") {
        None
    } else {
        app.unready().await
    };
    let mut reply = Reply::new(Body::from(problem.unwrap_or("ok\n")));
    if problem.is_some() {
        *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    let headers = reply.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, plain);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// Finds the site, judges the sender, reads the body; with what is wrong with the body, so that
/// such an answer gets the headers of every other.
async fn admit(
    app: &App,
    peer: IpAddr,
    request: Request<Body>,
    endpoint: Endpoint,
    id: &mut RequestId,
) -> Result<(Call, Option<Problem>), Reply> {
    let (parts, body) = request.into_parts();
    let language = parts
        .headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let host = origin::host(&parts.uri, &parts.headers)
        .unwrap_or_default()
        .to_owned();
    let provider = match site(app, peer, &host, &parts.headers).await {
        Ok(provider) => provider,
        Err(NoSite::Unknown) => {
            let page = NotFoundPage {
                lang: negotiate(None, language),
                host: &host,
            };
            return Err(reply::html(StatusCode::NOT_FOUND, page.render()));
        }
        Err(NoSite::Broken) => return Err(unavailable(&parts, &host)),
    };
    let config = provider.site().config();
    if let Some(claimed) = parts.headers.get("x-request-id")
        && let Some(claimed) = RequestId::claimed(claimed.as_bytes())
        && origin::is_trusted(&config, peer)
    {
        *id = claimed;
        tracing::Span::current().record("request_id", tracing::field::display(claimed));
    }
    if config.maintenance_mode() {
        return Err(unavailable(&parts, &host));
    }
    // A proxy may have named the site, or it is the bench's default one: then the host is nobody's.
    // spec: security.md, "Issuer and links never come from an unchecked header"
    let site_name = provider.site().name();
    let base = match origin::is_own_name(site_name, &host, &config) {
        true => host.as_str(),
        false => site_name,
    };
    let origin = origin::origin(peer, &parts.headers, base, &config);
    let read = read_body(&parts.uri, endpoint, body).await;
    let (body, problem) = match read {
        Ok(body) => (body, None),
        Err(problem) => (Bytes::new(), Some(problem)),
    };
    let named = config.host_name().is_some();
    let mut call = Call::new(
        provider,
        origin.address,
        origin.issuer,
        origin.secure,
        parts.method,
        parts.uri,
        parts.headers,
        body,
        *id,
        endpoint,
    );
    let begun = match ahead::look_ahead(&call).await {
        Ok(()) if named => Ok(()),
        Ok(()) => primary_server(&mut call).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = begun {
        return Err(reply::problem(&call, &failure.into()));
    }
    Ok((call, problem))
}

/// Takes the issuer from the Social Login Key named `frappe`, as Frappe does, but only if its
/// Base URL is one of this site's own names (elsewhere it says where users log in *at*).
// spec: product.md, "Define Frappe Server URL in Social Login Keys"; behaviour.md, finding 29
async fn primary_server(call: &mut Call) -> Result<(), crema_auth::Failure> {
    let settings = call.ctx.settings().await?;
    let Some(base) = settings
        .primary_server
        .as_deref()
        .and_then(|base| url::Url::parse(base).ok())
    else {
        return Ok(());
    };
    let config = call.ctx.provider.site().config();
    let own = base
        .host_str()
        .is_some_and(|host| origin::is_own_name(call.site_name(), host, &config));
    if own && matches!(base.scheme(), "http" | "https") {
        call.secure |= base.scheme() == "https";
        call.ctx.issuer = base.origin().ascii_serialization();
    }
    Ok(())
}

async fn site(
    app: &App,
    peer: IpAddr,
    host: &str,
    headers: &axum::http::HeaderMap,
) -> Result<Arc<Provider>, NoSite> {
    if let Some(name) = headers
        .get("x-frappe-site-name")
        .and_then(|name| name.to_str().ok())
    {
        // Which proxies a site trusts is the site's own business: ask the one that is named.
        let named = app.sites.named(name).await;
        if let Ok(provider) = named
            && origin::is_trusted(&provider.site().config(), peer)
        {
            return Ok(provider);
        }
    }
    app.sites.for_host(host).await
}

/// The whole site is away: broken or in maintenance.
fn unavailable(parts: &Parts, host: &str) -> Reply {
    let text = |name| {
        let value = parts.headers.get(name)?;
        value.to_str().ok()
    };
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut reply = if wants_html(parts.uri.path(), text(header::ACCEPT)) {
        let lang = negotiate(None, text(header::ACCEPT_LANGUAGE));
        reply::html(
            status,
            ErrorPage::of_status(lang, host, status.as_u16()).render(),
        )
    } else {
        reply::json(
            status,
            &serde_json::json!({
                "error": "temporarily_unavailable",
                "error_description": "The site cannot be served at the moment.",
            }),
        )
    };
    reply
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    reply
}

async fn read_body(uri: &Uri, endpoint: Endpoint, body: Body) -> Result<Bytes, Problem> {
    let path = uri.path();
    let oauth = path.contains("frappe.integrations.oauth2.") || path.contains("login");
    let mcp = endpoint == Endpoint::Mcp;
    let small = path == "/" || mcp || oauth && resource_path(path).is_none();
    let limit = if small { SMALL_BODY } else { LARGE_BODY };
    let too_large = || Problem::Frappe {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        exc_type: "RequestEntityTooLarge",
        message: format!("The body is larger than {limit} bytes."),
    };
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // A length that is announced need not be waited for.
    if usize::try_from(body.size_hint().lower()).map_or(true, |length| length > limit) {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Err(_) => Err(Problem::oauth(
            crema_protocol::error::OAuthError::invalid_request("The body cannot be read."),
        )),
    }
}

async fn answer(call: &Call, problem: Option<Problem>) -> Reply {
    if let Some(reply) = cors::preflight(call).await {
        return reply;
    }
    let routed = match problem {
        Some(problem) => Err(problem),
        None => route(call).await,
    };
    let mut call_reply = match routed {
        Ok(reply) => reply,
        Err(problem) => refused(call, &problem).await,
    };
    cors::apply(call, call_reply.headers_mut()).await;
    // As Frappe does, the cookie of a session in use is renewed, unless the answer sets it.
    if let Some(session) = call.known_session()
        && !call_reply.headers().contains_key(header::SET_COOKIE)
        && let Some(sid) = call.sid()
    {
        let idle = match call.ctx.settings().await {
            Ok(settings) => settings.session_expiry,
            Err(_) => return call_reply,
        };
        let left = session.expires_at.seconds_since(call.ctx.now).min(idle);
        cookies::set_sid(
            call_reply.headers_mut(),
            sid,
            call.ctx.now,
            left,
            call.secure,
        );
    }
    if call.method == Method::HEAD {
        *call_reply.body_mut() = Body::empty();
    }
    call_reply
}

/// A refusal. What it says about how to do better is what the settings say at this moment; if they
/// cannot be read, what they said last.
async fn refused(call: &Call, problem: &Problem) -> Reply {
    if problem.has_challenge() {
        let _ = call.ctx.settings().await;
    }
    reply::problem(call, problem)
}

/// The table of paths.
// spec: http.md: `/api/…` and `/api/v1/…` are the same, a trailing slash changes nothing, and
// `/?cmd=<method>` is a method call
async fn route(call: &Call) -> Result<Reply, Problem> {
    let path = call.uri.path();
    let path = match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    };
    let behind = |well_known| suffix(path, well_known).unwrap_or_default();
    match call.notes.endpoint() {
        Endpoint::OpenidConfiguration if !path.starts_with("/api/") => {
            oauth::well_known::openid_configuration(call).await
        }
        Endpoint::Jwks => oauth::well_known::jwks(call).await,
        Endpoint::AuthorizationServer => {
            let behind = behind(endpoints::AUTHORIZATION_SERVER.path);
            oauth::well_known::authorization_server(call, behind).await
        }
        Endpoint::ProtectedResource => {
            // A slash at its end belongs to the resource (RFC 9728 §3.1).
            let well_known = endpoints::PROTECTED_RESOURCE.path;
            let behind = suffix(call.uri.path(), well_known).unwrap_or_default();
            oauth::well_known::protected_resource(call, behind).await
        }
        Endpoint::Mcp => mcp::answer(call).await,
        Endpoint::Openapi => openapi::answer(call).await,
        Endpoint::LoginPage => account::login(call).await,
        Endpoint::Me => account::me(call).await,
        Endpoint::Callback => account::callback(call).await,
        Endpoint::Home => match command(call, path)? {
            Some(name) => {
                let method = Endpoint::of_method(&name);
                call.notes.set_endpoint(method);
                api::method(call, method, &name).await
            }
            None => account::home(call).await,
        },
        Endpoint::Asset => static_file(call, path),
        Endpoint::List | Endpoint::Read | Endpoint::Meta | Endpoint::Count => {
            api::document(call).await
        }
        Endpoint::Other if call.uri.path().starts_with("/api/") => api::nothing(call).await,
        Endpoint::Health | Endpoint::Other => Err(Problem::not_found("There is no such page.")),
        method => {
            let name = method_name(path).unwrap_or_default();
            api::method(call, method, name).await
        }
    }
}

/// The method that an API path names, when it is one.
pub(crate) fn method_name(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/api/")?;
    let rest = rest
        .strip_prefix("v1/")
        .or_else(|| rest.strip_prefix("v2/"))
        .unwrap_or(rest);
    rest.strip_prefix("method/")
        .filter(|name| !name.is_empty() && !name.contains('/'))
}

/// The version that an API path names.
pub(crate) fn api_version(path: &str) -> ApiVersion {
    if path.starts_with("/api/v2/") {
        ApiVersion::V2
    } else {
        ApiVersion::V1
    }
}

/// `cmd` of a call to `/`, from the query, the form or the JSON body.
fn command(call: &Call, path: &str) -> Result<Option<String>, Problem> {
    if path != "/" {
        return Ok(None);
    }
    if let Some(name) = call.query()?.get("cmd") {
        return Ok(Some(name.to_owned()));
    }
    if call.media_type() == "application/json" {
        return Arguments::of(call)?.text("cmd");
    }
    Ok(call.any_form()?.get("cmd").map(str::to_owned))
}

fn static_file(call: &Call, path: &str) -> Result<Reply, Problem> {
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return Err(Problem::Method("GET, HEAD"));
    }
    let file = asset(path).ok_or_else(|| Problem::not_found("There is no such file."))?;
    let etag = format!("\"{}\"", file.hash);
    let same = call.header(header::IF_NONE_MATCH) == Some(&etag);
    let mut reply = Reply::new(if same {
        Body::empty()
    } else {
        Body::from(file.body)
    });
    if same {
        *reply.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = reply.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(file.content_type),
    );
    let lifetime = if file.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "public, no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(lifetime));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    Ok(reply)
}
