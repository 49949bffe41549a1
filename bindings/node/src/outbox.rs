//! What goes over to the JavaScript thread, and how it is spelled there.

use std::sync::{Arc, Mutex, PoisonError};

use napi::{Env, bindgen_prelude::ToNapiValue, sys};
use tenure::{Code, Error};

use crate::{error::Fault, journal::Argument, types::Answer};

/// The number that JavaScript knows a question by.
pub type Ticket = u32;

/// Something for the JavaScript thread.
pub enum Message {
    /// The answer to a question.
    Answer(Ticket, Answer),
    /// Why there is none.
    Error(Ticket, Error),
    /// A method of an object to be called.
    Call { call: u32, object: u32, method: &'static str, arguments: Vec<Argument> },
    /// An object that is needed no more.
    ForgetObject(u32),
    /// Something that was thrown, and is needed no more.
    ForgetThrown(u32),
    /// A lease that is lost.
    Lost(u32),
}

/// What waits to go over. While JavaScript is busy with what it got it is not called again, but asks for more once its loop has
/// turned: else answers that come as fast as questions would leave the loop no turn for anything else.
#[derive(Default)]
pub struct Outbox {
    /// In the order in which they were sent.
    pub messages: Vec<Message>,
    /// Whether JavaScript has been called, and has not asked for more.
    pub busy: bool,
}

fn no_room() -> Error {
    let why = "the answer is there, but JavaScript has no room for it: ask for less at once";
    Error::new(Code::Unavailable, why).with_outcome(tenure::Outcome::Unknown)
}

/// What the JavaScript thread takes over, once it gets there.
pub struct Drain(pub Arc<Mutex<Outbox>>);

impl ToNapiValue for Drain {
    unsafe fn to_napi_value(raw: sys::napi_env, drain: Self) -> napi::Result<sys::napi_value> {
        let messages = std::mem::take(&mut drain.0.lock().unwrap_or_else(PoisonError::into_inner).messages);
        let env = Env::from_raw(raw);
        let mut array = env.create_array(u32::try_from(messages.len() * 3).unwrap_or_default())?;
        for (i, message) in messages.into_iter().enumerate() {
            let at = u32::try_from(i * 3).unwrap_or_default();
            match message {
                Message::Answer(ticket, answer) => {
                    array.set(at + 1, ticket)?;
                    // One that JavaScript has no room for must not take the others with it.
                    if array.set(at + 2, answer).is_ok() {
                        array.set(at, 0_u32)?;
                    } else {
                        let mut thrown = std::ptr::null_mut();
                        unsafe { sys::napi_get_and_clear_last_exception(raw, &raw mut thrown) };
                        array.set(at, 1_u32)?;
                        array.set(at + 2, Fault::from(&no_room()))?;
                    }
                }
                Message::Error(ticket, error) => {
                    array.set(at, 1_u32)?;
                    array.set(at + 1, ticket)?;
                    array.set(at + 2, Fault::from(&error))?;
                }
                Message::Call { call, object, method, arguments } => {
                    array.set(at, 2_u32)?;
                    array.set(at + 1, call)?;
                    let mut named = env.create_array(2)?;
                    named.set(0, object)?;
                    named.set(1, method)?;
                    for argument in arguments {
                        named.insert(argument)?;
                    }
                    array.set(at + 2, named)?;
                }
                Message::ForgetObject(id) => {
                    array.set(at, 3_u32)?;
                    array.set(at + 1, id)?;
                }
                Message::ForgetThrown(id) => {
                    array.set(at, 4_u32)?;
                    array.set(at + 1, id)?;
                }
                Message::Lost(id) => {
                    array.set(at, 5_u32)?;
                    array.set(at + 1, id)?;
                }
            }
        }
        unsafe { ToNapiValue::to_napi_value(raw, array) }
    }
}
