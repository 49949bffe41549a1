//! What a watch tells.

use js_sys::{Array, Object, Reflect};
use tenure_core::engine::{Change, Event};
use wasm_bindgen::prelude::*;

use crate::desk::Desk;

fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    // A plain object takes every property.
    let _ = Reflect::set(object, &name.into(), &value.into());
}

fn change(change: &Change) -> JsValue {
    let object = Object::new();
    set(&object, "kind", change.kind.slug());
    set(&object, "id", change.id.0 as f64);
    set(&object, "old", change.old.0 as f64);
    set(&object, "place", &*change.place);
    if let Some(key) = &change.key {
        set(&object, "key", &**key);
    }
    if let Some(reason) = change.reason {
        set(&object, "reason", reason.slug());
    }
    set(&object, "owner", change.owner.0 as f64);
    set(&object, "availableAt", change.available_at as f64);
    object.into()
}

fn event(event: &Event) -> JsValue {
    let object = Object::new();
    set(&object, "revision", event.revision.0 as f64);
    set(&object, "at", event.at as f64);
    set(&object, "owner", event.owner.0 as f64);
    set(&object, "actor", &*event.actor);
    if let Some(id) = &event.request_id {
        set(&object, "requestId", &**id);
    }
    set(&object, "changes", event.changes.iter().map(change).collect::<Array>());
    object.into()
}

#[wasm_bindgen]
impl Desk {
    /// Whether confirmed entries become events.
    pub fn watch(&mut self, watching: bool) {
        self.0.engine_mut().watch(watching);
    }

    /// The events since the last call.
    #[wasm_bindgen(js_name = takeEvents)]
    pub fn take_events(&mut self) -> Array {
        self.0.engine_mut().take_events().iter().map(event).collect()
    }
}
