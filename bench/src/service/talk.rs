//! What is said to a server, and what of its answers matters. Every protocol's texts are made and read here.

use std::io::Write as _;

use crate::contender::{Answer, Failure};

/// Bytes of a task's data.
const DATA: &str = "0123456789abcdef0123456789abcdef";

/// How long a task is held, in seconds.
const LEASE: u64 = 60;

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// A task, by what it is called.
    Task(String),
    /// Nothing to claim.
    Nothing,
    /// What was asked for was done.
    Done,
}

/// One connection's language.
pub trait Talk {
    /// Asks for so many new tasks.
    fn add(&mut self, tasks: usize, out: &mut Vec<u8>);

    /// Asks for a task, waiting for one so many milliseconds.
    fn claim(&mut self, wait: u64, out: &mut Vec<u8>);

    /// Says that a task is finished.
    fn finish(&mut self, task: &str, out: &mut Vec<u8>);

    /// Reads one answer, and says how many bytes it took; nothing while it has not come whole.
    fn read(&mut self, bytes: &[u8]) -> Answer<Option<(Got, usize)>>;
}

fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Into memory: that does not fail.
    let _ = out.write_fmt(text);
}

fn odd(bytes: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
    Failure::Broken(format!("an answer that was not looked for: {text}"))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

/// The number that a text begins with.
fn number(bytes: &[u8]) -> usize {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}

/// HTTP, as `tenure serve` has it.
pub struct Http {
    owner: u64,
}

impl Http {
    /// The connection of this number has an owner of its own.
    pub fn new(number: u64) -> Self {
        Self { owner: number + 1 }
    }

    fn post(out: &mut Vec<u8>, path: &str, body: &str) {
        let length = body.len();
        write(
            out,
            format_args!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            ),
        );
    }
}

impl Talk for Http {
    fn add(&mut self, tasks: usize, out: &mut Vec<u8>) {
        let adds = vec![format!(r#"{{"group":"g","data":"{DATA}"}}"#); tasks].join(",");
        Self::post(out, "/v1/update", &format!(r#"{{"adds":[{adds}]}}"#));
    }

    fn claim(&mut self, wait: u64, out: &mut Vec<u8>) {
        let (owner, lease) = (self.owner, LEASE * 1000);
        let wait = if wait > 0 { format!(r#","wait":{wait}"#) } else { String::new() };
        Self::post(out, "/v1/claim", &format!(r#"{{"owner":{owner},"groups":["g"],"lease":{lease}{wait}}}"#));
    }

    fn finish(&mut self, task: &str, out: &mut Vec<u8>) {
        let owner = self.owner;
        let body = format!(r#"{{"owner":{owner},"deletes":[{{"id":{task},"reason":"finished"}}]}}"#);
        Self::post(out, "/v1/update", &body);
    }

    fn read(&mut self, bytes: &[u8]) -> Answer<Option<(Got, usize)>> {
        let Some(head) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let length = find(&bytes[..head], b"content-length: ").map_or(0, |at| number(&bytes[at + 16..head]));
        let end = head + 4 + length;
        if bytes.len() < end {
            return Ok(None);
        }
        if !bytes.starts_with(b"HTTP/1.1 200") {
            return Err(odd(bytes));
        }
        let body = &bytes[head + 4..end];
        let got = match (find(body, b"\"tasks\":[]"), find(body, b"\"id\":")) {
            (Some(_), _) => Got::Nothing,
            (None, Some(at)) => {
                let digits = body[at + 5..].iter().take_while(|byte| byte.is_ascii_digit());
                Got::Task(digits.map(|byte| char::from(*byte)).collect())
            }
            (None, None) => Got::Done,
        };
        Ok(Some((got, end)))
    }
}

/// beanstalkd's own.
#[derive(Default)]
pub struct Beanstalk {
    puts: usize,
}

impl Talk for Beanstalk {
    fn add(&mut self, tasks: usize, out: &mut Vec<u8>) {
        self.puts = tasks;
        for _ in 0..tasks {
            write(out, format_args!("put 0 0 {LEASE} {}\r\n{DATA}\r\n", DATA.len()));
        }
    }

    fn claim(&mut self, wait: u64, out: &mut Vec<u8>) {
        write(out, format_args!("reserve-with-timeout {}\r\n", wait / 1000));
    }

    fn finish(&mut self, task: &str, out: &mut Vec<u8>) {
        write(out, format_args!("delete {task}\r\n"));
    }

    fn read(&mut self, bytes: &[u8]) -> Answer<Option<(Got, usize)>> {
        let Some(line) = find(bytes, b"\r\n") else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes[..line]).into_owned();
        let mut words = text.split(' ');
        Ok(Some(match words.next() {
            Some("INSERTED") => {
                // One for each task: the last of them is the answer.
                let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
                let (count, length) = lines.fold((0, 0), |(count, length), line| (count + 1, length + line.len()));
                if count < self.puts {
                    return Ok(None);
                }
                (Got::Done, length)
            }
            Some("DELETED") => (Got::Done, line + 2),
            Some("TIMED_OUT") => (Got::Nothing, line + 2),
            Some("RESERVED") => {
                let task = words.next().unwrap_or_default().to_owned();
                let length: usize = words.next().and_then(|length| length.parse().ok()).ok_or_else(|| odd(bytes))?;
                if bytes.len() < line + 4 + length {
                    return Ok(None);
                }
                (Got::Task(task), line + 4 + length)
            }
            _ => return Err(odd(bytes)),
        }))
    }
}

/// Redis's. A claim is one script, which is the least that a lease needs; finishing is two commands in one go.
#[derive(Default)]
pub struct Redis {
    /// Answers that are still to come before the one that counts.
    before: usize,
    last: u64,
}

const CLAIM: &str = "local t=redis.call('LMOVE','waiting','held','LEFT','RIGHT') \
    if t then redis.call('ZADD','leases',ARGV[1],t) end return t";

fn command(out: &mut Vec<u8>, words: &[&str]) {
    write(out, format_args!("*{}\r\n", words.len()));
    for word in words {
        write(out, format_args!("${}\r\n{word}\r\n", word.len()));
    }
}

impl Talk for Redis {
    fn add(&mut self, tasks: usize, out: &mut Vec<u8>) {
        // What lies in a list must be told apart for it to be found there again.
        let tasks: Vec<String> = (0..tasks)
            .map(|_| {
                self.last += 1;
                format!("{}:{DATA}", self.last)
            })
            .collect();
        let words: Vec<&str> = ["RPUSH", "waiting"].into_iter().chain(tasks.iter().map(String::as_str)).collect();
        command(out, &words);
    }

    fn claim(&mut self, _wait: u64, out: &mut Vec<u8>) {
        let until = LEASE.to_string();
        // The server keeps what it has compiled; the text alone goes over the wire again.
        command(out, &["EVAL", CLAIM, "0", &until]);
    }

    fn finish(&mut self, task: &str, out: &mut Vec<u8>) {
        command(out, &["LREM", "held", "1", task]);
        command(out, &["ZREM", "leases", task]);
        self.before = 1;
    }

    fn read(&mut self, bytes: &[u8]) -> Answer<Option<(Got, usize)>> {
        let (mut from, mut before) = (0, self.before);
        loop {
            let rest = &bytes[from..];
            let Some(line) = find(rest, b"\r\n") else { return Ok(None) };
            let text = String::from_utf8_lossy(&rest[1..line]).into_owned();
            let (got, end) = match rest[0] {
                b':' | b'+' => (Got::Done, line + 2),
                b'$' if text == "-1" => (Got::Nothing, line + 2),
                b'$' => {
                    let length: usize = text.parse().map_err(|_| odd(rest))?;
                    if rest.len() < line + 4 + length {
                        return Ok(None);
                    }
                    let task = String::from_utf8_lossy(&rest[line + 2..line + 2 + length]).into_owned();
                    (Got::Task(task), line + 4 + length)
                }
                _ => return Err(odd(rest)),
            };
            from += end;
            if before == 0 {
                self.before = 0;
                return Ok(Some((got, from)));
            }
            before -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an answer that comes byte by byte.
    fn slowly(talk: &mut dyn Talk, text: &str) -> Got {
        for end in 0..text.len() {
            assert_eq!(talk.read(&text.as_bytes()[..end]), Ok(None), "{:?}", &text[..end]);
        }
        let (got, length) = talk.read(text.as_bytes()).unwrap_or(None).unwrap_or((Got::Nothing, 0));
        assert_eq!(length, text.len());
        got
    }

    #[test]
    fn an_answer_is_read_once_it_is_whole() {
        let task = Got::Task("7".into());
        let body = r#"{"tasks":[{"id":7}]}"#;
        let http = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        assert_eq!(slowly(&mut Http::new(0), &http), task);
        assert_eq!(slowly(&mut Beanstalk::default(), "RESERVED 7 2\r\nab\r\n"), task);
        assert_eq!(slowly(&mut Redis::default(), "$1\r\n7\r\n"), task);
        assert_eq!(slowly(&mut Redis::default(), "$-1\r\n"), Got::Nothing);
        let mut redis = Redis::default();
        redis.finish("7", &mut Vec::new());
        assert_eq!(slowly(&mut redis, ":1\r\n:1\r\n"), Got::Done);
        let mut beanstalk = Beanstalk::default();
        beanstalk.add(2, &mut Vec::new());
        assert_eq!(slowly(&mut beanstalk, "INSERTED 1\r\nINSERTED 2\r\n"), Got::Done);
    }
}
