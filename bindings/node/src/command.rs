//! The command line, whole.

use napi_derive::napi;

/// Runs the command line and answers with its exit code.
#[napi]
pub fn main(arguments: Vec<String>) -> i32 {
    tenure_cli::main(arguments.into_iter().map(Into::into))
}
