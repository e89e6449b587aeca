//! Who may do what with a Ticket: the rule that the answers are compared with.

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Read,
    Write,
    Create,
    Delete,
}

impl Action {
    /// The word of scopes.
    pub(super) fn word(self) -> &'static str {
        match self {
            Action::Read => "read",
            Action::Write => "write",
            Action::Create => "create",
            Action::Delete => "delete",
        }
    }
}

/// Somebody, by what the roles give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Person {
    /// Nobody is signed in.
    Guest,
    /// A Website User: `All` and `Guest` only.
    Website,
    /// A System User with a role that no Ticket knows: `Desk User`.
    Desk,
    /// Reads all tickets.
    Reader,
    /// Everything on tickets of which they are the owner, or that are assigned to them.
    Agent,
    /// Everything on tickets of the region North, by a User Permission.
    Clerk,
    /// Everything, and fields of level 1.
    Lead,
    /// System Manager.
    Manager,
    /// Administrator.
    Administrator,
}

/// Everybody.
pub(super) const PEOPLE: &[Person] = &[
    Person::Guest,
    Person::Website,
    Person::Desk,
    Person::Reader,
    Person::Agent,
    Person::Clerk,
    Person::Lead,
    Person::Manager,
    Person::Administrator,
];

/// How a ticket stands to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// They made it; region North.
    Own,
    /// Somebody else made it, and it is assigned to them; region North.
    Assigned,
    /// Neither; region North.
    Foreign,
    /// They made it; region South.
    OwnSouth,
}

/// Every kind.
pub(super) const KINDS: &[Kind] = &[Kind::Own, Kind::Assigned, Kind::Foreign, Kind::OwnSouth];

/// How somebody shows who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential {
    /// The cookie of a session.
    Session,
    /// The user's pair of key and secret.
    Key,
    /// One of the user's further keys, with these scopes.
    Limited(&'static str),
    /// An access token with these scopes.
    Bearer(&'static str),
}

/// Scopes of the tokens: none that opens documents, all, each verb, and another DocType's.
pub(super) const SCOPES: &[&str] = &[
    "openid",
    "all",
    "ticket:read",
    "ticket:write",
    "ticket:create",
    "ticket:delete",
    "ticket:*",
    "region:*",
];

/// What has to come of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done.
    Done,
    /// 401: somebody has to sign in.
    SignIn,
    /// 403: this user may not.
    Denied,
    /// 403: the user may, but the token or key lacks this scope.
    Scope(String),
}

impl Person {
    /// Whether a role gives the action on any ticket.
    fn has_right(self, action: Action) -> bool {
        match self {
            Person::Guest | Person::Website | Person::Desk => false,
            Person::Reader => action == Action::Read,
            Person::Agent
            | Person::Clerk
            | Person::Lead
            | Person::Manager
            | Person::Administrator => true,
        }
    }

    /// Whether the right covers a ticket of that kind.
    pub(super) fn covers(self, kind: Kind) -> bool {
        match self {
            Person::Guest | Person::Website | Person::Desk => false,
            Person::Agent => kind != Kind::Foreign,
            Person::Clerk => kind != Kind::OwnSouth,
            Person::Reader | Person::Lead | Person::Manager | Person::Administrator => true,
        }
    }

    /// Whether fields of level 1 are shown.
    pub(super) fn sees_level_one(self) -> bool {
        matches!(self, Person::Lead | Person::Manager | Person::Administrator)
    }
}

impl Credential {
    fn opens(self, action: Action) -> bool {
        match self {
            Credential::Session | Credential::Key | Credential::Bearer("all") => true,
            Credential::Limited(scope) | Credential::Bearer(scope) => scope
                .strip_prefix("ticket:")
                .is_some_and(|verb| verb == "*" || verb == action.word()),
        }
    }
}

/// What comes of an action on a ticket of that kind; `None` for what is about no ticket in
/// particular: lists, counts, new ones.
pub(super) fn expected(
    person: Person,
    credential: Credential,
    action: Action,
    kind: Option<Kind>,
) -> Outcome {
    if person == Person::Guest {
        Outcome::SignIn
    } else if !person.has_right(action) {
        Outcome::Denied
    } else if !credential.opens(action) {
        Outcome::Scope(format!("ticket:{}", action.word()))
    } else if kind.is_some_and(|kind| !person.covers(kind)) {
        Outcome::Denied
    } else {
        Outcome::Done
    }
}
