//! A budget of requests to Redis for one invocation.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::redis::{RedisError, Response, Transport};

/// A transport that counts its requests against a budget. It refuses none: its user must check the budget.
#[derive(Debug)]
pub(super) struct BudgetedTransport<T> {
    transport: T,
    budget: u32,
    used: AtomicU32,
}

impl<T: Transport> BudgetedTransport<T> {
    pub(super) fn new(transport: T, budget: u32) -> Self {
        BudgetedTransport { transport, budget, used: AtomicU32::new(0) }
    }

    /// Returns how many requests were sent.
    pub(super) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Returns whether the budget allows `requests` more.
    pub(super) fn allows(&self, requests: u32) -> bool {
        self.used().saturating_add(requests) <= self.budget
    }
}

impl<T: Transport> Transport for BudgetedTransport<T> {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        self.used.fetch_add(1, Ordering::Relaxed);
        self.transport.post(body).await
    }
}
