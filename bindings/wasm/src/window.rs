//! Rows that JavaScript fetched.

use tenure_core::{Code, Error, StoreId, desk};
use wasm_bindgen::prelude::*;

use crate::{error::outward, name::name_of};

/// Rows that were fetched at one moment.
#[wasm_bindgen]
pub struct Window(pub(crate) desk::Window);

#[wasm_bindgen]
impl Window {
    /// An empty one; an identity of another length than 16 is none.
    #[wasm_bindgen(constructor)]
    pub fn new(identity: &[u8], floor: f64, mark: &[u8], from: f64) -> Self {
        Self(desk::Window {
            identity: StoreId(identity.try_into().unwrap_or_default()),
            floor: floor as u64,
            mark: mark.to_vec(),
            from: from as u64,
            ..desk::Window::default()
        })
    }

    /// Adds the next row.
    pub fn row(&mut self, bytes: Vec<u8>) {
        self.0.rows.push(bytes);
    }

    /// Adds a snapshot.
    pub fn snapshot(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), JsValue> {
        let name = name_of(name).ok_or_else(|| {
            let why = format!("the journal has a snapshot of a name that Tenure did not give: {name:?}");
            outward(&Error::new(Code::Foreign, why))
        })?;
        self.0.snapshots.push((name, bytes));
        Ok(())
    }
}
