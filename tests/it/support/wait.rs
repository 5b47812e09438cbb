//! Waiting for what nothing tells.

use std::time::Duration;

/// Looks again and again until the look gives something. What ends the wait is what is looked at; only a test that has failed
/// comes to the deadline, and then tells what the last look saw.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_mins(2);
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    loop {
        looks.tick().await;
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(tokio::time::Instant::now() < deadline, "waited in vain: {seen}"),
        }
    }
}

/// Waits until a query gives these rows.
pub async fn until_rows(query: &str, wanted: &[&str], rows: impl Fn() -> Vec<String>) {
    until(async || {
        let rows = rows();
        if rows == wanted { Ok(()) } else { Err(format!("{query}: {rows:?} instead of {wanted:?}")) }
    })
    .await;
}
