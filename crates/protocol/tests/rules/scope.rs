use crema_protocol::error::ErrorCode;
use crema_protocol::resource_scope::ResourceScopes;
use crema_protocol::scope::{Scope, grant_scope, narrow_scope};
use proptest::prelude::*;

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

fn granted(requested: Option<&str>, client: &str) -> Result<String, ErrorCode> {
    grant_scope(requested.map(scope).as_ref(), &scope(client))
        .map(|scope| scope.to_string())
        .map_err(|error| error.code)
}

// spec: RFC 6749 §3.3
#[test]
fn tokens_are_split_at_spaces_and_kept_once() {
    assert_eq!(scope(" all  openid all ").to_string(), "all openid");
    assert!(scope("").is_empty());
    assert_eq!(scope("b a"), scope("a b"));
    assert_ne!(scope("a"), scope("A"));
}

// spec: RFC 6749 §3.3, scope-token
#[test]
fn other_characters_are_invalid_scope() {
    for text in ["a\tb", "a\nb", "\"a\"", "a\\b", "é", "a\u{7f}"] {
        assert_eq!(
            Scope::parse(text).unwrap_err().code,
            ErrorCode::InvalidScope,
            "{text}"
        );
    }
    assert!(Scope::parse(&"a ".repeat(4096)).is_err());
    assert_eq!(
        scope("crm_task:read method:a.b crm_task:*").iter().count(),
        3
    );
}

#[test]
fn records_separate_scopes_by_any_white_space() {
    assert_eq!(
        Scope::from_registered(" all\n openid\té\"\r\n").to_string(),
        "all openid"
    );
}

// spec: http.md, authorize, "`scope` absent: the client's registered scopes"
#[test]
fn absent_means_what_is_registered() {
    assert_eq!(granted(None, "all openid"), Ok("all openid".to_owned()));
    assert_eq!(granted(Some(""), "all openid"), Ok("all openid".to_owned()));
    assert_eq!(granted(None, ""), Err(ErrorCode::InvalidScope));
}

// spec: http.md, authorize, "`openid` among them implies"
#[test]
fn openid_implies_what_may_be_asked_for() {
    let all = "openid profile email roles offline_access";
    assert_eq!(granted(Some(all), "all openid"), Ok(all.to_owned()));
    assert_eq!(
        granted(Some("profile"), "all openid"),
        Ok("profile".to_owned())
    );
    assert_eq!(
        granted(Some("profile"), "all"),
        Err(ErrorCode::InvalidScope)
    );
}

// spec: http.md, authorize, "With `openid` requested, scopes that the client does not have"
#[test]
fn with_openid_unknown_scopes_are_dropped() {
    assert_eq!(
        granted(Some("openid address all"), "openid"),
        Ok("openid".to_owned())
    );
    assert_eq!(granted(Some("openid all"), "all"), Ok("all".to_owned()));
    assert_eq!(granted(Some("openid"), "all"), Err(ErrorCode::InvalidScope));
}

// spec: http.md, authorize, "without it they are `invalid_scope`"
#[test]
fn without_openid_unknown_scopes_are_an_error() {
    assert_eq!(
        granted(Some("all nope"), "all openid"),
        Err(ErrorCode::InvalidScope)
    );
    assert_eq!(
        granted(Some("ALL"), "all openid"),
        Err(ErrorCode::InvalidScope)
    );
    assert_eq!(granted(Some("all"), "all openid"), Ok("all".to_owned()));
}

// spec: RFC 6749 §6; security.md, Codes and tokens, "scope can only shrink"
#[test]
fn a_refresh_only_shrinks() {
    let narrow = |asked: Option<&str>| {
        narrow_scope(&scope("all openid"), asked.map(scope).as_ref()).map(|scope| scope.to_string())
    };
    assert_eq!(narrow(None).unwrap(), "all openid");
    assert_eq!(narrow(Some("all")).unwrap(), "all");
    assert_eq!(
        narrow(Some("nope")).unwrap_err().code,
        ErrorCode::InvalidScope
    );
    assert!(
        narrow(Some("all openid email")).is_err(),
        "implied is not granted"
    );
}

// spec: http.md, Resource server, "Scopes on resources"
#[test]
fn a_wider_scope_covers_a_narrower_one() {
    for (wide, narrow) in [
        ("all", "todo:read method:crm.api.home todo:*"),
        ("todo:*", "todo:read todo:delete"),
        ("todo:read todo:write todo:create todo:delete", "todo:*"),
        ("all", "no_such_thing:read"),
        ("openid", ""),
    ] {
        assert!(scope(wide).covers(&scope(narrow)), "{wide}: {narrow}");
        assert_eq!(scope(narrow).within(&scope(wide)), scope(narrow));
    }
    for (narrow, wide) in [
        ("todo:read", "todo:*"),
        ("todo:*", "all"),
        ("todo:read todo:write", "todo:*"),
        ("todo:read", "todo_list:read"),
        ("method:a.b", "method:a"),
        ("method:a.b", "method:a.b.c"),
        // What opens nothing is covered by nothing.
        ("all", "todo:fly"),
        ("all", "method:"),
        ("all", "ToDo:read"),
        ("all", "openid"),
        ("all", "offline_access"),
        ("all", "a:b:read"),
    ] {
        assert!(!scope(narrow).covers(&scope(wide)), "{narrow}: {wide}");
    }
    let some = scope("todo:read email note:read").within(&scope("openid todo:*"));
    assert_eq!(some.to_string(), "todo:read");
}

// spec: http.md, authorize, "scopes that the client does not have"
#[test]
fn a_part_of_a_registered_scope_may_be_asked_for() {
    let narrow = Ok("todo:read method:a.b".to_owned());
    assert_eq!(granted(Some("todo:read method:a.b"), "all"), narrow);
    assert_eq!(
        granted(Some("todo:read"), "todo:*"),
        Ok("todo:read".to_owned())
    );
    assert_eq!(
        granted(Some("openid note:read todo:write"), "openid todo:*"),
        Ok("openid todo:write".to_owned())
    );
    for (asked, client) in [("todo:*", "todo:read"), ("all", "todo:*"), ("x:fly", "all")] {
        assert_eq!(granted(Some(asked), client), Err(ErrorCode::InvalidScope));
    }
}

// spec: RFC 6749 §6; security.md, Codes and tokens, "scope can only shrink"
#[test]
fn a_refresh_may_take_a_part_of_a_scope() {
    let narrow = |granted: &str, asked: &str| {
        narrow_scope(&scope(granted), Some(&scope(asked))).map(|scope| scope.to_string())
    };
    assert_eq!(narrow("all openid", "todo:read").unwrap(), "todo:read");
    assert_eq!(
        narrow("todo:* openid", "openid todo:write").unwrap(),
        "openid todo:write"
    );
    assert!(narrow("todo:read", "todo:*").is_err());
    assert!(narrow("todo:read", "all").is_err());
}

fn any_resource_scope() -> impl Strategy<Value = Scope> {
    let token = "all|openid|(todo|note):(read|write|create|delete|\\*|fly)|method:(a|a\\.b)|x";
    prop::collection::vec(token, 0..6).prop_map(|tokens| Scope::parse(&tokens.join(" ")).unwrap())
}

fn any_scope() -> impl Strategy<Value = Scope> {
    prop::collection::vec("[a-d]|openid|email|all", 0..6)
        .prop_map(|tokens| Scope::parse(&tokens.join(" ")).unwrap())
}

proptest! {
    #[test]
    fn a_grant_opens_nothing_that_the_registered_scope_would_not(
        asked in any_resource_scope(), client in any_resource_scope(),
    ) {
        let opens = |scope: &Scope| ResourceScopes::of(scope);
        if let Ok(granted) = grant_scope(Some(&asked), &client) {
            prop_assert!(opens(&client).covers(&opens(&granted)), "{granted} of {client}");
            prop_assert!(client.with_implied().covers(&granted));
            prop_assert!(asked.is_empty() || granted.is_subset_of(&asked));
        }
        if let Ok(narrowed) = narrow_scope(&client, Some(&asked)) {
            prop_assert!(opens(&client).covers(&opens(&narrowed)));
            prop_assert!(client.covers(&narrowed));
        }
    }

    #[test]
    fn laws_of_covering(
        a in any_resource_scope(), b in any_resource_scope(), c in any_resource_scope(),
    ) {
        prop_assert!(a.covers(&a) && a.covers(&Scope::default()));
        prop_assert!(!b.is_subset_of(&a) || a.covers(&b));
        prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
        prop_assert!(a.union(&b).covers(&b) && a.covers(&a.intersection(&b)));
        let part = b.within(&a);
        prop_assert!(a.covers(&part) && part.is_subset_of(&b));
        prop_assert_eq!(part == b, a.covers(&b));
        prop_assert_eq!(part.within(&a), part.clone());
        // Together the parts that are covered open no more than what covers them.
        prop_assert!(ResourceScopes::of(&a).covers(&ResourceScopes::of(&part)));
    }

    #[test]
    fn set_laws(a in any_scope(), b in any_scope()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(a.union(&a), a.clone());
        prop_assert!(a.intersection(&b).is_subset_of(&a));
        prop_assert!(a.is_subset_of(&a.union(&b)));
        prop_assert_eq!(a.is_subset_of(&b), a.intersection(&b) == a);
        prop_assert_eq!(Scope::parse(&a.to_string()).unwrap(), a);
    }

    #[test]
    fn order_and_grouping_do_not_matter(a in any_scope(), b in any_scope(), c in any_scope()) {
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(
            a.intersection(&b).intersection(&c),
            a.intersection(&b.intersection(&c))
        );
        prop_assert_eq!(
            a.intersection(&b.union(&c)),
            a.intersection(&b).union(&a.intersection(&c))
        );
        prop_assert_eq!(a.union(&a.intersection(&b)), a.clone());
        prop_assert_eq!(a.intersection(&a.union(&b)), a.clone());
        let subset = a.is_subset_of(&b) && b.is_subset_of(&c);
        prop_assert!(!subset || a.is_subset_of(&c));
        prop_assert_eq!(a.with_implied().with_implied(), a.with_implied());
        prop_assert!(a.is_subset_of(&a.with_implied()));
        prop_assert!(!a.is_subset_of(&b) || a.with_implied().is_subset_of(&b.with_implied()));
    }

    #[test]
    fn what_was_given_up_does_not_come_back(
        granted in any_scope(), first in any_scope(), second in any_scope(),
    ) {
        let Ok(narrowed) = narrow_scope(&granted, Some(&first)) else { return Ok(()) };
        prop_assert_eq!(narrow_scope(&narrowed, None).unwrap(), narrowed.clone());
        prop_assert_eq!(narrow_scope(&narrowed, Some(&narrowed)).unwrap(), narrowed.clone());
        let back = narrow_scope(&narrowed, Some(&granted));
        prop_assert!(back.is_err() || narrowed == granted || granted.is_empty());
        if let Ok(further) = narrow_scope(&narrowed, Some(&second)) {
            prop_assert!(granted.covers(&further) && narrowed.covers(&further));
            prop_assert_eq!(narrow_scope(&granted, Some(&further)).unwrap(), further.clone());
        }
    }

    #[test]
    fn a_grant_stays_within_request_and_client(asked in any_scope(), client in any_scope()) {
        if let Ok(granted) = grant_scope(Some(&asked), &client) {
            prop_assert!(granted.is_subset_of(&client.with_implied()));
            prop_assert!(asked.is_empty() || granted.is_subset_of(&asked));
            prop_assert!(!granted.is_empty());
        }
    }

    #[test]
    fn narrowing_never_widens(granted in any_scope(), asked in any_scope()) {
        if let Ok(narrowed) = narrow_scope(&granted, Some(&asked)) {
            prop_assert!(narrowed.is_subset_of(&granted));
        }
    }
}
