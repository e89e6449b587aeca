//! What is today, late, to come: on the site's calendar.

use std::time::Duration;

use crema_testkit::for_each_engine;
use serde_json::{Value, json};

use super::{LEAD, Mobile, SUE, message, start, task, titles};

fn dated(title: &str, start: &str, due: &str, status: &str) -> Value {
    json!({"title": title, "start_date": start, "due_date": due, "status": status})
}

for_each_engine! {
    // spec: crm.md, Mobile API, `home_tasks`: "High, Medium, Low, then oldest first"
    async fn the_most_urgent_comes_first_and_days_are_the_sites(engine: Engine) {
        let app = start(engine).await;
        let sue = Mobile::of(&app, SUE).await;
        for (title, priority) in [
            ("low", "Low"),
            ("high 1", "High"),
            ("medium 1", "Medium"),
            ("high 2", "High"),
            ("medium 2", "Medium"),
        ] {
            sue.task(task(title, priority)).await;
            app.clock.advance(Duration::from_secs(1));
        }
        sue.task(dated("tomorrow", "2026-11-21", "", "Open")).await;
        let order = ["high 1", "high 2", "medium 1", "medium 2", "low"];
        let home = message(&sue.get("home_tasks", &[]).await);
        assert_eq!((titles(&home["today"]), &home["limit"]), (order.to_vec(), &json!(5)));
        let home = message(&sue.get("home_tasks", &[("limit", "3")]).await);
        assert_eq!((titles(&home["today"]), &home["limit"]), (order[..3].to_vec(), &json!(3)));
        // Midnight in Kolkata, half past six in the evening in London.
        app.clock.advance(Duration::from_secs(1800));
        let home = message(&sue.get("home_tasks", &[]).await);
        assert_eq!(titles(&home["today"]), ["tomorrow"]);
        app.close().await;
    }

    // spec: crm.md, "a task stands in one bucket only, in the order today, late, upcoming;
    // Completed and Cancelled never late"
    async fn a_task_stands_in_one_bucket(engine: Engine) {
        let app = start(engine).await;
        let (sue, lead) = (Mobile::of(&app, SUE).await, Mobile::of(&app, LEAD).await);
        for (title, start, due, status) in [
            ("today", "2026-11-20", "", "Open"),
            ("today and overdue", "2026-11-20", "2026-11-20 10:00:00", "Open"),
            ("today and done", "2026-11-20", "", "Completed"),
            ("began", "2026-11-18", "", "In Progress"),
            ("began and due later", "2026-11-19", "2026-12-01 10:00:00", "Open"),
            ("began and done", "2026-11-18", "", "Completed"),
            ("began and dropped", "2026-11-18", "2026-11-18 10:00:00", "Cancelled"),
            ("begins, was due", "2026-11-25", "2026-11-20 23:29:59", "Open"),
            ("begins, is due", "2026-11-26", "2026-11-20 23:30:00", "Open"),
            ("begins", "2026-11-24", "", "Open"),
            ("begins, done", "2026-11-27", "2026-11-01 10:00:00", "Completed"),
        ] {
            sue.task(dated(title, start, due, status)).await;
        }
        let buckets = message(&sue.get("main_page_buckets", &[]).await);
        let mut today = titles(&buckets["today"]);
        today.sort_unstable();
        assert_eq!(today, ["today", "today and done", "today and overdue"]);
        let late = ["began", "began and due later", "begins, was due"];
        assert_eq!(titles(&buckets["late"]), late);
        let upcoming = ["begins", "begins, is due", "begins, done"];
        assert_eq!(titles(&buckets["upcoming"]), upcoming);
        assert_eq!(buckets["min_each"], 5);
        let short = message(&lead.get("main_page_buckets", &[("min_each", "1")]).await);
        assert_eq!(titles(&short["late"]), ["began"]);
        assert_eq!(titles(&short["upcoming"]), ["begins"]);
        // Others see none of it.
        let tom = Mobile::of(&app, super::TOM).await;
        let none = message(&tom.get("main_page_buckets", &[]).await);
        assert_eq!(none, json!({"today": [], "late": [], "upcoming": [], "min_each": 5}));

        let query = [
            ("date_from", "2026-11-19"),
            ("date_to", "2026-11-25"),
            ("status", "Open, Completed"),
            ("importance", "Medium,High"),
        ];
        let found = message(&sue.get("filter_tasks", &query).await);
        let titles_found = titles(&found["data"]);
        assert_eq!(titles_found, [
            "begins, was due", "begins", "today and done", "today and overdue", "today",
            "began and due later",
        ]);
        assert_eq!(found["data"][0]["description"], Value::Null);
        let page = [("limit", "2"), ("offset", "1")];
        let page = message(&sue.get("filter_tasks", &[&query[..], &page[..]].concat()).await);
        assert_eq!(titles(&page["data"]), titles_found[1..3]);
        app.close().await;
    }
}
