//! E-mail addresses as names of users.

/// The longest address that fits the columns it is stored in.
const LIMIT: usize = 140;

/// The address in the form in which it is stored and compared: trimmed and case-folded. `None`
/// when it is no address that a user could have.
// spec: doctypes.md, "E-mail addresses are case-folded"
pub fn normal_email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let valid = email.len() <= LIMIT && is_local_part(local) && is_domain(domain);
    valid.then_some(email)
}

fn is_local_part(local: &str) -> bool {
    let allowed =
        |c: char| c.is_alphanumeric() || (c.is_ascii_graphic() && !r#"()<>[]:;@\,""#.contains(c));
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    !local.is_empty() && local.len() <= 64 && !dots && local.chars().all(allowed)
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded() {
        assert_eq!(
            normal_email(" User@Example.COM ").as_deref(),
            Some("user@example.com")
        );
        assert_eq!(
            normal_email("o'neil+x@a-b.example").as_deref(),
            Some("o'neil+x@a-b.example")
        );
        assert_eq!(
            normal_email("grüße@bücher.example").as_deref(),
            Some("grüße@bücher.example")
        );
        assert_eq!(
            normal_email("root@localhost").as_deref(),
            Some("root@localhost")
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "x".repeat(65));
        for text in [
            "",
            "@",
            "a@",
            "@b.c",
            "a b@c.d",
            "a@b@c.d",
            "a@b..c",
            "a@-b.c",
            ".a@b.c",
            "a..b@c.d",
            "a@b.c\0",
            "a\n@b.c",
            "<a>@b.c",
            "Administrator",
            "a,b@c.d",
            "\"a\"@b.c",
            &long,
        ] {
            assert_eq!(normal_email(text), None, "{text:?}");
        }
    }
}
