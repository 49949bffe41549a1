//! A store as one file. It stands in a module of its own, which is loaded when somebody exports or imports.

use js_sys::{Array, Uint8Array};
use tenure_core::{Author, StoreId, archive, rows::RowLog};
use wasm_bindgen::prelude::*;

use crate::{error::Outward as _, name::name_text, window::Window};

/// The store in these rows as an archive.
#[wasm_bindgen(js_name = exportFolder)]
pub fn export_folder(window: Window) -> Result<Vec<u8>, JsValue> {
    archive::export(&mut RowLog::new(window.0)).outward()
}

/// What a new store of this id begins with, made of an archive: floor, mark, rows, snapshots.
#[wasm_bindgen(js_name = importFolder)]
pub fn import_folder(bytes: &[u8], identity: &[u8], author: u64) -> Result<Array, JsValue> {
    let store = StoreId(identity.try_into().unwrap_or_default());
    let content = archive::import(bytes, store, Author(author.max(1))).outward()?;
    let snapshots = Array::new();
    if let Some((name, bytes)) = content.snapshot {
        snapshots.push(&Array::of2(&name_text(name).into(), &Uint8Array::from(&bytes[..]).into()));
    }
    let mark = Uint8Array::from(&content.mark[..]);
    Ok(Array::of4(&(content.floor as f64).into(), &mark.into(), &Array::new().into(), &snapshots.into()))
}
