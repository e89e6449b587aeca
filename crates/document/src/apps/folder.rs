//! What is in an app's folder.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::AppError;
use super::files::{self, AppFiles, fault};
use super::fixtures::{self, Fixture};
use super::stored::Stored;
use crate::doctype::{DefinitionError, DocType, Field, Naming};
use crate::{Bench, names};

/// Members of every document, which no field can have the name of.
const MEMBERS: &[&str] = &["doctype", "flags", "__islocal", "__unsaved", "__onload"];

/// An app as its folder has it.
#[derive(Clone, Debug)]
pub struct AppFolder {
    /// Its name, which is that of the folder.
    pub name: String,
    /// `__version__` of its package, empty when it has none.
    pub version: String,
    /// Its DocTypes.
    pub definitions: Vec<Definition>,
    /// Its documents.
    pub fixtures: Vec<Fixture>,
}

/// An app whose DocTypes are compiled into the program, so that it needs no folder.
#[derive(Debug)]
pub struct BuiltinApp {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// File names of its DocTypes, as errors show them, and what they hold.
    pub doctypes: &'static [(&'static str, &'static str)],
}

/// A DocType of an app.
#[derive(Clone, Debug)]
pub struct Definition {
    /// What the file says.
    pub doctype: DocType,
    /// The file.
    pub file: PathBuf,
    text: String,
}

impl AppFolder {
    /// An app that the bench brings along, else what is in `apps/<app>/`: definitions from `**/doctype/**.json`, documents from
    /// `**/fixtures/*.json`. Whether links lead somewhere is not looked at yet.
    ///
    /// # Errors
    /// [`AppError`] that names the file, when the app cannot be used.
    pub fn read(bench: &Bench, app: &str) -> Result<AppFolder, AppError> {
        if !is_app_name(app) {
            return Err(AppError::BadName(app.to_owned()));
        }
        if matches!(app, "frappe" | "crema") {
            return Err(AppError::Reserved(app.to_owned()));
        }
        if let Some(builtin) = bench.builtin_app(app) {
            return AppFolder::builtin(builtin);
        }
        let folder = files::app_folder(bench, app)?;
        let found = AppFiles::find(&folder)?;
        let mut definitions: Vec<Definition> = Vec::new();
        for file in &found.doctypes {
            let Some(definition) = Definition::read(app, file)? else {
                continue;
            };
            let name = &definition.doctype.name;
            if let Some(other) = definitions.iter().find(|one| one.doctype.name == *name) {
                let reason = format!("{name} is defined in {} too", other.file.display());
                return Err(fault(file, reason));
            }
            definitions.push(definition);
        }
        let mut documents = Vec::new();
        for file in &found.fixtures {
            documents.extend(fixtures::read(file)?);
        }
        if definitions.is_empty() && documents.is_empty() {
            return Err(fault(&folder, "it has no DocTypes and no fixtures"));
        }
        Ok(AppFolder {
            name: app.to_owned(),
            version: version(&folder, app),
            definitions,
            fixtures: documents,
        })
    }

    /// What a compiled-in app holds.
    fn builtin(app: &BuiltinApp) -> Result<AppFolder, AppError> {
        let mut definitions = Vec::new();
        for (file, text) in app.doctypes {
            definitions.extend(Definition::parse(
                app.name,
                Path::new(file),
                (*text).to_owned(),
            )?);
        }
        Ok(AppFolder {
            name: app.name.to_owned(),
            version: app.version.to_owned(),
            definitions,
            fixtures: Vec::new(),
        })
    }

    /// The definitions as a site keeps them.
    pub(crate) fn stored(&self) -> impl Iterator<Item = Stored> {
        self.definitions.iter().map(|definition| Stored {
            name: definition.doctype.name.clone(),
            app: self.name.clone(),
            hash: names::sha256_hex(definition.text.as_bytes()),
            definition: definition.text.clone(),
        })
    }

    /// The error of a definition with its file, when it is one of this app's.
    pub(crate) fn locate(&self, error: &DefinitionError) -> Option<AppError> {
        let mut definitions = self.definitions.iter();
        let found = definitions.find(|one| one.doctype.name == error.source_name)?;
        Some(fault(&found.file, error.reason.clone()))
    }
}

impl Definition {
    /// Reads a file. `None` for one that holds something else, such as test records.
    fn read(app: &str, file: &Path) -> Result<Option<Definition>, AppError> {
        Definition::parse(app, file, files::read(file)?)
    }

    fn parse(app: &str, file: &Path, text: String) -> Result<Option<Definition>, AppError> {
        let json: Value =
            serde_json::from_str(&text).map_err(|error| fault(file, error.to_string()))?;
        let Value::Object(members) = &json else {
            return Ok(None);
        };
        match members.get("doctype").and_then(Value::as_str) {
            Some("DocType") => {}
            Some(_) => return Ok(None),
            None => return Err(fault(file, r#"it does not say "doctype": "DocType""#)),
        }
        let mut doctype =
            DocType::from_json("", &text).map_err(|error| fault(file, error.reason))?;
        check(&doctype).map_err(|reason| fault(file, reason))?;
        app.clone_into(&mut doctype.app);
        Ok(Some(Definition {
            doctype,
            file: file.to_owned(),
            text,
        }))
    }
}

/// What an app's DocType must not have, beside what none may.
fn check(doctype: &DocType) -> Result<(), String> {
    let letter = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-');
    let begins = doctype.name.starts_with(char::is_alphabetic);
    if !begins || !doctype.name.chars().all(letter) {
        return Err("name: it needs letters, digits, blanks, _ and -, a letter first".to_owned());
    }
    if names::snake_case(&doctype.name) == "method" {
        return Err("name: scopes use this word for something else".to_owned());
    }
    if doctype.issingle && doctype.istable {
        return Err("it cannot be a single and rows of others at once".to_owned());
    }
    if doctype.is_virtual {
        return Err("is_virtual: its documents would have to be made by code".to_owned());
    }
    check_naming(doctype)?;
    for field in &doctype.fields {
        if MEMBERS.contains(&field.fieldname.as_str()) {
            return Err(format!("{}: no field can have this name", field.fieldname));
        }
    }
    Ok(())
}

fn check_naming(doctype: &DocType) -> Result<(), String> {
    let known = |name: &str| doctype.field(name).is_some_and(Field::has_column);
    let missing = |name: &str| Err(format!("autoname: there is no field {name}"));
    match doctype.naming() {
        Naming::Field(field) if !known(&field) => missing(&field),
        Naming::Format(format) => {
            let braces = format.split('{').skip(1);
            let mut fields = braces.filter_map(|part| Some(part.split_once('}')?.0));
            // Frappe's own placeholders (`{#####}`, `{YYYY}`) are no names of fields.
            let field_like =
                |name: &&str| name.starts_with(|c: char| c.is_ascii_lowercase()) && !known(name);
            fields.find(field_like).map_or(Ok(()), missing)
        }
        _ => Ok(()),
    }
}

/// Whether a text can be the name of an app: that of a Python package, as Frappe's have, and
/// therefore never a path.
pub fn is_app_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= 60
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(plain)
}

/// `__version__ = "1.2"` of `<app>/__init__.py`, where Frappe's apps have it.
fn version(folder: &Path, app: &str) -> String {
    let text = files::read(&folder.join(app).join("__init__.py")).unwrap_or_default();
    let value = text.lines().find_map(|line| {
        let value = line.trim().strip_prefix("__version__")?.trim_start();
        let value = value.strip_prefix('=')?.trim();
        let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
        quoted('"').or_else(|| quoted('\''))
    });
    value.unwrap_or_default().chars().take(140).collect()
}
