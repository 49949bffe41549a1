//! Who may do what: scopes, each for all groups and tables or for those whose names begin in a certain way.
//!
//! | scope | allows |
//! |---|---|
//! | read | to look at tasks, groups, records |
//! | claim | to claim, and to change or end what one holds |
//! | write | to add tasks and to change any that nobody else holds; to write records |
//! | admin | everything, also to override a holder, to watch, to pause, to take snapshots and backups |

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use hyper::{StatusCode, header::HeaderValue};
use serde::Deserialize;
use tenure::{Depend, OwnerId, Request, Task, TaskId};

use crate::{app::App, problem::Problem};

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Read,
    Claim,
    Write,
    Admin,
}

impl Scope {
    const fn slug(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Claim => "claim",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// A scope, and where it holds: everywhere, or for names that begin in one of these ways.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub scope: Scope,
    pub groups: Option<Vec<String>>,
    pub tables: Option<Vec<String>>,
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub enum On<'a> {
    Group(&'a str),
    Table(&'a str),
    /// All groups and all tables.
    All,
}

impl fmt::Display for On<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(name) => write!(f, "group {name:?}"),
            Self::Table(name) => write!(f, "table {name:?}"),
            Self::All => f.write_str("all groups and tables"),
        }
    }
}

impl Grant {
    fn covers(&self, scope: Scope, on: On<'_>) -> bool {
        let begins = |prefixes: &Option<Vec<String>>, name: &str| {
            prefixes.as_ref().is_none_or(|all| all.iter().any(|prefix| name.starts_with(prefix.as_str())))
        };
        let there = match on {
            On::Group(name) => begins(&self.groups, name),
            On::Table(name) => begins(&self.tables, name),
            On::All => self.groups.is_none() && self.tables.is_none(),
        };
        there && (self.scope == scope || self.scope == Scope::Admin)
    }
}

/// Who asks.
#[derive(Debug, Default)]
pub struct Who {
    /// The token's name, where there are tokens.
    pub name: Option<Arc<str>>,
    /// The owner of its requests that name none.
    pub owner: OwnerId,
    /// What it may do; everything, where there are no tokens.
    pub grants: Option<Vec<Grant>>,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or("anyone"))
    }
}

impl Who {
    /// Whether it may.
    pub fn may(&self, scope: Scope, on: On<'_>) -> bool {
        // The store's own tables are for admins to write.
        let scope = match on {
            On::Table(name) if name.starts_with('_') && scope == Scope::Write => Scope::Admin,
            _ => scope,
        };
        self.grants.as_ref().is_none_or(|grants| grants.iter().any(|grant| grant.covers(scope, on)))
    }

    /// The label of who does it: the token's name, where there are tokens, and what the caller says of himself.
    pub fn actor(&self, told: Option<&HeaderValue>) -> Option<Arc<str>> {
        let told = told.and_then(|told| told.to_str().ok()).filter(|told| !told.is_empty());
        match (&self.name, told) {
            (Some(name), Some(told)) => Some(format!("{name}/{told}").into()),
            (Some(name), None) => Some(name.clone()),
            (None, told) => told.map(Into::into),
        }
    }

    /// Refuses what it may not.
    pub fn need(&self, scope: Scope, on: On<'_>) -> Result<(), Problem> {
        if self.may(scope, on) {
            return Ok(());
        }
        let why = format!("token {self} has no scope {} for {on}: ask for one that has", scope.slug());
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", why))
    }

    /// Refuses a transaction that holds anything it may not. What tasks it names is looked up where that matters: a task's
    /// group never changes under one id.
    pub async fn need_update(&self, app: &App, request: &Request) -> Result<(), Problem> {
        if self.grants.is_none() || self.may(Scope::Admin, On::All) {
            return Ok(());
        }
        // Apart, so that a request of one who may do everything carries no room for it.
        Box::pin(self.need_each(app, request)).await
    }

    async fn need_each(&self, app: &App, request: &Request) -> Result<(), Problem> {
        for add in &request.adds {
            self.need(Scope::Write, On::Group(&add.group))?;
        }
        for group in request.updates.iter().filter_map(|update| update.group.as_deref()) {
            self.need(Scope::Write, On::Group(group))?;
        }
        let written = request.puts.iter().map(|put| &put.table);
        let written = written.chain(request.removes.iter().map(|remove| &remove.table));
        for table in written.chain(request.increments.iter().map(|increment| &increment.table)) {
            self.need(Scope::Write, On::Table(table))?;
        }
        for guard in &request.guards {
            self.need(Scope::Read, On::Table(&guard.table))?;
        }
        let forced = request.updates.iter().any(|update| update.force) || request.deletes.iter().any(|end| end.force);
        let changed: Vec<TaskId> =
            request.updates.iter().map(|update| update.id).chain(request.deletes.iter().map(|end| end.id)).collect();
        let depends = request.depends.clone();
        self.need_tasks(app, changed, &depends, request.owner, forced).await
    }

    /// Refuses tasks that it may not change, or not depend on.
    pub async fn need_tasks(
        &self,
        app: &App,
        changed: Vec<TaskId>,
        depends: &[Depend],
        owner: OwnerId,
        forced: bool,
    ) -> Result<(), Problem> {
        if self.grants.is_none() || changed.is_empty() && depends.is_empty() {
            return Ok(());
        }
        Box::pin(self.need_found(app, changed, depends.to_vec(), owner, forced)).await
    }

    async fn need_found(
        &self,
        app: &App,
        changed: Vec<TaskId>,
        depends: Vec<Depend>,
        owner: OwnerId,
        forced: bool,
    ) -> Result<(), Problem> {
        let (changed, depends) = app
            .read(move |store| {
                let changed = store.tasks_by_id(&changed)?;
                let find = |depend: &Depend| match depend {
                    Depend::Id(id) => store.task(*id),
                    Depend::Origin(id) => store.find(*id),
                };
                Ok((changed, depends.iter().map(find).collect::<tenure::Result<Vec<Option<Task>>>>()?))
            })
            .await?;
        for task in changed.iter().flatten() {
            let group = On::Group(&task.group);
            if forced {
                self.need(Scope::Admin, group)?;
            }
            if task.owner != owner || !self.may(Scope::Claim, group) {
                self.need(Scope::Write, group)?;
            }
        }
        for task in depends.iter().flatten() {
            let group = On::Group(&task.group);
            if ![Scope::Claim, Scope::Write].iter().any(|scope| self.may(*scope, group)) {
                self.need(Scope::Read, group)?;
            }
        }
        Ok(())
    }
}

/// Owners that are remembered. Beyond it, new ones are refused rather than old ones forgotten.
const OWNERS: usize = 1_000_000;

/// Which token used an owner's number first: no other may act under it.
#[derive(Debug, Default)]
pub struct Owners(Mutex<HashMap<u64, Arc<str>>>);

impl Owners {
    /// The owner of a request, which is that of its token where it names none.
    pub fn bind(&self, who: &Who, owner: OwnerId) -> Result<OwnerId, Problem> {
        if owner.0 == 0 {
            return Ok(who.owner);
        }
        let Some(name) = &who.name else { return Ok(owner) };
        if owner == who.owner {
            return Ok(owner);
        }
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = owners.len() >= OWNERS;
        match owners.entry(owner.0) {
            Entry::Occupied(bound) if bound.get() == name => Ok(owner),
            Entry::Vacant(free) if !full => {
                free.insert(name.clone());
                Ok(owner)
            }
            Entry::Occupied(_) => {
                let why = format!("owner {owner} belongs to another token, which used it first: choose another number");
                Err(Problem::new(StatusCode::FORBIDDEN, "owner_taken", why))
            }
            Entry::Vacant(_) => {
                let why = format!("{OWNERS} owners are known: use those that there are, or restart the service");
                Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_owners", why))
            }
        }
    }

    /// Notes the owner that a token has for itself.
    pub fn keep(&self, owner: OwnerId, name: &Arc<str>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(owner.0, name.clone());
    }
}
