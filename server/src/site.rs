//! Which names a request may be addressed to, and which sites' pages may send one. A page of a foreign site can make a
//! browser send requests here, and by rebinding its own name to this address it can read the answers; the names tell.

use std::net::IpAddr;

use hyper::{
    HeaderMap, Response, StatusCode, Uri,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST, HeaderValue, ORIGIN, VARY,
    },
};

use crate::{body::Body, config::Config, problem::Problem};

/// The names and sites that are let in.
#[derive(Debug)]
pub struct Site {
    names: Vec<String>,
    /// The names as most requests have them, with and without a port that is listened on.
    hosts: Vec<String>,
    /// Whether any address, as opposed to a name, will do: nobody can rebind an address.
    any_address: bool,
    origins: Vec<String>,
}

/// A host without its port, and without the brackets of an address.
fn bare(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

impl Site {
    pub fn new(config: &Config) -> Self {
        let mut names: Vec<String> = config.names.iter().map(|name| bare(name).to_ascii_lowercase()).collect();
        let mut any_address = false;
        for listen in &config.listen {
            let ip = listen.ip();
            any_address |= ip.is_unspecified();
            names.push(ip.to_string());
            if ip.is_loopback() || ip.is_unspecified() {
                names.extend(["localhost", "127.0.0.1", "::1"].map(Into::into));
            }
        }
        names.sort_unstable();
        names.dedup();
        let host = |name: &String| if name.contains(':') { format!("[{name}]") } else { name.clone() };
        let mut hosts: Vec<String> = names.iter().map(host).collect();
        for listen in &config.listen {
            hosts.extend(names.iter().map(|name| format!("{}:{}", host(name), listen.port())));
        }
        Self { names, hosts, any_address, origins: config.origins.clone() }
    }

    /// Refuses a request that is addressed to another, or sent by a page of another.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap, origin: Option<&HeaderValue>) -> Result<(), Problem> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = uri.authority().map_or(host, |authority| authority.as_str());
        if hosts.next().is_some() || !self.is_mine(host) {
            let why = format!(
                "this service is not {host:.80?}: use one of {}, or start it with --name for another",
                self.names.join(", ")
            );
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", why));
        }
        let Some(origin) = origin else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        let own = origin.split_once("://").is_some_and(|(_, site)| site.eq_ignore_ascii_case(host));
        if own || self.allows(origin) {
            return Ok(());
        }
        let why = format!("pages of {origin:.80?} may not call: start the service with --allow-origin for them");
        Err(Problem::new(StatusCode::FORBIDDEN, "foreign_origin", why))
    }

    fn is_mine(&self, host: &str) -> bool {
        if self.hosts.iter().any(|known| known == host) {
            return true;
        }
        let name = bare(host);
        let known = self.names.iter().any(|known| known.eq_ignore_ascii_case(name));
        known || self.any_address && name.parse::<IpAddr>().is_ok()
    }

    fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == origin)
    }

    /// Answers a browser that asks whether a page of an allowed site may call.
    pub fn preflight(&self, headers: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::from(""));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let out = response.headers_mut();
        out.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
        let allowed = "authorization, content-type, if-match, if-none-match, idempotency-key, last-event-id, \
                       tenure-actor, tenure-sent-after, tenure-store";
        out.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
        out.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        self.allow(headers.get(ORIGIN), &mut response);
        response
    }

    /// Lets a page of an allowed site read the answer.
    pub fn allow(&self, origin: Option<&HeaderValue>, response: &mut Response<Body>) {
        let Some(origin) = origin else { return };
        if self.allows(origin.to_str().unwrap_or_default()) {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag"));
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &Config, host: &str, origin: Option<&str>) -> u16 {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        Site::new(config)
            .check(&Uri::from_static("/"), &headers, headers.get(ORIGIN))
            .map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_listened_names_are_answered() {
        let mut config = Config::new("127.0.0.1:8048".parse().unwrap());
        for (host, status) in [
            ("localhost:8048", 200),
            ("127.0.0.1", 200),
            ("[::1]:8048", 200),
            ("LOCALHOST", 200),
            ("evil.example:8048", 421),
            ("10.0.0.1:8048", 421),
            ("", 421),
            ("localhost.evil.example", 421),
        ] {
            assert_eq!(check(&config, host, None), status, "{host}");
        }
        config.names.push("tasks.example".into());
        assert_eq!(check(&config, "tasks.example:443", None), 200);
        let wide = Config::new("0.0.0.0:8048".parse().unwrap());
        assert_eq!(check(&wide, "10.0.0.1:8048", None), 200);
        assert_eq!(check(&wide, "evil.example", None), 421);
    }

    #[test]
    fn a_foreign_origin_is_refused_unless_it_is_allowed() {
        let mut config = Config::new("127.0.0.1:8048".parse().unwrap());
        assert_eq!(check(&config, "localhost:8048", Some("http://localhost:8048")), 200);
        assert_eq!(check(&config, "localhost:8048", Some("http://localhost:9000")), 403);
        assert_eq!(check(&config, "localhost:8048", Some("https://evil.example")), 403);
        assert_eq!(check(&config, "localhost:8048", Some("null")), 403);
        config.origins.push("https://board.example".into());
        assert_eq!(check(&config, "localhost:8048", Some("https://board.example")), 200);
    }
}
