//! What lies in the dead letters about one object.

use std::collections::HashSet;
use std::time::Duration;

use crate::failure::Failure;
use crate::notice::{self, DeadLetter};
use crate::object::ObjectId;
use crate::queue::{DeadLetters, Letter};

/// Letters that are looked at; there is no other way to find one than to take them all.
const MOST: usize = 1_000;
/// They are hidden from others so long at most, and put back at the end.
const VISIBILITY: Duration = Duration::from_secs(60);

/// The dead letters about one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The letters, each as Inlet wrote it, or `None` for a message that the queue itself gave up.
    pub letters: Vec<(Letter, Option<DeadLetter>)>,
    /// How many were looked at.
    pub looked_at: usize,
    /// There are more than were looked at.
    pub more: bool,
}

/// Looks through the dead letters for those about `object`, and leaves all of them where they are.
///
/// # Errors
/// If the queue fails.
pub async fn letters_about(letters: &dyn DeadLetters, object: &ObjectId) -> Result<About, Failure> {
    let mut about = About::default();
    let (mut taken, mut known) = (Vec::new(), HashSet::new());
    let ended = loop {
        let some = match letters.take(VISIBILITY).await {
            Ok(some) => some,
            Err(error) => break Err(Failure::from(&error)),
        };
        let before = known.len();
        for letter in some {
            if !known.insert(letter.id.clone()) {
                continue;
            }
            if let Some(own) = own(&letter, object) {
                about.letters.push((letter.clone(), own));
            }
            taken.push(Letter { body: String::new(), ..letter });
        }
        about.looked_at = known.len();
        if known.len() == before {
            break Ok(());
        }
        if known.len() >= MOST {
            about.more = true;
            break Ok(());
        }
    };
    let back = letters.put_back(&taken).await.map_err(|error| Failure::from(&error));
    ended.and(back).map(|()| about)
}

/// Whether a letter is about the object, and the letter if it is one of Inlet's own.
fn own(letter: &Letter, object: &ObjectId) -> Option<Option<DeadLetter>> {
    let own: Option<DeadLetter> = serde_json::from_str(&letter.body).ok();
    if let Some(of) = own.as_ref().and_then(|own| own.object.as_ref()) {
        return (of == object).then_some(own);
    }
    let notices = notice::read(&letter.body).ok()?;
    notices.iter().any(|notice| notice.object() == Some(object)).then_some(own)
}

#[cfg(test)]
#[cfg(feature = "local")]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::clock::SystemClock;
    use crate::failure::Disposition;
    use crate::local::Database;
    use crate::notice::{Order, OrderReason};
    use crate::queue::Queue;
    use crate::queue::sqlite::SqliteQueue;

    #[tokio::test]
    async fn the_letters_of_one_object_are_found_and_all_stay_where_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(&directory.path().join("inlet.db")).unwrap();
        let queue = SqliteQueue::new(database, Arc::new(SystemClock));
        let object = |n: usize| ObjectId::new("drop", format!("{n}.csv"));
        for n in 0..25 {
            let failure = Failure::new("x", "what", "do", Disposition::DeadLetter);
            let order = Order::new(object(n), OrderReason::Refresh);
            let mut letter = DeadLetter::new(failure, Timestamp::now(), &order.to_body());
            // Of every other one only the message says what it is about.
            letter.object = (n % 2 == 0).then(|| object(n));
            queue.bury(&letter).await.unwrap();
        }
        for n in [7, 24] {
            let about = letters_about(&queue, &object(n)).await.unwrap();
            assert_eq!((about.letters.len(), about.looked_at, about.more), (1, 25, false));
            assert!(about.letters[0].0.body.contains(&format!("{n}.csv")));
        }
        let none = letters_about(&queue, &object(99)).await.unwrap();
        assert!(none.letters.is_empty());
        assert_eq!(queue.depth().await.unwrap().dead_letters, 25);
    }
}
