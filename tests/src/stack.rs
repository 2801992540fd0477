//! The stack of `template.yaml`, deployed on a local AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types::Capability;
use aws_sdk_lambda::primitives::Blob;

use crate::local_aws::LocalAws;
use crate::sam::Sam;
use crate::wait::until;
use crate::{Failure, refused};

/// A deployed stack, and the clients of the account's root for it.
#[derive(Debug)]
pub struct Stack {
    /// The AWS it is deployed on.
    pub aws: LocalAws,
    /// All outputs, by the names of the template.
    pub outputs: BTreeMap<String, String>,
    /// For stacks.
    pub cloudformation: aws_sdk_cloudformation::Client,
    /// For the tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// For the functions.
    pub lambda: aws_sdk_lambda::Client,
    /// For the buckets.
    pub s3: aws_sdk_s3::Client,
    /// For the queues.
    pub sqs: aws_sdk_sqs::Client,
}

impl Stack {
    /// Deploys what SAM has built, under `name`.
    ///
    /// # Errors
    /// When the deployment fails.
    pub async fn deploy(aws: LocalAws, sam: &Sam<'_>, name: &str) -> Result<Self, Failure> {
        sam.deploy(&aws, name)?;
        let root = aws.root()?;
        let cloudformation = aws_sdk_cloudformation::Client::new(&root);
        Ok(Self {
            outputs: outputs(&cloudformation, name).await?,
            dynamodb: aws_sdk_dynamodb::Client::new(&root),
            lambda: aws_sdk_lambda::Client::new(&root),
            s3: s3_client(&root),
            sqs: aws_sdk_sqs::Client::new(&root),
            cloudformation,
            aws,
        })
    }

    /// The value of an output.
    ///
    /// # Panics
    /// When the template has no such output.
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("the stack has no output {name}"))
    }

    /// The bucket that files are dropped into.
    pub fn drop_bucket(&self) -> &str {
        self.output("DropBucketName")
    }

    /// Invokes a function by hand and returns its answer.
    ///
    /// # Errors
    /// When it cannot be invoked, or fails.
    pub async fn invoke(&self, function: &str, event: &str) -> Result<String, Failure> {
        let answer = self
            .lambda
            .invoke()
            .function_name(function)
            .payload(Blob::new(event))
            .send()
            .await
            .map_err(refused)?;
        let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
        let said = String::from_utf8_lossy(payload).into_owned();
        match answer.function_error() {
            None => Ok(said),
            Some(kind) => Err(format!("{function} failed ({kind}): {said}").into()),
        }
    }

    /// Switches the way from the notice queue to the ingest function off, or on again.
    ///
    /// # Errors
    /// When Lambda refuses.
    pub async fn switch_ingest(&self, on: bool) -> Result<(), Failure> {
        let function = self.output("IngestFunctionName");
        let list = self.lambda.list_event_source_mappings().function_name(function).send();
        let mappings = list.await.map_err(refused)?;
        let mapping = mappings
            .event_source_mappings()
            .first()
            .and_then(|mapping| mapping.uuid())
            .ok_or("the ingest function listens to no queue")?;
        let update = self.lambda.update_event_source_mapping().uuid(mapping).enabled(on).send();
        update.await.map_err(refused)?;
        // As on AWS, a poll that is under way when this returns may still take a message.
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(())
    }

    /// What somebody calls AWS with who may do what `policy` says, and nothing else.
    ///
    /// # Errors
    /// When there is no such role to be had.
    pub async fn role(
        &self,
        name: &str,
        policy: serde_json::Value,
    ) -> Result<aws_config::SdkConfig, Failure> {
        let template = serde_json::json!({
            "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Principal": {"AWS": {"Ref": "AWS::AccountId"}},
                        "Action": "sts:AssumeRole",
                    }],
                },
                "Policies": [{"PolicyName": name, "PolicyDocument": policy}],
            }}},
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
        });
        self.create(name, &template).await?;
        let arn = until("the role of a test", Duration::from_secs(20), async || {
            outputs(&self.cloudformation, name).await.ok()?.remove("Arn")
        })
        .await?;
        let sts = aws_sdk_sts::Client::new(&self.aws.root()?);
        let assume = sts.assume_role().role_arn(arn).role_session_name(name).send();
        let session = assume.await.map_err(refused)?;
        let credentials = session.credentials().ok_or("STS gave no credentials")?;
        self.aws.caller(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            Some(credentials.session_token()),
        )
    }

    /// Takes from a function what its role allows: `actions` on `resource`, until the denial is
    /// [lifted](Stack::lift) by its name.
    ///
    /// # Errors
    /// When the role cannot be changed.
    pub async fn deny(
        &self,
        name: &str,
        function: &str,
        actions: &[&str],
        resource: &str,
    ) -> Result<(), Failure> {
        let get = self.lambda.get_function_configuration().function_name(function).send();
        let configuration = get.await.map_err(refused)?;
        let role = configuration.role().ok_or("a function without a role")?;
        let role = role.rsplit('/').next().unwrap_or(role);
        let template = serde_json::json!({
            "Resources": {"Denial": {"Type": "AWS::IAM::Policy", "Properties": {
                "PolicyName": name,
                "Roles": [role],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Deny", "Action": actions, "Resource": resource}],
                },
            }}},
        });
        self.create(name, &template).await?;
        self.reached(name, Some("CREATE_COMPLETE")).await
    }

    /// Gives back what a denial took.
    ///
    /// # Errors
    /// When the role cannot be changed.
    pub async fn lift(&self, denial: &str) -> Result<(), Failure> {
        let delete = self.cloudformation.delete_stack().stack_name(denial).send();
        delete.await.map_err(refused)?;
        self.reached(denial, None).await
    }

    async fn create(&self, name: &str, template: &serde_json::Value) -> Result<(), Failure> {
        self.cloudformation
            .create_stack()
            .stack_name(name)
            .template_body(template.to_string())
            .capabilities(Capability::CapabilityIam)
            .send()
            .await
            .map_err(refused)?;
        Ok(())
    }

    /// Waits until a stack has a status, or is gone.
    async fn reached(&self, name: &str, status: Option<&str>) -> Result<(), Failure> {
        let what = format!("the stack {name} to be {}", status.unwrap_or("gone"));
        until(&what, Duration::from_secs(20), async || {
            let describe = self.cloudformation.describe_stacks().stack_name(name).send().await;
            let stacks = describe.map(|answer| answer.stacks.unwrap_or_default());
            let now = stacks.ok().and_then(|stacks| Some(stacks.first()?.stack_status()?.clone()));
            let now = now.as_ref().map(|now| now.as_str()).filter(|now| *now != "DELETE_COMPLETE");
            (now == status).then_some(())
        })
        .await
    }
}

/// A client that names buckets in the path, where a local AWS looks for them.
pub fn s3_client(config: &aws_config::SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config)
}

async fn outputs(
    cloudformation: &aws_sdk_cloudformation::Client,
    stack: &str,
) -> Result<BTreeMap<String, String>, Failure> {
    let describe = cloudformation.describe_stacks().stack_name(stack).send();
    let description = describe.await.map_err(refused)?;
    let stack = description.stacks().first().ok_or("there is no such stack")?;
    Ok(stack
        .outputs()
        .iter()
        .filter_map(|output| {
            Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
        })
        .collect())
}
