//! What the demonstrations take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::quantity::size;

/// The demonstrations.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Count the words of a folder of texts with several processes on one store, and kill some of them.
    Wordcount(Wordcount),
    /// One worker of the word count.
    #[command(hide = true)]
    Worker(Worker),
}
/// The word count.
#[derive(Debug, Args)]
pub struct Wordcount {
    /// A folder of text files.
    pub path: PathBuf,
    /// How many worker processes.
    #[arg(long, default_value_t = 4)]
    pub workers: usize,
    /// How many of them are killed while they hold a task whose output they have computed.
    #[arg(long, default_value_t = 1)]
    pub kill: usize,
    /// About how much text a map task gets [default: a sixteenth of a worker's share, 4 KiB to 256 KiB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub piece: Option<u64>,
    /// The store to use, and to keep; a temporary one by default.
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// A service to use instead, as http://127.0.0.1:8048; its token may add, claim, write and watch.
    #[arg(long, value_name = "URL", conflicts_with = "store")]
    pub url: Option<String>,
}

/// One worker of the word count.
#[derive(Debug, Args)]
pub struct Worker {
    /// The store, or the URL of a service.
    pub store: PathBuf,
    /// The folder of texts.
    pub corpus: PathBuf,
    /// Which run of the demo this is.
    #[arg(long)]
    pub run: i64,
    /// The worker's name.
    #[arg(long)]
    pub name: String,
    /// How many parts the words are dealt to.
    #[arg(long)]
    pub parts: u64,
    /// The lease of a claim in milliseconds.
    #[arg(long)]
    pub lease: u64,
    /// Computes one task's output, says so, and waits for its end.
    #[arg(long)]
    pub doomed: bool,
}
