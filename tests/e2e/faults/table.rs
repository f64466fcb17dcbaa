//! The fault matrix. `docs/operations.md` shows it.

/// A way in which Redis, or the way to it, fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    RedisHangs,
    RedisDown,
    RequestsHang,
    Refused,
    Reset,
    Slow,
    Drip,
    HangAfterHead,
    HangInBody,
    ReadOnly,
    OutOfMemory,
    Unauthorized,
    RateLimited,
    ServerError,
    CutJson,
    WrongShape,
    WrongType,
    Redirect,
    QuotaExceeded,
    FlushAll,
    ScriptFlush,
    Restart,
    Failover,
}

/// What happens with one failure, whatever the isolate has served before.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) failure: Failure,
    /// The name in `docs/operations.md`.
    pub(super) name: &'static str,
    pub(super) decides: Decides,
}

/// Who decides the requests while the failure lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decides {
    /// Redis decides: nobody notices more than one additional round trip.
    Redis(Limits),
    /// `on_outage` decides. The log contains the text.
    Policy(&'static str, Charge, Breaker),
}

/// What Redis still knows of the limits afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limits {
    Continue,
    StartOver,
}

/// Whether Redis charges requests that it does not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    Never,
    Perhaps,
}

/// Whether the failure opens the circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaker {
    Opens,
    /// Redis answers, and the next command may succeed.
    StaysClosed,
}

const fn row(failure: Failure, name: &'static str, decides: Decides) -> Row {
    Row { failure, name, decides }
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = {
    use self::{Breaker::{Opens, StaysClosed}, Charge::{Never, Perhaps}, Decides::{Policy, Redis}, Limits::{Continue, StartOver}};
    &[
        row(Failure::RedisHangs,    "Redis hangs",                               Policy(LATE, Perhaps, Opens)),
        row(Failure::RedisDown,     "Redis is down",                             Policy("server failed with status 502", Never, Opens)),
        row(Failure::RequestsHang,  "connections are accepted, nothing is read", Policy(LATE, Perhaps, Opens)),
        row(Failure::Refused,       "connections are refused",                   Policy(UNREACHABLE, Never, Opens)),
        row(Failure::Reset,         "a reset in the middle of the response",     Policy(UNREACHABLE, Perhaps, Opens)),
        row(Failure::Slow,          "responses later than `timeout`",            Policy(LATE, Perhaps, Opens)),
        row(Failure::Drip,          "one byte of the response per second",       Policy(LATE, Perhaps, Opens)),
        row(Failure::HangAfterHead, "no byte after the head of the response",    Policy(LATE, Perhaps, Opens)),
        row(Failure::HangInBody,    "no byte after half of the response",        Policy(LATE, Perhaps, Opens)),
        row(Failure::ReadOnly,      "a replica that only reads",                 Policy("redis refused the command: READONLY", Never, StaysClosed)),
        row(Failure::OutOfMemory,   "memory is full, `noeviction`",              Policy("redis refused the command: OOM", Never, StaysClosed)),
        row(Failure::Unauthorized,  "status 401",                                Policy("redis refused the token", Never, Opens)),
        row(Failure::RateLimited,   "status 429",                                Policy("limits the rate of requests", Never, Opens)),
        row(Failure::ServerError,   "status 500 with HTML",                      Policy("server failed with status 500", Never, Opens)),
        row(Failure::CutJson,       "JSON that is cut off",                      Policy("response is not JSON", Never, Opens)),
        row(Failure::WrongShape,    "JSON of another shape",                     Policy("a reply of an unexpected shape", Never, Opens)),
        row(Failure::WrongType,     "a result of another type",                  Policy("a reply of an unexpected shape", Never, StaysClosed)),
        row(Failure::Redirect,      "a redirect to another server",              Policy("redirects to another address", Never, Opens)),
        row(Failure::QuotaExceeded, "the database's own quota is used up",       Policy("over its own quota", Never, Opens)),
        row(Failure::FlushAll,      "`FLUSHALL`",                                Redis(StartOver)),
        row(Failure::ScriptFlush,   "`SCRIPT FLUSH`",                            Redis(Continue)),
        row(Failure::Restart,       "a restart with `appendfsync always`",       Redis(Continue)),
        row(Failure::Failover,      "a failover to a complete replica",          Redis(Continue)),
    ]
};

/// Returns the matrix as `docs/operations.md` shows it.
pub(super) fn markdown() -> String {
    let columns =
        ["what fails", "`error` in the log", "`open`", "`closed`", "`local`", "charged", "Redis is asked", "limits"];
    let mut lines = vec![line(&columns), line(&["---"; 8])];
    for Row { name, decides, .. } in ROWS {
        lines.push(match *decides {
            Decides::Redis(limits) => {
                let limits = if limits == Limits::Continue { "continue" } else { "start over" };
                line(&[name, "none", "by Redis", "by Redis", "by Redis", "yes", "every time", limits])
            }
            Decides::Policy(error, charge, breaker) => {
                let charged = if charge == Charge::Never { "no" } else { "perhaps" };
                let asked = if breaker == Breaker::Opens { "by probes" } else { "every time" };
                line(&[name, &format!("`{error}`"), "200", "503", "200 or 429", charged, asked, "continue"])
            }
        });
    }
    lines.join("\n")
}

fn line(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

const LATE: &str = "did not answer in time";
const UNREACHABLE: &str = "redis is unreachable";
