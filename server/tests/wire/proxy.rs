//! A proxy between clients and the service, which cuts connections off where it was told to.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// What becomes of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// All is passed on.
    Whole,
    /// It ends when the answer comes, of which nothing is passed on: what was asked for has happened.
    CutAtAnswer,
    /// It ends when the request was passed on: whether anything happens is open.
    CutAtRequest,
}

/// A proxy, until the test ends.
pub struct Proxy {
    pub at: SocketAddr,
    fate: Arc<Mutex<Fate>>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let (fate, cuts) = (Arc::new(Mutex::new(Fate::Whole)), Arc::new(AtomicUsize::new(0)));
        let (own_fate, own_cuts) = (fate.clone(), cuts.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (fate, cuts) = (*own_fate.lock().unwrap(), own_cuts.clone());
                thread::spawn(move || {
                    let Ok(server) = TcpStream::connect(server) else { return };
                    let _ = server.set_nodelay(true);
                    let _ = client.set_nodelay(true);
                    let _ = pass(&client, &server, fate, &cuts);
                    let _ = client.shutdown(Shutdown::Both);
                    let _ = server.shutdown(Shutdown::Both);
                });
            }
        });
        Self { at, fate, cuts }
    }

    /// What becomes of connections that begin from now on.
    pub fn set(&self, fate: Fate) {
        *self.fate.lock().unwrap() = fate;
    }

    /// Connections that were cut off.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

fn pass(mut client: &TcpStream, mut server: &TcpStream, fate: Fate, cuts: &AtomicUsize) -> io::Result<()> {
    if fate == Fate::Whole {
        let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
        let there = thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        io::copy(&mut server, &mut client)?;
        let _ = client.shutdown(Shutdown::Both);
        let _ = there.join();
        return Ok(());
    }
    // A request comes in one piece here: it is short, and was written at once.
    let mut request = [0; 4096];
    let length = client.read(&mut request)?;
    server.write_all(&request[..length])?;
    if fate == Fate::CutAtAnswer {
        server.read_exact(&mut [0; 1])?;
    }
    cuts.fetch_add(1, Ordering::SeqCst);
    Ok(())
}
