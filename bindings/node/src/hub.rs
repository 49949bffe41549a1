//! The way back to the JavaScript thread: answers to what was asked, and calls of a journal's methods. Whatever has gathered
//! goes over in one piece.

pub use crate::outbox::{Message, Ticket};

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
    bindgen_prelude::FnArgs,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue},
};
use napi_derive::napi;
use tenure::{Code, Error, Result};

use crate::{
    error::carried,
    journal::{Argument, Reply, Shape},
    outbox::{Drain, Outbox},
    pool,
    types::Answer,
};

type Deliver = ThreadsafeFunction<
    FnArgs<(Drain,)>,
    UnknownReturnValue,
    FnArgs<(Drain,)>,
    Status,
    false, // what it throws is a fault of ours
    true,  // it does not keep the program alive: a question that is not answered does
>;

/// One environment's way back.
pub struct Hub {
    deliver: Deliver,
    outbox: Arc<Mutex<Outbox>>,
    /// None once the environment has ended.
    calls: Mutex<Option<HashMap<u32, Waiting>>>,
    /// What is open, to be closed when the environment ends.
    stores: Mutex<HashMap<u32, tenure::Store>>,
    last: AtomicU32,
}

/// How long the end of an environment waits for its stores. One may be held up by another process that has the lock.
const END: Duration = Duration::from_secs(10);

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

    /// Has a store closed when the environment ends, until it is [let go](Self::let_go).
    pub fn keep(&self, store: tenure::Store) -> u32 {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).insert(number, store);
        number
    }

    /// Has nobody close the store but those who have it.
    pub fn let_go(&self, number: u32) {
        // The last one closes it, and not under this lock.
        let store = self.stores.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        drop(store);
    }

    /// The environment ends. Nobody answers from now on: those who wait for an answer are told. What is open is closed, so
    /// that nothing is lost which was answered.
    fn end(&self) {
        drop(self.calls.lock().unwrap_or_else(PoisonError::into_inner).take());
        let stores = std::mem::take(&mut *self.stores.lock().unwrap_or_else(PoisonError::into_inner));
        if stores.is_empty() {
            return;
        }
        let (done, all_done) = sync_channel(1);
        let closed = pool::run(move || {
            for store in stores.into_values() {
                // Nobody is left to be told.
                let _ = store.close();
            }
            let _ = done.send(());
        });
        if closed.is_ok() {
            let _ = all_done.recv_timeout(END);
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

fn fault() -> Error {
    Error::new(Code::Internal, "a call ended in a fault: report this as a fault of Tenure")
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
        stores: Mutex::default(),
        last: AtomicU32::new(1),
    });
    // A worker thread that is terminated runs no JavaScript of its own at its end.
    let ended = Arc::downgrade(&hub);
    env.add_env_cleanup_hook(ended, |ended| {
        if let Some(hub) = ended.upgrade() {
            hub.end();
        }
    })?;
    Ok(Bridge(hub))
}

#[napi]
impl Bridge {
    /// The environment ends.
    #[napi]
    pub fn end(&self) {
        self.0.end();
    }

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
