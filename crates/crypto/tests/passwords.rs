//! Password hashes: our own, and those that passlib and argon2-cffi made.
// spec: security.md, Sign-in and sessions, line 1
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

use std::num::NonZeroU32;

use crema_crypto::password::{
    MAX_PASSWORD_BYTES, PasswordChecker, PasswordCost, Verification, hash, verify, verify_dummy,
};
use crema_crypto::{CryptoError, SeededEntropy};
use proptest::prelude::*;

const PASSWORD: &str = "S3cret pässwörd";
const REFUSED: Verification = Verification {
    valid: false,
    needs_upgrade: false,
};

/// Made with passlib 1.7.4, except the second half of the Argon2 ones
/// (argon2-cffi, for versions and lengths that passlib only reads).
const FOREIGN: &[(&str, &str)] = &[
    (
        PASSWORD,
        "$pbkdf2-sha256$29000$AAECAwQFBgcICQoLDA0ODw$WEm4.1yYdxczUYFiVuukR9ZtsMywg.AoPy09v9wd/mI",
    ),
    (
        "admin",
        "$pbkdf2-sha256$29000$./v7./v7./v7./v7./v7.w$dEsOGLgnjiTjbFrRkrE0FArGexrmxiJ7HmE2qKPfO9M",
    ),
    (
        "admin",
        "$pbkdf2-sha256$1$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
    ),
    (
        PASSWORD,
        "$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$hEu8Bsk1z546N4q5MHalqgSjHHFSY6w3O7K6Q6kbgPs",
    ),
    (
        PASSWORD,
        "$argon2i$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$cg5x9jNNzFfUHnpgFrDwwcAbtva2tKdJItZ3eEMmJkc",
    ),
    (
        PASSWORD,
        "$argon2d$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$fzDbVoS8oWr0haGUy/+FEM4LSEulQnJ/5pFnG/IjHtw",
    ),
    (
        PASSWORD,
        "$argon2id$v=19$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$BdMoLaBTZ+5PWCuo4qEWrlJaeCYB8JUl/hCLI+xva3o",
    ),
    (
        PASSWORD,
        "$argon2i$v=16$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$bCWBx0U3tIM6MAcsXVzjgYyniw81gBjvm0jN8NNK1U0",
    ),
    (
        PASSWORD,
        "$argon2i$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$bCWBx0U3tIM6MAcsXVzjgYyniw81gBjvm0jN8NNK1U0",
    ),
    (
        PASSWORD,
        "$argon2id$v=19$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    ),
];

/// Strings that must be refused as stored hashes, each for one fault.
const DAMAGED: &[&str] = &[
    "",
    "admin",
    "$",
    "$pbkdf2-sha256$",
    "$pbkdf2-sha256$29000$AAEC",
    "$pbkdf2-sha256$29000$AAEC$AAEC",
    "$pbkdf2-sha256$0$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
    "$pbkdf2-sha256$01$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
    "$pbkdf2-sha256$+1$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
    "$pbkdf2-sha256$2000001$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
    "$pbkdf2-sha256$4294967296$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
    "$pbkdf2-sha256$1$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk=",
    "$pbkdf2-sha256$1$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk$x",
    "$pbkdf2-sha256$1$a+bc$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
    "$pbkdf2-sha512$1$$26F9kTf0oY1QAVdms5tN9LJRBOY6ZQaQMOX9v8ivAHk",
    "$argon2id$v=19$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$",
    "$argon2id$v=19$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$AAAA",
    "$argon2id$v=19$m=512,t=2,p=2$AAEC$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=512,t=2$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$t=2,m=512,p=2$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=512,t=2,p=2,data=AA$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=18$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=1,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=512,t=0,p=2$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=512,t=2,p=0$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=262145,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=65536,t=17,p=1$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=4294967295,t=4294967295,p=1$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2id$v=19$m=1024,t=1,p=65$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
    "$argon2x$v=19$m=512,t=2,p=2$AAECAwQFBgcICQoLDA0ODw$GFU0vsl86b7aflLs7yYqbw",
];

fn new_hash(password: &str, cost: &PasswordCost) -> String {
    hash(password, cost, &SeededEntropy::new(1)).unwrap()
}

#[test]
fn the_default_cost_is_owasps_and_round_trips() {
    let cost = PasswordCost::default();
    let stored = new_hash(PASSWORD, &cost);
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(
        verify(PASSWORD, &stored, &cost).unwrap(),
        Verification {
            valid: true,
            needs_upgrade: false
        }
    );
    assert!(!verify("S3cret passwörd", &stored, &cost).unwrap().valid);
}

#[test]
fn hashes_of_passlib_verify_and_ask_for_an_upgrade() {
    for (password, stored) in FOREIGN {
        let right = verify(password, stored, &PasswordCost::default()).unwrap();
        assert!(right.valid && right.needs_upgrade, "{stored}");
        let wrong = verify("something else", stored, &PasswordCost::default()).unwrap();
        assert!(!wrong.valid, "{stored}");
    }
}

#[test]
fn another_cost_asks_for_an_upgrade() {
    let minimal = PasswordCost::minimal();
    let stored = new_hash(PASSWORD, &minimal);
    assert!(!verify(PASSWORD, &stored, &minimal).unwrap().needs_upgrade);
    for cost in [
        PasswordCost {
            memory_kib: 16,
            ..minimal
        },
        PasswordCost {
            iterations: 2,
            ..minimal
        },
        PasswordCost {
            memory_kib: 16,
            parallelism: 2,
            ..minimal
        },
    ] {
        let checked = verify(PASSWORD, &stored, &cost).unwrap();
        assert!(checked.valid && checked.needs_upgrade, "{cost:?}");
    }
}

#[test]
fn a_hash_has_its_own_salt() {
    let entropy = SeededEntropy::new(5);
    let cost = PasswordCost::minimal();
    let one = hash(PASSWORD, &cost, &entropy).unwrap();
    let other = hash(PASSWORD, &cost, &entropy).unwrap();
    assert_ne!(one, other);
    assert!(verify(PASSWORD, &other, &cost).unwrap().valid);
}

#[test]
fn damaged_or_dear_hashes_are_refused() {
    for stored in DAMAGED.iter().copied().chain([&*"$argon2id".repeat(200)]) {
        assert_eq!(
            verify(PASSWORD, stored, &PasswordCost::minimal()).unwrap_err(),
            CryptoError::PasswordHash,
            "{stored}"
        );
    }
}

#[test]
fn passwords_have_at_most_512_bytes() {
    let cost = PasswordCost::minimal();
    let longest = "x".repeat(MAX_PASSWORD_BYTES);
    let stored = new_hash(&longest, &cost);
    assert!(verify(&longest, &stored, &cost).unwrap().valid);
    let too_long = format!("{longest}x");
    let error = CryptoError::PasswordTooLong;
    let checker = PasswordChecker {
        cost,
        legacy_rounds: None,
    };
    assert_eq!(
        hash(&too_long, &cost, &SeededEntropy::new(1)).unwrap_err(),
        error
    );
    assert_eq!(verify(&too_long, &stored, &cost).unwrap_err(), error);
    assert_eq!(verify_dummy(&too_long, &cost).unwrap_err(), error);
    assert_eq!(checker.check(&too_long, None).unwrap_err(), error);
}

#[test]
fn a_cost_that_could_never_be_verified_is_refused() {
    let minimal = PasswordCost::minimal();
    for cost in [
        PasswordCost {
            memory_kib: 0,
            ..minimal
        },
        PasswordCost {
            memory_kib: 262_145,
            ..minimal
        },
        PasswordCost {
            iterations: 0,
            ..minimal
        },
        PasswordCost {
            memory_kib: 65_536,
            iterations: 17,
            parallelism: 1,
        },
        PasswordCost {
            parallelism: 0,
            ..minimal
        },
        PasswordCost {
            memory_kib: 1024,
            iterations: 1,
            parallelism: 65,
        },
    ] {
        assert_eq!(
            hash(PASSWORD, &cost, &SeededEntropy::new(1)).unwrap_err(),
            CryptoError::PasswordCost,
            "{cost:?}"
        );
    }
}

// spec: security.md, Sign-in and sessions, line 2
#[test]
fn the_checker_refuses_unknown_users_and_accepts_right_passwords() {
    let cost = PasswordCost::minimal();
    let stored = new_hash(PASSWORD, &cost);
    let legacy = FOREIGN[0].1;
    for legacy_rounds in [None, NonZeroU32::new(29_000), Some(NonZeroU32::MAX)] {
        let checker = PasswordChecker {
            cost,
            legacy_rounds,
        };
        assert_eq!(checker.check(PASSWORD, None).unwrap(), REFUSED);
        assert!(checker.check(PASSWORD, Some(&stored)).unwrap().valid);
        assert!(!checker.check("wrong", Some(&stored)).unwrap().valid);
        assert!(checker.check(PASSWORD, Some(legacy)).unwrap().needs_upgrade);
        assert!(!checker.check("wrong", Some(legacy)).unwrap().valid);
        assert_eq!(
            checker.check(PASSWORD, Some("damaged")).unwrap_err(),
            CryptoError::PasswordHash
        );
    }
    assert_eq!(verify_dummy(PASSWORD, &cost).unwrap(), REFUSED);
}

proptest! {
    #[test]
    fn stored_strings_never_panic(stored in ".{0,120}") {
        let _ = verify(PASSWORD, &stored, &PasswordCost::minimal());
    }

    #[test]
    fn near_misses_never_panic(
        kind in "(argon2id|argon2i|argon2d|pbkdf2-sha256)",
        version in "(v=[0-9]{1,3}\\$)?",
        cost in "(m=[0-9]{1,2},t=[0-3],p=[0-2]|[0-9]{1,3})",
        salt in "[A-Za-z0-9+/.=]{0,24}",
        digest in "[A-Za-z0-9+/.=]{0,48}",
    ) {
        let stored = format!("${kind}${version}{cost}${salt}${digest}");
        let _ = verify(PASSWORD, &stored, &PasswordCost::minimal());
    }

    #[test]
    fn any_password_round_trips(password in ".{0,100}", other in ".{0,100}", seed: u64) {
        let cost = PasswordCost::minimal();
        let stored = hash(&password, &cost, &SeededEntropy::new(seed)).unwrap();
        prop_assert!(verify(&password, &stored, &cost).unwrap().valid);
        prop_assume!(password != other);
        prop_assert!(!verify(&other, &stored, &cost).unwrap().valid);
    }
}
