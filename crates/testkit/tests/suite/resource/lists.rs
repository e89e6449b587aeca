//! Lists: paging, the two forms of rows, and long ones.

use std::time::Duration;

use crema_testkit::{App, Engine, for_each_engine};
use crema_web::Limits;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Scene;

fn rows(answer: &Value) -> Vec<String> {
    let rows = answer["data"].as_array().unwrap().iter();
    rows.map(|row| row["description"].as_str().unwrap().to_owned())
        .collect()
}

async fn paging(engine: Engine) {
    let scene = Scene::on(engine).await;
    let manager = scene.manager().await;
    for number in 1..=5 {
        manager.todo(&format!("t{number}")).await;
    }
    let base = [
        ("fields", r#"["description"]"#),
        ("order_by", "description asc"),
    ];
    let list = async |path: &str, more: &[(&str, &str)]| {
        let query: Vec<_> = base.iter().chain(more).copied().collect();
        manager.get(path, &query).await
    };
    let v1 = "/api/resource/ToDo";
    let v2 = "/api/v2/document/ToDo";
    assert_eq!(rows(&list(v1, &[]).await), ["t1", "t2", "t3", "t4", "t5"]);
    for (start, limit) in [("limit_start", "limit_page_length"), ("start", "limit")] {
        assert_eq!(
            rows(&list(v1, &[(start, "1"), (limit, "2")]).await),
            ["t2", "t3"]
        );
    }
    let page = list(v2, &[("limit", "2")]).await;
    assert_eq!(
        (rows(&page), &page["has_next_page"]),
        (vec!["t1".into(), "t2".into()], &json!(true))
    );
    let page = list(v2, &[("limit", "2"), ("start", "3")]).await;
    assert_eq!(
        (rows(&page), &page["has_next_page"]),
        (vec!["t4".into(), "t5".into()], &json!(false))
    );
    let filters = r#"[["description", "in", ["t2", "t4"]]]"#;
    assert_eq!(rows(&list(v1, &[("filters", filters)]).await), ["t2", "t4"]);
    let lists = list(v1, &[("as_dict", "0"), ("limit", "1")]).await;
    assert_eq!(lists, json!({"data": [["t1"]]}));
    let names = manager.get(v1, &[("limit", "1")]).await;
    assert_eq!(names["data"][0].as_object().unwrap().len(), 1);
    let star = manager
        .get(v1, &[("fields", r#""*""#), ("limit", "1")])
        .await;
    assert_eq!(star["data"][0]["owner"], super::MANAGER);
    scene.app.close().await;
}

for_each_engine! {
    async fn pages_and_rows_have_frappes_form(engine: Engine) {
        paging(engine).await;
    }
}

/// So many Notes, each with so many letters.
async fn fill(scene: &Scene, number: usize, letters: usize) {
    let one = r#"INSERT INTO "tabNote" (name, owner, title, content, public, docstatus, idx)
        VALUES (?, ?, ?, ?, 0, 0, 0)"#;
    let database = scene.app.database().await;
    let statement: &'static crema_store::Sql = Box::leak(Box::new(crema_store::Sql::new(one)));
    let written: Result<(), crema_store::StoreError> = database
        .write(move |tx| {
            Box::pin(async move {
                for row in 0..number {
                    let name = format!("note-{row:05}");
                    let title = format!("title {row}");
                    let content = "x".repeat(letters);
                    let values = crema_store::params![name, super::MANAGER, title, content];
                    tx.execute(statement, values).await?;
                }
                Ok(())
            })
        })
        .await;
    written.unwrap();
}

async fn long(engine: Engine) {
    const ROWS: usize = 1200;
    let scene = Scene::on(engine).await;
    let manager = scene.manager().await;
    let path = "/api/resource/Note";
    let second = "/api/v2/document/Note";
    // None at all is a list too.
    assert_eq!(
        manager.get(path, &[("limit", "0")]).await,
        json!({"data": []})
    );
    fill(&scene, ROWS, 10).await;
    let order = ("order_by", "name asc");
    let fields = ("fields", r#"["name", "title"]"#);
    let answer = manager
        .request("GET", path)
        .query(&[("limit", "0"), order, fields]);
    let answer = answer.send().await;
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let all = answer.json();
    let all = all["data"].as_array().unwrap();
    assert_eq!(all.len(), ROWS);
    assert_eq!(all[ROWS - 1]["name"], "note-01199");
    let page = manager.get(second, &[("limit", "500"), order]).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 500);
    assert_eq!(page["has_next_page"], true);
    let page = manager
        .get(second, &[("limit", "500"), ("start", "700"), order])
        .await;
    assert_eq!(page["data"].as_array().unwrap().len(), 500);
    assert_eq!(page["has_next_page"], false);
    let page = manager
        .get(second, &[("limit", "0"), ("as_dict", "0"), order])
        .await;
    assert_eq!(page["data"][1], json!(["note-00001"]));
    let called = "/api/method/frappe.client.get_list";
    let called = manager
        .get(called, &[("doctype", "Note"), ("limit", "0")])
        .await;
    assert_eq!(called["message"].as_array().unwrap().len(), ROWS);
    scene.app.close().await;
}

for_each_engine! {
    async fn long_lists_come_in_pieces(engine: Engine) {
        long(engine).await;
    }
}

#[tokio::test]
async fn a_site_bounds_its_lists_and_says_that_there_may_be_more() {
    let app = App::builder().config("max_list_length", 3).build().await;
    let scene = Scene::of(app).await;
    fill(&scene, 5, 1).await;
    let manager = scene.manager().await;
    for limit in ["0", "4", "500"] {
        let query = [("limit", limit)];
        let page = manager.get("/api/v2/document/Note", &query).await;
        assert_eq!(page["data"].as_array().unwrap().len(), 3);
        assert_eq!(page["has_next_page"], true, "{limit}");
        let rest = [("limit", limit), ("start", "3")];
        let page = manager.get("/api/v2/document/Note", &rest).await;
        assert_eq!(page["has_next_page"], false, "{limit}");
    }
    scene.app.close().await;
}

/// A site whose server waits a second for clients.
async fn impatient(engine: Engine) -> Scene {
    let limits = Limits {
        idle: Duration::from_secs(1),
        sending: Duration::from_secs(1),
        ..Limits::default()
    };
    let scene = Scene::of(App::builder().engine(engine).limits(limits).build().await).await;
    fill(&scene, 2_000, 10_000).await;
    scene
}

/// A connection on which a list of 20 MB was asked for.
async fn asked(scene: &Scene) -> TcpStream {
    let manager = scene.manager().await;
    let path = "/api/resource/Note";
    let query = [("limit", "0"), ("fields", r#"["name", "content"]"#)];
    let request = manager.request("GET", path).query(&query).to_bytes();
    let issuer = scene.app.issuer();
    let port = issuer.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&request).await.unwrap();
    stream
}

async fn not_read(engine: Engine) {
    // SQLite does not tell how many of its connections are in use.
    if engine == Engine::Sqlite {
        return;
    }
    let scene = impatient(engine).await;
    let mut stream = asked(&scene).await;
    let database = scene.app.database().await;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut begun = false;
    loop {
        let in_use = database.stats().connections_in_use.unwrap();
        begun |= in_use > 0;
        if begun && in_use == 0 {
            break;
        }
        ticks.tick().await;
    }
    let mut rest = Vec::new();
    // A reset is an end as well.
    stream.read_to_end(&mut rest).await.ok();
    assert!(rest.len() < 20_000_000, "{}", rest.len());
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a part looks like the whole");
    scene.app.close().await;
}

for_each_engine! {
    async fn who_does_not_read_a_list_keeps_no_connection_of_the_database(engine: Engine) {
        not_read(engine).await;
    }
}

#[tokio::test]
async fn who_reads_a_list_slowly_gets_all_of_it() {
    let scene = impatient(Engine::Sqlite).await;
    let mut stream = asked(&scene).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        ticks.tick().await;
        match stream.read(&mut piece).await.unwrap() {
            0 => break,
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
    assert!(bytes.ends_with(b"0\r\n\r\n") && bytes.len() > 20_000_000);
    scene.app.close().await;
}
