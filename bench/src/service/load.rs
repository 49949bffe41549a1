//! Connections that never pause: each sends its next request once its last one is answered.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::host::Kind;
use super::talk::{Got, Talk};
use crate::contender::{Answer, Failure};

/// What a connection asks for, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A task, and that it is finished.
    Cycles,
    /// So many new tasks at a time.
    Adds(usize),
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Came {
    /// Requests that were answered.
    pub requests: u64,
    /// Tasks that were added or finished.
    pub tasks: u64,
    /// How long it took.
    pub seconds: f64,
}

struct Line {
    stream: TcpStream,
    talk: Box<dyn Talk>,
    out: Vec<u8>,
    sent: usize,
    got: Vec<u8>,
    /// What it holds is being finished.
    finishing: bool,
}

impl Line {
    fn next(&mut self, asks: Asks, task: Option<&str>) {
        self.out.clear();
        self.sent = 0;
        self.finishing = task.is_some();
        match (asks, task) {
            (Asks::Adds(tasks), _) => self.talk.add(tasks, &mut self.out),
            (Asks::Cycles, Some(task)) => self.talk.finish(task, &mut self.out),
            (Asks::Cycles, None) => self.talk.claim(0, &mut self.out),
        }
    }

    fn send(&mut self) -> Answer<()> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::NotConnected => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Answer<Option<Got>> {
        let mut piece = [0; 16 << 10];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(Failure::Broken("the server hung up".into())),
                Ok(length) => {
                    self.got.extend_from_slice(&piece[..length]);
                    // Less than there is room for: there is no more, and whatever comes is told of anew.
                    if length < piece.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        let Some((got, length)) = self.talk.read(&self.got)? else { return Ok(None) };
        if length == self.got.len() {
            self.got.clear();
        } else {
            self.got.drain(..length);
        }
        Ok(Some(got))
    }
}

/// Asks on so many connections, for so long, or until there is nothing more to claim.
pub fn run(at: SocketAddr, kind: Kind, connections: usize, asks: Asks, seconds: f64) -> Answer<Came> {
    let mut poll = Poll::new()?;
    let mut lines = Vec::with_capacity(connections);
    for number in 0..connections {
        let mut stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        poll.registry().register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)?;
        let talk = kind.talk(number as u64);
        let mut line = Line { stream, talk, out: Vec::new(), sent: 0, got: Vec::new(), finishing: false };
        line.next(asks, None);
        lines.push(line);
    }
    let (mut came, began) = (Came::default(), Instant::now());
    let until = began + Duration::from_secs_f64(seconds);
    let mut events = Events::with_capacity(connections);
    let mut dry = false;
    while !dry && Instant::now() < until {
        poll.poll(&mut events, Some(Duration::from_secs(1)))?;
        for event in &events {
            let line = &mut lines[event.token().0];
            line.send()?;
            // One answer at most: nothing more was asked for.
            if let Some(got) = line.receive()? {
                came.requests += 1;
                came.tasks += match asks {
                    Asks::Adds(tasks) => tasks as u64,
                    Asks::Cycles => u64::from(line.finishing),
                };
                dry |= got == Got::Nothing && !line.finishing;
                let task = if let Got::Task(task) = &got { Some(task.as_str()) } else { None };
                line.next(asks, task.filter(|_| asks == Asks::Cycles));
                line.send()?;
            }
        }
    }
    came.seconds = began.elapsed().as_secs_f64();
    Ok(came)
}

/// Adds so many tasks, on one connection.
pub fn fill(at: SocketAddr, kind: Kind, tasks: usize, batch: usize) -> Answer<()> {
    let mut one = Single::connect(at, kind, 0)?;
    for _ in 0..tasks.div_ceil(batch) {
        one.talk.add(batch, &mut one.out);
        one.send()?;
        one.hear()?;
    }
    Ok(())
}

/// A connection that waits for its answers.
pub struct Single {
    stream: std::net::TcpStream,
    talk: Box<dyn Talk>,
    out: Vec<u8>,
    got: Vec<u8>,
}

impl Single {
    /// Connects.
    pub fn connect(at: SocketAddr, kind: Kind, number: u64) -> Answer<Self> {
        let stream = std::net::TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(90)))?;
        Ok(Self { stream, talk: kind.talk(number), out: Vec::new(), got: Vec::new() })
    }

    /// Asks for a task, and goes on.
    pub fn claim(&mut self, wait: u64) -> Answer<()> {
        self.talk.claim(wait, &mut self.out);
        self.send()
    }

    /// Asks for a new task, and goes on.
    pub fn add(&mut self) -> Answer<()> {
        self.talk.add(1, &mut self.out);
        self.send()
    }

    fn send(&mut self) -> Answer<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// The next answer.
    pub fn hear(&mut self) -> Answer<Got> {
        let mut piece = [0; 16 << 10];
        loop {
            if let Some((got, length)) = self.talk.read(&self.got)? {
                self.got.drain(..length);
                return Ok(got);
            }
            match self.stream.read(&mut piece)? {
                0 => return Err(Failure::Broken("the server hung up".into())),
                length => self.got.extend_from_slice(&piece[..length]),
            }
        }
    }
}
