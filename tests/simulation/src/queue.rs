//! A queue as SQS is one: visibility, redelivery, receive counts, dead letters, and no order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use inlet::notice::{DeadLetter, Order};
use inlet::queue::{Message, Queue, QueueError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::faults::Fault;
use crate::life::Life;
use crate::world::{World, lock};

/// Receives after which the queue itself puts a message into the dead letters.
const MAX_RECEIVES: u32 = 5;

/// The queue with its dead letters.
#[derive(Default)]
pub struct Broker {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    messages: Vec<Held>,
    sent: u64,
    receipts: u64,
    received: u64,
    letters: Vec<DeadLetter>,
    redriven: Vec<String>,
}

struct Held {
    id: u64,
    body: String,
    receives: u32,
    visible: Instant,
    receipts: Vec<u64>,
}

impl Broker {
    /// Sends a message that is visible after `delay`.
    pub fn send(&self, body: String, delay: Duration) {
        let mut state = lock(&self.state);
        state.sent += 1;
        let (id, visible) = (state.sent, Instant::now() + delay);
        state.messages.push(Held { id, body, receives: 0, visible, receipts: Vec::new() });
        self.changed.notify_waiters();
    }

    /// Up to `most` visible messages, hidden for `visibility`.
    pub fn receive(&self, world: &World, most: usize, visibility: Duration) -> Vec<Message> {
        let (now, mut taken) = (Instant::now(), Vec::new());
        let mut state = lock(&self.state);
        while taken.len() < most {
            let visible: Vec<usize> =
                (0..state.messages.len()).filter(|&at| state.messages[at].visible <= now).collect();
            if visible.is_empty() {
                break;
            }
            let at = visible[world.draw(|rng| rng.usize(..visible.len()))];
            if state.messages[at].receives >= MAX_RECEIVES {
                let dead = state.messages.swap_remove(at);
                world.log("queue", || format!("message {} goes to the dead letters", dead.id));
                state.redriven.push(dead.body);
                continue;
            }
            state.receipts += 1;
            state.received += 1;
            let receipt = state.receipts;
            let held = &mut state.messages[at];
            held.receives += 1;
            held.receipts.push(receipt);
            if !world.strikes(Fault::MessageDoubled) {
                held.visible = now + visibility;
            }
            let message = Message {
                id: held.id.to_string(),
                receipt: receipt.to_string(),
                body: held.body.clone(),
                receives: held.receives,
            };
            // One batch never holds a message twice.
            if taken.iter().all(|known: &Message| known.id != message.id) {
                taken.push(message);
            } else {
                held.visible = now + visibility;
            }
        }
        taken
    }

    /// Deletes a message. With an older receipt of it this may or may not work.
    pub fn acknowledge(&self, world: &World, message: &Message) {
        let mut state = lock(&self.state);
        let Ok(receipt) = message.receipt.parse::<u64>() else { return };
        state.messages.retain(|held| {
            let newest = held.receipts.last() == Some(&receipt);
            let older = !newest && held.receipts.contains(&receipt);
            !(newest || older && world.draw(fastrand::Rng::bool))
        });
        self.changed.notify_waiters();
    }

    /// Messages that are not acknowledged.
    pub fn waiting(&self) -> usize {
        lock(&self.state).messages.len()
    }

    /// How often a message was received.
    pub fn received(&self) -> u64 {
        lock(&self.state).received
    }

    /// The dead letters that were written with a cause.
    pub fn letters(&self) -> Vec<DeadLetter> {
        lock(&self.state).letters.clone()
    }

    /// The messages that the queue itself gave up.
    pub fn redriven(&self) -> Vec<String> {
        lock(&self.state).redriven.clone()
    }

    /// Returns when a message may be visible.
    pub async fn ready(&self) {
        loop {
            let changed = self.changed.notified();
            let next = lock(&self.state).messages.iter().map(|held| held.visible).min();
            match next {
                Some(next) if next <= Instant::now() => return,
                Some(next) => tokio::select! {
                    biased;
                    () = changed => {}
                    () = sleep_until(next) => return,
                },
                None => changed.await,
            }
        }
    }
}

/// The queue as one worker reaches it.
#[derive(Clone)]
pub struct SimQueue {
    broker: Arc<Broker>,
    life: Arc<Life>,
}

impl SimQueue {
    /// `broker` as `life` reaches it.
    pub fn new(broker: Arc<Broker>, life: Arc<Life>) -> Self {
        Self { broker, life }
    }
}

fn unavailable(action: &'static str) -> impl FnOnce(&'static str) -> QueueError {
    move |cause| QueueError { queue: "in memory".into(), action, cause: cause.into() }
}

#[async_trait]
impl Queue for SimQueue {
    async fn order(&self, orders: &[Order], delay: Duration) -> Result<(), QueueError> {
        let send = || {
            for order in orders {
                self.broker.send(order.to_body(), delay);
            }
            Ok(())
        };
        let what = || {
            let objects: Vec<_> = orders.iter().map(|order| order.object.to_string()).collect();
            format!("order {} in {delay:?}", objects.join(", "))
        };
        self.life.call(what, send, unavailable("take orders")).await
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), QueueError> {
        let bury = || {
            lock(&self.broker.state).letters.push(letter.clone());
            Ok(())
        };
        let what = || format!("bury {:?}: {}", letter.object, letter.cause);
        self.life.call(what, bury, unavailable("take a dead letter")).await
    }

    async fn acknowledge(&self, message: &Message) -> Result<(), QueueError> {
        let remove = || {
            self.broker.acknowledge(&self.life.world, message);
            Ok(())
        };
        let what = || format!("acknowledge message {}", message.id);
        self.life.call(what, remove, unavailable("acknowledge a message")).await
    }

    async fn extend(&self, messages: &[Message], visibility: Duration) -> Result<(), QueueError> {
        let extend = || {
            let mut state = lock(&self.broker.state);
            for message in messages {
                let receipt = message.receipt.parse::<u64>().ok();
                let held =
                    state.messages.iter_mut().find(|h| h.receipts.last().copied() == receipt);
                if let Some(held) = held {
                    held.visible = Instant::now() + visibility;
                }
            }
            drop(state);
            self.broker.changed.notify_waiters();
            Ok(())
        };
        let what = || {
            let ids: Vec<_> = messages.iter().map(|message| message.id.as_str()).collect();
            format!("hide message {} for {visibility:?}", ids.join(", "))
        };
        self.life.call(what, extend, unavailable("extend the visibility of messages")).await
    }
}
