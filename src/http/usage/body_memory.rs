//! The memory for request bodies that are being read.

use std::cell::Cell;
use std::rc::Rc;

/// A bound on the memory that an isolate uses for the request bodies that it is reading.
#[derive(Debug, Clone)]
pub struct BodyMemory {
    free: Rc<Cell<u64>>,
}

/// A part of the memory. Dropping it gives it back.
#[derive(Debug)]
pub struct ReservedMemory {
    of: BodyMemory,
    bytes: u64,
}

impl BodyMemory {
    /// Creates a memory of this many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        BodyMemory { free: Rc::new(Cell::new(bytes)) }
    }

    /// Reserves memory for one body. Returns `None` if less is free.
    #[must_use]
    pub fn reserve(&self, bytes: u64) -> Option<ReservedMemory> {
        self.free.set(self.free.get().checked_sub(bytes)?);
        Some(ReservedMemory { of: self.clone(), bytes })
    }
}

impl Drop for ReservedMemory {
    fn drop(&mut self) {
        self.of.free.set(self.of.free.get() + self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_free_again_after_its_use() {
        let memory = BodyMemory::new(10);
        let first = memory.reserve(6).unwrap();
        assert!(memory.reserve(5).is_none());
        let second = memory.reserve(4).unwrap();
        assert!(memory.reserve(1).is_none());
        drop(first);
        assert!(memory.reserve(7).is_none());
        drop(second);
        assert!(memory.reserve(10).is_some());
        assert!(memory.reserve(10).is_some());
    }
}
