//! Ports of 127.0.0.1.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// A port with the name of the setting that chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The setting, such as `PORT`.
    pub setting: &'static str,
    /// The number; 0 asks for a free one.
    pub number: u16,
}

/// Says whether every one of the ports can be opened, before anything is started.
///
/// # Errors
///
/// The first port that cannot, also when two of them are the same.
pub fn check(ports: &[Port]) -> Result<(), PortError> {
    // All are held until the end, so that a number given twice is found too.
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
    /// Somebody else has it.
    #[error("port {number} is taken (set {setting}= to another one)")]
    Taken {
        /// The setting that chooses the port.
        setting: &'static str,
        /// The port.
        number: u16,
    },
    /// The system does not let this user open it.
    #[error("port {number} cannot be opened (set {setting}= to another one)")]
    Refused {
        /// The setting that chooses the port.
        setting: &'static str,
        /// The port.
        number: u16,
        /// What the system said.
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
