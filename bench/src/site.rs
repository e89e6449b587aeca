//! The bench folder with one site, a user and a client, made through the program's own commands.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crema::Crema;
use crate::data::{self, Owner};
use crate::engine::{Database, Engine};

/// The site's name, and the host that requests ask for.
pub(crate) const HOST: &str = "bench.localhost";
/// The client's redirect URI.
pub(crate) const REDIRECT_URI: &str = "https://client.example/callback";
/// The verifier of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its challenge.
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The user.
pub(crate) const USER: &str = "jo@example.com";
/// The user's password.
pub(crate) const PASSWORD: &str = "correct-horse-battery-9";
/// What is remembered beside the bench.
const FILE: &str = "bench.json";

/// All that requests are made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Site {
    /// The client.
    pub(crate) client_id: String,
    client_secret: String,
    /// How many tokens are stored.
    pub(crate) tokens: u64,
    /// Where.
    pub(crate) database: Database,
}

impl Site {
    /// The site of a folder, made and filled unless an earlier run has done it.
    ///
    /// # Errors
    /// When a command fails or the database refuses.
    pub(crate) async fn open(crema: &Crema, engine: &Engine, tokens: u64) -> Result<Site> {
        let file = crema.bench().join(FILE);
        if let Ok(text) = std::fs::read_to_string(&file) {
            crema.run(&["--site", HOST, "migrate"])?;
            return Ok(serde_json::from_str(&text)?);
        }
        let site = Site::make(crema, engine, tokens)?;
        eprintln!("storing {tokens} tokens ({})", engine.name());
        let owner = Owner {
            client: site.client_id.clone(),
            user: USER.to_owned(),
        };
        let time = data::fill(&site.database, &owner, tokens).await?;
        eprintln!("stored in {:.1} s", time.as_secs_f64());
        std::fs::write(&file, serde_json::to_string_pretty(&site)?)?;
        Ok(site)
    }

    fn make(crema: &Crema, engine: &Engine, tokens: u64) -> Result<Site> {
        std::fs::create_dir_all(crema.bench())?;
        let mut args = vec!["new-site", HOST, "--set-default"];
        args.extend(["--admin-password", "correct-horse-battery-1"]);
        let options = engine.new_site_options();
        args.extend(options.iter().map(String::as_str));
        crema.run(&args)?;
        crema.run(&[
            "add-user",
            USER,
            "--first-name",
            "Jo",
            "--last-name",
            "Doe",
            "--password",
            PASSWORD,
        ])?;
        let acts_as = format!("user={USER}");
        let client = crema.json(&[
            "oauth-client",
            "add",
            "--app-name",
            "Bench",
            "--redirect-uri",
            REDIRECT_URI,
            "--allowed-role",
            "All",
            "--skip-authorization",
            "--id-token-alg",
            "EdDSA",
            "--grant-type",
            "authorization_code,refresh_token,password,client_credentials",
            "--set",
            &acts_as,
        ])?;
        let text = |name: &str| -> Result<String> {
            let value = client.get(name).and_then(Value::as_str);
            Ok(value.with_context(|| format!("no {name}"))?.to_owned())
        };
        Ok(Site {
            client_id: text("client_id")?,
            client_secret: text("client_secret")?,
            tokens,
            database: Database::of_site(&crema.bench().join("sites").join(HOST))?,
        })
    }

    /// The value of the client's `Authorization` header. Neither part needs encoding.
    pub(crate) fn basic(&self) -> String {
        let pair = format!("{}:{}", self.client_id, self.client_secret);
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }
}

/// The one database file of a site on SQLite.
///
/// # Errors
/// When there is none.
pub(crate) fn sqlite_file(site: &Path) -> Result<PathBuf> {
    let folder = site.join("db");
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            return Ok(path);
        }
    }
    anyhow::bail!("no database file in {}", folder.display())
}
