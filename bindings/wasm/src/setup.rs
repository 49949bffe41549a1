//! How a handle is set up, and what rows may begin with.

use js_sys::{Array, Uint8Array};
use tenure_core::{
    Author, Code, Error, Limits, OwnerId,
    desk::{self, Policy},
    engine,
};
use wasm_bindgen::prelude::*;

use crate::error::Outward as _;

/// How a handle is set up.
#[wasm_bindgen]
pub struct Setup {
    pub(crate) setup: engine::Setup,
    pub(crate) policy: Policy,
}

#[wasm_bindgen]
impl Setup {
    /// The defaults, with this owner and label, and these random numbers.
    #[wasm_bindgen(constructor)]
    pub fn new(owner: f64, actor: &str, author: u64, seed: u64) -> Self {
        let author = Author(author.max(1));
        let setup =
            engine::Setup { limits: Limits::DEFAULT, owner: OwnerId(owner as u64), actor: actor.into(), author, seed };
        Self { setup, policy: Policy::default() }
    }

    /// Changes one limit, by its name in the core.
    pub fn limit(&mut self, name: &str, value: f64) -> Result<(), JsValue> {
        self.setup.limits.set(name, value as u64).outward()
    }

    /// When snapshots are taken; `automatic` false takes them only when they are asked for.
    pub fn snapshots(&mut self, automatic: bool, bytes: Option<f64>, entries: Option<f64>) {
        self.policy.automatic = automatic;
        self.policy.bytes = bytes.map_or(self.policy.bytes, |bytes| bytes as u64);
        self.policy.entries = entries.map_or(self.policy.entries, |entries| entries as u64);
    }
}

/// Where the rows may begin once what this snapshot covers is let go: a position and a mark.
#[wasm_bindgen(js_name = floorOf)]
pub fn floor_of(snapshot: &[u8]) -> Result<Array, JsValue> {
    let (position, mark) = desk::mark_of(snapshot)
        .and_then(|mark| mark.ok_or_else(|| Error::new(Code::Corrupt, "a snapshot has no head")))
        .outward()?;
    Ok(Array::of2(&(position as f64).into(), &Uint8Array::from(&mark[..]).into()))
}
