//! The bench folder with one site, a user and a client, made through the program's own commands.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crema::Crema;
use crate::data::{self, Owner};
use crate::engine::{Database, Engine};
use crate::servers::DbServer;

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
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The client.
    pub(crate) client_id: String,
    client_secret: String,
    /// How many tokens are stored.
    pub(crate) tokens: u64,
    /// Where.
    pub(crate) database: Database,
    /// Its folder.
    pub(crate) folder: PathBuf,
}

/// What is kept of it.
#[derive(Serialize, Deserialize)]
struct Saved {
    client_id: String,
    client_secret: String,
    tokens: u64,
}

impl Site {
    /// The site of a folder, made and filled unless an earlier run has done it.
    ///
    /// # Errors
    /// When a command fails or the database refuses.
    pub(crate) async fn open(
        crema: &Crema,
        engine: Engine,
        server: Option<&DbServer>,
        tokens: u64,
    ) -> Result<Site> {
        let file = crema.bench().join(FILE);
        let folder = crema.bench().join("sites").join(HOST);
        if let Ok(text) = std::fs::read_to_string(&file) {
            let saved: Saved = serde_json::from_str(&text)?;
            if let Some(server) = server {
                let port = server.root.port.to_string();
                crema.run(&["--site", HOST, "set-config", "db_port", &port])?;
            }
            crema.run(&["--site", HOST, "migrate"])?;
            return Site::of(saved, folder);
        }
        let saved = make(crema, engine, server, tokens)?;
        let text = serde_json::to_string_pretty(&saved)?;
        let site = Site::of(saved, folder)?;
        data::allow_attempts(&site.database).await?;
        eprintln!("storing {tokens} tokens ({})", engine.name());
        let owner = Owner {
            client: site.client_id.clone(),
            user: USER.to_owned(),
        };
        let root = server.map(|server| &server.root);
        let time = data::fill(&site.database, root, &owner, tokens).await?;
        eprintln!("stored in {:.1} s", time.as_secs_f64());
        std::fs::write(&file, text)?;
        Ok(site)
    }

    fn of(saved: Saved, folder: PathBuf) -> Result<Site> {
        Ok(Site {
            client_id: saved.client_id,
            client_secret: saved.client_secret,
            tokens: saved.tokens,
            database: Database::of_site(&folder)?,
            folder,
        })
    }

    /// The value of the client's `Authorization` header. Neither part needs encoding.
    pub(crate) fn basic(&self) -> String {
        let pair = format!("{}:{}", self.client_id, self.client_secret);
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }
}

fn make(crema: &Crema, engine: Engine, server: Option<&DbServer>, tokens: u64) -> Result<Saved> {
    std::fs::create_dir_all(crema.bench())?;
    let options = server.map(|server| server.new_site_options(engine));
    let mut args = vec!["new-site", HOST, "--set-default"];
    args.extend(["--admin-password", "correct-horse-battery-1"]);
    args.extend(options.iter().flatten().map(String::as_str));
    crema.run(&args)?;
    let name = ["--first-name", "Jo", "--last-name", "Doe"];
    crema.run(&[&["add-user", USER, "--password", PASSWORD], &name[..]].concat())?;
    let acts_as = format!("user={USER}");
    let client = crema.json(&[
        "oauth-client",
        "add",
        "--app-name=Bench",
        "--redirect-uri",
        REDIRECT_URI,
        "--allowed-role=All",
        "--skip-authorization",
        "--id-token-alg=EdDSA",
        "--grant-type=authorization_code,refresh_token,password,client_credentials",
        "--set",
        &acts_as,
    ])?;
    let text = |name: &str| -> Result<String> {
        let value = client.get(name).and_then(Value::as_str);
        Ok(value.with_context(|| format!("no {name}"))?.to_owned())
    };
    Ok(Saved {
        client_id: text("client_id")?,
        client_secret: text("client_secret")?,
        tokens,
    })
}
