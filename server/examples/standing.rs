//! Serves a store in memory whose clock stands where the caller puts it: for tests of clients, which so get the same
//! answers each time.
//!
//! It reads lines of JSON and answers each with one. The first may be `{"limits":{…},"origins":[…],"tokens":"FILE"}` and is
//! answered with `{"url":…}`; each after it is `{"now":…}`, the time in milliseconds, and is answered once waiting claims
//! have been told. It ends with its input.
#![allow(clippy::print_stdout, reason = "it talks to its caller")]

use std::{error::Error, io::stdin};

use serde_json::{Value, json};
use tenure::{Limits, Options, clock::Clock};
use tenure_server::{Config, Server};

/// Where the shared vectors begin.
const START: u64 = 1_000_000;

fn limits(given: &Value) -> Result<Limits, Box<dyn Error>> {
    let mut limits = Limits::default();
    for (name, value) in given["limits"].as_object().into_iter().flatten() {
        let value = value.as_u64().ok_or("a limit is a number")?;
        match name.as_str() {
            // No limit that anybody may choose, and too long for a test.
            "request_window" => limits.request_window = value,
            _ => limits.set(name, value)?,
        }
    }
    Ok(limits)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut lines = stdin().lines();
    let given: Value = serde_json::from_str(&lines.next().ok_or("say how to begin: {}")??)?;
    let clock = Clock::test(given["now"].as_u64().unwrap_or(START));
    let store =
        Options::new().clock(clock.clone()).limits(limits(&given)?).owner(7).actor("vectors").seed(1).memory()?;
    let mut config = Config::new("127.0.0.1:0".parse()?);
    config.tokens = given["tokens"].as_str().map(Into::into);
    config.origins.extend(given["origins"].as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into));
    let server = Server::start(store.clone(), config)?;
    println!("{}", json!({"url": format!("http://{}", server.addresses()[0])}));
    for line in lines {
        let asked: Value = serde_json::from_str(&line?)?;
        let now = asked["now"].as_u64().ok_or("give the time as {\"now\": milliseconds}")?;
        clock.set(now);
        println!("{}", json!({"now": store.now()}));
    }
    drop(server);
    Ok(store.close()?)
}
