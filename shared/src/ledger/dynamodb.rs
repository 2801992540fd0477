//! The ledger on AWS: a DynamoDB table.
//!
//! # The key
//!
//! `pk` is `{source}/{bucket}/{shard}` and `sk` the object's key, where the shard is a hash of the key
//! over [`SHARDS`]. One partition takes 1,000 writes a second
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>),
//! so a busy source must not lie in one; and yet a scan of a source must come in key order, which
//! DynamoDB gives within a partition only. A scan therefore merges the shards, each of which is in
//! order (DynamoDB compares strings as UTF-8 bytes, as S3 does). Neither part of the key outgrows
//! DynamoDB's limits: an object's key has at most 1,024 bytes, as `sk` may.
//!
//! The entry's fields are attributes of the item, to be read with any tool; `revision` is compared at
//! each write. Items never expire.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use futures::future::try_join_all;

use super::{
    Entry, EntryKey, Ledger, LedgerError, PutError, Range, Scan, Shapes, Start, Stored, Version,
};
use crate::aws::said;
use crate::format::Shape;

/// Partitions over which the entries of one source are spread. Part of the stored keys: never to be
/// changed without moving the items.
pub const SHARDS: u32 = 16;

/// Entries that a scan asks of one shard at a time.
const PAGE: i32 = 100;

/// A ledger in a DynamoDB table with the keys `pk` and `sk`, both strings.
#[derive(Clone)]
pub struct DynamoLedger {
    client: Client,
    table: String,
}

impl DynamoLedger {
    /// The ledger in `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    pub(crate) fn failed(&self, action: String, cause: impl ToString) -> LedgerError {
        LedgerError { place: self.table.clone(), action, cause: cause.to_string() }
    }

    /// The item at `place`, read with strong consistency. `what` it is, for errors.
    pub(crate) async fn item(
        &self,
        place: HashMap<String, AttributeValue>,
        what: &str,
    ) -> Result<Option<HashMap<String, AttributeValue>>, LedgerError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(place))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| self.failed(format!("read {what}"), said(&e)))?;
        Ok(answer.item)
    }

    /// Writes `item`, which has its place in it, if the stored revision is `expected`; `same` says
    /// whether what is stored is this very item.
    pub(crate) async fn replace(
        &self,
        mut item: HashMap<String, AttributeValue>,
        expected: Version,
        what: &str,
        same: impl FnOnce(HashMap<String, AttributeValue>) -> bool + Send,
    ) -> Result<Version, PutError> {
        item.insert("revision".to_owned(), AttributeValue::N(expected.next().0.to_string()));
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        request = if expected == Version::NONE {
            request.condition_expression("attribute_not_exists(pk)")
        } else {
            request
                .condition_expression("#revision = :expected")
                .expression_attribute_names("#revision", "revision")
                .expression_attribute_values(":expected", AttributeValue::N(expected.0.to_string()))
        };
        match request.send().await {
            Ok(_) => Ok(expected.next()),
            Err(SdkError::ServiceError(context))
                if matches!(context.err(), PutItemError::ConditionalCheckFailedException(_)) =>
            {
                // The client repeats a request whose answer was lost, and is then refused because
                // of its own write.
                if let PutItemError::ConditionalCheckFailedException(refused) = context.into_err()
                    && let Some(item) = refused.item
                    && self.revision(&item).is_ok_and(|stored| stored == expected.next())
                    && same(item)
                {
                    return Ok(expected.next());
                }
                Err(PutError::Conflict)
            }
            Err(error) => Err(self.failed(format!("write {what}"), said(&error)).into()),
        }
    }

    /// Which write an item is at.
    pub(crate) fn revision(
        &self,
        item: &HashMap<String, AttributeValue>,
    ) -> Result<Version, LedgerError> {
        let failed = |cause: String| {
            let name = format!("{:?} {:?}", item.get("pk"), item.get("sk"));
            self.failed(format!("understand the item {name}"), cause)
        };
        match item.get("revision") {
            Some(AttributeValue::N(text)) => {
                text.parse().map(Version).map_err(|e| failed(e.to_string()))
            }
            other => Err(failed(format!("its revision is {other:?}"))),
        }
    }

    fn item_to_stored(&self, item: HashMap<String, AttributeValue>) -> Result<Stored, LedgerError> {
        let version = self.revision(&item)?;
        let what = format!("understand the item {:?} {:?}", item.get("pk"), item.get("sk"));
        let entry = serde_dynamo::from_item(item).map_err(|e| self.failed(what, e))?;
        Ok(Stored { entry, version })
    }
}

/// Where an entry lies.
fn place(key: &EntryKey) -> HashMap<String, AttributeValue> {
    let partition = partition(&key.source, &key.object.bucket, shard(&key.object.key));
    HashMap::from([
        ("pk".to_owned(), partition),
        ("sk".to_owned(), AttributeValue::S(key.object.key.clone())),
    ])
}

fn partition(source: &str, bucket: &str, shard: u32) -> AttributeValue {
    AttributeValue::S(format!("{source}/{bucket}/{shard:02}"))
}

/// FNV-1a: stable for ever, which the standard library's hashers do not promise.
fn shard(key: &str) -> u32 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The high bits are the well-mixed ones.
    ((hash >> 32) as u32) % SHARDS
}

#[async_trait]
impl Ledger for DynamoLedger {
    async fn get(&self, key: &EntryKey) -> Result<Option<Stored>, LedgerError> {
        let item = self.item(place(key), &key.to_string()).await?;
        item.map(|item| self.item_to_stored(item)).transpose()
    }

    async fn put_if(
        &self,
        key: &EntryKey,
        expected: Version,
        entry: &Entry,
    ) -> Result<Version, PutError> {
        let mut item: HashMap<String, AttributeValue> = serde_dynamo::to_item(entry)
            .map_err(|e| self.failed(format!("encode the entry of {key}"), e))?;
        item.extend(place(key));
        self.replace(item, expected, &key.to_string(), |stored| {
            self.item_to_stored(stored).is_ok_and(|stored| stored.entry == *entry)
        })
        .await
    }

    async fn scan(
        &self,
        source: &str,
        bucket: &str,
        range: Range<'_>,
    ) -> Result<Box<dyn Scan>, LedgerError> {
        // DynamoDB takes one condition on the sort key: where the range begins. (An empty text is
        // no value of a key.) Where it ends, the scan sees.
        let start = match range.start() {
            Start::At("") => None,
            Start::At(key) => Some(("pk = :pk AND sk >= :start", key)),
            Start::After(key) => Some(("pk = :pk AND sk > :start", key)),
        };
        let start = start.map(|(condition, key)| (condition, AttributeValue::S(key.to_owned())));
        let mut scan = DynamoScan {
            ledger: self.clone(),
            source: source.to_owned(),
            shards: (0..SHARDS)
                .map(|shard| Shard {
                    partition: partition(source, bucket, shard),
                    start: start.clone(),
                    prefix: range.prefix.to_owned(),
                    page: VecDeque::new(),
                    after: None,
                    ended: false,
                })
                .collect(),
            heads: BinaryHeap::new(),
        };
        try_join_all(scan.shards.iter_mut().map(|shard| shard.fill(&scan.ledger, source))).await?;
        scan.heads = scan
            .shards
            .iter()
            .enumerate()
            .filter_map(|(at, shard)| Some(Reverse((shard.page.front()?.0.clone(), at))))
            .collect();
        Ok(Box::new(scan))
    }
}

/// Where the shape of a series lies: under a partition key of one slash, which is no entry's.
fn shape_at(source: &str, series: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(format!("shapes/{source}"))),
        ("sk".to_owned(), AttributeValue::S(series.to_owned())),
    ])
}

#[async_trait]
impl Shapes for DynamoLedger {
    async fn last(&self, source: &str, series: &str) -> Result<Option<Shape>, LedgerError> {
        let what = format!("the shape of {source}/{series}");
        let item = self.item(shape_at(source, series), &what).await?;
        item.map(serde_dynamo::from_item)
            .transpose()
            .map_err(|e| self.failed(format!("understand {what}"), e))
    }

    async fn keep(&self, source: &str, series: &str, shape: &Shape) -> Result<(), LedgerError> {
        let what = format!("the shape of {source}/{series}");
        let mut item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(shape).map_err(|e| self.failed(format!("encode {what}"), e))?;
        item.extend(shape_at(source, series));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map_err(|e| self.failed(format!("write {what}"), said(&e)))?;
        Ok(())
    }
}

struct DynamoScan {
    ledger: DynamoLedger,
    source: String,
    shards: Vec<Shard>,
    /// The next key of each shard that has one, with the shard's number; the least on top.
    heads: BinaryHeap<Reverse<(String, usize)>>,
}

struct Shard {
    partition: AttributeValue,
    /// The condition with which the range begins, and its value.
    start: Option<(&'static str, AttributeValue)>,
    prefix: String,
    page: VecDeque<(String, Entry)>,
    after: Option<HashMap<String, AttributeValue>>,
    ended: bool,
}

impl Shard {
    /// Makes sure that the page holds an entry, unless the shard has ended. DynamoDB may answer an
    /// empty page before the end.
    async fn fill(&mut self, ledger: &DynamoLedger, source: &str) -> Result<(), LedgerError> {
        while self.page.is_empty() && !self.ended {
            let mut values = HashMap::from([(":pk".to_owned(), self.partition.clone())]);
            if let Some((_, start)) = &self.start {
                values.insert(":start".to_owned(), start.clone());
            }
            let answer = ledger
                .client
                .query()
                .table_name(&ledger.table)
                .key_condition_expression(
                    self.start.as_ref().map_or("pk = :pk", |(condition, _)| condition),
                )
                .set_expression_attribute_values(Some(values))
                .set_exclusive_start_key(self.after.take())
                .limit(PAGE)
                .consistent_read(true)
                .send()
                .await
                .map_err(|e| ledger.failed(format!("scan source {source}"), said(&e)))?;
            self.after = answer.last_evaluated_key;
            self.ended = self.after.is_none();
            for item in answer.items.into_iter().flatten() {
                let Some(AttributeValue::S(key)) = item.get("sk").cloned() else {
                    return Err(ledger.failed(
                        format!("scan source {source}"),
                        "an item has no sort key `sk` of type S",
                    ));
                };
                if !key.starts_with(&self.prefix) {
                    self.ended = true;
                    break;
                }
                self.page.push_back((key, ledger.item_to_stored(item)?.entry));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Scan for DynamoScan {
    async fn next(&mut self) -> Result<Option<(String, Entry)>, LedgerError> {
        let Some(Reverse((_, at))) = self.heads.pop() else { return Ok(None) };
        let shard = &mut self.shards[at];
        let entry = shard.page.pop_front();
        shard.fill(&self.ledger, &self.source).await?;
        if let Some((key, _)) = shard.page.front() {
            self.heads.push(Reverse((key.clone(), at)));
        }
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_spread_over_all_shards() {
        let mut counts = [0_u32; SHARDS as usize];
        for n in 0..16_000 {
            counts[shard(&format!("daily/2026/{n:06}.csv")) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_shard_of_a_key_never_changes() {
        // Stored items lie where these numbers put them.
        assert_eq!((shard("a.csv"), shard("日本/x.csv")), (5, 2));
    }
}
