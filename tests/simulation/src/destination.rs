//! A destination that writes down everything that arrives, and a place for rejects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use inlet::catalog::Destination;
use inlet::delivery::{Deliveries, Delivery, DeliveryError, Event};
use inlet::failure::Failure;
use inlet::rejects::{RejectWriter, Rejects, RejectsError};
use tokio::time::sleep;

use crate::faults::Fault;
use crate::life::Life;
use crate::world::lock;

/// What has arrived, in the order of arrival.
#[derive(Default)]
pub struct Downstream {
    arrivals: Mutex<Vec<Event>>,
    rejects: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Downstream {
    /// Everything that arrived.
    pub fn arrivals(&self) -> Vec<Event> {
        lock(&self.arrivals).clone()
    }

    /// The finished files of rejects, by their places.
    pub fn rejects(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.rejects).clone()
    }
}

/// The destination and the place for rejects as one worker reaches them.
#[derive(Clone)]
pub struct SimDestination {
    downstream: Arc<Downstream>,
    life: Arc<Life>,
    concurrency: usize,
}

impl SimDestination {
    /// `downstream` as `life` reaches it, with so many events at a time.
    pub fn new(downstream: Arc<Downstream>, life: Arc<Life>, concurrency: usize) -> Self {
        Self { downstream, life, concurrency }
    }
}

impl Deliveries for SimDestination {
    fn to(&self, _: &Destination) -> Result<Arc<dyn Delivery>, Failure> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Delivery for SimDestination {
    async fn send(&self, event: &Event) -> Result<(), DeliveryError> {
        let what = || format!("send {} {}", event.kind.as_str(), event.id);
        let (life, world) = (&self.life, &self.life.world);
        let refused = |cause: &str, passing: bool| {
            life.log(|| format!("{} ✗ {cause}", what()));
            let (destination, event) = ("in memory".to_owned(), event.id.clone());
            Err(DeliveryError { destination, event, cause: cause.to_owned(), passing })
        };
        life.begin(&what).await;
        if world.strikes(Fault::SendRefused) {
            return refused("no such destination", false);
        }
        if world.strikes(Fault::SendFailed) {
            return refused("503", true);
        }
        if world.strikes(Fault::SendTimedOut) {
            sleep(Duration::from_secs(30)).await;
            life.alive().await;
            return refused("timed out", true);
        }
        lock(&self.downstream.arrivals).push(event.clone());
        life.log(|| format!("{} arrives", what()));
        life.end(&what).await;
        if world.strikes(Fault::SendApplied) {
            return refused("it arrived, but 502", true);
        }
        Ok(())
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }
}

#[async_trait]
impl Rejects for SimDestination {
    async fn begin(&self, name: &str) -> Result<Box<dyn RejectWriter>, RejectsError> {
        Ok(Box::new(File { to: self.clone(), name: name.to_owned(), lines: Vec::new() }))
    }
}

struct File {
    to: SimDestination,
    name: String,
    lines: Vec<u8>,
}

#[async_trait]
impl RejectWriter for File {
    async fn write(&mut self, lines: Vec<u8>) -> Result<(), RejectsError> {
        self.lines.extend_from_slice(&lines);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<String, RejectsError> {
        let name = self.name.clone();
        let write = || {
            lock(&self.to.downstream.rejects).insert(self.name.clone(), self.lines.clone());
            Ok(self.name.clone())
        };
        let failed =
            |cause: &'static str| RejectsError { place: name.clone(), cause: cause.into() };
        self.to.life.call(|| format!("write {name}"), write, failed).await
    }
}
