//! Tenure over HTTP: a store served to those who don't embed it, or whose workers are on other machines.
//!
//! ```text
//!   server     sockets, threads, the end          conn      what a connection does, and for how long
//!   serve      a connection's requests            underway  the one that is being worked on
//!   service    one request, from head to answer   route     every path, in one table
//!   site       names and origins that are let in  access    who may do what
//!   call       a request as handlers see it       body      an answer's bytes
//!   app        how requests reach the store       listing   long lists, page by page
//!   taskstore  TaskStore's API                    v1        the full API
//!   problem    what went wrong, as an answer      openapi   the description of the API
//!   disk       the disk under the store
//!   hub        one watch for all who follow       health    whether it runs
//!   config     how it runs                        tls       certificates
//!   tokens     secrets, from a file               log       what happens, as JSON lines
//!   orphans    what nobody was told of              ui        the dashboard
//!   metrics    numbers for Prometheus             tally     what happened, counted from the journal
//!   times      how long things took                requests   how they ended, for Prometheus
//!   turn       requests of one moment, committed together   wire   what hyper reads and writes
//!   headers    those that a request mostly has not
//! ```

mod access;
mod app;
mod body;
mod call;
mod coming;
mod config;
mod conn;
mod disk;
mod headers;
mod health;
mod hub;
mod listing;
mod log;
mod metrics;
mod openapi;
mod orphans;
mod problem;
mod requests;
mod respond;
mod route;
mod serve;
mod server;
mod service;
mod site;
mod stream;
mod tally;
mod taskstore;
mod times;
mod tls;
mod tokens;
mod turn;
mod ui;
mod underway;
mod v1;
mod wire;

pub use config::{Config, Level};
pub use conn::Patience;
pub use server::Server;

#[cfg(doctest)]
#[doc = include_str!("../../docs/SERVICE.md")]
struct Guide;
