//! The real stack, built and deployed by SAM on a local AWS with IAM enforced, used as a customer
//! uses it. What this needs is said by the errors of `inlet_tests::venv`.

mod drops;
mod faults;
mod messages;
mod onboarding;
mod operated;
mod parts;

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use inlet::ledger::dynamodb::DynamoLedger;
use inlet::ledger::{Entry, EntryKey, Ledger};
use inlet::object::ObjectId;
use inlet_tests::downstream::Downstream;
use inlet_tests::local_aws::LocalAws;
use inlet_tests::sam::Sam;
use inlet_tests::stack::Stack;
use inlet_tests::venv::Venv;
use inlet_tests::wait::until;
use inlet_tests::{Failure, refused};
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::{Handle, Runtime};

/// The name of the stack.
const STACK: &str = "Inlet-Test";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = Runtime::new().expect("a runtime");
    if arguments.list {
        let mut all = trials(None, runtime.handle());
        all.extend(faults(None, runtime.handle()));
        return libtest_mimic::run(&arguments, all).exit_code();
    }
    let scene = match runtime.block_on(prepare()) {
        Ok(scene) => Arc::new(scene),
        Err(failure) => {
            eprintln!("\nthe stack for the end-to-end tests could not be prepared: {failure}\n");
            return ExitCode::FAILURE;
        }
    };
    let whole = libtest_mimic::run(&arguments, trials(Some(Arc::clone(&scene)), runtime.handle()));
    // Afterwards: what is killed and refused there is everybody's, and costs minutes.
    let faulty = libtest_mimic::run(&arguments, faults(Some(Arc::clone(&scene)), runtime.handle()));
    // Whatever the tests did: the dead letters hold the poison that they sent, and nothing else.
    let poison = ["gzip_truncated", "missing_field", "not_json"];
    let strange: Vec<_> = scene.dead_letters.all();
    let strange = strange.iter().filter(|letter| {
        !letter["cause"]["code"].as_str().is_some_and(|code| poison.contains(&code))
    });
    let strange: Vec<_> = strange.collect();
    if !strange.is_empty() {
        eprintln!("nobody sent what lies in the dead letters: {strange:?}");
        return ExitCode::FAILURE;
    }
    if whole.has_failed() || faulty.has_failed() {
        eprintln!("the log of the local AWS: {}", scene.stack.aws.log().display());
        return ExitCode::FAILURE;
    }
    // Not `Conclusion::exit`: it would leave the local AWS to the operating system.
    ExitCode::SUCCESS
}

/// The stack, and what comes out of it.
struct Scene {
    stack: Stack,
    ledger: Arc<DynamoLedger>,
    records: Downstream,
    dead_letters: Downstream,
    /// Held for as long as the stack is used.
    _alone: std::fs::File,
    /// Held to write by a test that switches the ingest off, to read by those that need it on.
    ingest: tokio::sync::RwLock<()>,
}

impl Scene {
    /// The ledger's entry of an object of the drop bucket.
    async fn entry(&self, source: &str, key: &str) -> Result<Option<Entry>, Failure> {
        let key = EntryKey::new(source, ObjectId::new(self.stack.drop_bucket(), key));
        Ok(self.ledger.get(&key).await?.map(|stored| stored.entry))
    }

    /// Waits until the entry in the built-in source is as it should be.
    async fn settled(
        &self,
        key: &str,
        what: &str,
        fits: impl Fn(&Entry) -> bool,
    ) -> Result<Entry, Failure> {
        until(&format!("{key} to be {what}"), Duration::from_secs(90), async || {
            self.entry("drop", key).await.map(|entry| entry.filter(&fits)).transpose()
        })
        .await?
    }

    /// Puts a file into the drop bucket.
    async fn put(&self, key: &str, body: &str) -> Result<(), Failure> {
        self.put_bytes(key, body.as_bytes().to_vec()).await
    }

    /// Puts a file that is no text into the drop bucket.
    async fn put_bytes(&self, key: &str, body: Vec<u8>) -> Result<(), Failure> {
        let put = self.stack.s3.put_object().bucket(self.stack.drop_bucket()).key(key);
        put.body(body.into()).send().await.map_err(refused)?;
        Ok(())
    }
}

async fn prepare() -> Result<Scene, Failure> {
    // Another run over the same target directory would build the stack under this one's feet.
    std::fs::create_dir_all(inlet_tests::target())?;
    let alone = std::fs::File::create(inlet_tests::target().join("end-to-end.lock"))?;
    alone.lock()?;
    let venv = Venv::prepare()?;
    let sam = Sam::new(&venv);
    sam.validate()?;
    sam.build()?;
    // Upper case, as some people name their stacks: bucket names may have none of it.
    let stack = Stack::deploy(LocalAws::start(&venv)?, &sam, STACK).await?;
    Ok(Scene {
        _alone: alone,
        ledger: Arc::new(DynamoLedger::new(
            stack.dynamodb.clone(),
            stack.output("LedgerTableName"),
        )),
        records: Downstream::of(stack.sqs.clone(), stack.output("RecordsQueueUrl")),
        dead_letters: Downstream::of(stack.sqs.clone(), stack.output("DeadLetterQueueUrl")),
        ingest: tokio::sync::RwLock::default(),
        stack,
    })
}

/// The trials in which nothing fails but what they send. Without a scene they can only be listed.
fn trials(scene: Option<Arc<Scene>>, handle: &Handle) -> Vec<Trial> {
    let t = Trials { scene, handle: handle.clone() };
    vec![
        t.named("the_stack_has_all_its_outputs", parts::has_all_outputs),
        t.named("iam_is_enforced", parts::iam_is_enforced),
        t.named("the_ledger_in_dynamodb_conforms", parts::ledger_conforms),
        t.named("the_journal_in_dynamodb_conforms", parts::journal_conforms),
        t.named("the_shapes_in_dynamodb_conform", parts::shapes_conform),
        t.named("the_dead_letters_in_sqs_conform", parts::dead_letters_conform),
        t.named("keys_of_every_kind_arrive", drops::keys_of_every_kind),
        t.named("the_same_content_again_delivers_nothing", drops::same_content_again),
        t.named("an_overwrite_and_a_removal_arrive", drops::overwrite_and_removal),
        t.named("a_copy_and_a_multipart_upload_arrive", drops::copy_and_multipart),
        t.named("a_broken_file_fails_alone_with_its_cause", drops::broken_file),
        t.named("rejects_lie_in_the_state_bucket", operated::rejects),
        t.named("replays_order_what_they_are_asked_for_and_the_status_tells", operated::replays),
        t.named("one_malformed_record_of_three_fails_alone", messages::one_of_three),
        t.named("a_body_that_is_not_json_is_buried_with_its_cause", messages::not_json),
        t.named("a_lost_notice_is_made_good_by_the_refresh", messages::lost_notices),
        t.named("pain_21_a_bucket_that_notifies_others_goes_on_doing_so", onboarding::subscribe),
        t.named("a_dead_letter_sent_back_is_done_again", messages::redriven),
    ]
}

/// The trials in which the parts of the stack die or refuse.
fn faults(scene: Option<Arc<Scene>>, handle: &Handle) -> Vec<Trial> {
    let t = Trials { scene, handle: handle.clone() };
    vec![
        t.named("rows_survive_kills", faults::kills),
        t.named("a_killed_file_is_taken_up_again_within_two_minutes", faults::taken_up_again),
        t.named("a_destination_that_fails_for_a_while_loses_nothing", faults::destination),
        t.named("a_ledger_that_fails_for_a_while_loses_nothing", faults::ledger),
    ]
}

struct Trials {
    scene: Option<Arc<Scene>>,
    handle: Handle,
}

impl Trials {
    fn named<F, A>(&self, name: &str, test: F) -> Trial
    where
        F: FnOnce(Arc<Scene>) -> A + Send + 'static,
        A: Future<Output = Result<(), Failure>>,
    {
        let (scene, handle) = (self.scene.clone(), self.handle.clone());
        Trial::test(name, move || {
            let scene = scene.ok_or("the stack was not prepared")?;
            Ok(handle.block_on(test(scene))?)
        })
    }
}
