//! Notices that a request is not finished.

/// Calls a function when it is dropped, unless the work was finished: a server drops the future of a request whose client
/// has left.
pub(crate) struct Unfinished<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Unfinished<F> {
    pub(crate) fn new(abandoned: F) -> Self {
        Self(Some(abandoned))
    }

    /// Ends the watch without a call.
    pub(crate) fn finish(mut self) {
        self.0 = None;
    }
}

impl<F: FnOnce()> Drop for Unfinished<F> {
    fn drop(&mut self) {
        if let Some(abandoned) = self.0.take() {
            abandoned();
        }
    }
}
