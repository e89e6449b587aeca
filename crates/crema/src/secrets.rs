//! Passwords: from a prompt, a file, stdin, or the command line.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use crema_auth::password::TOO_LONG;
use crema_crypto::{Entropy, Secret, random_token};

use crate::advice::Usage;

/// The longest password, in bytes, as in Frappe.
const LONGEST: usize = 512;
/// The most that is read where a password is expected, in bytes.
const MOST_READ: u64 = 4096;

/// Where the password of a user comes from.
#[derive(Args, Debug)]
pub(crate) struct PasswordOptions {
    /// The password. Other users of this machine can see it while the command runs: better
    /// leave it out and be asked, or use one of the next two.
    #[arg(long, value_name = "PASSWORD")]
    password: Option<Secret<String>>,
    /// Read the password from a file; `-` is stdin. A line break at its end does not count.
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    password_file: Option<PathBuf>,
    /// Read the password from stdin.
    #[arg(long, conflicts_with_all = ["password", "password_file"])]
    password_stdin: bool,
}

impl PasswordOptions {
    /// The password, if one of the options gives it.
    pub(crate) fn given(&self) -> anyhow::Result<Option<Secret<String>>> {
        let password = given(
            self.password.as_ref(),
            self.password_file.as_deref(),
            self.password_stdin,
        )?;
        password.map(checked).transpose()
    }

    /// The password; on a terminal asked for when no option gives it, and may be left out.
    pub(crate) fn optional(&self, of: &str) -> anyhow::Result<Option<Secret<String>>> {
        match self.given()? {
            Some(password) => Ok(Some(password)),
            None if is_terminal() => asked_twice(&format!("{of} (empty for none)")),
            None => Ok(None),
        }
    }
}

/// A secret from whichever of the three was named.
pub(crate) fn given(
    argument: Option<&Secret<String>>,
    file: Option<&Path>,
    stdin: bool,
) -> anyhow::Result<Option<Secret<String>>> {
    match (argument, file) {
        (Some(secret), _) => Ok(Some(secret.clone())),
        (None, Some(path)) if path == Path::new("-") => from_stdin().map(Some),
        (None, Some(path)) => {
            let read = fs::File::open(path).and_then(read);
            let secret = read.with_context(|| path.display().to_string())?;
            Ok(Some(secret))
        }
        (None, None) if stdin => from_stdin().map(Some),
        (None, None) => Ok(None),
    }
}

/// What stdin holds, without the line break at its end.
pub(crate) fn from_stdin() -> anyhow::Result<Secret<String>> {
    read(io::stdin().lock()).context("stdin")
}

fn read(source: impl io::Read) -> io::Result<Secret<String>> {
    let mut text = String::new();
    source.take(MOST_READ).read_to_string(&mut text)?;
    let end = text.strip_suffix('\n').unwrap_or(&text);
    let end = end.strip_suffix('\r').unwrap_or(end).len();
    text.truncate(end);
    Ok(Secret::new(text))
}

/// A password that a user can have.
///
/// # Errors
/// [`Usage`] when it is empty or too long, before anything was done.
pub(crate) fn checked(password: Secret<String>) -> anyhow::Result<Secret<String>> {
    if password.expose().is_empty() {
        return Err(Usage("The password is empty.".to_owned()).into());
    }
    if password.expose().len() > LONGEST {
        return Err(Usage(format!("{TOO_LONG}: {LONGEST} bytes.")).into());
    }
    Ok(password)
}

/// A password that has to be typed, since no option gave it.
///
/// # Errors
/// [`Usage`] when there is nobody to ask, or nothing was typed.
pub(crate) fn required(of: &str) -> anyhow::Result<Secret<String>> {
    if !is_terminal() {
        let text = "A password is needed: give --password-file FILE or --password-stdin.";
        return Err(Usage(text.to_owned()).into());
    }
    match asked_twice(of)? {
        Some(password) => Ok(password),
        None => Err(Usage("The password is empty.".to_owned()).into()),
    }
}

/// Whether somebody is there to be asked.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// A secret typed without being shown.
pub(crate) fn asked(what: &str) -> anyhow::Result<Secret<String>> {
    let typed = rpassword::prompt_password(format!("{what}: "));
    Ok(Secret::new(typed.context("the terminal")?))
}

fn asked_twice(of: &str) -> anyhow::Result<Option<Secret<String>>> {
    let first = asked(&format!("Password of {of}"))?;
    if first.expose().is_empty() {
        return Ok(None);
    }
    if asked("The same again")? != first {
        anyhow::bail!("the two passwords differ; nothing was changed");
    }
    checked(first).map(Some)
}

/// A password that nobody chose: 20 characters, 119 bits.
pub(crate) fn generated(entropy: &dyn Entropy) -> Secret<String> {
    let token = random_token(entropy);
    Secret::new(token.expose().chars().take(20).collect())
}
