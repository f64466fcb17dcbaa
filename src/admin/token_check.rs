//! How the tokens of requests to explain are verified.

use std::future::Future;
use std::pin::Pin;

use crate::jwt::{Identity, InvalidToken, Token};
use crate::time::Millis;

/// Verifies the tokens of requests to explain, as those of requests are.
pub trait TokenCheck {
    /// Verifies a token: who it names, or why it is not valid. Fails if the keys are unavailable; they are not fetched again
    /// within the time of the error.
    fn verify<'t>(&'t self, token: &'t Token) -> Pin<Box<dyn Future<Output = TokenResult> + 't>>;
}

/// The result of [`TokenCheck::verify`].
pub type TokenResult = Result<Result<Identity, InvalidToken>, Millis>;
