//! The journal on AWS: items of the ledger's table under the partition key `refresh`, which is no
//! entry's (those have two slashes), with the source as sort key.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{Journal, Progress};
use crate::ledger::dynamodb::DynamoLedger;
use crate::ledger::{LedgerError, PutError, Version};

/// The partition of all journals; the role of the refresh function may write here, and no entry.
const PARTITION: &str = "refresh";

fn place(source: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(PARTITION.to_owned())),
        ("sk".to_owned(), AttributeValue::S(source.to_owned())),
    ])
}

#[async_trait]
impl Journal for DynamoLedger {
    async fn read(&self, source: &str) -> Result<Option<(Progress, Version)>, LedgerError> {
        let Some(item) = self.item(place(source), &format!("the refresh of {source}")).await?
        else {
            return Ok(None);
        };
        let version = self.revision(&item)?;
        let progress = serde_dynamo::from_item(item)
            .map_err(|e| self.failed(format!("understand the refresh of {source}"), e))?;
        Ok(Some((progress, version)))
    }

    async fn write_if(
        &self,
        source: &str,
        expected: Version,
        progress: &Progress,
    ) -> Result<Version, PutError> {
        let what = format!("the refresh of {source}");
        let mut item: HashMap<String, AttributeValue> = serde_dynamo::to_item(progress)
            .map_err(|e| self.failed(format!("encode {what}"), e))?;
        item.extend(place(source));
        self.replace(item, expected, &what, |stored| {
            serde_dynamo::from_item::<_, Progress>(stored).is_ok_and(|stored| stored == *progress)
        })
        .await
    }
}
