//! Records: keyed values in named tables.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::json;
use tenure::{Code, Error, Increment, Put, Record, Remove, Request, Result, Revision};

use crate::{
    args::At,
    open::Setting,
    output,
    output::Output,
    quantity::duration,
    update::{file, input},
};

/// How many records one read fetches.
const PAGE: usize = 1000;

/// What to do with records.
#[derive(Debug, Subcommand)]
pub enum Records {
    /// The records of a table, by key; without a table, the tables.
    Ls(Ls),
    /// The value of a record, as it is.
    Get(Name),
    /// Write a record.
    Put(Write),
    /// Remove a record; where it is not there, nothing happens.
    Rm(Rm),
    /// Add to a number, and print the sum.
    Incr(Incr),
}

/// Which record.
#[derive(Debug, Args)]
pub struct Name {
    #[command(flatten)]
    at: At,
    /// The table.
    table: String,
    /// The key.
    key: String,
}

/// What `records ls` takes.
#[derive(Debug, Args)]
pub struct Ls {
    #[command(flatten)]
    at: At,
    /// The table.
    table: Option<String>,
    /// Only keys that begin so.
    #[arg(long, default_value = "")]
    prefix: String,
    /// Only keys after this one: the last one of the page before.
    #[arg(long, value_name = "KEY")]
    after: Option<String>,
    /// At most that many [default: all]
    #[arg(long)]
    limit: Option<usize>,
}

/// What `records put` takes.
#[derive(Debug, Args)]
pub struct Write {
    #[command(flatten)]
    name: Name,
    /// The value; `-` reads stdin.
    #[arg(required_unless_present = "file")]
    value: Option<String>,
    /// Read the value from a file.
    #[arg(long, conflicts_with = "value")]
    file: Option<PathBuf>,
    /// The revision that the record must have, 0 for absent.
    #[arg(long, value_name = "REVISION")]
    expect: Option<u64>,
    /// Hide it after that time.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires: Option<Duration>,
}

/// What `records rm` takes.
#[derive(Debug, Args)]
pub struct Rm {
    #[command(flatten)]
    name: Name,
    /// The revision that the record must have.
    #[arg(long, value_name = "REVISION")]
    expect: Option<u64>,
}

/// What `records incr` takes.
#[derive(Debug, Args)]
pub struct Incr {
    #[command(flatten)]
    name: Name,
    /// How much.
    #[arg(default_value_t = 1, allow_negative_numbers = true)]
    by: i64,
    /// The least sum that is allowed.
    #[arg(long, allow_negative_numbers = true)]
    min: Option<i64>,
    /// The greatest sum that is allowed.
    #[arg(long, allow_negative_numbers = true)]
    max: Option<i64>,
}

pub fn run(setting: &Setting, out: &mut Output, command: &Records) -> Result<()> {
    match command {
        Records::Ls(args) => ls(setting, out, args),
        Records::Get(args) => get(setting, out, args),
        Records::Put(args) => put(setting, out, args),
        Records::Rm(args) => {
            let Name { table, key, .. } = &args.name;
            let remove = Remove { table: table.clone(), key: key.clone(), expect: args.expect.map(Revision) };
            change(setting, out, &args.name, Request { removes: vec![remove], ..Request::default() }, false)
        }
        Records::Incr(args) => {
            let Name { table, key, .. } = &args.name;
            let (table, key) = (table.clone(), key.clone());
            let increment = Increment { table, key, by: args.by, min: args.min, max: args.max };
            change(setting, out, &args.name, Request { increments: vec![increment], ..Request::default() }, true)
        }
    }
}

fn ls(setting: &Setting, out: &mut Output, args: &Ls) -> Result<()> {
    let store = setting.to_look(&args.at.store)?;
    let Some(table) = &args.table else {
        let tables = store.tables()?;
        return out.report(&json!({"tables": tables}), || tables.join("\n"));
    };
    let mut left = args.limit.unwrap_or(usize::MAX);
    let mut found: Vec<Record> = Vec::new();
    while left > 0 {
        let after = found.last().map(|record| record.key.to_string()).or_else(|| args.after.clone());
        let page = store.scan(table, &args.prefix, after.as_deref(), left.min(PAGE))?;
        if page.is_empty() {
            break;
        }
        left -= page.len();
        found.extend(page);
    }
    out.answer(&found[..], |found| found.iter().map(output::record).collect::<Vec<_>>().join("\n"))
}

fn get(setting: &Setting, out: &mut Output, args: &Name) -> Result<()> {
    let store = setting.to_look(&args.at.store)?;
    let Some(record) = store.get(&args.table, &args.key)? else {
        let why = format!(
            "table {:?} has no record {:?}: `tenure records ls` lists those that are there",
            args.table, args.key
        );
        return Err(Error::new(Code::NotFound, why));
    };
    if out.json {
        return out.answer(&record, output::record);
    }
    out.bytes(&record.value)?;
    // A value that ends its line needs no other end.
    if record.value.ends_with(b"\n") { Ok(()) } else { out.line("") }
}

fn put(setting: &Setting, out: &mut Output, args: &Write) -> Result<()> {
    let value = value(args.value.as_deref(), args.file.as_deref())?;
    let Name { table, key, at } = &args.name;
    let store = setting.present_or_new(&at.store)?;
    let expires_at = args.expires.map(|after| store.now().saturating_add(after.as_millis() as u64));
    let put = Put {
        table: table.clone(),
        key: key.clone(),
        value: value.into(),
        expect: args.expect.map(Revision),
        expires_at,
    };
    let committed = store.update(Request { puts: vec![put], ..Request::default() })?;
    out.answer(&committed, |committed| format!("{table}  {key}  revision {}", committed.revision))?;
    store.close()
}

fn change(setting: &Setting, out: &mut Output, name: &Name, request: Request, create: bool) -> Result<()> {
    let path = &name.at.store;
    let store = if create { setting.present_or_new(path)? } else { setting.present(path)? };
    let committed = store.update(request)?;
    out.answer(&committed, |committed| output::committed(committed, store.now()))?;
    store.close()
}

/// Bytes from an argument, where `-` is stdin, or from a file; none at all are empty.
pub fn value(argument: Option<&str>, path: Option<&std::path::Path>) -> Result<Vec<u8>> {
    match (argument, path) {
        (Some("-"), _) => input(),
        (Some(text), _) => Ok(text.as_bytes().to_vec()),
        (None, Some(path)) => file(path),
        (None, None) => Ok(Vec::new()),
    }
}
