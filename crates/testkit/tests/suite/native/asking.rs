//! Who listens on a device is not known: people are asked every time.

use super::*;

/// Lets the user allow what the client asks for, and takes the tokens.
async fn allow(app: &App, visitor: &mut Visitor, client: &TestClient) {
    let code = visitor.code(client, &[]).await;
    let tokens = app.http().redeem(client, &code, &[]).await.tokens();
    assert!(!tokens.access_token.is_empty());
}

// spec: RFC 8252 §8.6; security.md, Authorization endpoint, "Skipping consent … never applies to
// public clients on custom schemes or loopback", "`prompt=none` … except for custom schemes"
#[tokio::test]
async fn nothing_skips_the_question() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let site = async |field: &str, value: &str| {
        app.set_settings("OAuth Settings", &[(field, value)]).await;
    };
    for (registered, requested) in NATIVE {
        for by_record in ["0", "1"] {
            let spec = spec(registered).with("skip_authorization", by_record);
            let client = at(&app.add_client(spec).await, requested);
            for by_site in ["0", "1"] {
                site("skip_authorization", by_site).await;
                // Asked before and after, although the same was allowed and its tokens live.
                for _ in 0..2 {
                    let page = ask(&mut visitor, &client, &[]).await;
                    assert!(asks(&page), "{requested} {by_record} {by_site}");
                    let none = ask(&mut visitor, &client, &[("prompt", "none")]).await;
                    assert_eq!(error(&none), "consent_required", "{requested}");
                    allow(&app, &mut visitor, &client).await;
                }
            }
        }
    }
    // The older record says the same in other words.
    site("skip_authorization", "0").await;
    let auto = [("skip_authorization", "Auto")];
    app.set_settings("OAuth Provider Settings", &auto).await;
    let client = app.add_client(spec("com.example.app:/cb")).await;
    allow(&app, &mut visitor, &client).await;
    assert!(asks(&ask(&mut visitor, &client, &[]).await));
    app.close().await;
}

/// An address on the web that the same app has claimed (RFC 8252 §7.2) proves who listens there,
/// and is asked about as any other client's is.
#[tokio::test]
async fn a_claimed_address_may_be_trusted() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    let uris = "https://app.example/cb\nhttp://127.0.0.1/cb\ncom.example.app:/cb";
    let spec = ClientSpec::public("https://app.example/cb")
        .with("redirect_uris", uris)
        .with("skip_authorization", "1");
    let client = app.add_client(spec).await;
    let answer = ask(&mut visitor, &client, &[("prompt", "none")]).await;
    assert!(!Redirect::of(&answer).param("code").is_empty());
    // It depends on where this request sends people, not on who the client is.
    for uri in ["http://127.0.0.1:7/cb", "com.example.app:/cb"] {
        let native = at(&client, uri);
        assert!(asks(&ask(&mut visitor, &native, &[]).await), "{uri}");
        let none = ask(&mut visitor, &native, &[("prompt", "none")]).await;
        assert_eq!(error(&none), "consent_required", "{uri}");
    }
    app.close().await;
}

/// The page says where the answer goes.
#[tokio::test]
async fn the_page_names_what_it_leads_to() {
    let app = app().await;
    let mut visitor = app.signed_in(USER, PASSWORD).await;
    for (registered, requested, shown) in [
        (
            "http://127.0.0.1/cb",
            "http://127.0.0.1:51004/cb",
            "127.0.0.1:51004",
        ),
        ("http://[::1]/cb", "http://[::1]:51004/cb", "[::1]:51004"),
        (
            "http://localhost/cb",
            "http://localhost:51004/cb",
            "localhost:51004",
        ),
        (
            "com.example.app:/cb",
            "com.example.app:/cb",
            "com.example.app:",
        ),
        ("cursor://a.b/cb", "cursor://a.b/cb", "cursor://a.b"),
    ] {
        let client = at(&app.add_client(spec(registered)).await, requested);
        let page = ask(&mut visitor, &client, &[]).await.text();
        assert!(page.contains(shown), "{requested}: {page}");
        assert!(page.contains("your own device"), "{requested}: {page}");
    }
    let web = app
        .add_client(ClientSpec::public("https://app.example/cb"))
        .await;
    let page = ask(&mut visitor, &web, &[]).await.text();
    assert!(!page.contains("your own device"), "{page}");
    app.close().await;
}
