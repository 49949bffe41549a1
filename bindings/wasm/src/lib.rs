//! Tenure for JavaScript: the core's desk as a class.
//!
//! JavaScript carries rows and promises; everything else is decided in the core. Requests and answers cross in the one
//! JSON spelling, rows as bytes. Nothing here is public API: `js/` is.

#[cfg(feature = "archive")]
mod archive;
#[cfg(feature = "conformance")]
mod conformance;
#[cfg(feature = "store")]
mod desk;
#[cfg(any(feature = "store", feature = "archive"))]
mod error;
#[cfg(feature = "store")]
mod event;
#[cfg(feature = "store")]
mod fault;
mod name;
#[cfg(feature = "store")]
mod read;
#[cfg(feature = "store")]
mod setup;
#[cfg(any(feature = "store", feature = "archive"))]
mod window;

#[cfg(feature = "store")]
use wasm_bindgen::prelude::*;

/// Every code with its kind, outcome and retry, a line each.
#[cfg(feature = "store")]
#[wasm_bindgen]
pub fn catalogue() -> String {
    let mut lines = String::new();
    for code in tenure_core::error::CATALOGUE {
        let (kind, outcome, retry) = (code.kind().slug(), code.outcome().slug(), code.retry().slug());
        lines.extend([code.slug(), " ", kind, " ", outcome, " ", retry, "\n"]);
    }
    lines
}
