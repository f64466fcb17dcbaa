//! The machine on which a run takes place.

use std::{
    fmt::{self, Display, Formatter},
    fs,
    thread::available_parallelism,
};

use serde::Serialize;

/// The properties of a machine that affect the numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Machine {
    /// The name of the processor.
    pub(crate) cpu: String,
    /// The number of threads that can run in parallel.
    pub(crate) cores: usize,
    /// The load average of the minute before the measurements, if it is known.
    pub(crate) load: Option<f64>,
}

impl Machine {
    /// Returns the properties of this machine.
    pub(crate) fn here() -> Self {
        let cpu = cpu(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
        let load = fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next()?.parse().ok());
        Self { cpu, cores: available_parallelism().map_or(1, usize::from), load }
    }
}

impl Display for Machine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} core{}", self.cpu, self.cores, if self.cores == 1 { "" } else { "s" })?;
        self.load.map_or(Ok(()), |load| write!(f, ", load {load:.2} at the start"))
    }
}

/// Returns the first "model name" of `/proc/cpuinfo` (x86), or a placeholder with the architecture.
fn cpu(info: &str) -> String {
    let name = |line: &str| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim().to_owned());
    info.lines().find_map(name).unwrap_or_else(|| format!("an unnamed {} processor", std::env::consts::ARCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named() {
        assert_eq!(cpu("processor\t: 0\nmodel name\t: Fast CPU @ 1 GHz\n"), "Fast CPU @ 1 GHz");
        assert!(cpu("processor\t: 0\n").starts_with("an unnamed "));
        assert!(Machine::here().cores > 0);
    }
}
