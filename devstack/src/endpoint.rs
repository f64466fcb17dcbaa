//! The methods of everything that listens.

/// Adds `address` and `url` to a type; the second argument is the path of the field that has its [`SocketAddr`].
///
/// [`SocketAddr`]: std::net::SocketAddr
macro_rules! endpoint {
    ($server:ty, $($field:ident).+) => {
        impl $server {
            /// Returns the address at which it listens; it stays the same across restarts.
            #[must_use]
            pub fn address(&self) -> std::net::SocketAddr {
                self.$($field).+
            }

            /// Returns its base URL, without a trailing slash.
            #[must_use]
            pub fn url(&self) -> String {
                format!("http://{}", self.address())
            }
        }
    };
}

pub(crate) use endpoint;
