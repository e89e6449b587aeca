//! Somebody with a browser: cookies are kept, forms are filled in, nothing is followed.

use std::collections::BTreeMap;

use url::Url;

use crate::client::TestClient;
use crate::http::{Http, Request, encode};
use crate::response::Response;

/// The authorization endpoint.
pub const AUTHORIZE: &str = "/api/method/frappe.integrations.oauth2.authorize";

/// A browser without a screen.
#[derive(Debug, Clone)]
pub struct Visitor {
    http: Http,
    /// The cookies, by name.
    pub cookies: BTreeMap<String, String>,
}

/// A redirect to a client, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Where it leads, without parameters.
    pub uri: String,
    /// The query's parameters, or the fragment's.
    pub params: BTreeMap<String, String>,
    /// Whether the parameters stand in the fragment.
    pub in_fragment: bool,
}

impl Redirect {
    /// The redirect of an answer.
    ///
    /// # Panics
    /// When the answer is none, or a parameter comes twice.
    #[must_use]
    pub fn of(response: &Response) -> Redirect {
        let location = response.location();
        let location = location.unwrap_or_else(|| panic!("no redirect: {}", response.text()));
        let in_fragment = location.contains('#');
        let separator = if in_fragment { '#' } else { '?' };
        let (uri, text) = location.split_once(separator).unwrap_or((location, ""));
        let mut params = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let double = params.insert(name.to_string(), value.to_string());
            assert!(double.is_none(), "{name} comes twice: {location}");
        }
        Redirect {
            uri: uri.to_owned(),
            params,
            in_fragment,
        }
    }

    /// A parameter; empty when it is not there.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }
}

impl Visitor {
    /// A visitor without cookies.
    #[must_use]
    pub fn new(http: Http) -> Visitor {
        Visitor {
            http,
            cookies: BTreeMap::new(),
        }
    }

    /// The server as this visitor sees it.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The same browser at another server process of the site.
    #[must_use]
    pub fn at(&self, http: Http) -> Visitor {
        Visitor {
            http,
            cookies: self.cookies.clone(),
        }
    }

    /// Every cookie as a `Cookie` header.
    #[must_use]
    pub fn cookie_header(&self) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// The `sid` cookie.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn sid(&self) -> &str {
        self.cookies.get("sid").expect("not signed in")
    }

    /// Sends a request with the cookies and keeps those of the answer.
    pub async fn send(&mut self, request: Request) -> Response {
        let request = match self.cookies.is_empty() {
            true => request,
            false => request.header("Cookie", &self.cookie_header()),
        };
        let response = request.send().await;
        for cookie in response.cookies() {
            if cookie.is_removal() {
                self.cookies.remove(&cookie.name);
            } else {
                self.cookies.insert(cookie.name, cookie.value);
            }
        }
        response
    }

    /// Asks for a page as browsers do.
    pub async fn get(&mut self, path: &str) -> Response {
        let request = self.http.get(path).header("Accept", "text/html");
        self.send(request).await
    }

    /// Sends a form as browsers do.
    pub async fn post(&mut self, path: &str, params: &[(&str, &str)]) -> Response {
        let request = self
            .http
            .post(path)
            .header("Accept", "text/html")
            .header("Origin", &self.http.origin())
            .header("Sec-Fetch-Site", "same-origin")
            .form(params);
        self.send(request).await
    }

    /// Signs in over the API, as SDKs do; whatever the answer is.
    pub async fn try_login(&mut self, usr: &str, pwd: &str) -> Response {
        let request = self
            .http
            .post("/api/method/login")
            .form(&[("usr", usr), ("pwd", pwd)]);
        self.send(request).await
    }

    /// Signs in over the API.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn login(&mut self, usr: &str, pwd: &str) -> Response {
        let response = self.try_login(usr, pwd).await;
        assert_eq!(response.status, 200, "{}", response.text());
        response
    }

    /// The session's CSRF token, as the page `/me` hands it out.
    ///
    /// # Panics
    /// When nobody is signed in.
    pub async fn csrf_token(&mut self) -> String {
        let page = self.get("/me").await;
        page.hidden_field("csrf_token")
            .unwrap_or_else(|| panic!("no token: {}", page.text()))
    }

    /// Begins an authorization with these parameters and no others.
    pub async fn authorize(&mut self, params: &[(&str, &str)]) -> Response {
        self.get(&format!("{AUTHORIZE}?{}", encode(params))).await
    }

    /// Clicks a button of the consent page: `allow` or `deny`.
    ///
    /// # Panics
    /// When the page has no such button.
    pub async fn decide(&mut self, page: &Response, button: &str) -> Response {
        let action = page.form_action(button);
        let action = action.unwrap_or_else(|| panic!("no button {button}: {}", page.text()));
        let csrf_token = page
            .hidden_field("csrf_token")
            .expect("the form has no CSRF token");
        self.post(
            &action,
            &[("csrf_token", &csrf_token), ("decision", button)],
        )
        .await
    }

    /// Authorizes, and clicks Allow when asked. The answer is where the browser is sent.
    pub async fn authorize_and_allow(&mut self, params: &[(&str, &str)]) -> Response {
        let answer = self.authorize(params).await;
        match answer.status {
            200 if answer.form_action("allow").is_some() => self.decide(&answer, "allow").await,
            _ => answer,
        }
    }

    /// The answer to the client's usual request (as in [`Visitor::grant`]), changed by `params`.
    pub async fn ask(&mut self, client: &TestClient, params: &[(&str, &str)]) -> Response {
        let all = client.authorization(params);
        let pairs: Vec<_> = all
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.authorize(&pairs).await
    }

    /// A redirect to the client for its usual request (response type `code`, its redirect URI, a
    /// state, PKCE S256 for public clients), changed by `params`; an empty value removes one.
    pub async fn grant(&mut self, client: &TestClient, params: &[(&str, &str)]) -> Redirect {
        let all = client.authorization(params);
        let pairs: Vec<_> = all
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Redirect::of(&self.authorize_and_allow(&pairs).await)
    }

    /// A code for the client, as in [`Visitor::grant`].
    ///
    /// # Panics
    /// When the answer has none.
    pub async fn code(&mut self, client: &TestClient, params: &[(&str, &str)]) -> String {
        let redirect = self.grant(client, params).await;
        let code = redirect.params.get("code").cloned();
        code.unwrap_or_else(|| panic!("no code: {redirect:?}"))
    }

    /// Where the sign-in page that this answer leads to would send the visitor back to.
    ///
    /// # Panics
    /// When the answer does not lead to `/login`.
    #[must_use]
    pub fn sent_to_login(&self, response: &Response) -> String {
        let location = response.location().expect("no redirect");
        let url = Url::parse(&self.http.url(location)).expect("no address");
        assert_eq!(url.path(), "/login", "{location}");
        let back = url.query_pairs().find(|(name, _)| name == "redirect-to");
        back.expect("no redirect-to").1.into_owned()
    }
}
