//! Where a reader is in a JSON document: the open arrays and objects, and the pointers that lead to the current value.

use std::sync::Arc;

use crate::config::costs::{MAX_STEPS, Pointer, Pointers};

/// The way from the document to the current value, and the pointers that begin with it. A set of pointers has a bit for each
/// place.
#[derive(Debug, Clone)]
pub(super) struct Nesting {
    pointers: Arc<Pointers>,
    /// The number of open arrays and objects.
    depth: usize,
    /// Whether each of them is an object, a bit each.
    objects: [u64; MAX_DEPTH / 64],
    /// By the number of steps: the pointers that begin with them.
    matching: [u32; MAX_STEPS + 1],
    /// By the number of steps: the index of the current item, if it is an item of an array.
    indices: [u32; MAX_STEPS + 1],
}

impl Nesting {
    /// Starts before the document: every pointer leads there.
    pub(super) fn new(pointers: Arc<Pointers>) -> Self {
        let mut matching = [0; MAX_STEPS + 1];
        if let Some(all) = matching.first_mut() {
            *all = pointers.iter().fold(0, |set, (place, _)| set | bit(place));
        }
        Nesting { pointers, depth: 0, objects: [0; MAX_DEPTH / 64], matching, indices: [0; MAX_STEPS + 1] }
    }

    /// Returns whether no array or object is open.
    pub(super) fn is_outside(&self) -> bool {
        self.depth == 0
    }

    /// Returns whether the innermost open one is an object.
    pub(super) fn is_object(&self) -> bool {
        let last = self.above();
        self.depth > 0 && self.objects.get(last / 64).is_some_and(|word| word & (1 << (last % 64)) != 0)
    }

    /// Returns whether a pointer goes through the current value, or ends there.
    pub(super) fn matters(&self) -> bool {
        self.matching_at(self.depth) != 0
    }

    /// Returns whether a pointer goes through the innermost open array or object.
    pub(super) fn parent_matters(&self) -> bool {
        self.matching_at(self.above()) != 0
    }

    /// Returns the places of the pointers that go through the current value or end there, and whether they end there.
    pub(super) fn here(&self) -> impl Iterator<Item = (usize, bool)> {
        let set = self.matching_at(self.depth);
        let matching = self.pointers.iter().filter(move |(place, _)| set & bit(*place) != 0);
        matching.map(|(place, pointer)| (place, pointer.depth() == self.depth))
    }

    /// Opens an array, before its first item, or an object. Returns whether it may be that deep.
    pub(super) fn open(&mut self, is_object: bool) -> bool {
        let (word, shift) = (self.depth / 64, self.depth % 64);
        let Some(word) = self.objects.get_mut(word) else { return false };
        *word = *word & !(1 << shift) | (u64::from(is_object) << shift);
        self.depth += 1;
        if !is_object {
            self.enter_item(0);
        }
        true
    }

    /// Closes the innermost array or object, which becomes the current value.
    pub(super) fn close(&mut self) {
        self.depth = self.above();
    }

    /// Enters the member with this key; `None` is a key that no pointer has.
    pub(super) fn enter_member(&mut self, key: Option<&[u8]>) {
        let above = self.above();
        self.narrow(|pointer| key.is_some_and(|key| pointer.has_key(above, key)));
    }

    /// Enters the next item of the array.
    pub(super) fn enter_next_item(&mut self) {
        let index = self.indices.get(self.depth).map_or(u32::MAX, |index| index.saturating_add(1));
        self.enter_item(index);
    }

    fn enter_item(&mut self, index: u32) {
        let above = self.above();
        if let Some(current) = self.indices.get_mut(self.depth) {
            *current = index;
        }
        self.narrow(|pointer| pointer.has_index(above, index));
    }

    /// Keeps the pointers that lead to the array or object and go on to the value that begins.
    fn narrow(&mut self, goes_on: impl Fn(&Pointer) -> bool) {
        let mut set = self.matching_at(self.above());
        if set != 0 {
            let others = self.pointers.iter().filter(|(_, pointer)| !goes_on(pointer));
            set = others.fold(set, |set, (place, _)| set & !bit(place));
        }
        if let Some(matching) = self.matching.get_mut(self.depth) {
            *matching = set;
        }
    }

    fn matching_at(&self, depth: usize) -> u32 {
        self.matching.get(depth).copied().unwrap_or(0)
    }

    /// Returns the depth of the innermost array or object.
    fn above(&self) -> usize {
        self.depth.saturating_sub(1)
    }
}

fn bit(place: usize) -> u32 {
    1 << place
}

/// The most arrays and objects in each other.
pub(super) const MAX_DEPTH: usize = 512;
