//! The dead letters, ordered again.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{Ports, Run};
use crate::catalog::Catalog;
use crate::failure::Failure;
use crate::ledger::{EntryKey, Stored};
use crate::notice::{self, DeadLetter, Malformed, Notice, Order, OrderReason};
use crate::object::ObjectId;
use crate::queue::{Letter, QueueError};

/// Letters that are worked on are hidden for this long from others, and those that stay until the end
/// of the replay, or at the latest until this.
const VISIBILITY: Duration = Duration::from_secs(15 * 60);
/// Letters that stay where they are, after which a replay ends: they are put back at its end, and
/// known until then.
const MOST_KEPT: usize = 10_000;
/// Orders that are remembered, so as not to be given for each letter about the same.
const MOST_REMEMBERED: usize = 10_000;

/// What a replay of the dead letters did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Letters {
    /// Letters whose objects were ordered, or (in a dry run) would be.
    pub letters: u64,
    /// The orders: one for each object, however many letters are about it.
    pub ordered: u64,
    /// Letters that stay because nothing can be ordered for them.
    pub kept: u64,
    /// Letters that stay because they came after the replay had begun.
    pub newer: u64,
    /// The replay ended before it had seen all: too many letters stay.
    pub incomplete: bool,
}

/// What a replay makes of one letter.
#[derive(Debug)]
pub enum Asked<'a> {
    /// An object of it is ordered for a source.
    Order {
        /// The letter, if it is one of Inlet's own.
        letter: Option<&'a DeadLetter>,
        /// Whose entry.
        key: &'a EntryKey,
        /// What the ledger says of it now.
        stored: Option<&'a Stored>,
    },
    /// It stays where it is.
    Keep {
        /// The letter as it lies there.
        letter: &'a Letter,
        /// Why.
        why: &'a str,
    },
}

/// Takes all dead letters that are there, orders what they are about, and forgets them; those for
/// which nothing can be ordered stay. Without `force`, what is done by the time its order is taken is
/// not delivered again.
///
/// # Errors
/// If the queue or the ledger fails. What was ordered before stands, and no letter is forgotten that
/// was not.
pub async fn dead_letters(
    ports: &Ports,
    catalog: &Catalog,
    force: bool,
    run: Run,
    see: &mut (dyn FnMut(Asked<'_>) + Send),
) -> Result<Letters, Failure> {
    // What fails again comes back as a new letter, which must not be taken in its turn: a replay
    // would never end.
    let began = ports.clock.now();
    let (report, ordered) = (Letters::default(), HashSet::new());
    let mut replay = Replay { ports, catalog, force, run, began, report, ordered, see };
    let mut kept: Vec<Letter> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    let ended = loop {
        let letters = match ports.letters.take(VISIBILITY).await {
            Ok(letters) => letters,
            Err(error) => break Err(Failure::from(&error)),
        };
        // Those that stay are seen again only when all others were taken, or their time is over.
        let fresh: Vec<_> = letters.into_iter().filter(|l| !known.contains(&l.id)).collect();
        if fresh.is_empty() {
            break Ok(());
        }
        match replay.batch(&fresh).await {
            Ok(stay) => {
                let stay = fresh.into_iter().zip(stay).filter_map(|(l, stays)| stays.then_some(l));
                kept.extend(stay);
                known.extend(kept.iter().map(|letter| letter.id.clone()));
            }
            Err(failure) => {
                kept.extend(fresh);
                break Err(failure);
            }
        }
        if kept.len() >= MOST_KEPT {
            replay.report.incomplete = true;
            break Ok(());
        }
    };
    // If this fails too, they are seen again when their time is over.
    let back = ports.letters.put_back(&kept).await.map_err(|error| Failure::from(&error));
    ended.and_then(|()| back.map(|()| replay.report))
}

/// A replay of the dead letters under way.
struct Replay<'a> {
    ports: &'a Ports,
    catalog: &'a Catalog,
    force: bool,
    run: Run,
    began: Timestamp,
    report: Letters,
    /// What was ordered.
    ordered: HashSet<EntryKey>,
    see: &'a mut (dyn FnMut(Asked<'_>) + Send),
}

impl Replay<'_> {
    /// Whether the entry is to be ordered: it was not before, as far as is remembered.
    fn remember(&mut self, key: &EntryKey) -> bool {
        // Forgotten, it is ordered twice, which the ledger makes harmless.
        if self.ordered.len() >= MOST_REMEMBERED {
            self.ordered.clear();
        }
        self.ordered.insert(key.clone())
    }

    /// Orders and forgets the letters, and answers for each of them whether it stays.
    async fn batch(&mut self, letters: &[Letter]) -> Result<Vec<bool>, Failure> {
        let (mut orders, mut parts) = (Vec::new(), Vec::new());
        let mut stay = vec![true; letters.len()];
        for (letter, stays) in letters.iter().zip(&mut stay) {
            if letter.sent > self.began {
                self.report.newer += 1;
                continue;
            }
            match read(letter, self.catalog) {
                Ok(said) => {
                    for key in said.keys {
                        // Each refresh of what fails adds a letter about it; one look does for all.
                        if !self.remember(&key) {
                            continue;
                        }
                        let stored = self.ports.ledger.get(&key).await;
                        let stored = stored.map_err(|error| Failure::from(&error))?;
                        let (letter, stored) = (said.own.as_ref(), stored.as_ref());
                        (self.see)(Asked::Order { letter, key: &key, stored });
                        orders.push(order(key, self.force));
                    }
                    parts.extend(said.malformed);
                    self.report.letters += 1;
                    *stays = self.run == Run::Dry;
                }
                Err(why) => {
                    (self.see)(Asked::Keep { letter, why: &why });
                    self.report.kept += 1;
                }
            }
        }
        self.report.ordered += orders.len() as u64;
        if self.run == Run::Real {
            let gone = letters.iter().zip(&stay).filter(|(_, stays)| !**stays);
            let gone: Vec<Letter> = gone.map(|(letter, _)| letter.clone()).collect();
            let settled = settle(self.ports, &orders, &parts, &gone).await;
            settled.map_err(|error| Failure::from(&error))?;
        }
        Ok(stay)
    }
}

/// By looking, whatever the message said: what became of the object since, the ledger and the bucket
/// say best.
fn order(key: EntryKey, force: bool) -> Order {
    let mut order = Order::new(key.object, OrderReason::Replay);
    order.source = Some(key.source);
    order.force = force;
    order.unpark = true;
    order
}

/// Sends the orders, and only then forgets the letters: after a crash in between they are ordered
/// twice. What of a letter cannot be read becomes a letter of its own.
async fn settle(
    ports: &Ports,
    orders: &[Order],
    parts: &[Malformed],
    done: &[Letter],
) -> Result<(), QueueError> {
    ports.queue.order(orders, Duration::ZERO).await?;
    for part in parts {
        let letter = DeadLetter::new(Failure::from(part), ports.clock.now(), &part.raw);
        ports.queue.bury(&letter).await?;
    }
    ports.letters.forget(done).await
}

/// What a letter says.
struct Said {
    /// The letter, if it is one of Inlet's own.
    own: Option<DeadLetter>,
    /// The entries that it is about; at least one.
    keys: Vec<EntryKey>,
    /// The parts of its message that cannot be read.
    malformed: Vec<Malformed>,
}

/// Reads a letter; or says why nothing can be ordered for it.
fn read(letter: &Letter, catalog: &Catalog) -> Result<Said, String> {
    let own: Option<DeadLetter> = serde_json::from_str(&letter.body).ok();
    let mut objects: Vec<(ObjectId, Option<String>)> = Vec::new();
    let mut malformed = Vec::new();
    match own.as_ref().map(|own| (own.object.clone(), own.source.clone())) {
        // It is about this one, whatever else was in the message: the rest was worked on.
        Some((Some(object), source)) => objects.push((object, source)),
        _ => {
            for notice in notice::read(&letter.body).map_err(|cause| unreadable(&cause))? {
                let object = match notice {
                    Notice::Object(notice) => (notice.event.object, None),
                    Notice::Look(order) => (order.object, order.source),
                    Notice::Ignored(_) => continue,
                    Notice::Malformed(part) => {
                        malformed.push(part);
                        continue;
                    }
                };
                if !objects.contains(&object) {
                    objects.push(object);
                }
            }
        }
    }
    let mut keys = Vec::new();
    let mut untaken = None;
    for (object, source) in objects {
        let takers = catalog.matching(&object.bucket, &object.key);
        let takers = takers.iter().map(|taken| taken.source.key.as_str());
        let takers = takers.filter(|taken| source.as_deref().is_none_or(|only| only == *taken));
        let before = keys.len();
        keys.extend(takers.map(|source| EntryKey::new(source, object.clone())));
        if keys.len() == before {
            untaken = Some(match source {
                Some(source) => format!("the source {source} does not take {object}"),
                None => format!("no source takes {object}"),
            });
        }
    }
    if keys.is_empty() {
        let why = untaken.or_else(|| malformed.first().map(unreadable));
        return Err(why.unwrap_or_else(|| "it is about no object".to_owned()));
    }
    Ok(Said { own, keys, malformed })
}

fn unreadable(malformed: &Malformed) -> String {
    format!("{malformed} ({})", malformed.cause.code())
}
