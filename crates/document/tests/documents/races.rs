//! What holds when several write at once.

use std::collections::BTreeSet;

use crema_document::documents::{Document, Documents};
use crema_document::{DocumentError, Reason};
use serde_json::{Map, Value, json};

use crate::values;
use crate::world::{World, members};

/// So many at once.
const MANY: usize = 8;

enum Job {
    Insert(&'static str, Map<String, Value>),
    Update(&'static str, String, Map<String, Value>),
}

async fn at_once(documents: &Documents, jobs: Vec<Job>) -> Vec<Result<Document, DocumentError>> {
    let running: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let documents = documents.clone();
            tokio::spawn(async move {
                match job {
                    Job::Insert(doctype, values) => documents.insert(doctype, values).await,
                    Job::Update(doctype, name, values) => {
                        documents.update(doctype, &name, values).await
                    }
                }
            })
        })
        .collect();
    let mut done = Vec::new();
    for job in running {
        done.push(job.await.unwrap());
    }
    done
}

fn reasons(results: &[Result<Document, DocumentError>]) -> Vec<Option<Reason>> {
    results
        .iter()
        .map(|result| match result {
            Ok(_) => None,
            Err(DocumentError::Refused(refusal)) => Some(refusal.reason.clone()),
            Err(other) => unreachable!("{other}"),
        })
        .collect()
}

pub(crate) async fn one_of_two_updates_of_a_known_state_wins(world: &World) {
    let documents = world.admin();
    let made = documents
        .insert("Test Task", values!({"title": "a"}))
        .await
        .unwrap();
    let job = |number: usize| {
        let values = values!({
            "title": format!("by {number}"), "modified": made.values["modified"],
            "rows": [{"item": format!("by {number}")}],
        });
        Job::Update("Test Task", made.name.clone(), values)
    };
    let results = at_once(&documents, (0..MANY).map(job).collect()).await;
    let reasons = reasons(&results);
    assert_eq!(reasons.iter().filter(|reason| reason.is_none()).count(), 1);
    let lost = Some(Reason::TimestampMismatch);
    assert_eq!(
        reasons.iter().filter(|reason| **reason == lost).count(),
        MANY - 1
    );
    let winner = results.into_iter().find_map(Result::ok).unwrap();
    assert_eq!(
        documents.get("Test Task", &made.name).await.unwrap(),
        winner
    );
}

pub(crate) async fn updates_without_a_known_state_all_count(world: &World) {
    let documents = world.admin();
    let made = documents.insert("Test Thing", values!({})).await.unwrap();
    let fields = [
        "a_data", "a_code", "a_text", "a_small", "a_icon", "a_auto", "a_html", "a_select",
    ];
    let job = |field: &&str| {
        let values = members(json!({ *field: "here" }));
        Job::Update("Test Thing", made.name.clone(), values)
    };
    let results = at_once(&documents, fields.iter().map(job).collect()).await;
    let moments: BTreeSet<String> = results
        .iter()
        .map(|result| result.as_ref().unwrap().values["modified"].to_string())
        .collect();
    assert_eq!(
        moments.len(),
        fields.len(),
        "each save has a moment of its own"
    );
    let read = documents.get("Test Thing", &made.name).await.unwrap();
    for field in fields {
        assert_eq!(read.values[field], json!("here"), "{field} was lost");
    }
}

pub(crate) async fn one_of_several_has_a_unique_value(world: &World) {
    let documents = world.admin();
    let task = |_| Job::Insert("Test Task", values!({"title": "a", "code": "one"}));
    let results = at_once(&documents, (0..MANY).map(task).collect()).await;
    let unique = reasons(&results);
    assert_eq!(unique.iter().filter(|reason| reason.is_none()).count(), 1);
    assert_eq!(
        unique
            .iter()
            .filter(|reason| **reason == Some(Reason::Unique))
            .count(),
        MANY - 1
    );
    let named = |_| Job::Insert("Test Prompt", values!({"name": "one"}));
    let results = at_once(&documents, (0..MANY).map(named).collect()).await;
    let taken = reasons(&results);
    assert_eq!(taken.iter().filter(|reason| reason.is_none()).count(), 1);
    assert_eq!(
        taken
            .iter()
            .filter(|reason| **reason == Some(Reason::Duplicate))
            .count(),
        MANY - 1
    );
}

pub(crate) async fn series_have_no_gaps_and_no_twins(world: &World) {
    let documents = world.admin();
    let rounds = 5;
    let mut names = BTreeSet::new();
    for _ in 0..rounds {
        let mut jobs: Vec<Job> = (0..MANY)
            .map(|_| Job::Insert("Test Series", values!({"naming_series": "B-"})))
            .collect();
        // Those that fail use up no number.
        jobs.push(Job::Insert(
            "Test Series",
            values!({"naming_series": "B-", "title": "x".repeat(200)}),
        ));
        for result in at_once(&documents, jobs).await {
            match result {
                Ok(document) => assert!(names.insert(document.name)),
                Err(error) => assert!(error.to_string().contains("too long"), "{error}"),
            }
        }
    }
    let expected: BTreeSet<String> = (1..=rounds * MANY)
        .map(|number| format!("B-{number:05}"))
        .collect();
    assert_eq!(names, expected);
}

pub(crate) async fn a_link_and_a_removal_exclude_each_other(world: &World) {
    let documents = world.admin();
    for round in 0..6 {
        let title = format!("P{round}");
        documents
            .insert("Test Project", values!({"title": title}))
            .await
            .unwrap();
        let remover = {
            let (documents, title) = (documents.clone(), title.clone());
            tokio::spawn(async move { documents.delete("Test Project", &title).await })
        };
        let task = Job::Insert("Test Task", values!({"title": "a", "project": title}));
        let linked = at_once(&documents, vec![task]).await.remove(0).is_ok();
        let removed = remover.await.unwrap().is_ok();
        assert!(
            linked != removed,
            "a link to nowhere, or neither: {linked} {removed}"
        );
    }
}

pub(crate) async fn the_first_values_of_a_single(world: &World) {
    let documents = world.admin();
    let fields = ["title", "limit", "share", "open", "since", "must"];
    let job = |field: &&str| {
        let value = if *field == "since" {
            json!("2026-01-01 00:00:00")
        } else {
            json!("1")
        };
        let name = "Test Settings".to_owned();
        Job::Update("Test Settings", name, members(json!({ *field: value })))
    };
    let results = at_once(&documents, fields.iter().map(job).collect()).await;
    assert!(results.iter().all(Result::is_ok), "{:?}", reasons(&results));
    let read = documents
        .get("Test Settings", "Test Settings")
        .await
        .unwrap();
    assert_eq!(
        (&read.values["title"], &read.values["must"]),
        (&json!("1"), &json!("1"))
    );
    assert_eq!(
        (&read.values["limit"], &read.values["open"]),
        (&json!(1), &json!(1))
    );
}
