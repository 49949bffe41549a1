//! Reading a claim.

use super::{
    fields::{Fields, millis, owner, string, whole},
    node::{self, Node},
    place::Place,
    request::depend,
};
use crate::{
    error::Result,
    id::MAX_ID,
    request::{Claim, Order},
    time::Millis,
};

/// A claim, and how long it may wait for a task.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimCall {
    /// What to claim.
    pub claim: Claim,
    /// How long to wait in milliseconds, `None` for ever. Where the text says nothing, 0: answer at once.
    pub wait: Option<Millis>,
}

/// Reads a claim. What is wrong with it is `Invalid`, with the place in the message.
pub fn read_claim(text: &[u8]) -> Result<ClaimCall> {
    let place = &Place::Whole("the claim");
    let node = node::read(text, "the claim")?;
    let mut fields =
        Fields::read(place, node, &["owner", "request_id", "groups", "lease", "limit", "order", "depends", "wait"])?;
    let usual = Claim::default();
    let claim = Claim {
        owner: fields.optional("owner", owner)?.unwrap_or_default(),
        actor: None,
        request_id: fields.optional("request_id", string)?,
        groups: fields.list("groups", string)?,
        lease: fields.optional("lease", millis)?.unwrap_or(usual.lease),
        limit: match fields.optional("limit", |place, node| whole(place, node, MAX_ID))? {
            // More than a `usize` holds is more than any limit allows, so the cut changes no answer.
            Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
            None => usual.limit,
        },
        order: fields.choice("order", &[Order::Random, Order::Oldest].map(|order| (order.slug(), order)))?,
        depends: fields.list("depends", depend)?,
    };
    let wait = fields.optional("wait", |place, node| match node {
        Node::Text(text) if text == "forever" => Ok(None),
        Node::Text(_) => Err(place.refuse("give milliseconds, or \"forever\"")),
        node => millis(place, node).map(Some),
    })?;
    Ok(ClaimCall { claim, wait: wait.unwrap_or(Some(0)) })
}
