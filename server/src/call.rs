//! A request as a handler sees it: the parts of its path, its query, its body, and who asks.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{HeaderMap, header::HeaderName};
use percent_encoding::percent_decode_str;
use tenure::Revision;

use crate::{
    access::Who,
    app::App,
    coming::{Coming, Room},
    conn::{Conn, Doing},
    headers::{Came, Named},
    problem::Problem,
};

/// A request that was let in.
pub struct Call {
    /// What stood at the path's variable places, decoded.
    pub parts: Vec<String>,
    pub query: Query,
    pub headers: HeaderMap,
    pub came: Came,
    pub body: Bytes,
    pub coming: Coming,
    pub who: Arc<Who>,
    pub conn: Arc<Conn>,
}

impl Call {
    /// Reads the body that is still to come.
    pub async fn read(mut self: Box<Self>, app: &App) -> Result<Box<Self>, Problem> {
        self.body = self.coming.read(app).await?;
        self.conn.begin(Doing::Serving);
        Ok(self)
    }

    /// Lets go of all but its share of the memory: what the body says stays in memory until it is committed.
    pub fn leave(self: Box<Self>) -> Room {
        self.coming.leave()
    }

    pub fn part(&self, at: usize) -> &str {
        self.parts.get(at).map_or("", String::as_str)
    }

    /// A number at a variable place of the path.
    pub fn number(&self, at: usize) -> Result<u64, Problem> {
        number("the id in the path", self.part(at))
    }

    pub fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        self.headers.get(name.into())?.to_str().ok()
    }

    /// Refuses a body that says anything: there may be none, or one that is empty.
    pub fn nothing_more(&self) -> Result<(), Problem> {
        let says = || serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&self.body);
        if self.body.is_empty() || says().is_ok_and(|members| members.is_empty()) {
            return Ok(());
        }
        Err(Problem::invalid("the body: there is nothing to say here: send {} or nothing"))
    }

    /// Who does it, for the journal.
    pub fn actor(&self) -> Option<Arc<str>> {
        self.who.actor(self.came.get(Named::Actor, &self.headers))
    }

    /// A revision that the store had before a repeated request was first sent.
    pub fn sent_after(&self) -> Result<Option<Revision>, Problem> {
        let number = |text| number("the header Tenure-Sent-After", text).map(Revision);
        let header = self.came.get(Named::SentAfter, &self.headers);
        header.and_then(|header| header.to_str().ok()).map(number).transpose()
    }

    /// The request id that came as a header.
    pub fn idempotency_key(&self) -> Option<String> {
        self.came.get(Named::IdempotencyKey, &self.headers)?.to_str().ok().map(|key| key.trim_matches('"').to_owned())
    }
}

/// A whole number below 2^53.
fn number(what: &str, text: &str) -> Result<u64, Problem> {
    match text.parse::<u64>() {
        Ok(number) if number <= tenure::core::id::MAX_ID => Ok(number),
        Ok(_) => Err(Problem::invalid(format!("{what}: {text} is beyond {}", tenure::core::id::MAX_ID))),
        Err(_) => Err(Problem::invalid(format!("{what}: {text:.40?} is no whole number"))),
    }
}

/// Decodes a part of a path or a query.
pub fn decode(text: &str) -> Result<String, Problem> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(Problem::invalid(format!("{text:.80?} is not UTF-8 once its percent signs are decoded"))),
    }
}

/// What follows the question mark; each name at most once, none unknown.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn read(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text else { return Ok(Self::default()) };
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(&value.replace('+', " "))?);
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(Problem::invalid(format!("query: `{name:.40}` stands twice: name it once")));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// Refuses what is not known here.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => {
                Err(Problem::invalid(format!("query: unknown parameter `{name:.40}`; there is none here")))
            }
            Some((name, _)) => {
                Err(Problem::invalid(format!("query: unknown parameter `{name:.40}`; known are {}", known.join(", "))))
            }
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        self.get(name).map(|text| number(&format!("query: `{name}`"), text)).transpose()
    }

    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        let flag = |text: &str| match text {
            "1" | "yes" | "true" => Ok(true),
            "0" | "no" | "false" => Ok(false),
            _ => Err(Problem::invalid(format!("query: `{name}` is one of 0, 1, yes, no, true, false"))),
        };
        self.get(name).map(flag).transpose()
    }
}
