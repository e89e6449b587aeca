//! The lines of `security.md` and the findings of `behaviour.md`, so that the map shows those
//! that nothing is tagged with.

/// A line of `security.md`.
pub(crate) struct Line {
    /// What it is about, in few words.
    pub(crate) title: &'static str,
    /// What tags quote of it, in lower case.
    pub(crate) phrases: &'static [&'static str],
}

const fn line(title: &'static str, phrases: &'static [&'static str]) -> Line {
    Line { title, phrases }
}

/// Sections of `security.md` with their lines, counted from 1.
pub(crate) const SECTIONS: &[(&str, &[Line])] = &[
    (
        "Clients",
        &[
            line(
                "Confidential clients prove themselves at token, revocation, introspection",
                &[
                    "doubled credentials",
                    "when basic was tried",
                    "form-decoded",
                    "counts as absent",
                    "only their registered method",
                    "may use basic or post",
                ],
            ),
            line(
                "Public clients: PKCE with S256, no HS256",
                &[
                    "hs256",
                    "must use pkce",
                    "require_pkce",
                    "send `client_id` only",
                ],
            ),
            line(
                "Secrets: 256 bits, shown once, encrypted, rotated with an overlap",
                &["previous secret", "256 bits"],
            ),
            line(
                "Allowed Roles at consent, password grant, refresh",
                &["allowed roles"],
            ),
            line("What Observe lets pass", &["observe"]),
            line(
                "Nobody lends roles that they lack; a recent sign-in for what matters",
                &["never give roles", "less than 10 minutes"],
            ),
            line(
                "Wrong credentials are limited per client and address",
                &["rate limited", "429 with"],
            ),
        ],
    ),
    (
        "Authorization endpoint",
        &[
            line("The user comes from the session alone", &["session alone"]),
            line(
                "Redirect URIs: byte for byte, port free on loopback, no redirect before they fit",
                &[
                    "no match, or unknown client",
                    "`localhost` when registered so",
                    "never a redirect",
                    "byte for byte",
                    "must send `redirect_uri`",
                ],
            ),
            line(
                "All other errors redirect, in the mode asked for",
                &[
                    "all other errors",
                    "in the response mode asked for",
                    "keeping an existing query",
                ],
            ),
            line(
                "`state` and `iss`, repeated parameters, order of checks, no token in a query",
                &[
                    "`state` is returned",
                    "`iss` is always",
                    "repeated parameters",
                    "order of checks",
                    "a challenge without a method",
                    "means `plain`",
                    "never put into a query",
                ],
            ),
            line(
                "`prompt=login` and `max_age`: a one-time handle, no loops",
                &["`prompt=login` and", "prompt=login is fulfilled"],
            ),
            line(
                "Consent: a POST with the CSRF token, stored; the pages and their headers",
                &[
                    "consent is a post",
                    "nor does a post to authorize",
                    "the pages send",
                    "the pages' headers",
                    "force asks",
                    "asks again",
                    "succeeds when it covers",
                    "except for custom schemes",
                    "oauth consent (user",
                    "form_post",
                    "no inline script",
                    "escaped",
                    "are shown",
                    "security.md, consent",
                ],
            ),
            line(
                "When consent may be skipped",
                &["skipping", "active token of the same user"],
            ),
            line("Parameters that are honoured", &["are honoured"]),
        ],
    ),
    (
        "Codes and tokens",
        &[
            line(
                "Codes: 256 bits, 60 s, once, bound; a second use revokes",
                &["lives 60 s", "a second use", "works once"],
            ),
            line(
                "PKCE: what is sent is enforced, a wrong verifier burns the code",
                &["always enforced", "verifiers have 43"],
            ),
            line(
                "Lifetimes, rotation, reuse, grace window, families",
                &[
                    "rotation",
                    "shrink",
                    "a refresh belongs",
                    "only a replay",
                    "another client's attempt",
                    "switched off per client",
                ],
            ),
            line(
                "Disabled users, lost roles, changed passwords, clients: at the next request",
                &[
                    "at the next request",
                    "disabled users",
                    "changed passwords",
                    "deleted or disabled clients",
                ],
            ),
            line(
                "Stored as SHA-256; looked up exactly on every database",
                &["exact and case-sensitive", "sha-256 only"],
            ),
            line(
                "Introspection and revocation: who sees and ends what",
                &["introspection", "revoking another", "strings only"],
            ),
            line(
                "Tokens in the header only; a header makes cookies be ignored",
                &["ignores cookies", "header only"],
            ),
            line("Answers are not stored", &["cache-control: no-store"]),
        ],
    ),
    (
        "Sign-in and sessions",
        &[
            line(
                "Argon2id, upgrades of Frappe's hashes, bounded work",
                &["upgraded at the next login", "off the request threads"],
            ),
            line(
                "The same answer for all failures; lockout; no sign-in by GET",
                &["login by get", "the same answer", "lockout per user"],
            ),
            line(
                "Second factors; counters in the database; client limits",
                &["second factor", "client limits", "failure counters"],
            ),
            line(
                "A new session at every sign-in, its cookie, its end; proxies",
                &["a new `sid`", "x-forwarded"],
            ),
            line(
                "CSRF",
                &[
                    "csrf",
                    "allowed_referrers",
                    "cross-site posts to login",
                    "get logout",
                    "the `sid` claim",
                ],
            ),
            line("`redirect-to` stays on this site", &["redirect-to"]),
            line(
                "Callbacks of social login and Connected App",
                &[
                    "social login and connected app",
                    "not verified never signs in",
                ],
            ),
        ],
    ),
    (
        "Inputs, outputs, network",
        &[
            line(
                "Only a site's own names select it; issuer and links are checked",
                &["own names select", "unchecked header"],
            ),
            line("CORS", &["cors", "readable from anywhere"]),
            line(
                "Sizes, malformed input, timeouts, no 500",
                &[
                    "bodies over the limit",
                    "malformed json",
                    "percent-encoding",
                    "gives a 500",
                    "nesting over 64",
                ],
            ),
            line("Outgoing requests", &["outgoing", "https only outside"]),
            line("SQL is parameterised", &["parameterised", "wildcards"]),
            line(
                "Lengths that are the same everywhere",
                &[
                    "length limit",
                    "everything that comes from outside",
                    "u+0000 is",
                    "63 bytes",
                ],
            ),
            line(
                "Files, database users, TLS, headers, health",
                &[
                    "mode 0600",
                    "database user per site",
                    "tls to remote",
                    "`/healthz`",
                    "nosniff",
                    "hsts",
                ],
            ),
            line(
                "Secrets never in logs, errors, addresses",
                &["never in logs", "never in \u{2026}"],
            ),
        ],
    ),
    (
        "Audit",
        &[line(
            "What is recorded, for how long, how cheaply",
            &["last_used", "failures are counted", "retention", "consent"],
        )],
    ),
];

/// Lines that no test is tagged with, because what they are about does not exist yet.
pub(crate) const LATER: &[(&str, usize)] = &[("Sign-in and sessions", 7)];

/// The findings of `behaviour.md`, section 5, counted from 1.
pub(crate) const FINDINGS: [&str; 35] = [
    "Account takeover by cookie",
    "Token extraction by guests",
    "Client secret never verified",
    "Codes never expire",
    "Redemption is not atomic",
    "Reuse of a code revokes nothing",
    "redirect_uri not bound to the code",
    "PKCE optional and weak",
    "Refresh tokens without rotation, binding, expiry",
    "Consent by a link",
    "Password grant open for every client",
    "Introspection and revocation without authentication",
    "Un-hinted revocation does nothing",
    "Bearer of a disabled user works",
    "Scopes do not limit; editing them ends tokens",
    "Case and trailing blanks ignored",
    "Everything in clear text in the database",
    "A bad header falls back to the cookie",
    "A bearer kills the session beside it",
    "Expiry off by the time zone",
    "Two redirect URIs, none usable",
    "Dynamic registration open and unlimited",
    "Metadata promises what fails",
    "Auto skip counts expired and foreign tokens",
    "sid and password in the query",
    "Lock-out answers 500, believes X-Forwarded-For",
    "Social login: state, redirects, linking",
    "Connected App: state, redirects, other users",
    "A login key for elsewhere becomes the issuer",
    "500 for ordinary mistakes",
    "Tracebacks",
    "Sign-out by a link",
    "Unknown refresh token is no OAuth error",
    "An empty scope in scopes_supported",
    "Look-ups without an index",
];
