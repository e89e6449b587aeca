//! Any filter that is accepted gives the rows of a naive evaluation, in the same order and page.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::naive::{self, Filter, Kind, Leaf, Place};
use crate::support::Engine;
use crate::world::{self, World};

crate::on_every_engine!(filters_orders_and_pages);

const FIELDS: &[(Place, &str, Kind)] = &[
    (Place::Own, "name", Kind::Text),
    (Place::Own, "owner", Kind::Text),
    (Place::Own, "title", Kind::Text),
    (Place::Own, "status", Kind::Text),
    (Place::Own, "notes", Kind::Text),
    (Place::Own, "kind", Kind::Text),
    (Place::Own, "number", Kind::Whole),
    (Place::Own, "big", Kind::Whole),
    (Place::Own, "done", Kind::Whole),
    (Place::Own, "docstatus", Kind::Whole),
    (Place::Own, "price", Kind::Real),
    (Place::Own, "day", Kind::Date),
    (Place::Own, "at", Kind::DateTime),
    (Place::Own, "creation", Kind::DateTime),
    (Place::Own, "modified", Kind::DateTime),
    (Place::Own, "clock", Kind::Time),
    (Place::Kind, "title", Kind::Text),
    (Place::Kind, "rank", Kind::Whole),
    (Place::Items, "label", Kind::Text),
    (Place::Items, "qty", Kind::Whole),
    (Place::Items, "due", Kind::Date),
];

fn operand(kind: Kind) -> BoxedStrategy<Value> {
    let of = |values: Vec<Value>| select(values).boxed();
    match kind {
        Kind::Text => of(vec![
            json!(null),
            json!(""),
            json!("abc"),
            json!("ABC"),
            json!("Äpfel"),
            json!("100%"),
            json!("trailing"),
            json!("trailing "),
            json!("T07"),
            json!("T30"),
            json!("Open"),
            json!("First"),
            json!("first"),
            json!("jo@example.com"),
            json!("😀"),
            json!("a'b\"c"),
            json!(5),
            json!("z"),
            json!("back\\slash"),
        ]),
        Kind::Whole => of(vec![
            json!(null),
            json!(0),
            json!(1),
            json!(-1),
            json!("2"),
            json!(""),
            json!(0.5),
            json!(-1.5),
            json!("1.5"),
            json!(7),
            json!(2_147_483_647_i64),
            json!(2_147_483_648_i64),
            json!(i64::MIN),
            json!(i64::MAX),
            json!(1e300),
            json!(-1e300),
            json!(9_007_199_254_740_993_i64),
            json!(true),
        ]),
        Kind::Real => of(vec![
            json!(null),
            json!(0),
            json!(0.5),
            json!("0.5"),
            json!(-1.5),
            json!(2),
            json!(1e10),
            json!(10_000_000_000_i64),
            json!(1e300),
            json!("-0"),
        ]),
        Kind::Date => of(vec![
            json!(null),
            json!(""),
            json!("2026-01-31"),
            json!("2026-02-01"),
            json!("1999-12-31"),
            json!("2000-01-01"),
            json!("2026-01-31 12:00:00"),
            json!("9999-12-31"),
        ]),
        Kind::DateTime => of(vec![
            json!(null),
            json!("2026-01-31"),
            json!("2026-01-31 23:59:59.999999"),
            json!("2026-02-01"),
            json!("2026-03-05 10:00:00"),
            json!("2026-03-10"),
            json!("1999-12-31 08:00"),
            json!("2026-02-01 12:30:00.5"),
        ]),
        Kind::Time => of(vec![
            json!(null),
            json!("00:00:00"),
            json!("09:05"),
            json!("09:05:00.25"),
            json!("12:00:00"),
            json!("23:59:59"),
        ]),
    }
}

fn pattern(kind: Kind) -> BoxedStrategy<Value> {
    let patterns: &[&str] = match kind {
        Kind::Text => &[
            "",
            "%",
            "%%",
            "abc",
            "A%",
            "%b%",
            "_",
            "___",
            "100\\%",
            "100%",
            "a\\_b",
            "a_b",
            "%!",
            "wow!",
            "back\\\\slash",
            "back\\slash",
            "%ä%",
            "ÄPF%",
            "σίσυφος",
            "trailing_",
            "t%_",
            "😀",
            "jo@%",
            "%\\",
        ],
        Kind::Whole => &["1", "%1%", "-%", "_", "%7", "0"],
        _ => &["2026-%", "%-31", "%-31%", "1999-12-31", "____-01-%", "x%"],
    };
    select(patterns.to_vec()).prop_map(Value::from).boxed()
}

fn leaf() -> impl Strategy<Value = Leaf> {
    select(FIELDS).prop_flat_map(|(place, field, kind)| {
        let of = move |operators: Vec<&'static str>, operands: BoxedStrategy<Value>| {
            (select(operators), operands)
                .prop_map(move |(operator, operand)| Leaf {
                    place,
                    field,
                    kind,
                    operator,
                    operand,
                })
                .boxed()
        };
        let one = operand(kind);
        let many = prop::collection::vec(operand(kind), 0..4).prop_map(Value::from);
        let two = (operand(kind), operand(kind)).prop_map(|(a, b)| json!([a, b]));
        let set = select(vec![json!("set"), json!("not set")]);
        let mut kinds = vec![
            (5, of(vec!["=", "!=", ">", "<", ">=", "<="], one)),
            (2, of(vec!["in", "not in"], many.boxed())),
            (1, of(vec!["between"], two.boxed())),
            (1, of(vec!["is"], set.boxed())),
        ];
        if !matches!(kind, Kind::Real | Kind::Time) {
            kinds.push((3, of(vec!["like", "not like"], pattern(kind))));
        }
        proptest::strategy::Union::new_weighted(kinds)
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let node = leaf().prop_map(Filter::Leaf);
    let node = node.prop_recursive(2, 6, 3, |inner| {
        let parts = prop::collection::vec(inner, 2..4);
        prop_oneof![
            parts.clone().prop_map(Filter::All),
            parts.prop_map(Filter::Any)
        ]
    });
    prop::collection::vec(node, 0..4).prop_map(Filter::All)
}

#[derive(Debug, Clone)]
struct Request {
    filter: Filter,
    any: Vec<Filter>,
    order: Vec<(Place, &'static str, Kind, bool)>,
    start: usize,
    limit: usize,
    with_items: bool,
}

fn request() -> impl Strategy<Value = Request> {
    let key = (select(FIELDS), any::<bool>());
    (
        filter(),
        prop::collection::vec(leaf().prop_map(Filter::Leaf), 0..3),
        prop::collection::vec(key, 0..3),
        0..12_usize,
        prop_oneof![Just(0), 1..30_usize],
        prop::bool::weighted(0.3),
    )
        .prop_map(|(filter, any, keys, start, limit, with_items)| {
            let mut order: Vec<(Place, &'static str, Kind, bool)> = Vec::new();
            for ((place, field, kind), descending) in keys {
                let known = order.iter().any(|key| (key.0, key.1) == (place, field));
                if !known && (with_items || place != Place::Items) {
                    order.push((place, field, kind, descending));
                }
            }
            Request {
                filter,
                any,
                order,
                start,
                limit,
                with_items,
            }
        })
}

impl Request {
    fn arguments(&self) -> Value {
        let Filter::All(all) = &self.filter else {
            unreachable!()
        };
        let items = |filters: &[Filter]| -> Value { filters.iter().map(Filter::item).collect() };
        let key = |(place, field, _, descending): &(Place, &str, Kind, bool)| {
            let prefix = match place {
                Place::Own => "",
                Place::Kind => "kind.",
                Place::Items => "items.",
            };
            format!("{prefix}{field}{}", if *descending { " DESC" } else { "" })
        };
        let order: Vec<String> = self.order.iter().map(key).collect();
        let mut fields = vec!["name", "title", "kind.rank"];
        if self.with_items {
            fields.extend(["items.idx", "items.label"]);
        }
        json!({
            "fields": fields,
            "filters": items(all),
            "or_filters": items(&self.any),
            "order_by": order.join(", "),
            "limit_start": self.start,
            "limit_page_length": self.limit,
        })
    }

    fn whole_filter(&self) -> Filter {
        let Filter::All(mut all) = self.filter.clone() else {
            unreachable!()
        };
        if !self.any.is_empty() {
            all.push(Filter::Any(self.any.clone()));
        }
        Filter::All(all)
    }

    /// The rows that a list of everything would have, and the page of them that is asked for.
    fn expected(&self, world: &World) -> (usize, Vec<Value>) {
        let mut rows = naive::rows(world, &self.whole_filter(), self.with_items);
        let mut keys = self.order.clone();
        if keys.is_empty() {
            keys.push((Place::Own, "creation", Kind::DateTime, true));
        }
        let descending = keys.last().unwrap().3;
        keys.push((Place::Own, "name", Kind::Text, descending));
        keys.push((Place::Items, "idx", Kind::Whole, descending));
        rows.sort_by(|a, b| {
            let compared = keys.iter().map(|(place, field, kind, descending)| {
                let order = naive::order(*kind, &a.value(*place, field), &b.value(*place, field));
                if *descending { order.reverse() } else { order }
            });
            compared.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        let all = rows.len();
        let limit = if self.limit == 0 {
            usize::MAX
        } else {
            self.limit
        };
        let shown = rows.into_iter().skip(self.start).take(limit).map(|row| {
            let mut shown = json!({
                "name": row.value(Place::Own, "name"),
                "title": row.value(Place::Own, "title"),
                "rank": row.value(Place::Kind, "rank"),
            });
            if self.with_items {
                shown["idx"] = row.value(Place::Items, "idx");
                shown["label"] = row.value(Place::Items, "label");
            }
            shown
        });
        (all, shown.collect())
    }
}

// spec: http.md, Resource server, GET /api/resource/<DocType>
async fn filters_orders_and_pages(engine: Engine) {
    let world = world::world(engine).await;
    // 256 requests on each database; `PROPTEST_CASES` in the environment makes it more.
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let runtime = tokio::runtime::Handle::current();
    let failed = tokio::task::block_in_place(|| {
        let run = runner.run(&request(), |request| {
            runtime.block_on(check(&world, &request))
        });
        run.err().map(|error| error.to_string())
    });
    assert_eq!(failed, None);
}

async fn check(world: &World, request: &Request) -> Result<(), TestCaseError> {
    let (all, expected) = request.expected(world);
    let arguments = request.arguments();
    let shown = arguments.to_string();
    let rows = world::list(&world.documents, arguments.clone()).await;
    let rows = rows.map_err(|error| TestCaseError::fail(format!("{error}: {shown}")))?;
    let rows: Vec<Value> = rows.into_iter().map(Value::from).collect();
    prop_assert_eq!(&rows, &expected, "{}", shown);
    if !request.with_items {
        let counted = world
            .documents
            .count("Thing", &world::request(arguments))
            .await
            .unwrap();
        prop_assert_eq!(counted, all as u64, "{}", shown);
    }
    Ok(())
}
