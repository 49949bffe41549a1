//! A service over a store in memory, and what it holds to whatever it is sent: an answer that is no fault of its own.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tenure::Store;
use tenure_server::{Config, Server};

/// Requests until a new one begins, so that its store does not fill up.
const EACH: usize = 20_000;

static SERVICE: Mutex<Option<(Server, SocketAddr, usize)>> = Mutex::new(None);

/// Where a service listens.
fn service() -> SocketAddr {
    let mut service = SERVICE.lock().unwrap_or_else(PoisonError::into_inner);
    if service.as_ref().is_none_or(|(_, _, left)| *left == 0) {
        let mut config = Config::new("127.0.0.1:0".parse().expect("an address"));
        // Nothing is waited for.
        config.wait = Duration::ZERO;
        let server = Server::start(Store::memory().expect("a store"), config).expect("a service");
        let at = server.addresses()[0];
        *service = Some((server, at, EACH));
    }
    let (_, at, left) = service.as_mut().expect("a service");
    *left -= 1;
    *at
}

/// Sends bytes on a connection, and answers with all that comes back.
fn exchange(bytes: &[u8], hang_up: bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(service()).expect("the service takes on connections");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    // The service may have hung up already.
    let _ = stream.write_all(bytes);
    if hang_up {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
            panic!("no end within 30 s, after {:?}", String::from_utf8_lossy(&answer));
        }
        _ => answer,
    }
}

/// The first answer's status.
fn status(answer: &[u8]) -> Option<u16> {
    let line = String::from_utf8_lossy(&answer[..answer.len().min(64)]).into_owned();
    line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok())
}

fn is_no_fault(answer: &[u8]) {
    if let Some(status) = status(answer) {
        // 505 is for what is of another version; 507 where a store in memory is full.
        assert!(status < 500 || matches!(status, 505 | 507), "{:?}", String::from_utf8_lossy(answer));
    }
}

/// What is sent on a connection, as it is.
pub fn connection(bytes: &[u8]) {
    is_no_fault(&exchange(bytes, true));
}

/// A request: a line with method and path, lines of headers, an empty line, the body.
pub fn call(text: &[u8]) {
    let Some(request) = spelled(text) else { return };
    let answer = exchange(&request, false);
    assert!(status(&answer).is_some(), "no answer to {:?}", String::from_utf8_lossy(&request));
    is_no_fault(&answer);
}

/// The bytes of such a request, on a connection that ends with its answer; nothing where it could not be one.
fn spelled(text: &[u8]) -> Option<Vec<u8>> {
    let split = text.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, body) = (std::str::from_utf8(&text[..split]).ok()?, &text[split + 2..]);
    // Where a head can't be read, HTTP/2's first words behind it end the connection without an answer.
    if body.starts_with(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
        return None;
    }
    let printable = |c: char| c == '\n' || ('\u{20}'..'\u{7f}').contains(&c);
    let mut lines = head.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let fit = head.chars().all(printable) && path.starts_with('/') && !path.contains(' ');
    // What is watched has no end.
    if !fit || method.is_empty() || !method.chars().all(|c| c.is_ascii_uppercase()) || path.starts_with("/v1/watch") {
        return None;
    }
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let own = ["host", "connection", "content-length", "transfer-encoding", "expect", "upgrade"];
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !is_name || own.contains(&name.to_ascii_lowercase().as_str()) {
            return None;
        }
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("content-length: {}\r\n\r\n", body.len());
    Some([request.as_bytes(), body].concat())
}
