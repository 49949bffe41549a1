//! The program as a service.

use std::{
    io::{BufRead as _, BufReader},
    process::Child,
};

use super::Desk;

/// A service that does not outlive its test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the service and answers with its child and its URL.
pub fn start(desk: &Desk, more: &[&str]) -> (Running, String) {
    let mut args = vec!["serve", "s", "--listen", "127.0.0.1:0"];
    args.extend(more);
    let mut child = Running(desk.command(&args).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit_once(' ').map(|(_, url)| url.to_owned());
    (child, url.unwrap_or_else(|| panic!("no URL in {line:?}")))
}
