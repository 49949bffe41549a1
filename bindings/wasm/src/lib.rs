//! Tenure for JavaScript: the core's desk as a class.
//!
//! JavaScript carries rows and promises; everything else is decided in the core. Requests and answers cross in the one
//! JSON spelling, rows as bytes. Nothing here is public API: `js/` is.

#[cfg(feature = "archive")]
mod archive;
#[cfg(not(feature = "archive"))]
mod desk;
mod error;
#[cfg(not(feature = "archive"))]
mod event;
#[cfg(not(feature = "archive"))]
mod fault;
#[cfg(not(feature = "archive"))]
mod read;
#[cfg(not(feature = "archive"))]
mod setup;
mod window;

#[cfg(not(feature = "archive"))]
use wasm_bindgen::prelude::*;

/// Every code with its kind, outcome and retry, a line each.
#[cfg(not(feature = "archive"))]
#[wasm_bindgen]
pub fn catalogue() -> String {
    let mut lines = String::new();
    for code in tenure_core::error::CATALOGUE {
        let (kind, outcome, retry) = (code.kind().slug(), code.outcome().slug(), code.retry().slug());
        lines.extend([code.slug(), " ", kind, " ", outcome, " ", retry, "\n"]);
    }
    lines
}
