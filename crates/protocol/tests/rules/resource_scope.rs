use std::collections::BTreeSet;

use crema_protocol::resource_scope::{ResourceScope, ResourceScopes, Verb};
use crema_protocol::scope::Scope;
use proptest::prelude::*;

fn of(text: &str) -> ResourceScopes {
    ResourceScopes::of(&Scope::parse(text).unwrap())
}

fn opened(scopes: &ResourceScopes, doctype: &str) -> Vec<&'static str> {
    let admitted = Verb::ALL
        .into_iter()
        .filter(|verb| scopes.admits(doctype, *verb));
    admitted.map(Verb::name).collect()
}

// spec: http.md, Scopes on resources, "`all` is everything the user may do"
#[test]
fn all_opens_everything() {
    let scopes = of("openid all");
    assert!(scopes.all);
    assert_eq!(opened(&scopes, "user").len(), 4);
    assert!(scopes.admits_method("frappe.client.get_list"));
}

// spec: http.md, Scopes on resources, "`<doctype>:read`, `<doctype>:write`, …"
#[test]
fn a_doctype_is_opened_verb_by_verb() {
    let scopes = of("crm_task:read crm_task:delete todo:* note:create");
    assert_eq!(opened(&scopes, "crm_task"), ["read", "delete"]);
    assert_eq!(
        opened(&scopes, "todo"),
        ["read", "write", "create", "delete"]
    );
    assert_eq!(opened(&scopes, "note"), ["create"]);
    assert!(opened(&scopes, "user").is_empty());
    assert!(!scopes.admits_method("frappe.client.get_list"));
}

// spec: http.md, Scopes on resources, "`method:<dotted.path>`"
#[test]
fn a_method_is_opened_by_its_path() {
    let scopes = of("method:crm.api.home_tasks");
    assert!(scopes.admits_method("crm.api.home_tasks"));
    assert!(!scopes.admits_method("crm.api.home"));
    assert!(!scopes.admits_method("crm.api.home_tasks.more"));
    assert!(opened(&scopes, "method").is_empty());
}

#[test]
fn words_of_any_other_form_open_nothing() {
    let others = [
        "",
        "openid profile email roles offline_access",
        "ALL All all:",
        "todo todo: :read todo:Read todo:READ todo:readwrite todo:fly",
        "ToDo:read TODO:read CRM_Task:read",
        "a:b:read https://a.example:read urn:x:read",
        "method: method:* method:. method:a. method:.a method:a..b method:a/b method",
        "METHOD:a.b Method:a.b",
        "todo:** todo:*:read todo:read,write",
    ];
    for text in others {
        assert!(of(text).is_empty(), "{text}: {:?}", of(text));
    }
    // A word for every DocType does not exist; this one names a DocType that cannot.
    assert!(opened(&of("*:read"), "user").is_empty());
}

#[test]
fn a_mistaken_word_can_be_told_from_a_foreign_one() {
    for token in ["ToDo:read", "todo:READ", ":write", "method:", "A:*"] {
        assert!(ResourceScope::is_meant(token), "{token}");
        assert_eq!(ResourceScope::parse(token), None, "{token}");
    }
    for token in [
        "openid",
        "urn:x:read",
        "https://a.example/x:read",
        "todo",
        "x:fly",
    ] {
        assert!(!ResourceScope::is_meant(token), "{token}");
    }
}

proptest! {
    /// What is opened is what was said, in any order, and nothing beside.
    #[test]
    fn the_words_decide_each_by_itself(
        words in prop::collection::vec(
            ("[a-z][a-z_]{0,5}", prop::sample::select(vec!["read", "write", "create", "delete", "*", "fly", "Read"])),
            0..12,
        ),
        asked in "[a-z][a-z_]{0,5}",
    ) {
        let text = words.iter().map(|(name, word)| format!("{name}:{word}")).collect::<Vec<_>>();
        let scopes = of(&text.join(" "));
        let names = words.iter().map(|(name, _)| name.as_str()).chain([asked.as_str()]);
        for name in names.filter(|name| *name != "method") {
            let own: BTreeSet<&str> = words.iter().filter(|(own, _)| own == name).map(|(_, word)| *word).collect();
            for verb in Verb::ALL {
                let expected = own.contains("*") || own.contains(verb.name());
                prop_assert_eq!(scopes.admits(name, verb), expected, "{} {:?}", name, verb);
            }
        }
        prop_assert!(!scopes.all);
    }

    /// Reading any token is safe, and what was read is written as it came.
    #[test]
    fn a_token_that_is_understood_is_written_as_it_came(token in "[!#-\\[\\]-~]{0,20}") {
        if let Some(read) = ResourceScope::parse(&token) {
            prop_assert_eq!(read.to_string(), token);
        }
    }

    /// A smaller scope never opens more.
    #[test]
    fn less_scope_opens_less(
        tokens in prop::collection::vec("(all|[a-c]:(read|write|\\*)|method:[a-c]\\.[a-c])", 0..8),
        keep in prop::collection::vec(any::<bool>(), 8),
    ) {
        let some: Vec<String> = tokens.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(token, _)| token.clone()).collect();
        let (whole, part) = (of(&tokens.join(" ")), of(&some.join(" ")));
        prop_assert!(whole.covers(&part));
        prop_assert!(part.covers(&ResourceScopes::default()));
        let mut opens_as_much = true;
        for doctype in ["a", "b", "c"] {
            for verb in Verb::ALL {
                prop_assert!(!part.admits(doctype, verb) || whole.admits(doctype, verb));
                opens_as_much &= part.admits(doctype, verb) || !whole.admits(doctype, verb);
            }
            for last in ["a", "b", "c"] {
                let method = format!("{doctype}.{last}");
                prop_assert!(!part.admits_method(&method) || whole.admits_method(&method));
                opens_as_much &= part.admits_method(&method) || !whole.admits_method(&method);
            }
        }
        prop_assert_eq!(part.covers(&whole), opens_as_much && part.all >= whole.all);
    }
}
