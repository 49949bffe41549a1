//! A served store, and a client that speaks HTTP over a bare socket, so that a test can also speak it badly.
#![allow(dead_code, clippy::unwrap_used)]

pub mod proxy;

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;
use tenure::{Options, Store};
use tenure_server::{Config, Server};

/// A served store in a folder of its own.
pub struct Served {
    pub store: Store,
    pub server: Option<Server>,
    pub folder: tempfile::TempDir,
    pub at: SocketAddr,
}

pub fn config() -> Config {
    Config::new("127.0.0.1:0".parse().unwrap())
}

impl Served {
    pub fn new() -> Self {
        Self::with(config(), &Options::new())
    }

    pub fn with(config: Config, options: &Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = options.open(folder.path().join("s")).unwrap();
        let server = Server::start(store.clone(), config).unwrap();
        let at = server.addresses()[0];
        Self { store, server: Some(server), folder, at }
    }

    pub fn client(&self) -> Client {
        Client::new(self.at)
    }

    pub fn get(&self, path: &str) -> Value {
        self.client().get(path).ok()
    }

    pub fn post(&self, path: &str, body: &str) -> Value {
        self.client().post(path, body).ok()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.server.take());
        self.store.close().unwrap();
    }
}

/// A connection.
pub struct Client {
    pub stream: BufReader<TcpStream>,
    pub host: String,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The body of an answer that went well.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The problem's status and code.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        for name in ["type", "title", "detail", "outcome", "retry"] {
            assert!(json[name].is_string(), "{name} in {json}");
        }
        (self.status, json["code"].as_str().unwrap().to_owned())
    }
}

impl Client {
    pub fn new(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { stream: BufReader::new(stream), host: at.to_string() }
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.call("GET", path, &[], "")
    }

    pub fn post(&mut self, path: &str, body: &str) -> Reply {
        self.call("POST", path, &[("content-type", "application/json")], body)
    }

    pub fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send(method, path, headers, body);
        self.reply().expect("an answer")
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            let _ = write!(text, "host: {}\r\n", self.host);
        }
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if !body.is_empty() || method != "GET" {
            let _ = write!(text, "content-length: {}\r\n", body.len());
        }
        text += "\r\n";
        text += body;
        self.raw(text.as_bytes());
    }

    /// Sends bytes as they are; a server that has hung up shows in the reply.
    pub fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// The next answer, or nothing where the connection ended.
    pub fn reply(&mut self) -> Option<Reply> {
        let (status, headers) = self.head()?;
        let mut reply = Reply { status, headers, body: Vec::new() };
        if reply.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk() {
                reply.body.extend(chunk);
            }
        } else if let Some(length) = reply.header("content-length") {
            reply.body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut reply.body).ok()?;
        }
        Some(reply)
    }

    /// The status and the header lines.
    pub fn head(&mut self) -> Option<(u16, Vec<(String, String)>)> {
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { return Some((status, headers)) };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }

    /// One chunk of a body, or nothing at its end.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let length = usize::from_str_radix(&self.line()?, 16).ok()?;
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).ok()?;
        bytes.truncate(length);
        (length > 0).then_some(bytes)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }
}
