//! How a handle is set up, and what rows may begin with.

use js_sys::{Array, Uint8Array};
use tenure_core::{
    Author, Limits, OwnerId,
    desk::{self, Policy},
    engine,
    snapshot::begin_tail,
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

/// Bytes of a snapshot that hold its first piece, as a rule.
const HEAD: u32 = 1 << 12;

/// Of snapshots, by their names and bytes: the names of those that are superfluous, and where two remain, with what the rows
/// may begin then, a position and a mark.
#[wasm_bindgen]
pub fn keep(names: Vec<String>, snapshots: Vec<Uint8Array>) -> Array {
    // Only the first piece is looked at: the rest, which may be large, stays where it is.
    let head = |bytes: &Uint8Array| {
        let head = bytes.subarray(0, HEAD).to_vec();
        if matches!(begin_tail(&head), Ok(None)) { bytes.to_vec() } else { head }
    };
    let heads: Vec<Vec<u8>> = snapshots.iter().map(head).collect();
    let (superfluous, floor) = desk::keep(names.into_iter().zip(heads.iter().map(|head| &head[..])).collect());
    let kept = Array::of1(&superfluous.into_iter().map(JsValue::from).collect::<Array>());
    if let Some((position, mark)) = floor {
        kept.push(&(position as f64).into());
        kept.push(&Uint8Array::from(&mark[..]).into());
    }
    kept
}
