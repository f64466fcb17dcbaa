//! The cryptography of these tests.

use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use sluicegate::config::jwt::{KeyMaterial, VerificationKey};
use sluicegate::jwt::Verifier;

/// Verifies signatures with AWS-LC, and counts how many.
#[derive(Default)]
pub(crate) struct Native {
    calls: Cell<usize>,
}

impl Native {
    pub(crate) fn calls(&self) -> usize {
        self.calls.get()
    }
}

impl Verifier for Native {
    async fn verifies(&self, key: &VerificationKey, message: &[u8], signature: &[u8]) -> bool {
        self.calls.set(self.calls.get() + 1);
        let result = match &key.material {
            KeyMaterial::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            KeyMaterial::P256 { x, y } => {
                let point = [&[4][..], x, y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            KeyMaterial::Ed25519 { x } => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
        };
        result.is_ok()
    }
}

/// Returns the output of a future that never waits.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the verifier waits for nothing"),
    }
}
