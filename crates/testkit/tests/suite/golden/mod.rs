//! Replay of exchanges that were recorded at a real Frappe server.
//!
//! `cases/<group>.json` holds the facts of each recording: what was asked, in which state, and
//! what Frappe answered. Ours has to answer the same, or what the case says under `differs`,
//! which names the rule that wants it (`differences.json`). `docs/compatibility.md` is made of
//! the same data.

mod answer;
mod case;
mod document;
mod world;

use crema_testkit::for_each_engine;
use serde_json::Value;

use case::merge;
use world::World;

/// How many recordings there are of the groups below.
const RECORDINGS: usize = 444;

/// The groups with lists.
const LISTED: &[&str] = &["resource", "v2"];

/// Replays one group in its order and reports every deviation at once.
async fn replay(engine: crema_testkit::Engine, group: &str) {
    let rules = case::rules();
    let mut world = World::new(engine, LISTED.contains(&group)).await;
    let mut deviations = Vec::new();
    for case in case::cases(group) {
        world.prepare(&case.given).await;
        let ours = world.send(&case.request, case.keep.as_deref()).await;
        check(&case.name, case.expected(&rules), ours, &mut deviations);
        if let Some(again) = &case.again {
            world.prepare(&again.given).await;
            let request = merge(case.request.clone(), &again.request);
            let ours = world.send(&request, again.keep.as_deref()).await;
            let name = format!("{} ({})", case.name, again.how);
            check(&name, case.expected_again(&rules), ours, &mut deviations);
        }
    }
    world.app.close().await;
    assert!(
        deviations.is_empty(),
        "{} deviations\n{}",
        deviations.len(),
        deviations.join("\n")
    );
}

fn check(name: &str, expected: Value, ours: Value, deviations: &mut Vec<String>) {
    if expected != ours {
        deviations.push(format!("{name}\n  expected {expected}\n  answered {ours}"));
    }
}

/// One test for each group and database.
macro_rules! groups {
    ($($group:ident)*) => {
        /// Every group.
        const GROUPS: &[&str] = &[$(stringify!($group)),*];
        $(
            for_each_engine! {
                async fn $group(engine: Engine) {
                    replay(engine, stringify!($group)).await;
                }
            }
        )*
    };
}
groups! {
    login logout session lockout oauth authorize approve token pkce password refresh revoke
    introspect profile bearer apikey csrf wellknown cors auto register method resource v2
}
