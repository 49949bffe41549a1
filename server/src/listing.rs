//! Long lists of tasks, sent page by page, so that neither the store's lock nor the memory has to hold all of one.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::{
    Response,
    header::{CONTENT_TYPE, HeaderValue},
};
use tenure::{Data, Filter, Task};
use tokio::sync::mpsc;

use crate::{app::App, body::Body, respond, route::Answer};

/// Tasks of one page: finding them looks at all of the group, so it is large.
const PAGE: usize = 10_000;

pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn from_base64(text: &str) -> Result<Data, String> {
    STANDARD.decode(text).map(Data::from).map_err(|error| format!("no base64: {error}"))
}

/// Sends the tasks that a filter lets through, up to its limit, between `open` and `close`. What changes while later
/// pages are read may or may not show.
pub async fn stream(
    app: Arc<App>,
    mut filter: Filter,
    open: &'static str,
    close: &'static str,
    spell: fn(&mut String, &Task),
) -> Answer {
    let mut left = filter.limit;
    let mut text = open.to_owned();
    let mut more = page(&app, &mut filter, &mut left, &mut text, spell, true).await?;
    if !more {
        text.push_str(close);
        return Ok(respond::json_text(text));
    }
    let (send, pieces) = mpsc::channel(2);
    tokio::spawn(async move {
        while send.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_ok() && more {
            match page(&app, &mut filter, &mut left, &mut text, spell, false).await {
                Ok(next) => more = next,
                Err(problem) => {
                    // The answer has begun: all that can be said is that it is not whole.
                    let _ = send.send(Err(std::io::Error::other(problem.detail().to_owned()))).await;
                    return;
                }
            }
            if !more {
                text.push_str(close);
            }
        }
    });
    let mut response = Response::new(Body::pieces(pieces));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Adds one page; says whether there may be another.
async fn page(
    app: &App,
    filter: &mut Filter,
    left: &mut usize,
    text: &mut String,
    spell: fn(&mut String, &Task),
    first: bool,
) -> Result<bool, crate::problem::Problem> {
    filter.limit = PAGE.min(*left);
    let asked = filter.clone();
    let tasks = app.read(move |store| store.tasks(&asked)).await?;
    for (at, task) in tasks.iter().enumerate() {
        if !first || at > 0 {
            text.push(',');
        }
        spell(text, task);
    }
    *left -= tasks.len();
    if let Some(last) = tasks.last() {
        filter.after = last.id;
    }
    Ok(tasks.len() == filter.limit && *left > 0)
}
