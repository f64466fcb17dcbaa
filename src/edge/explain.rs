//! Verifies the tokens of requests that the admin API explains.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use worker::Context;

use super::isolate::Isolate;
use super::jwt::{self, Jwt};
use crate::admin::{TokenCheck, TokenResult};
use crate::jwt::Token;

/// Verifies tokens as those of requests, with the keys of this isolate.
pub(super) struct IsolateTokens<'a> {
    pub(super) isolate: &'a Isolate,
    pub(super) jwt: &'a Rc<Jwt>,
    pub(super) context: &'a Context,
}

impl TokenCheck for IsolateTokens<'_> {
    fn verify<'t>(&'t self, token: &'t Token) -> Pin<Box<dyn Future<Output = TokenResult> + 't>> {
        Box::pin(async move { jwt::verify(self.jwt, self.context, &self.isolate.deadline(), token).await })
    }
}
