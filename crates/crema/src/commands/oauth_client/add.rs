//! `oauth-client add`.

use clap::Args;
use crema_auth::client::{self, ClientFields, NewClient};
use crema_protocol::client_rules::GrantType;

use super::{assign, with_secret};
use crate::advice::Usage;
use crate::answer::Answer;
use crate::shell::{BY, OpenSite, SiteCommand};

/// Add a client; prints its id and, for a confidential one, its secret this once.
///
/// Users with the role Desk User may use it, unless --allowed-role names others: `All` admits
/// everybody.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    crema oauth-client add --app-name Shop --redirect-uri https://shop.example.com/callback\n\n\
    An app on a phone, on a desktop or in a browser has no secret and uses PKCE:\n  \
    crema oauth-client add --app-name 'Field App' --public \
    --redirect-uri com.example.field://oauth2")]
pub(crate) struct Add {
    /// What users read on the consent page.
    #[arg(long, value_name = "NAME")]
    app_name: String,
    /// Where browsers are sent back to; compared byte for byte. May be given several times; the
    /// first is the default.
    #[arg(long, value_name = "URI", num_args = 1..)]
    redirect_uri: Vec<String>,
    /// What it may ask for. `all` is everything that the user may do: for your own apps only.
    #[arg(long, value_name = "SCOPES", default_value = "all openid")]
    scopes: String,
    /// A client without a secret, which has to use PKCE.
    #[arg(long)]
    public: bool,
    /// The grants it may use, separated by commas: authorization_code, refresh_token, and the
    /// legacy ones password, implicit; client_credentials. Without it the first two.
    #[arg(long, value_name = "LIST")]
    grant_type: Option<String>,
    /// `Token` allows tokens in the authorization response (legacy), and with it the implicit
    /// grant.
    #[arg(long, value_name = "TYPE", value_parser = ["Code", "Token"])]
    response_type: Option<String>,
    /// Do not ask users for consent: for your own apps only.
    #[arg(long)]
    skip_authorization: bool,
    /// Algorithm of ID tokens: RS256, ES256, EdDSA, PS256, or HS256 with the client secret.
    #[arg(long, value_name = "ALG")]
    id_token_alg: Option<String>,
    /// A role whose users may use it; may be given several times.
    #[arg(long = "allowed-role", value_name = "ROLE")]
    allowed_roles: Vec<String>,
    /// Any other field of OAuth Client, see docs/configuration.md; may be given several times.
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
}

impl Add {
    fn fields(&self) -> anyhow::Result<ClientFields> {
        let mut fields = ClientFields::new()
            .with("app_name", &self.app_name)
            .with("scopes", &self.scopes);
        if !self.redirect_uri.is_empty() {
            fields.set("redirect_uris", self.redirect_uri.join("\n"));
        }
        if self.public {
            fields.set("token_endpoint_auth_method", "None");
        }
        if let Some(list) = &self.grant_type {
            fields.set("grant_types", grant_types(list)?);
        }
        if let Some(response_type) = &self.response_type {
            fields.set("response_type", response_type);
        }
        if self.skip_authorization {
            fields.set("skip_authorization", "1");
        }
        if let Some(algorithm) = &self.id_token_alg {
            fields.set("id_token_signed_response_alg", algorithm);
        }
        if !self.allowed_roles.is_empty() {
            fields.set("allowed_roles", self.allowed_roles.join("\n"));
        }
        assign(&mut fields, &self.set)?;
        Ok(fields)
    }
}

/// A list of grants as the record keeps it. One of Frappe's labels, `Authorization Code` or
/// `Implicit`, may stand for the list.
fn grant_types(list: &str) -> anyhow::Result<String> {
    let words = match GrantType::from_label(list) {
        Some(_) => vec![list],
        None => list
            .split([',', ' ', '\n'])
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect(),
    };
    let mut grants: Vec<&str> = Vec::new();
    for word in words {
        let unknown = || {
            let known: Vec<&str> = GrantType::ALL.iter().map(|grant| grant.as_str()).collect();
            Usage(format!(
                "There is no grant type {word:?}; there are: {}.",
                known.join(", ")
            ))
        };
        grants.push(GrantType::from_label(word).ok_or_else(unknown)?.as_str());
    }
    // Frappe's label says nothing of refresh tokens, which come with its code grant.
    if list.contains(' ') && grants == ["authorization_code"] {
        grants.push("refresh_token");
    }
    Ok(grants.join("\n"))
}

impl SiteCommand for Add {
    async fn run(&self, site: &OpenSite) -> anyhow::Result<Answer> {
        let new = NewClient {
            fields: self.fields()?,
            ..NewClient::default()
        };
        let made = client::create(&site.ctx, BY, new).await?;
        let mut text = format!("Client {} added.", self.app_name);
        text.push_str(&format!("\nclient_id: {}", made.client_id));
        Ok(with_secret(text, &made))
    }
}
