//! The resource server as a program sees it: paths, arguments, answers.

mod arguments;
mod client;
mod documents;
mod envelopes;
mod lists;
mod sessions;

use crema_testkit::{App, ClientSpec, Engine, Request, Response, TestClient};
use serde_json::Value;

/// A System Manager, and somebody with no role of weight.
pub(crate) const MANAGER: &str = "manager@example.com";
pub(crate) const PLAIN: &str = "plain@example.com";
pub(crate) const PASSWORD: &str = "a-good-secret-1";
/// What the client of the tests may ask for.
const SCOPES: &str = "all openid todo:read todo:create todo:write todo:* note:read \
                      method:frappe.core.doctype.user.user.generate_keys";

/// A site with two users and a client.
pub(crate) struct Scene {
    pub(crate) app: App,
    pub(crate) client: TestClient,
}

impl Scene {
    pub(crate) async fn start() -> Scene {
        Scene::on(Engine::Sqlite).await
    }

    pub(crate) async fn on(engine: Engine) -> Scene {
        Scene::of(App::start(engine).await).await
    }

    pub(crate) async fn of(app: App) -> Scene {
        app.add_user(MANAGER, PASSWORD, &["System Manager"]).await;
        app.add_user(PLAIN, PASSWORD, &["Report Manager"]).await;
        let spec = ClientSpec::new("https://client.example/cb")
            .scopes(SCOPES)
            .with("skip_authorization", "1");
        let client = app.add_client(spec).await;
        Scene { app, client }
    }

    /// An access token of a user for these scopes.
    pub(crate) async fn token(&self, user: &str, scope: &str) -> String {
        let mut visitor = self.app.signed_in(user, PASSWORD).await;
        let code = visitor.code(&self.client, &[("scope", scope)]).await;
        let answer = self.app.http().redeem(&self.client, &code, &[]).await;
        answer.tokens().access_token
    }

    /// Somebody who sends requests with a token for everything.
    pub(crate) async fn manager(&self) -> Sender<'_> {
        self.sender(MANAGER, "all").await
    }

    pub(crate) async fn sender(&self, user: &str, scope: &str) -> Sender<'_> {
        Sender {
            scene: self,
            token: self.token(user, scope).await,
        }
    }
}

/// Sends requests with a bearer token.
pub(crate) struct Sender<'a> {
    scene: &'a Scene,
    pub(crate) token: String,
}

impl Sender<'_> {
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let request = self.scene.app.http().request(method, path);
        request.bearer(&self.token)
    }

    /// A request without a body.
    pub(crate) async fn send(&self, method: &str, path: &str) -> Response {
        self.request(method, path).send().await
    }

    /// A request with JSON.
    pub(crate) async fn json(&self, method: &str, path: &str, body: &Value) -> Response {
        self.request(method, path).json(body).send().await
    }

    /// A GET with a query, whose answer has to be 200.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let answer = self.request("GET", path).query(query).send().await;
        assert_eq!(answer.status, 200, "{path} {query:?}: {}", answer.text());
        answer.json()
    }

    /// Makes a ToDo and gives its name.
    pub(crate) async fn todo(&self, description: &str) -> String {
        let body = serde_json::json!({"description": description});
        let answer = self.json("POST", "/api/resource/ToDo", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["data"]["name"].as_str().unwrap().to_owned()
    }
}

/// The status and the exception of a v1 error.
pub(crate) fn fault(answer: &Response) -> (u16, String) {
    (answer.status, answer.member("exc_type"))
}
