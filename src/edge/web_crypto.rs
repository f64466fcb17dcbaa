//! Verifies signatures with the cryptography of the runtime (Web Cryptography API).

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::futures::JsFuture;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;

use super::js::{error_message, import_key, object, verify_signature};
use super::log;
use crate::config::jwt::{KeyMaterial, SignatureAlgorithm, VerificationKey};
use crate::jwt::Verifier;

/// The runtime's cryptography, with the keys that it has imported. They belong to no request.
#[derive(Default)]
pub(super) struct WebCrypto {
    imported: RefCell<Vec<(VerificationKey, JsValue)>>,
}

impl Verifier for WebCrypto {
    async fn verifies(&self, key: &VerificationKey, message: &[u8], signature: &[u8]) -> bool {
        match self.try_verify(key, message, signature).await {
            Ok(is_valid) => is_valid,
            Err(error) => {
                log::failure("jwt keys", &format!("a key is not accepted: {}", error_message(&error)));
                false
            }
        }
    }
}

impl WebCrypto {
    async fn try_verify(&self, key: &VerificationKey, message: &[u8], signature: &[u8]) -> Result<bool, JsValue> {
        let imported = self.import(key).await?;
        let (message, signature) = (Uint8Array::from(message), Uint8Array::from(signature));
        let verified = verify_signature(&parameters(key.algorithm()), &imported, &signature, &message)?;
        Ok(JsFuture::from(verified).await?.as_bool() == Some(true))
    }

    async fn import(&self, key: &VerificationKey) -> Result<JsValue, JsValue> {
        let known =
            self.imported.borrow().iter().find_map(|(known, imported)| (known == key).then(|| imported.clone()));
        if let Some(known) = known {
            return Ok(known);
        }
        let usages = Array::of1(&"verify".into());
        let imported = import_key("jwk", &jwk(&key.material), &parameters(key.algorithm()), false, &usages)?;
        let imported = JsFuture::from(imported).await?;
        let mut list = self.imported.borrow_mut();
        if list.len() >= MAX_IMPORTED {
            list.remove(0);
        }
        list.push((key.clone(), imported.clone()));
        Ok(imported)
    }
}

/// Returns the algorithm, with the parameters of a key and of a signature.
fn parameters(algorithm: SignatureAlgorithm) -> JsValue {
    match algorithm {
        SignatureAlgorithm::Rs256 => object([("name", "RSASSA-PKCS1-v1_5".into()), ("hash", "SHA-256".into())]),
        SignatureAlgorithm::Es256 => {
            object([("name", "ECDSA".into()), ("namedCurve", "P-256".into()), ("hash", "SHA-256".into())])
        }
        SignatureAlgorithm::EdDsa => object([("name", "Ed25519".into())]),
    }
}

fn jwk(material: &KeyMaterial) -> JsValue {
    let number = |bytes: &[u8]| JsValue::from(URL_SAFE_NO_PAD.encode(bytes));
    match material {
        KeyMaterial::Rsa { n, e } => object([("kty", "RSA".into()), ("n", number(n)), ("e", number(e))]),
        KeyMaterial::P256 { x, y } => {
            object([("kty", "EC".into()), ("crv", "P-256".into()), ("x", number(x)), ("y", number(y))])
        }
        KeyMaterial::Ed25519 { x } => object([("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", number(x))]),
    }
}

/// The most imported keys. A set has fewer; those of a former set are dropped as new ones come.
const MAX_IMPORTED: usize = 128;
