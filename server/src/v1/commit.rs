//! Transactions and claims.

use std::sync::Arc;

use tenure::{
    Claim, Depend, Millis, Request,
    core::json::{ClaimCall, read_claim, read_request},
};

use crate::{
    access::{On, Scope},
    app::App,
    call::Call,
    problem::Problem,
    respond,
    route::Answer,
};

/// Commits a transaction: all of it, or nothing.
pub async fn update(app: Arc<App>, call: Box<Call>) -> Answer {
    let mut request = read_request(&call.body)?;
    request.request_id = request.request_id.or_else(|| call.idempotency_key());
    request.actor = call.actor();
    request.sent_after = call.sent_after()?;
    request.owner = app.owners.bind(&call.who, request.owner)?;
    call.who.need_update(&app, &request).await?;
    Ok(respond::spelled(&app.update(request, call.leave()).await?))
}

/// Whether records are as they were read: what a transaction that only read is committed by.
pub async fn check(app: Arc<App>, call: Box<Call>) -> Answer {
    let request = read_request(&call.body)?;
    let only = Request { guards: request.guards.clone(), ..Request::default() };
    if request != only {
        return Err(Problem::invalid("a check has `guards` and nothing else: commit the rest with /v1/update"));
    }
    for guard in &only.guards {
        call.who.need(Scope::Read, On::Table(&guard.table))?;
    }
    let committed = app.read(move |store| store.check(&only.guards)).await?;
    Ok(respond::spelled(&committed))
}

/// Claims tasks, and waits for them.
pub async fn claim(app: Arc<App>, call: Box<Call>) -> Answer {
    let asked = asked(&app, &call).await?;
    // What waits for ever asks again; so does what waits longer than one request may.
    let wait = asked.wait.unwrap_or(Millis::MAX);
    // It may wait for long: nothing of the request is kept meanwhile, and room for no more than it holds.
    let conn = call.conn.clone();
    let room = call.leave().keep(size(&asked.claim));
    let claimed = app.claim(&conn, asked.claim, wait, room);
    Ok(respond::spelled(&claimed.await.map_err(Problem::from)?))
}

/// What is claimed, once it is known to be allowed.
async fn asked(app: &App, call: &Call) -> Result<ClaimCall, Problem> {
    let mut asked = read_claim(&call.body)?;
    let claim = &mut asked.claim;
    claim.request_id = claim.request_id.take().or_else(|| call.idempotency_key());
    claim.actor = call.actor();
    claim.owner = app.owners.bind(&call.who, claim.owner)?;
    for group in &claim.groups {
        call.who.need(Scope::Claim, On::Group(group))?;
    }
    call.who.need_tasks(app, Vec::new(), &claim.depends, claim.owner, false).await?;
    Ok(asked)
}

/// Bytes that a claim takes, about.
fn size(claim: &Claim) -> usize {
    let names = claim.groups.iter().map(|name| name.len() + size_of::<String>()).sum::<usize>();
    names + claim.depends.len() * size_of::<Depend>()
}
