//! Records, and the update that everything else is made of.

use napi::Unknown;
use napi_derive::napi;
use tenure::{Code, Committed, Error, Increment, Put, Remove, Request, Result, Revision};

use super::Store;
use crate::types::{Answer, Fields, blob, count, given, integer, number, parts, signed, text};

#[allow(clippy::unnecessary_wraps)] // As the lane wants it.
fn revision(committed: Committed) -> Result<Answer> {
    Ok(Answer::Number(number(committed.revision.0)))
}

#[napi]
impl Store {
    /// Commits a transaction: all of it, or nothing.
    #[napi]
    pub fn update(&self, ticket: u32, request: Unknown<'_>) -> napi::Result<()> {
        self.update_in_lane(ticket, parts(request)?, |committed| Ok(Answer::Committed(committed)));
        Ok(())
    }

    /// A record, unless it is absent or expired.
    #[napi]
    pub fn get(&self, ticket: u32, table: Unknown<'_>, key: Unknown<'_>) -> napi::Result<()> {
        let (table, key) = (text("table", &table)?, text("key", &key)?);
        self.ask(ticket, move |store| store.get(&table, &key).map(Answer::Record));
        Ok(())
    }

    /// Writes a record and answers with the revision that wrote it.
    #[napi]
    pub fn put(
        &self,
        ticket: u32,
        table: Unknown<'_>,
        key: Unknown<'_>,
        value: Unknown<'_>,
        options: Unknown<'_>,
    ) -> napi::Result<()> {
        let put = put(&table, &key, &value, options)?;
        self.update_in_lane(ticket, Request { puts: vec![put], ..Request::default() }, revision);
        Ok(())
    }

    /// Removes a record; where it is not there, nothing happens.
    #[napi]
    pub fn remove(&self, ticket: u32, table: Unknown<'_>, key: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let expect = Fields::read("options", options, &["expect"])?.id("expect")?.map(Revision);
        let remove = Remove { table: text("table", &table)?, key: text("key", &key)?, expect };
        self.update_in_lane(ticket, Request { removes: vec![remove], ..Request::default() }, revision);
        Ok(())
    }

    /// Records of a table, in the order of their keys.
    #[napi]
    pub fn scan(&self, ticket: u32, table: Unknown<'_>, options: Unknown<'_>) -> napi::Result<()> {
        let table = text("table", &table)?;
        let fields = Fields::read("options", options, &["prefix", "limit", "after"])?;
        let (prefix, after) = (fields.text("prefix")?.unwrap_or_default(), fields.text("after")?);
        let limit = fields.optional("limit", count)?.unwrap_or(1000);
        self.ask(ticket, move |store| store.scan(&table, &prefix, after.as_deref(), limit).map(Answer::Records));
        Ok(())
    }

    /// Adds to a number, at commit, and answers with the sum.
    #[napi]
    pub fn increment(
        &self,
        ticket: u32,
        table: Unknown<'_>,
        key: Unknown<'_>,
        by: Unknown<'_>,
        options: Unknown<'_>,
    ) -> napi::Result<()> {
        let increment = increment(&table, &key, by, options)?;
        let request = Request { increments: vec![increment], ..Request::default() };
        self.update_in_lane(ticket, request, |committed| {
            let none = || Error::new(Code::Internal, "an increment answered with no number");
            let sum = committed.counts.first().copied();
            sum.ok_or_else(none).map(|sum| Answer::Number(signed(sum)))
        });
        Ok(())
    }

    /// Whether claims skip a group from now on.
    #[napi]
    pub fn pause(&self, ticket: u32, group: Unknown<'_>, paused: Unknown<'_>) -> napi::Result<()> {
        let group = text("group", &group)?;
        let paused = given(paused)?.map_or(Ok(true), |paused| crate::types::flag("paused", &paused))?;
        self.ask(ticket, move |store| store.pause(&group, paused).map(|revision| Answer::Number(number(revision.0))));
        Ok(())
    }
}

/// A record to write.
pub fn put(table: &Unknown<'_>, key: &Unknown<'_>, value: &Unknown<'_>, options: Unknown<'_>) -> napi::Result<Put> {
    let fields = Fields::read("options", options, &["expect", "expiresAt"])?;
    Ok(Put {
        table: text("table", table)?,
        key: text("key", key)?,
        value: blob("value", value)?,
        expect: fields.id("expect")?.map(Revision),
        expires_at: fields.millis("expiresAt")?,
    })
}

/// A number to add to.
pub fn increment(
    table: &Unknown<'_>,
    key: &Unknown<'_>,
    by: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Increment> {
    let fields = Fields::read("options", options, &["min", "max"])?;
    Ok(Increment {
        table: text("table", table)?,
        key: text("key", key)?,
        by: given(by)?.map_or(Ok(1), |by| integer("by", &by))?,
        min: fields.optional("min", integer)?,
        max: fields.optional("max", integer)?,
    })
}
