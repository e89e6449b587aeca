//! What a page costs does not grow with the table.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::Engine;
use crate::world::{self, World, list};

const SMALL: u32 = 1000;
const LARGE: u32 = 1_000_000;

/// A site with so many things, twenty of each status.
async fn with(many: u32) -> World {
    let world = world::empty(Engine::Sqlite).await;
    let statuses = many / 20;
    let insert = format!(
        r#"INSERT INTO "tabThing" ("name", "owner", "creation", "modified", "status", "title")
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {many} - 1)
        SELECT printf('T%08d', i), 'Administrator',
            strftime('%Y-%m-%d %H:%M:%S', 1700000000 + i * 60, 'unixepoch') || '.000000',
            '2026-01-01 00:00:00.000000', 'S' || (i % {statuses}), 'thing ' || i FROM n"#
    );
    let database = world.documents.site.database();
    database.execute_ddl(&insert).await.unwrap();
    world
}

#[expect(
    clippy::disallowed_methods,
    reason = "this measures; nothing depends on it but the test's own verdict"
)]
async fn time(world: &World, arguments: &Value) -> Duration {
    let began = Instant::now();
    let rows = list(&world.documents, arguments.clone()).await.unwrap();
    assert_eq!(rows.len(), 20);
    began.elapsed()
}

/// The middle of the better half: a busy machine makes some slow, never fast.
fn typical(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 4]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_many_costs_as_much_as_one_of_few() {
    let (small, large) = (with(SMALL).await, with(LARGE).await);
    for arguments in [
        json!({"filters": {"status": "S7"}, "fields": ["name", "title", "status", "creation"]}),
        json!({"filters": {"name": ["in", (0..20).map(|i| format!("T{i:08}")).collect::<Vec<_>>()]}}),
        json!({"filters": [["creation", ">", "2023-11-15"]], "order_by": "creation asc"}),
        json!({"fields": "*"}),
    ] {
        let (mut few, mut many) = (Vec::new(), Vec::new());
        for _ in 0..40 {
            few.push(time(&small, &arguments).await);
            many.push(time(&large, &arguments).await);
        }
        let (few, many) = (typical(few), typical(many));
        assert!(
            many < few * 3 + Duration::from_micros(300),
            "{arguments}: {few:?} of {SMALL}, {many:?} of {LARGE}"
        );
    }
}
