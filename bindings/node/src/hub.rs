//! The way back to the JavaScript thread: answers to what was asked, and calls of a journal's methods. Whatever has gathered
//! goes over in one piece.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use napi::{
    Env, Status, Unknown,
    bindgen_prelude::{FnArgs, ToNapiValue},
    sys,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue},
};
use napi_derive::napi;
use tenure::{Code, Error, Result};

use crate::{
    error::{Fault, carried},
    journal::{Argument, Reply, Shape},
    pool,
    types::Answer,
};

/// The number that JavaScript knows a question by.
pub type Ticket = u32;

type Deliver = ThreadsafeFunction<
    FnArgs<(Drain,)>,
    UnknownReturnValue,
    FnArgs<(Drain,)>,
    Status,
    false, // what it throws is a fault of ours
    true,  // it does not keep the program alive: a question that is not answered does
>;

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

/// One environment's way back.
pub struct Hub {
    deliver: Deliver,
    outbox: Arc<Mutex<Outbox>>,
    /// None once the environment has ended.
    calls: Mutex<Option<HashMap<u32, Waiting>>>,
    last: AtomicU32,
}

/// What waits to go over. While JavaScript is busy with what it got it is not called again, but asks for more once its loop has
/// turned: else answers that come as fast as questions would leave the loop no turn for anything else.
#[derive(Default)]
struct Outbox {
    messages: Vec<Message>,
    busy: bool,
}

/// A call whose answer has not come.
struct Waiting {
    object: u32,
    method: &'static str,
    shape: Shape,
    answer: SyncSender<Result<Reply>>,
}

impl Hub {
    /// Sends one message.
    pub fn send(&self, message: Message) {
        self.send_all(std::iter::once(message));
    }

    /// Sends several messages in one piece.
    pub fn send_all(&self, messages: impl IntoIterator<Item = Message>) {
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        outbox.messages.extend(messages);
        let call = !outbox.busy && !outbox.messages.is_empty();
        outbox.busy |= call;
        drop(outbox);
        if call {
            // An environment that has ended hears nothing, and has nobody who waits.
            self.deliver.call(FnArgs { data: (Drain(self.outbox.clone()),) }, ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Answers a question that may wait for others from another thread.
    pub fn wait(self: &Arc<Self>, ticket: Ticket, work: impl FnOnce() -> Result<Answer> + Send + 'static) {
        let hub = self.clone();
        if let Err(error) = pool::run(move || hub.work(ticket, work)) {
            self.send(Message::Error(ticket, error));
        }
    }

    /// Answers a question that waits for nothing but the disk from another thread.
    pub fn ask(self: &Arc<Self>, ticket: Ticket, work: impl FnOnce() -> Result<Answer> + Send + 'static) {
        let hub = self.clone();
        if let Err(error) = pool::run_brief(move || hub.work(ticket, work)) {
            self.send(Message::Error(ticket, error));
        }
    }

    fn work(&self, ticket: Ticket, work: impl FnOnce() -> Result<Answer>) {
        let answer = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(fault()));
        self.send(match answer {
            Ok(answer) => Message::Answer(ticket, answer),
            Err(error) => Message::Error(ticket, error),
        });
    }

    /// Calls a method of a JavaScript object, from any thread but JavaScript's, and waits for its answer.
    pub fn call(
        &self,
        object: u32,
        method: &'static str,
        arguments: Vec<Argument>,
        shape: Shape,
        limit: Option<Duration>,
    ) -> Result<Reply> {
        let (answer, answered) = sync_channel(1);
        let call = self.last.fetch_add(1, Ordering::Relaxed);
        match self.calls.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(calls) => drop(calls.insert(call, Waiting { object, method, shape, answer })),
            None => return Err(ended()),
        }
        self.send(Message::Call { call, object, method, arguments });
        let received = match limit {
            Some(limit) => answered.recv_timeout(limit),
            None => answered.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        received.unwrap_or_else(|late| {
            if late == RecvTimeoutError::Disconnected {
                return Err(ended());
            }
            // A lock that is given all the same has to be given back.
            if method != "lock"
                && let Some(calls) = self.calls.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                calls.remove(&call);
            }
            let millis = limit.unwrap_or_default().as_millis();
            let why = format!(
                "the journal's {method}() gave no answer within {millis} ms: see why its promise does not settle, or raise journalTimeout"
            );
            Err(Error::new(Code::Timeout, why))
        })
    }
}

fn ended() -> Error {
    let why = "the JavaScript environment has ended, and the journal with it: close the store before";
    Error::new(Code::Unavailable, why)
}

fn no_room() -> Error {
    let why = "the answer is there, but JavaScript has no room for it: ask for less at once";
    Error::new(Code::Unavailable, why).with_outcome(tenure::Outcome::Unknown)
}

fn fault() -> Error {
    Error::new(Code::Internal, "a call ended in a fault: report this as a fault of Tenure")
}

/// What the JavaScript thread takes over, once it gets there.
pub struct Drain(Arc<Mutex<Outbox>>);

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

/// One environment's connection.
#[napi(js_name = "Bridge")]
pub struct Bridge(pub(crate) Arc<Hub>);

/// Connects an environment: `deliver` gets what comes back, as `[what, id, value, …]`.
#[napi]
pub fn connect(env: Env, deliver: Deliver) -> napi::Result<Bridge> {
    let hub = Arc::new(Hub {
        deliver,
        outbox: Arc::default(),
        calls: Mutex::new(Some(HashMap::new())),
        last: AtomicU32::new(1),
    });
    // Nobody answers once the environment has ended: those who wait for an answer are told.
    let ended = Arc::downgrade(&hub);
    env.add_env_cleanup_hook(ended, |ended| {
        if let Some(hub) = ended.upgrade() {
            drop(hub.calls.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    })?;
    Ok(Bridge(hub))
}

#[napi]
impl Bridge {
    /// What has come meanwhile. Where that is nothing, the next message calls by itself.
    #[napi]
    pub fn more(&self) -> Option<Drain> {
        let mut outbox = self.0.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        outbox.busy = !outbox.messages.is_empty();
        outbox.busy.then(|| Drain(self.0.outbox.clone()))
    }

    /// The answer to a call. Where it is not what the method must answer, says what that is.
    #[napi]
    pub fn answer(&self, call: u32, value: Unknown<'_>) -> Option<&'static str> {
        let mut calls = self.0.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = calls.as_mut()?;
        // Nobody waits any longer: it came too late.
        let waiting = calls.get(&call)?;
        let Ok(reply) = waiting.shape.read(&value) else { return Some(waiting.shape.wanted()) };
        let waiting = calls.remove(&call)?;
        let locked = waiting.method == "lock" && matches!(reply, Reply::Truth(true));
        if waiting.answer.send(Ok(reply)).is_err() && locked {
            let call = self.0.last.fetch_add(1, Ordering::Relaxed);
            self.0.send(Message::Call { call, object: waiting.object, method: "unlock", arguments: vec![] });
        }
        None
    }

    /// What a call threw, by the number under which JavaScript keeps it; with `code` and `outcome` where it is an error of
    /// Tenure.
    #[napi]
    pub fn threw(&self, call: u32, thrown: u32, message: String, code: Option<String>, outcome: Option<String>) {
        let mut calls = self.0.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = calls.as_mut().and_then(|calls| calls.remove(&call));
        drop(calls);
        let error = carried(&self.0, thrown, message, code.as_deref(), outcome.as_deref());
        if let Some(waiting) = waiting {
            let _ = waiting.answer.send(Err(error));
        }
    }
}
