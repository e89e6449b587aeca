//! Every page as it looks: light, dark, on a narrow screen, from right to left.
//!
//! The pictures are in `target/screenshots`, for people. What a machine can see is tested: on a
//! narrow screen nothing is wider than the screen, and texts stand out against their ground.

use crema_protocol::client_rules::AuthMethod;
use crema_testkit::ClientSpec;
use crema_testkit::outgoing::{FakeServer, Internet, Reply};

use super::*;

/// A way to look at a page.
struct Look {
    name: &'static str,
    dark: bool,
    width: u32,
    locale: &'static str,
}

const LOOKS: [Look; 4] = [
    Look {
        name: "light",
        dark: false,
        width: 1200,
        locale: "en",
    },
    Look {
        name: "dark",
        dark: true,
        width: 1200,
        locale: "de",
    },
    Look {
        name: "narrow",
        dark: false,
        width: 320,
        locale: "de",
    },
    Look {
        name: "rtl",
        dark: false,
        width: 320,
        locale: "ar",
    },
];

impl Look {
    async fn put_on(&self, browser: &Browser) {
        let scheme = if self.dark { "dark" } else { "light" };
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        devtools(browser, "Emulation.setEmulatedMedia", scheme).await;
        self.resize(browser, 800).await;
        // Pages that no authorization request leads to go by this.
        let language = json!({"headers": {"Accept-Language": self.locale}});
        devtools(browser, "Network.enable", json!({})).await;
        devtools(browser, "Network.setExtraHTTPHeaders", language).await;
    }

    async fn resize(&self, browser: &Browser, height: u32) {
        let screen = json!({
            "width": self.width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": self.width < 500,
        });
        devtools(browser, "Emulation.setDeviceMetricsOverride", screen).await;
    }

    /// Photographs all of a page, after a look at what a machine can see.
    async fn photograph(&self, browser: &Browser, page: &str) {
        browser.find("main").await;
        let script = "const page = document.documentElement;
            return [page.scrollWidth, window.innerWidth, page.scrollHeight, page.lang]";
        let seen = browser.driver().execute(script, Vec::new()).await.unwrap();
        let (wide, screen, tall, lang) = seen.convert::<(u32, u32, u32, String)>().unwrap();
        assert!(
            wide <= screen,
            "{page}, {}: {wide} on a screen of {screen}",
            self.name
        );
        assert_eq!(lang, self.locale, "{page}");
        let faint = browser
            .driver()
            .execute(CONTRAST, Vec::new())
            .await
            .unwrap();
        let faint: Vec<String> = faint.convert().unwrap();
        assert!(faint.is_empty(), "{page}, {}: {faint:?}", self.name);
        self.resize(browser, tall.max(800)).await;
        browser.screenshot(&format!("{page}-{}", self.name)).await;
        self.resize(browser, 800).await;
    }
}

/// Texts whose contrast to their ground is below that of WCAG 2.2, 1.4.3.
const CONTRAST: &str = r#"
const parse = color => (color.match(/[\d.]+/g) || []).map(Number);
const channel = value => {
    value /= 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
};
const luminance = ([r, g, b]) =>
    0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ground = element => {
    for (let at = element; at; at = at.parentElement) {
        const color = parse(getComputedStyle(at).backgroundColor);
        if (color.length === 3 || color[3] === 1) return color;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
};
const faint = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const pair = [luminance(parse(style.color)), luminance(ground(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)} ${text}`);
}
return faint;
"#;

/// An app with all that the consent page can say, and some of it at length.
async fn wordy(app: &App) -> TestClient {
    let uri = "http://127.0.0.1/cb";
    let spec = ClientSpec::public(uri)
        .with(
            "app_name",
            "The Accounts Receivable and Collections Companion for Small Businesses",
        )
        .with(
            "client_uri",
            "https://accounts-receivable.example/products/companion/overview",
        )
        .with("tos_uri", "https://accounts-receivable.example/terms")
        .with("policy_uri", "https://accounts-receivable.example/privacy")
        .scopes("all openid crm_task:read crm_task:* method:crm.api.mobile_api.home_tasks")
        .grant_types("authorization_code refresh_token implicit")
        .dynamically_registered();
    app.add_client(spec).await
}

/// An app that is known by the address of the document that describes it.
fn described(site: &FakeServer) -> TestClient {
    let address = site.url("/oauth/ledger.json");
    let document = json!({
        "client_id": address,
        "client_name": "Ledger for the Command Line",
        "client_uri": site.url("/ledger"),
        "policy_uri": site.url("/privacy"),
        "redirect_uris": ["http://127.0.0.1/cb"],
    });
    site.answer("/oauth/ledger.json", Reply::json(&document));
    TestClient {
        client_id: address,
        client_secret: None,
        redirect_uri: "http://127.0.0.1:53682/cb".to_owned(),
        auth_method: AuthMethod::None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_in_every_look() {
    let internet = Internet::new();
    let site = internet.serve("apps.accounts-receivable.example").await;
    let app = app_of(App::builder().outgoing(internet.outgoing())).await;
    let (plain, wordy) = (native_app(&app).await, wordy(&app).await);
    let described = described(&site);
    for look in &LOOKS {
        let browser = Browser::start().await;
        look.put_on(&browser).await;
        let locale = ("ui_locales", look.locale);
        browser.open(&request(&app, &plain, &[locale])).await;
        look.photograph(&browser, "login").await;
        browser.sign_in(USER, "wrong").await;
        browser.find("#login_error").await;
        look.photograph(&browser, "login-error").await;
        browser.sign_in(USER, PASSWORD).await;
        browser.find("#allow").await;
        look.photograph(&browser, "consent").await;

        let scope = "openid all offline_access crm_task:read crm_task:* \
            method:crm.api.mobile_api.home_tasks";
        let changes = [
            locale,
            ("scope", scope),
            ("response_type", "code token"),
            ("redirect_uri", "http://127.0.0.1/cb"),
        ];
        browser.open(&request(&app, &wordy, &changes)).await;
        browser.find("#allow").await;
        look.photograph(&browser, "consent-wordy").await;

        browser.open(&request(&app, &described, &[locale])).await;
        browser.find("p.origin").await;
        look.photograph(&browser, "consent-described").await;
        let changes = [locale, ("client_id", "https://nobody.example/client")];
        browser.open(&request(&app, &described, &changes)).await;
        look.photograph(&browser, "error-described").await;

        let changes = [locale, ("prompt", "login")];
        browser.open(&request(&app, &plain, &changes)).await;
        look.photograph(&browser, "login-again").await;

        browser.open(&app.url("/me")).await;
        look.photograph(&browser, "me").await;
        let changes = [locale, ("client_id", "unknown")];
        browser.open(&request(&app, &plain, &changes)).await;
        look.photograph(&browser, "error").await;
        browser.open(&app.url("/nowhere")).await;
        look.photograph(&browser, "not-found").await;

        browser.open(&app.url("/me")).await;
        browser.click("#logout").await;
        browser.arrives_at(&app.url("/api/method/logout")).await;
        look.photograph(&browser, "signed-out").await;
        browser.close().await;
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_that_posts_while_scripts_are_off() {
    let app = app().await;
    let client = native_app(&app).await;
    for look in &LOOKS {
        let browser = Browser::start().await;
        look.put_on(&browser).await;
        let changes = [("ui_locales", look.locale), ("response_mode", "form_post")];
        browser.open(&request(&app, &client, &changes)).await;
        browser.sign_in(USER, PASSWORD).await;
        browser.find("#allow").await;
        without_scripts(&browser).await;
        browser.click("#allow").await;
        browser.find("#form_post button").await;
        let name = format!("form-post-{}", look.name);
        browser.screenshot(&name).await;
        browser.close().await;
    }
    app.close().await;
}
