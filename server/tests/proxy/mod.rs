//! A proxy between a client and a service that cuts connections when a test says so.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Where the next exchange is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// The request never gets to the service.
    BeforeRequest,
    /// The service has answered, and none of it gets through.
    BeforeAnswer,
    /// A part of the answer gets through.
    MidAnswer,
}

/// A proxy; each exchange is one read of the request and one of the answer.
pub struct Proxy {
    pub at: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    next: Mutex<Option<Cut>>,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    cuts: AtomicUsize,
    silent: AtomicBool,
}

impl Proxy {
    pub fn new(service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(service) else { return };
                let state = shared.clone();
                thread::spawn(move || carry(&client, &server, service, at, &state));
            }
        });
        Self { at, state }
    }

    pub fn cut_next(&self, cut: Cut) {
        *self.state.next.lock().unwrap() = Some(cut);
    }

    /// What happens once the service has answered, and before the client sees that its connection is cut.
    pub fn cut_next_after(&self, meanwhile: impl FnOnce() + Send + 'static) {
        *self.state.meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
        self.cut_next(Cut::BeforeAnswer);
    }

    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::Acquire)
    }

    /// From now on no answer gets through, and no connection ends.
    pub fn stop_answering(&self) {
        self.state.silent.store(true, Ordering::Release);
    }
}

/// Carries exchanges until one is cut, or either side has gone.
fn carry(mut client: &TcpStream, mut server: &TcpStream, service: SocketAddr, at: SocketAddr, state: &State) {
    let mut bytes = vec![0; 1 << 20];
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let ends = || {
        state.cuts.fetch_add(1, Ordering::AcqRel);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    };
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        let cut = state.next.lock().unwrap().take();
        if cut == Some(Cut::BeforeRequest) {
            return ends();
        }
        // The service knows itself by its own name.
        let text = String::from_utf8_lossy(&bytes[..length]).replace(&at.to_string(), &service.to_string());
        if server.write_all(text.as_bytes()).is_err() {
            break;
        }
        let Ok(length @ 1..) = server.read(&mut bytes) else { break };
        let through = match cut {
            Some(Cut::BeforeAnswer) => 0,
            Some(_) => length / 2,
            None => length,
        };
        if state.silent.load(Ordering::Acquire) {
            continue;
        }
        if client.write_all(&bytes[..through]).is_err() {
            break;
        }
        if cut.is_some() {
            if let Some(meanwhile) = state.meanwhile.lock().unwrap().take() {
                meanwhile();
            }
            return ends();
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
