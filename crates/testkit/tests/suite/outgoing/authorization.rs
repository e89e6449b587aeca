//! The same ways inside, from outside: by a `client_id` that a stranger sends.

use std::net::IpAddr;

use crema_auth::outgoing::{MOST_AT_ONCE, Outgoing};
use crema_testkit::outgoing::{FakeServer, Internet, Piece, Reply};
use crema_testkit::{App, ClientSpec, Response};
use serde_json::{Value, json};

use super::inside::{WRITTEN, addresses};
use super::{request, site_config};

const PATH: &str = "/client.json";

/// A site where nobody has signed in, and something inside that nobody may reach.
struct Stranger {
    app: App,
    internet: Internet,
    outgoing: Outgoing,
    inside: FakeServer,
}

impl Stranger {
    async fn new(config: &[(&str, Value)]) -> Stranger {
        let internet = Internet::new();
        let inside = internet.serve("inside.example").await;
        let outgoing = internet.outgoing();
        let builder = App::builder().outgoing(outgoing.clone());
        let builder = (config.iter()).fold(builder, |builder, (key, value)| {
            builder.config(key, value.clone())
        });
        let app = builder.build().await;
        let many = [("registration_limit", "100000")];
        app.set_settings("OAuth Settings", &many).await;
        Stranger {
            app,
            internet,
            outgoing,
            inside,
        }
    }

    /// The answer to an authorization request of a client that calls itself that.
    async fn ask(&self, client_id: &str) -> Response {
        let redirect_uri = [("redirect_uri", "http://127.0.0.1:7/cb")];
        let mut pairs = own_client().authorization(&redirect_uri);
        for (name, value) in &mut pairs {
            if name == "client_id" {
                client_id.clone_into(value);
            }
        }
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        self.app.visitor().authorize(&pairs).await
    }

    /// Whether the request is refused where it stands; the words of the refusal.
    async fn refused(&self, client_id: &str) -> String {
        let answer = self.ask(client_id).await;
        assert_eq!(
            (answer.status, answer.location()),
            (400, None),
            "{client_id}"
        );
        // What the page says, without what was sent.
        answer.text().replace(client_id, "")
    }

    /// Whether a person would be asked to sign in for that client.
    async fn accepted(&self, client_id: &str) -> bool {
        let answer = self.ask(client_id).await;
        let location = answer.location().unwrap_or_default();
        answer.status == 302 && location.contains("/login")
    }

    async fn close(self) {
        assert_eq!(self.inside.connections(), 0);
        self.app.close().await;
    }
}

/// A public client, for what its requests look like.
fn own_client() -> crema_testkit::TestClient {
    crema_testkit::TestClient {
        client_id: String::new(),
        client_secret: None,
        redirect_uri: String::new(),
        auth_method: crema_protocol::client_rules::AuthMethod::None,
    }
}

fn describing(client_id: &str) -> Reply {
    Reply::json(&json!({
        "client_id": client_id,
        "client_name": "App",
        "redirect_uris": ["http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "none",
    }))
}

// spec: security.md, Inputs, outputs, network, "Outgoing requests"
#[tokio::test]
async fn a_client_id_whose_name_leads_inside() {
    let stranger = Stranger::new(&[]).await;
    let outside = stranger.internet.public_address();
    let mut words = Vec::new();
    for (number, address) in addresses().enumerate() {
        stranger.internet.connect_at(address, &stranger.inside);
        let host = format!("n{number}.example");
        stranger.internet.name(&host, vec![vec![outside, address]]);
        words.push(stranger.refused(&format!("https://{host}{PATH}")).await);
        assert_eq!(stranger.internet.lookups(&host), 1, "{address}");
    }
    // A name that does not exist gets the very same words, so that nothing inside is found out.
    words.push(
        stranger
            .refused("https://nowhere.example/client.json")
            .await,
    );
    let same = |one: &String| one.replace(char::is_numeric, "");
    assert!(
        words.windows(2).all(|two| same(&two[0]) == same(&two[1])),
        "{words:?}"
    );
    assert_eq!(stranger.internet.reached(), []);
    stranger.close().await;
}

#[tokio::test]
async fn a_client_id_that_is_an_address_inside() {
    let stranger = Stranger::new(&[]).await;
    let port = stranger.inside.port();
    let written = addresses().map(|address| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    });
    for host in written.chain(WRITTEN.iter().map(|host| (*host).to_owned())) {
        for scheme in ["https", "http"] {
            stranger
                .refused(&format!("{scheme}://{host}:{port}{PATH}"))
                .await;
        }
    }
    assert_eq!(stranger.internet.lookups("inside.example"), 0);
    stranger.close().await;
}

#[tokio::test]
async fn a_client_id_whose_name_moves_inside() {
    let stranger = Stranger::new(&[]).await;
    let client_id = "https://moving.example/client.json";
    let outside = stranger.internet.serve("moving.example").await;
    outside.answer(PATH, describing(client_id));
    let good = stranger.internet.connect(&outside);
    let own: IpAddr = "127.0.0.1".parse().unwrap();
    stranger.internet.connect_at(own, &stranger.inside);
    let answers = vec![vec![good], vec![own], vec![own, good], vec![good]];
    stranger.internet.name("moving.example", answers);
    // One look-up for one fetch, and the connection goes where it led.
    assert!(stranger.accepted(client_id).await);
    assert_eq!(stranger.internet.lookups("moving.example"), 1);
    // A day later the document is fetched anew, and the name judged anew.
    for _ in 0..2 {
        stranger.app.clock.advance_seconds(86_401);
        stranger.refused(client_id).await;
    }
    stranger.app.clock.advance_seconds(86_401);
    assert!(stranger.accepted(client_id).await);
    assert_eq!(stranger.internet.lookups("moving.example"), 4);
    assert_eq!(
        stranger.internet.reached(),
        [(good, 443).into(), (good, 443).into()]
    );
    stranger.close().await;
}

#[tokio::test]
async fn a_document_that_points_inside() {
    let stranger = Stranger::new(&[]).await;
    let own: IpAddr = "10.0.0.1".parse().unwrap();
    stranger.internet.connect_at(own, &stranger.inside);
    stranger.internet.name("inside.example", vec![vec![own]]);
    let site = stranger.internet.serve("app.example").await;
    let client_id = "https://app.example/client.json";
    let port = stranger.inside.port();
    for status in [301, 302, 303, 307, 308] {
        for target in [
            "https://inside.example/client.json".to_owned(),
            format!("https://127.0.0.1:{port}/client.json"),
            format!("http://127.0.0.1:{port}/client.json"),
            format!("//localhost:{port}/client.json"),
        ] {
            site.answer(PATH, Reply::redirect(status, &target));
            stranger.refused(client_id).await;
            stranger.app.clock.advance_seconds(60);
        }
    }
    // Nor does what stands in a document make this server fetch anything more.
    let inside = format!("https://127.0.0.1:{port}/x");
    let document = json!({
        "client_id": client_id,
        "client_name": "App",
        "client_uri": inside, "logo_uri": inside, "tos_uri": inside, "policy_uri": inside,
        "redirect_uris": ["http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "none",
    });
    site.answer(PATH, Reply::json(&document));
    let before = stranger.internet.reached().len();
    assert!(stranger.accepted(client_id).await);
    assert_eq!(stranger.internet.reached().len(), before + 1);
    stranger.close().await;
}

/// While servers of others that answer slowly have taken all the places there are, what needs one is
/// told to come again, and everything else goes on.
#[tokio::test]
async fn slow_servers_hold_up_nobody_else() {
    let stranger = Stranger::new(&[]).await;
    let app = &stranger.app;
    let client = app
        .add_client(ClientSpec::new("https://client.example/cb"))
        .await;
    let site = stranger.internet.serve("slow.example").await;
    site.answer(PATH, Reply::pieces(vec![Piece::Silence]));
    let waiting: Vec<_> = (0..MOST_AT_ONCE)
        .map(|_| {
            let outgoing = stranger.outgoing.clone();
            tokio::spawn(async move {
                let slow = request("https://slow.example/client.json");
                outgoing.get(&site_config(json!({})), &slow).await.err()
            })
        })
        .collect();
    site.under_way(MOST_AT_ONCE).await;
    let answer = stranger.ask("https://other.example/client.json").await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    let pairs = client.authorization(&[]);
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let mut visitor = app.visitor();
    let answer = visitor.authorize(&pairs).await;
    assert!(!visitor.sent_to_login(&answer).is_empty());
    for task in waiting {
        task.abort();
    }
    site.under_way(0).await;
    // Nothing of it is remembered against that client.
    let other = stranger.internet.serve("other.example").await;
    let client_id = "https://other.example/client.json";
    other.answer(PATH, describing(client_id));
    assert!(stranger.accepted(client_id).await);
    stranger.close().await;
}

/// `outgoing_allow` and `developer_mode` open what they say, at once.
#[tokio::test]
async fn what_the_administrator_admits() {
    let stranger = Stranger::new(&[]).await;
    let own: IpAddr = "10.0.0.1".parse().unwrap();
    let client_id = "https://idp.internal/client.json";
    let site = stranger.internet.serve("idp.internal").await;
    site.answer(PATH, describing(client_id));
    stranger.internet.connect_at(own, &site);
    stranger.internet.name("idp.internal", vec![vec![own]]);
    stranger.refused(client_id).await;
    stranger
        .app
        .set_config("outgoing_allow", json!(["idp.internal"]));
    stranger.app.clock.advance_seconds(60);
    assert!(stranger.accepted(client_id).await);
    stranger.close().await;

    let stranger = Stranger::new(&[("developer_mode", json!(1))]).await;
    let site = stranger.internet.inside().await;
    let client_id = site.url(PATH);
    site.answer(PATH, describing(&client_id));
    assert!(stranger.accepted(&client_id).await);
    stranger.app.set_config("developer_mode", json!(0));
    stranger.app.clock.advance_seconds(86_401);
    stranger.refused(&client_id).await;
    stranger.close().await;
}
