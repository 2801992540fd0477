//! Rejects as objects of the stack's state bucket.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::{RejectWriter, Rejects, RejectsError};
use crate::aws::said;

/// Bytes of a part; S3 takes no smaller ones but the last
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const PART: usize = 5 << 20;

/// Objects in a bucket. Up to 5 MiB in one request, more in parts; an upload that is not completed
/// is cleared away by the bucket's lifecycle.
#[derive(Clone)]
pub struct S3Rejects {
    client: Client,
    bucket: String,
}

impl S3Rejects {
    /// Rejects go to `bucket`.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }
}

#[async_trait]
impl Rejects for S3Rejects {
    async fn begin(&self, name: &str) -> Result<Box<dyn RejectWriter>, RejectsError> {
        Ok(Box::new(S3Writer {
            store: self.clone(),
            key: name.to_owned(),
            buffer: Vec::new(),
            upload: None,
            parts: Vec::new(),
        }))
    }
}

struct S3Writer {
    store: S3Rejects,
    key: String,
    buffer: Vec<u8>,
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl S3Writer {
    fn place(&self) -> String {
        format!("s3://{}/{}", self.store.bucket, self.key)
    }

    fn failed(&self, cause: impl ToString) -> RejectsError {
        RejectsError { place: self.place(), cause: cause.to_string() }
    }

    async fn flush(&mut self) -> Result<(), RejectsError> {
        let upload = match &self.upload {
            Some(upload) => upload.clone(),
            None => {
                let answer = self
                    .store
                    .client
                    .create_multipart_upload()
                    .bucket(&self.store.bucket)
                    .key(&self.key)
                    .content_type("application/x-ndjson")
                    .send()
                    .await
                    .map_err(|e| self.failed(said(&e)))?;
                let upload =
                    answer.upload_id.ok_or_else(|| self.failed("the answer names no upload"))?;
                self.upload.insert(upload).clone()
            }
        };
        let number = i32::try_from(self.parts.len() + 1).map_err(|e| self.failed(e))?;
        let answer = self
            .store
            .client
            .upload_part()
            .bucket(&self.store.bucket)
            .key(&self.key)
            .upload_id(upload)
            .part_number(number)
            .body(ByteStream::from(std::mem::take(&mut self.buffer)))
            .send()
            .await
            .map_err(|e| self.failed(said(&e)))?;
        self.parts
            .push(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).build());
        Ok(())
    }
}

#[async_trait]
impl RejectWriter for S3Writer {
    async fn write(&mut self, lines: Vec<u8>) -> Result<(), RejectsError> {
        self.buffer.extend_from_slice(&lines);
        if self.buffer.len() >= PART { self.flush().await } else { Ok(()) }
    }

    async fn finish(mut self: Box<Self>) -> Result<String, RejectsError> {
        if self.upload.is_none() {
            let request = self
                .store
                .client
                .put_object()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .content_type("application/x-ndjson")
                .body(ByteStream::from(std::mem::take(&mut self.buffer)));
            request.send().await.map_err(|e| self.failed(said(&e)))?;
            return Ok(self.place());
        }
        if !self.buffer.is_empty() {
            self.flush().await?;
        }
        self.store
            .client
            .complete_multipart_upload()
            .bucket(&self.store.bucket)
            .key(&self.key)
            .set_upload_id(self.upload.clone())
            .multipart_upload(
                CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build(),
            )
            .send()
            .await
            .map_err(|e| self.failed(said(&e)))?;
        Ok(self.place())
    }
}
