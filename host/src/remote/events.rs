//! What happens in a served store, as it comes: server-sent events, taken up again where they broke off.

use std::{collections::VecDeque, fmt, time::Duration};

use bytes::{Buf as _, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{
    StatusCode,
    body::Incoming,
    header::{HeaderName, HeaderValue},
};
use tenure_core::{Code, Error, Result, Revision, engine::Event, inspect::read_event};
use tokio::time::{Instant, sleep, timeout};

use super::{
    call::{Call, closed, either},
    client::Client,
    problem::Failure,
};

/// The service sends something at least every 10 s. One that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(35);

/// The largest event that is taken in.
const MOST: usize = 512 << 20;

/// How long it waits before it connects again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Confirmed entries from the moment when it was made, of whatever handle.
pub struct Events {
    client: Client,
    stream: Option<Stream>,
    /// The last one that was given out, or where it began.
    seen: Revision,
    ready: VecDeque<Event>,
}

/// One connection.
struct Stream {
    body: Incoming,
    buffer: BytesMut,
    /// Up to where the buffer was looked through.
    looked: usize,
}

/// What stands between two blank lines.
enum Told {
    /// Where the stream begins.
    Start(Revision),
    /// An entry.
    Entry(Event),
}

impl Client {
    /// Watches the store from now on.
    pub async fn watch(&self) -> Result<Events> {
        let mut events = Events { client: self.clone(), stream: None, seen: Revision(0), ready: VecDeque::new() };
        events.begin(None).await?;
        Ok(events)
    }
}

impl Events {
    /// The next event.
    ///
    /// # Errors
    /// `Truncated` once, where the connection was lost and the journal let go of what came meanwhile: look at the state
    /// anew. `Unavailable` where the service stays away; `Closed` at the end.
    pub async fn next(&mut self) -> Result<Event> {
        let (mut pause, mut until) = (PAUSE.0, None);
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.seen = event.revision;
                return Ok(event);
            }
            let client = self.client.clone();
            let failure = match either(self.more(), client.closing()).await {
                Some(Ok(())) => continue,
                Some(Err(failure)) => failure,
                None => return Err(closed()),
            };
            self.stream = None;
            let retry_for = self.client.inner().options.retry_for;
            let until = *until.get_or_insert_with(|| Instant::now() + retry_for);
            if !failure.again || Instant::now() + pause >= until {
                return Err(failure.error);
            }
            either(sleep(pause), client.closing()).await;
            pause = (pause * 2).min(PAUSE.1);
            match self.begin(Some(self.seen)).await {
                // The journal no longer has what came meanwhile, or never had any.
                Err(error) if matches!(error.code(), Code::Truncated | Code::Unsupported) => {
                    self.begin(None).await?;
                    return Err(Error::new(
                        Code::Truncated,
                        "the connection was lost, and the service can't tell what came meanwhile: look at the state anew",
                    ));
                }
                begun => begun?,
            }
        }
    }

    /// Connects, to go on behind a revision or from now on, until the service says where it begins.
    async fn begin(&mut self, after: Option<Revision>) -> Result<()> {
        let retry_for = self.client.inner().options.retry_for;
        let (mut pause, began) = (PAUSE.0, Instant::now());
        loop {
            self.client.may_go_on()?;
            let client = self.client.clone();
            let failure = match either(self.dial(after), client.closing()).await {
                Some(Ok(())) => return Ok(()),
                Some(Err(failure)) => failure,
                None => return Err(closed()),
            };
            self.stream = None;
            if !failure.again || began.elapsed() + pause >= retry_for {
                return Err(failure.error);
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn dial(&mut self, after: Option<Revision>) -> std::result::Result<(), Failure> {
        let client = self.client.clone();
        let limit = client.inner().options.answer_within;
        let late = |_| Failure::broken(client.url(), "not in time");
        let header = after.map(|after| (HeaderName::from_static("last-event-id"), HeaderValue::from(after.0)));
        let call = Call::get("/v1/watch");
        let (status, body) = timeout(limit, client.send(&call, header)).await.map_err(late)??;
        if status == StatusCode::GONE {
            return Err(Failure::last(Error::new(Code::Truncated, "the journal begins behind that revision")));
        }
        if !status.is_success() {
            let read = timeout(limit, body.collect()).await.map_err(late)?;
            let bytes = read.map_err(|error| Failure::broken(client.url(), &error.to_string()))?.to_bytes();
            return Err(Failure::told(client.url(), status, &bytes, client.now()));
        }
        self.stream = Some(Stream { body, buffer: BytesMut::new(), looked: 0 });
        loop {
            match timeout(limit, self.tell()).await.map_err(late)?? {
                Told::Start(revision) => {
                    self.seen = after.unwrap_or(revision);
                    return Ok(());
                }
                Told::Entry(event) => self.ready.push_back(event),
            }
        }
    }

    /// Takes in what comes next.
    async fn more(&mut self) -> std::result::Result<(), Failure> {
        let told = match timeout(SILENCE, self.tell()).await {
            Ok(told) => told?,
            Err(_) => return Err(Failure::broken(self.client.url(), "it fell silent")),
        };
        if let Told::Entry(event) = told
            && event.revision > self.seen
        {
            self.ready.push_back(event);
        }
        Ok(())
    }

    async fn tell(&mut self) -> std::result::Result<Told, Failure> {
        let url = self.client.url().to_owned();
        let broken = |why: &str| Failure::broken(&url, why);
        let Some(stream) = &mut self.stream else { return Err(broken("there is no connection")) };
        loop {
            while let Some(block) = stream.block() {
                if let Some(told) = read(&block).map_err(|error| Failure::foreign(&url, error.message()))? {
                    return Ok(told);
                }
            }
            if stream.buffer.len() > MOST {
                return Err(Failure::foreign(&url, "an event has no end"));
            }
            match stream.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        stream.buffer.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => return Err(broken(&error.to_string())),
                None => return Err(broken("it ended")),
            }
        }
    }
}

impl Stream {
    /// What stands before the next blank line.
    fn block(&mut self) -> Option<BytesMut> {
        let begin = self.looked.saturating_sub(1);
        let Some(end) = self.buffer[begin..].windows(2).position(|two| two == b"\n\n") else {
            self.looked = self.buffer.len();
            return None;
        };
        let block = self.buffer.split_to(begin + end);
        self.buffer.advance(2);
        self.looked = 0;
        Some(block)
    }
}

/// Reads a block; `None` for one that only shows that the service lives.
fn read(block: &[u8]) -> Result<Option<Told>> {
    let (mut kind, mut data, mut id) = (&b""[..], None, None);
    for line in block.split(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"event: ") {
            kind = name;
        } else if let Some(text) = line.strip_prefix(b"data: ") {
            data = Some(text);
        } else if let Some(text) = line.strip_prefix(b"id: ") {
            id = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).map(Revision);
        }
    }
    match (kind, data) {
        (b"start", Some(_)) => {
            id.map(|id| Some(Told::Start(id))).ok_or_else(|| Error::new(Code::Invalid, "the watch begins nowhere"))
        }
        (b"entry", Some(data)) => read_event(data).map(|event| Some(Told::Entry(event))),
        _ => Ok(None),
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("client", &self.client).field("seen", &self.seen).finish_non_exhaustive()
    }
}
