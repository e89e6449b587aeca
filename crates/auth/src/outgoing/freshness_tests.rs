use super::*;

fn fresh(headers: &[(&str, &str)]) -> Option<u64> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, value.parse().unwrap());
    }
    fresh_for(&map)
}

#[test]
fn cache_control() {
    for (value, expected) in [
        ("max-age=3600", Some(3600)),
        ("Public, Max-Age=60", Some(60)),
        ("max-age=\"60\"", Some(60)),
        ("max-age=60, max-age=10", Some(10)),
        ("max-age=0", Some(0)),
        ("max-age=99999999999999999999999", Some(1 << 31)),
        ("max-age=-1", Some(0)),
        ("max-age", Some(0)),
        ("max-age=1h", Some(0)),
        ("no-store", Some(0)),
        ("max-age=60, no-cache", Some(0)),
        ("no-cache=\"set-cookie\", max-age=60", Some(0)),
        ("private, max-age=60", Some(60)),
        ("s-maxage=60", None),
        ("public", None),
        ("", None),
        (",,,=,", None),
    ] {
        assert_eq!(fresh(&[("cache-control", value)]), expected, "{value}");
    }
    assert_eq!(
        fresh(&[
            ("cache-control", "max-age=60"),
            ("cache-control", "no-store")
        ]),
        Some(0)
    );
    assert_eq!(fresh(&[]), None);
}

#[test]
fn age_and_vary() {
    let hour = ("cache-control", "max-age=3600");
    assert_eq!(fresh(&[hour, ("age", "600")]), Some(3000));
    assert_eq!(fresh(&[hour, ("age", "7200")]), Some(0));
    assert_eq!(fresh(&[hour, ("age", "soon")]), Some(3600));
    assert_eq!(fresh(&[hour, ("vary", "accept-encoding")]), Some(3600));
    assert_eq!(fresh(&[hour, ("vary", "*")]), Some(0));
}

#[test]
fn expires() {
    let date = ("date", "Sat, 21 Nov 2026 18:00:00 GMT");
    let later = ("expires", "Sat, 21 Nov 2026 18:10:00 GMT");
    assert_eq!(fresh(&[date, later]), Some(600));
    assert_eq!(fresh(&[date, later, ("age", "60")]), Some(540));
    assert_eq!(fresh(&[later]), None);
    assert_eq!(
        fresh(&[date, ("expires", "Sat, 21 Nov 2026 17:00:00 GMT")]),
        Some(0)
    );
    assert_eq!(fresh(&[date, ("expires", "0")]), Some(0));
    assert_eq!(fresh(&[date, ("expires", "-1")]), Some(0));
    assert_eq!(
        fresh(&[date, later, ("cache-control", "max-age=5")]),
        Some(5)
    );
}
