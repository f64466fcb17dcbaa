//! The release of a lease, tried again if Redis does not answer: a lost lease would block its place until it expires.

use crate::redis::RedisError;
use crate::time::Millis;

/// Releases a lease with `release`. If the outcome is unknown, or Redis was not asked, tries again after
/// [`RETRY_DELAY`]. `sleep` waits.
///
/// # Errors
/// Returns the last [`RedisError`]; the lease then expires by itself.
pub async fn release_again(
    release: impl AsyncFn() -> Result<(), RedisError>,
    sleep: impl AsyncFn(Millis),
) -> Result<(), RedisError> {
    match release().await {
        Err(error) if error.outcome_is_unknown() || error.retry().is_some() => retry(release, sleep).await,
        released => released,
    }
}

/// Releases a lease that may or may not have been taken: now, and again after [`RETRY_DELAY`], because the check may still be
/// on its way to Redis.
///
/// # Errors
/// Same as [`release_again`].
pub async fn release_unconfirmed(
    release: impl AsyncFn() -> Result<(), RedisError>,
    sleep: impl AsyncFn(Millis),
) -> Result<(), RedisError> {
    // The second release makes up for a failure here.
    let _ = release().await;
    retry(release, sleep).await
}

async fn retry(
    release: impl AsyncFn() -> Result<(), RedisError>,
    sleep: impl AsyncFn(Millis),
) -> Result<(), RedisError> {
    sleep(RETRY_DELAY).await;
    match release().await {
        Err(RedisError::NotAsked { retry, .. }) => {
            // Redis may be back. Many releases wait for the same call that finds out, so this one comes after it.
            sleep(retry.saturating_add(AFTER_PROBE)).await;
            release().await
        }
        released => released,
    }
}

/// Long enough for Redis to come back from a failover, and well within the 30 seconds that a Worker has after its
/// response.
const RETRY_DELAY: Millis = Millis::from_secs(5);

/// Longer than a call to Redis usually takes.
const AFTER_PROBE: Millis = Millis::new(500);

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Runs a release whose calls have these results in turn. Returns its result, and how long it waited before each further
    /// call, in milliseconds.
    async fn run(results: &[Result<(), RedisError>], unconfirmed: bool) -> (Result<(), RedisError>, Vec<u64>) {
        let (left, waits) = (RefCell::new(results.iter().cloned()), RefCell::new(Vec::new()));
        let release = async || left.borrow_mut().next().unwrap();
        let sleep = async |wait: Millis| waits.borrow_mut().push(wait.get());
        let result =
            if unconfirmed { release_unconfirmed(release, sleep).await } else { release_again(release, sleep).await };
        assert_eq!(left.borrow().len(), 0, "all calls were made");
        (result, waits.into_inner())
    }

    fn refused() -> RedisError {
        RedisError::Command { reason: "WRONGTYPE".to_owned() }
    }

    fn not_asked() -> RedisError {
        RedisError::NotAsked { retry: Millis::new(700), cause: String::new() }
    }

    #[tokio::test]
    async fn a_known_outcome_is_final() {
        assert_eq!(run(&[Ok(())], false).await, (Ok(()), vec![]));
        assert_eq!(run(&[Err(refused())], false).await, (Err(refused()), vec![]));
    }

    #[tokio::test]
    async fn an_unknown_outcome_is_tried_again() {
        assert_eq!(run(&[Err(RedisError::Timeout), Ok(())], false).await, (Ok(()), vec![5000]));
        let twice = [Err(RedisError::Timeout), Err(RedisError::Timeout)];
        assert_eq!(run(&twice, false).await, (Err(RedisError::Timeout), vec![5000]));
    }

    #[tokio::test]
    async fn a_release_waits_for_the_probe_of_the_breaker() {
        let results = [Err(not_asked()), Err(not_asked()), Ok(())];
        assert_eq!(run(&results, false).await, (Ok(()), vec![5000, 1200]));
    }

    #[tokio::test]
    async fn an_unconfirmed_lease_is_released_twice() {
        assert_eq!(run(&[Ok(()), Ok(())], true).await, (Ok(()), vec![5000]));
    }
}
