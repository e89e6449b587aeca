//! Without a mouse.

use thirtyfour::Key;

use super::*;

/// Types into whatever has the focus.
async fn typed(browser: &Browser, keys: impl AsRef<str>) {
    let chain = browser.driver().action_chain();
    chain.send_keys(keys.as_ref()).perform().await.unwrap();
}

/// The `id` of what has the focus, or its name.
async fn focused(browser: &Browser) -> String {
    let element = browser.driver().active_element().await.unwrap();
    let id = element
        .attr("id")
        .await
        .unwrap()
        .filter(|id| !id.is_empty());
    match id {
        Some(id) => id,
        None => element.tag_name().await.unwrap(),
    }
}

/// Presses Tab until that element has the focus, and gives what had it on the way.
async fn tab_to(browser: &Browser, id: &str) -> Vec<String> {
    let mut passed = Vec::new();
    for _ in 0..20 {
        typed(browser, Key::Tab.value().to_string()).await;
        let now = focused(browser).await;
        if now == id {
            // Whoever looks has to see where they are.
            let outline = browser.find(&format!("#{id}")).await;
            let outline = outline.css_value("outline-style").await.unwrap();
            assert_ne!(outline, "none", "{id}");
            return passed;
        }
        passed.push(now);
    }
    panic!("Tab does not lead to {id}, only to {passed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tab_and_enter_are_enough() {
    let app = app().await;
    let (client, listener) = (native_app(&app).await, Listener::start().await);
    let browser = Browser::start().await;
    let uri = listener.uri();
    let changes = [("redirect_uri", uri.as_str()), ("scope", "openid all")];
    browser.open(&request(&app, &client, &changes)).await;
    browser.find("#login_password").await;
    assert_eq!(focused(&browser).await, "login_email");
    typed(&browser, USER).await;
    assert!(tab_to(&browser, "login_password").await.is_empty());
    typed(&browser, PASSWORD).await;
    typed(&browser, Key::Enter.value().to_string()).await;

    browser.find("#allow").await;
    // Enter alone does not allow: nothing dangerous has the focus by itself.
    assert_eq!(focused(&browser).await, "body");
    assert!(tab_to(&browser, "allow").await.is_empty());
    assert!(tab_to(&browser, "deny").await.is_empty());
    assert!(tab_to(&browser, "switch_account").await.is_empty());
    for expected in ["deny", "allow"] {
        let chain = browser.driver().action_chain().key_down(Key::Shift);
        let chain = chain.send_keys(Key::Tab).key_up(Key::Shift);
        chain.perform().await.unwrap();
        assert_eq!(focused(&browser).await, expected);
    }
    browser.screenshot("keyboard-focus").await;
    typed(&browser, Key::Enter.value().to_string()).await;
    assert!(!listener.next().await.param("code").is_empty());
    close(browser).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_name_leaves_only_the_password_to_type() {
    let app = app().await;
    let (client, listener) = (native_app(&app).await, Listener::start().await);
    let browser = Browser::start().await;
    let uri = listener.uri();
    let changes = [("redirect_uri", uri.as_str()), ("login_hint", USER)];
    browser.open(&request(&app, &client, &changes)).await;
    browser.find("#login_password").await;
    assert_eq!(focused(&browser).await, "login_password");
    typed(&browser, PASSWORD).await;
    typed(&browser, Key::Enter.value().to_string()).await;
    tab_to_after_load(&browser, "deny").await;
    typed(&browser, " ").await;
    assert_eq!(listener.next().await.param("error"), "access_denied");
    close(browser).await;
    app.close().await;
}

async fn tab_to_after_load(browser: &Browser, id: &str) {
    browser.find(&format!("#{id}")).await;
    tab_to(browser, id).await;
}
