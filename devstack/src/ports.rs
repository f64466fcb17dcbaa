//! Ports of 127.0.0.1.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// A port, with the name of the setting that selects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The setting, such as `PORT`.
    pub setting: &'static str,
    /// The number; 0 means a free one.
    pub number: u16,
}

/// Checks that all the ports can be opened.
///
/// # Errors
///
/// Fails with the first port that cannot be opened, also if the same number is given twice.
pub fn check(ports: &[Port]) -> Result<(), PortError> {
    // All stay open until the end, so that a number given twice is found.
    let mut held = Vec::with_capacity(ports.len());
    for &Port { setting, number } in ports {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, number)) {
            Ok(listener) => held.push(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(PortError::Taken { setting, number });
            }
            Err(source) => return Err(PortError::Refused { setting, number, source }),
        }
    }
    Ok(())
}

/// A port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another program uses it.
    #[error("port {number} is taken (set {setting}= to another one)")]
    Taken {
        /// The setting that selects the port.
        setting: &'static str,
        /// The port.
        number: u16,
    },
    /// The system does not permit it.
    #[error("port {number} cannot be opened (set {setting}= to another one)")]
    Refused {
        /// The setting that selects the port.
        setting: &'static str,
        /// The port.
        number: u16,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_its_setting() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let number = holder.local_addr().unwrap().port();
        let free = Port { setting: "REST_PORT", number: 0 };
        let error = check(&[free, Port { setting: "PORT", number }]).unwrap_err();
        assert_eq!(error.to_string(), format!("port {number} is taken (set PORT= to another one)"));
        drop(holder);
        check(&[free, Port { setting: "PORT", number }]).unwrap();
    }

    #[test]
    fn a_port_given_twice_is_taken() {
        let number = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let ports = [Port { setting: "PORT", number }, Port { setting: "ORIGIN_PORT", number }];
        let error = check(&ports).unwrap_err();
        assert!(matches!(error, PortError::Taken { setting: "ORIGIN_PORT", .. }), "{error}");
    }
}
