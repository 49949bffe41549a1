//! A body that is still to come. A large one waits for its share of the memory for all of them, and keeps it until what it says
//! is committed: while commits are slow, what clients send waits with them.

use std::mem;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::{
    StatusCode,
    body::{Body as _, Incoming},
    header::CONNECTION,
};
use tenure::{Code, Error};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use crate::{app::App, problem::Problem};

/// Bodies below this size take no share of the memory for them.
const SMALL: usize = 64 << 10;

/// Bytes to a permit.
pub const UNIT: usize = 1 << 10;

/// A body's share of the memory for all of them, if it is large.
#[derive(Default)]
pub struct Room(Option<OwnedSemaphorePermit>);

impl Room {
    /// Gives back all but what so many bytes take.
    pub fn keep(self, bytes: usize) -> Self {
        Self(self.0.and_then(|mut share| share.split(bytes.div_ceil(UNIT).min(share.num_permits()))))
    }
}

/// A body that is still to come, of a request that was let in.
pub struct Coming {
    body: Incoming,
    room: Room,
    /// How long it may be, as far as it says.
    length: usize,
    most: usize,
}

impl Coming {
    /// A body of at most `most` bytes.
    pub fn begin(body: Incoming, most: usize) -> Result<Self, Problem> {
        let hint = body.size_hint();
        if hint.lower() > most as u64 {
            return Err(too_large(most));
        }
        // One that does not say how long it is may be as long as is allowed.
        let length = hint.exact().map_or(most, |length| length as usize);
        Ok(Self { body, room: Room::default(), length, most })
    }

    /// All of it; a large one waits for its share of the memory, for half as long as a body may stand still.
    pub async fn read(&mut self, app: &App) -> Result<Bytes, Problem> {
        if self.length > SMALL {
            let share = u32::try_from(self.length.div_ceil(UNIT)).unwrap_or(u32::MAX);
            let share = app.bodies.clone().acquire_many_owned(share);
            let Ok(share) = timeout(app.config.patience.stall / 2, share).await else { return Err(full()) };
            self.room = Room(share.ok());
        }
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while !self.body.is_end_stream() {
            let Some(frame) = self.body.frame().await else { break };
            let broken =
                |error| Problem::new(StatusCode::BAD_REQUEST, "invalid", format!("the body broke off: {error}"));
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if first.len().max(rest.len()) + data.len() > self.most {
                return Err(too_large(self.most));
            }
            if first.is_empty() {
                first = data;
                continue;
            }
            if rest.is_empty() {
                rest.reserve(self.length.min(SMALL).max(first.len() + data.len()));
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
        let all = if rest.is_empty() { first } else { rest.freeze() };
        // One that did not say how long it is took the share of the longest.
        self.room = mem::take(&mut self.room).keep(if all.len() > SMALL { all.len() } else { 0 });
        Ok(all)
    }

    /// What is left of it once it was read.
    pub fn leave(self) -> Room {
        self.room
    }
}

fn full() -> Problem {
    let why = "the memory for large bodies is taken by others: try again, or send smaller ones";
    Problem::from(Error::new(Code::Unavailable, why)).with_header(CONNECTION, "close")
}

fn too_large(most: usize) -> Problem {
    let why = format!("the body is larger than {most} bytes: split it");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "over_limit", why).with_header(CONNECTION, "close")
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Read as _, Write as _},
        net::TcpStream,
        time::{Duration, Instant},
    };

    use tenure::Options;

    use super::UNIT;
    use crate::{Config, Server};

    /// A served store whose bodies have a mebibyte, and what of that is free.
    struct Served {
        folder: tempfile::TempDir,
        server: Server,
    }

    const ALL: usize = (1 << 20) / UNIT;

    impl Served {
        /// Bodies of at most this size.
        fn new(most: usize) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Options::new().open(folder.path().join("s")).unwrap();
            let mut config = Config::new("127.0.0.1:0".parse().unwrap());
            config.all_body_bytes = ALL * UNIT;
            config.body_bytes = most;
            config.patience.stall = Duration::from_millis(600);
            Self { folder, server: Server::start(store, config).unwrap() }
        }

        fn post(&self, path: &str, body: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.server.addresses()[0]).unwrap();
            let length = body.len();
            let head = "host: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n";
            write!(stream, "POST {path} HTTP/1.1\r\n{head}content-length: {length}\r\n\r\n{body}").unwrap();
            stream
        }

        /// The same without its length: it takes as much as it could have.
        fn post_in_pieces(&self, path: &str, body: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.server.addresses()[0]).unwrap();
            let length = format!("{:x}", body.len());
            let head = "host: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n";
            let pieces = format!("transfer-encoding: chunked\r\n\r\n{length}\r\n{body}\r\n0\r\n\r\n");
            write!(stream, "POST {path} HTTP/1.1\r\n{head}{pieces}").unwrap();
            stream
        }

        fn free(&self) -> usize {
            self.server.app.bodies.available_permits()
        }

        fn until_free(&self, wanted: usize) {
            let began = Instant::now();
            while self.free() != wanted {
                assert!(began.elapsed() < Duration::from_secs(20), "{} are free, not {wanted}", self.free());
                std::thread::yield_now();
            }
        }
    }

    fn answer(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_large_update_keeps_its_share_of_the_memory_until_it_is_committed() {
        let served = Served::new(ALL * UNIT);
        let lock = File::open(served.folder.path().join("s/lock")).unwrap();
        lock.lock().unwrap();
        let body = format!(r#"{{"adds":[{{"group":"g","data":"{}"}}]}}"#, "x".repeat(600 * UNIT));
        let stream = served.post("/v1/update", &body);
        let left = ALL - body.len().div_ceil(UNIT);
        served.until_free(left);
        // It is posted by now, or soon; and it stays in memory.
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(300) {
            assert_eq!(served.free(), left);
        }
        // One for which there is no room meanwhile is told so, and one that is small goes on.
        let refused = answer(served.post("/v1/update", &body));
        assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
        assert!(refused.contains("\"code\":\"unavailable\"") && refused.contains("the memory for large bodies"));
        assert!(answer(served.post("/claim", "{}")).starts_with("HTTP/1.1 400"));
        assert_eq!(served.free(), left);
        lock.unlock().unwrap();
        let done = answer(stream);
        assert!(done.starts_with("HTTP/1.1 200"), "{done}");
        served.until_free(ALL);
    }

    #[test]
    fn a_body_that_does_not_say_how_long_it_is_keeps_no_more_than_it_took() {
        let served = Served::new(ALL * UNIT);
        let body = r#"{"groups":["g"],"lease":60000,"wait":30000}"#;
        let waits = served.post_in_pieces("/v1/claim", body);
        let began = Instant::now();
        while served.server.app.metrics.waiting.get() == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not wait");
            std::thread::yield_now();
        }
        assert_eq!(served.free(), ALL);
        // Another is let in beside it, though each could have taken all there is.
        let done = answer(served.post_in_pieces("/v1/update", r#"{"adds":[{"group":"h"}]}"#));
        assert!(done.starts_with("HTTP/1.1 200"), "{done}");
        drop(waits);
    }

    #[test]
    fn a_body_that_takes_more_than_there_is_for_all_has_the_memory_to_itself() {
        let served = Served::new(2 * ALL * UNIT + 1);
        served.until_free(2 * ALL + 1);
        let body = format!(r#"{{"adds":[{{"group":"g","data":"{}"}}]}}"#, "x".repeat(3 * ALL * UNIT / 2));
        let done = answer(served.post_in_pieces("/v1/update", &body));
        assert!(done.starts_with("HTTP/1.1 200"), "{done}");
        served.until_free(2 * ALL + 1);
    }

    #[test]
    fn a_claim_that_waits_keeps_no_more_than_what_it_holds() {
        let served = Served::new(ALL * UNIT);
        let name = "g".repeat(250);
        let names = (0..1000).map(|n| format!("\"{name}{n:04}\"")).collect::<Vec<_>>().join(",");
        for (groups, holds) in [("\"g\"", 25), (&names, 1000 * (254 + size_of::<String>()))] {
            let padding = " ".repeat(500 * UNIT);
            let body = format!(r#"{{"groups":[{groups}],"lease":60000,"wait":30000{padding}}}"#);
            let waits = served.post("/v1/claim", &body);
            served.until_free(ALL - holds.div_ceil(UNIT));
            drop(waits);
            served.until_free(ALL);
        }
    }
}
