//! The kinds of requests.

use hyper::Method;
use serde_json::json;

use crate::random::Random;

/// A kind of request, and what the origin answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// How often it is sent, relative to the others.
    weight: u64,
    pub(crate) path: &'static str,
    pub(crate) caller: Caller,
    pub(crate) body: Body,
    /// The status of the origin, or of the API.
    pub(crate) status: u16,
    pub(crate) end: End,
}

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// One of a few addresses.
    Address,
    /// An address that sends more than its limits allow.
    Flood,
    /// One of many addresses.
    Crowd,
    /// A tenant with its API key.
    Tenant,
    /// The operator, who calls the API.
    Admin,
}

/// What a request contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Empty,
    /// This many bytes.
    Bytes(usize),
    /// A check of a subject, with a lease.
    SubjectCheck,
    /// A check of a tenant.
    TenantCheck,
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client reads the whole response.
    Whole,
    /// The origin breaks off the body.
    Cut,
    /// The client resets the connection.
    Leave(Moment),
}

/// When a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As soon as the request is sent.
    AtOnce,
    /// While the request waits for its response.
    Waiting,
    /// In the middle of the upload.
    Uploading,
    /// In the middle of the download.
    Downloading,
}

impl Kind {
    const fn get(weight: u64, path: &'static str) -> Self {
        let (caller, body) = (Caller::Address, Body::Empty);
        Self { weight, path, caller, body, status: 200, end: End::Whole }
    }

    const fn post(weight: u64, path: &'static str, body: Body) -> Self {
        Self { body, ..Self::get(weight, path) }
    }

    const fn by(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    const fn answered(self, status: u16) -> Self {
        Self { status, ..self }
    }

    const fn ends(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// Returns the method.
    pub(crate) fn method(&self) -> Method {
        if self.body == Body::Empty { Method::GET } else { Method::POST }
    }

    /// Returns one of all kinds, each as often as its weight says.
    pub(crate) fn choose(random: &mut Random) -> &'static Self {
        let mut left = random.below(KINDS.iter().map(|kind| kind.weight).sum());
        for kind in KINDS {
            match left.checked_sub(kind.weight) {
                Some(rest) => left = rest,
                None => return kind,
            }
        }
        unreachable!("the weights add up to more than any choice")
    }
}

impl Body {
    /// Returns the bytes.
    pub(crate) fn bytes(self, random: &mut Random) -> Vec<u8> {
        let json = match self {
            Body::Empty => return Vec::new(),
            Body::Bytes(length) => return vec![b'x'; length],
            Body::SubjectCheck => json!({
                "subject": format!("job-{}", random.below(20)),
                "lease": format!("lease-{}", random.below(u64::MAX)),
                "limits": [
                    { "name": "log", "algorithm": "sliding_log", "limit": 5, "window": "1s" },
                    { "name": "jobs", "algorithm": "concurrency", "limit": 20, "lease": "2s" },
                ],
            }),
            Body::TenantCheck => json!({ "tenant": "free-1", "cost": 2 }),
        };
        json.to_string().into_bytes()
    }
}

const CHECK: &str = "/_sluicegate/v1/check";

#[rustfmt::skip]
static KINDS: &[Kind] = &[
    Kind::get(10, "/status/200"),
    Kind::get(10, "/hello"),
    Kind::get(10, "/hello").by(Caller::Crowd),
    Kind::get(10, "/hello").by(Caller::Tenant),
    Kind::get(20, "/log/flood").by(Caller::Flood),
    Kind::get(10, "/log/x"),
    Kind::get(10, "/window/x"),
    Kind::get(10, "/window/x").by(Caller::Crowd),
    Kind::get(10, "/fixed/x"),
    Kind::get(5,  "/shadow/x"),
    Kind::get(10, "/headers?x-tokens-used=7").by(Caller::Tenant),
    Kind::get(5,  "/headers?x-tokens-used=25").by(Caller::Tenant),
    Kind::get(5,  "/status/503").answered(503),
    Kind::get(5,  "/status/404").answered(404),
    Kind::get(3,  "/bytes/300000"),
    Kind::get(3,  "/bytes/300000").by(Caller::Tenant),
    Kind::get(3,  "/stream?n=5&every=20&tokens=3"),
    Kind::get(3,  "/sse?n=5&every=20").by(Caller::Tenant),
    Kind::get(3,  "/slow/50"),
    Kind::post(3, "/upload", Body::Bytes(100_000)),
    Kind::post(3, "/upload", Body::Bytes(100_000)).by(Caller::Tenant),
    Kind::post(5, CHECK, Body::SubjectCheck).by(Caller::Admin),
    Kind::post(5, CHECK, Body::TenantCheck).by(Caller::Admin),
    Kind::get(2,  "/broken?n=2&every=5").ends(End::Cut),
    Kind::get(2,  "/slow/60000").ends(End::Leave(Moment::AtOnce)),
    Kind::get(2,  "/hello").by(Caller::Tenant).ends(End::Leave(Moment::AtOnce)),
    Kind::get(2,  "/slow/60000").ends(End::Leave(Moment::Waiting)),
    Kind::get(2,  "/slow/60000").by(Caller::Tenant).ends(End::Leave(Moment::Waiting)),
    Kind::get(2,  "/bytes/10000000").ends(End::Leave(Moment::Downloading)),
    Kind::get(2,  "/stream?n=1000&every=5").by(Caller::Tenant).ends(End::Leave(Moment::Downloading)),
    Kind::post(2, "/upload", Body::Bytes(100_000)).ends(End::Leave(Moment::Uploading)),
    Kind::post(2, "/hello", Body::Bytes(100_000)).by(Caller::Tenant).ends(End::Leave(Moment::Uploading)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_chosen() {
        let mut random = Random::new(1);
        let mut chosen = [0_u32; 100];
        for _ in 0..10_000 {
            let kind = Kind::choose(&mut random);
            chosen[KINDS.iter().position(|other| std::ptr::eq(kind, other)).unwrap()] += 1;
        }
        assert!(chosen[..KINDS.len()].iter().all(|times| *times > 20), "{chosen:?}");
    }
}
