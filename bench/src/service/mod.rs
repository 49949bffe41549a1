//! Servers and the load on them. One program speaks to all of them: a thread with many connections, each of which sends
//! its next request as soon as the last one is answered, so that the load costs every server the same.
//!
//! ```text
//!   host     a server's process: Tenure's, beanstalkd, Redis; what CPU and memory it takes up
//!   talk     what is said on a connection, in each one's protocol
//!   load     the connections
//! ```

pub mod host;
pub mod load;
pub mod talk;
