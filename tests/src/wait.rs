//! Waiting for something that happens elsewhere, with an end.

use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;

const PAUSE: Duration = Duration::from_millis(50);

/// Asks again and again until there is an answer, and returns it.
///
/// # Errors
/// When there is none after `patience`; the error says `what` was waited for.
pub async fn until<T, F>(what: &str, patience: Duration, mut ask: F) -> Result<T, Failure>
where
    F: AsyncFnMut() -> Option<T>,
{
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        if Instant::now() >= deadline {
            return Err(format!("waited {} s in vain for {what}", patience.as_secs()).into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_as_soon_as_there_is_an_answer() {
        let mut asked = 0;
        let answer = until("the third question", Duration::from_secs(10), async || {
            asked += 1;
            (asked == 3).then_some("yes")
        });
        assert_eq!(answer.await.expect("an answer"), "yes");
    }

    #[tokio::test]
    async fn says_what_never_came() {
        let never = until("a miracle", Duration::ZERO, async || None::<()>);
        let failure = never.await.expect_err("no answer");
        assert_eq!(failure.to_string(), "waited 0 s in vain for a miracle");
    }
}
