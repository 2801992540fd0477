//! Function processes that die, and parts of the stack that refuse for a while: in the end the
//! consumer has every row of every file once.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::try_join_all;
use inlet::ledger::{Entry, Ledger, Range, State};
use inlet_tests::Failure;
use inlet_tests::consumer::Consumer;
use inlet_tests::files::File;
use inlet_tests::functions::FunctionProcess;
use inlet_tests::wait::until;
use serde_json::{Value, json};

use crate::Scene;

const FILES: u64 = 200;
/// Files dropped at a time, with one kill meanwhile.
const HANDFUL: u64 = 4;
const KILLS: usize = 50;
/// Of the kills, those of processes that have files which were killed before.
const AGAIN: usize = 8;
/// Of the kills, those that must leave a file behind which the process held.
const IN_THE_MIDDLE: usize = 40;
/// Files with which others must have gone on.
const TAKEN_OVER: usize = 30;
/// No file is killed that was begun more often: a message is received five times at most.
const MOST_ATTEMPTS: u32 = 3;
/// Where the files of [`kills`] lie, and those of [`taken_up_again`].
const KILLED: &str = "killed/";
const TAKEN_UP: &str = "taken-up/";
/// Within this time after its worker's death a file is worked on again.
const SOON: Duration = Duration::from_secs(120);
/// How long work may take on a busy machine.
const WORK: Duration = Duration::from_secs(60);
/// The same, if it begins with waiting for the messages of a dead process (75 s).
const REPEATED_WORK: Duration = Duration::from_secs(180);

impl Scene {
    async fn drop_files(&self, files: &[File]) -> Result<(), Failure> {
        let put = async |file: &File| self.put_bytes(&file.key, file.bytes()?).await;
        try_join_all(files.iter().map(put)).await?;
        Ok(())
    }

    /// The entries of the built-in source whose keys begin with `prefix`.
    async fn entries(&self, prefix: &str) -> Result<BTreeMap<String, Entry>, Failure> {
        let mut entries = BTreeMap::new();
        let range = Range { prefix, ..Range::ALL };
        let mut scan = self.ledger.scan("drop", self.stack.drop_bucket(), range).await?;
        while let Some((key, entry)) = scan.next().await? {
            entries.insert(key, entry);
        }
        Ok(entries)
    }

    /// The entries of these keys, as far as there are any.
    async fn entries_of<'a>(
        &self,
        keys: impl Iterator<Item = &'a String>,
    ) -> Result<BTreeMap<String, Entry>, Failure> {
        let get =
            async |key: &String| Ok::<_, Failure>((key.clone(), self.entry("drop", key).await?));
        let entries = try_join_all(keys.map(get)).await?;
        Ok(entries.into_iter().filter_map(|(key, entry)| Some((key, entry?))).collect())
    }

    /// Waits until the ledger says of all files under `prefix` that downstream has them.
    async fn all_done(&self, prefix: &str, n: usize, patience: Duration) -> Result<(), Failure> {
        let mut entries = BTreeMap::new();
        let what = format!("{n} files of {prefix} to be done");
        let done = until(&what, patience, async || {
            entries = self.entries(prefix).await.ok()?;
            let done = entries.values().filter(|entry| entry.state == State::Done).count();
            (done == n).then_some(())
        });
        let waited = done.await;
        waited.map_err(|failure| {
            let known = entries.len();
            entries.retain(|_, entry| entry.state != State::Done);
            format!("{failure}; {known} are known, and not done are {entries:#?}").into()
        })
    }

    /// Waits until a consumer has every row of the files once; answers how many events of theirs it
    /// left out as repeated.
    async fn all_downstream(&self, prefix: &str, files: &[File]) -> Result<usize, Failure> {
        let bucket = self.stack.drop_bucket();
        let look = || {
            self.records.look(|all| {
                let ours = |event: &&Value| {
                    event["data"]["object"]["key"].as_str().is_some_and(|k| k.starts_with(prefix))
                };
                let consumer = Consumer::of(all.iter().filter(ours));
                let mut faults = consumer.wrong.clone();
                faults.extend(files.iter().filter_map(|file| file.fault(&consumer, bucket)));
                let kinds = ["inlet.records.v1", "inlet.object.completed.v1"];
                let strange = all.iter().filter(ours).filter(|event| {
                    !event["type"].as_str().is_some_and(|kind| kinds.contains(&kind))
                });
                faults.extend(strange.map(|event| format!("strange: {event}")));
                (consumer.repeated, faults)
            })
        };
        let (mut known, mut faults) = (0, Vec::new());
        let whole = until("every row to be downstream once", WORK, async || {
            // It is much to look at: again only when there is more of it.
            let come = self.records.look(<[Value]>::len);
            if std::mem::replace(&mut known, come) == come {
                return None;
            }
            let (repeated, found) = look();
            faults = found;
            faults.is_empty().then_some(repeated)
        });
        whole.await.map_err(|failure| format!("{failure}: {faults:#?}").into())
    }

    /// Waits until no notice is left, in sight or hidden; the dead letters hold none of them either.
    async fn nothing_left(&self, prefix: &str) -> Result<(), Failure> {
        let queue = self.stack.output("NoticeQueueUrl");
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let mut left = String::new();
        let empty = until("the notice queue to be empty", REPEATED_WORK, async || {
            let get = self.stack.sqs.get_queue_attributes().queue_url(queue);
            let answer = get.set_attribute_names(Some(names.to_vec())).send().await.ok()?;
            let attributes = answer.attributes?;
            left = format!("{attributes:?}");
            names.iter().all(|name| attributes.get(name).is_some_and(|n| n == "0")).then_some(())
        });
        empty.await.map_err(|failure| format!("{failure}: {left}"))?;
        let buried = self.dead_letters.look(|all| {
            let ours = all.iter().filter(|letter| letter.to_string().contains(prefix));
            ours.cloned().collect::<Vec<_>>()
        });
        if buried.is_empty() { Ok(()) } else { Err(format!("dead letters: {buried:#?}").into()) }
    }

    /// The living processes of the ingest function that hold some of these entries.
    fn workers(&self, entries: &BTreeMap<String, Entry>) -> Result<Vec<Worker>, Failure> {
        let processes = self.stack.aws.processes(self.stack.output("IngestFunctionName"))?;
        let worker = |process: FunctionProcess| {
            let held = entries.iter().filter(|(_, entry)| holds(&process, entry));
            let held: BTreeMap<_, _> =
                held.map(|(key, entry)| (key.clone(), entry.clone())).collect();
            (!held.is_empty()).then_some(Worker { process, held })
        };
        Ok(processes.into_iter().filter_map(worker).collect())
    }

    /// Whether records of one of these objects came since `known` events had come.
    fn records_of(&self, held: &BTreeMap<String, Entry>, known: usize) -> bool {
        self.records.look(|all| {
            all.iter().skip(known).any(|event| {
                let key = event["data"]["object"]["key"].as_str();
                event["type"] == "inlet.records.v1" && key.is_some_and(|k| held.contains_key(k))
            })
        })
    }

    /// Sends the notices of these entries once more, as S3 does at times.
    async fn notify_again<'a>(
        &self,
        entries: impl Iterator<Item = (&'a String, &'a Entry)>,
    ) -> Result<usize, Failure> {
        let mut sent = 0;
        for (key, entry) in entries {
            let version = entry.version.as_ref().ok_or("an entry without a version")?;
            let sequencer = entry.sequencer.as_ref().ok_or("an entry without a sequencer")?;
            let notice = json!({"Records": [{
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventTime": "2026-02-01T06:00:00.123Z",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": self.stack.drop_bucket()}, "object": {
                    "key": key,
                    "size": version.size,
                    "eTag": version.etag,
                    "versionId": version.version_id,
                    "sequencer": sequencer.as_str(),
                }},
            }]});
            self.send(&notice.to_string()).await?;
            sent += 1;
        }
        Ok(sent)
    }
}

/// A process of the ingest function, and what it holds.
#[derive(Clone, Debug)]
struct Worker {
    process: FunctionProcess,
    held: BTreeMap<String, Entry>,
}

fn holds(process: &FunctionProcess, entry: &Entry) -> bool {
    let State::Running { owner, .. } = &entry.state else { return false };
    owner.split_once('#').is_some_and(|(log, _)| log == process.log_stream)
}

/// How the killing goes.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    /// Those that left a file behind which the process held.
    in_the_middle: usize,
    /// Those before which records of its files had come.
    after_records: usize,
    /// Notices that were sent once more.
    notices_again: usize,
}

impl Scene {
    /// Kills the process that holds most by `weight`, if these entries show one all of whose files are
    /// those of [`kills`], and were begun that often.
    async fn kill_one(
        &self,
        entries: &BTreeMap<String, Entry>,
        attempts: RangeInclusive<u32>,
        weight: &dyn Fn(&str) -> u64,
        tally: &mut Tally,
    ) -> Result<bool, Failure> {
        let known = self.records.look(<[Value]>::len);
        let workers = self.workers(entries)?;
        let fair = |worker: &&Worker| {
            let ours = |(key, entry): (&String, &Entry)| {
                key.starts_with(KILLED) && attempts.contains(&entry.attempts)
            };
            worker.held.iter().all(ours)
        };
        let weight = |worker: &&Worker| worker.held.keys().map(|key| weight(key)).sum::<u64>();
        let Some(victim) = workers.iter().filter(fair).max_by_key(weight) else { return Ok(false) };
        // Every other one dies as soon as it has files, the rest when records of them have come, or
        // soon after.
        let mut after_records = false;
        if tally.kills % 2 == 1 {
            let came = async || self.records_of(&victim.held, known).then_some(());
            after_records = until("its records", Duration::from_millis(500), came).await.is_ok();
        }
        // Not between two batches: before a worker has shortened the time for which the messages of a
        // new one are hidden, they are for as long as the queue says, an hour and a half.
        let holds_any = async || {
            let now = self.entries_of(victim.held.keys()).await?;
            Ok::<_, Failure>(now.values().any(|entry| holds(&victim.process, entry)))
        };
        if !holds_any().await? || !victim.process.kill()? {
            return Ok(false);
        }
        tally.kills += 1;
        tally.after_records += usize::from(after_records);
        tally.in_the_middle += usize::from(holds_any().await?);
        if tally.kills.is_multiple_of(5) {
            tally.notices_again += self.notify_again(victim.held.iter()).await?;
        }
        Ok(true)
    }
}

/// Processes die while files are dropped, and then while those files are taken up again.
pub(super) async fn kills(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let files = File::several("killed", FILES, HANDFUL);
    let rows: HashMap<_, _> = files.iter().map(|file| (file.key.as_str(), file.rows)).collect();
    let weight = |key: &str| rows.get(key).copied().unwrap_or(0);
    let (began, mut tally) = (Instant::now(), Tally::default());
    for some in files.chunks(HANDFUL as usize) {
        let spared = taken_up();
        let mut entries = BTreeMap::new();
        let mut kill = async || {
            let keys = some.iter().chain(&spared).map(|file| &file.key);
            entries = scene.entries_of(keys).await?;
            let killed = scene.kill_one(&entries, 1..=1, &weight, &mut tally).await?;
            // They may be done before anybody is killed, or held by a process that the other test killed.
            let held: Vec<_> = scene.workers(&entries)?.into_iter().map(|w| w.held).collect();
            let ended = |file: &File| {
                let key = &file.key;
                entries.contains_key(key) && !held.iter().any(|held| held.contains_key(key))
            };
            Ok::<_, Failure>(killed || some.iter().all(ended))
        };
        let killing = until("a kill, or nobody to kill", WORK, async || ready(kill().await));
        let (killed, ()) = tokio::try_join!(killing, scene.drop_files(some))
            .map_err(|failure| format!("{failure}; {entries:#?}"))?;
        killed?;
    }
    let (first, whole) = (tally.kills, began.elapsed().as_secs());
    let enough = (first + AGAIN).max(KILLS);
    let mut kill = async || {
        let entries = scene.entries("").await?;
        scene.kill_one(&entries, 2..=MOST_ATTEMPTS, &weight, &mut tally).await?;
        Ok(tally.kills >= enough)
    };
    let what = format!("{enough} kills after the first {first}");
    until(&what, REPEATED_WORK, async || ready(kill().await)).await??;
    let killing = began.elapsed().as_secs();
    scene.all_done(KILLED, files.len(), REPEATED_WORK).await?;
    let repeated = scene.all_downstream(KILLED, &files).await?;
    scene.nothing_left(KILLED).await?;

    let mut epochs = BTreeMap::new();
    for entry in scene.entries(KILLED).await?.values() {
        *epochs.entry(entry.epoch).or_insert(0) += 1;
    }
    let taken_over: usize = epochs.iter().filter(|(epoch, _)| **epoch > 1).map(|(_, n)| n).sum();
    println!(
        "{FILES} files, {first} kills in {whole} s, all in {killing} s: {tally:?}; files by epoch: \
         {epochs:?}; {repeated} events came again; whole after {} s",
        began.elapsed().as_secs()
    );
    assert!(tally.kills >= KILLS, "{} kills", tally.kills);
    assert!(tally.in_the_middle >= IN_THE_MIDDLE, "{} hit an ingest", tally.in_the_middle);
    assert!(taken_over >= TAKEN_OVER, "{taken_over} files were taken over");
    Ok(())
}

/// What [`until`] asks for, of a question that may fail: no answer is waited for, a failure is not.
fn ready(answer: Result<bool, Failure>) -> Option<Result<(), Failure>> {
    match answer {
        Ok(true) => Some(Ok(())),
        Ok(false) => None,
        Err(failure) => Some(Err(failure)),
    }
}

/// The files of [`taken_up_again`]: the second and the third, if those before were done too soon.
fn taken_up() -> [File; 3] {
    [0, 1, 2].map(|n| File::new(format!("{TAKEN_UP}{n}.csv"), 1_000 + n, 5_000))
}

pub(super) async fn taken_up_again(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    for file in taken_up() {
        scene.drop_files(std::slice::from_ref(&file)).await?;
        scene.records.event(&file.key, "inlet.records.v1", 1).await?;
        let entries = scene.entries(&file.key).await?;
        let Some(worker) = scene.workers(&entries)?.into_iter().next() else { continue };
        let killed = Instant::now();
        if !worker.process.kill()? {
            continue;
        }
        let left = scene.entry("drop", &file.key).await?.ok_or("no entry")?;
        if !holds(&worker.process, &left) {
            continue;
        }

        let again = until("the file to be taken up again", SOON + WORK, async || {
            let entry = scene.entry("drop", &file.key).await.ok()??;
            (entry.epoch > left.epoch).then_some(entry.epoch)
        });
        let epoch = again.await?;
        let taken = killed.elapsed();
        println!("taken up {:.1} s after the kill, in epoch {epoch}", taken.as_secs_f64());
        assert!(taken <= SOON, "taken up again after {taken:?}");
        scene.all_done(&file.key, 1, WORK).await?;
        let repeated = scene.all_downstream(&file.key, std::slice::from_ref(&file)).await?;
        assert!(repeated > 0, "what was sent before the kill came again");
        return Ok(());
    }
    Err("every one of the files was done before its process could be killed".into())
}

pub(super) async fn destination(scene: Arc<Scene>) -> Result<(), Failure> {
    let _off = scene.ingest.write().await;
    let queue = scene.stack.output("RecordsQueueUrl");
    let arn = format!("arn:aws:sqs:*:*:{}", queue.rsplit('/').next().unwrap_or(queue));
    let codes = ["destination_unavailable"];
    scene.outage("refused-records", &["sqs:SendMessage"], &arn, &codes).await
}

pub(super) async fn ledger(scene: Arc<Scene>) -> Result<(), Failure> {
    let _off = scene.ingest.write().await;
    // Without its database, a worker fails at the catalog or at the ledger.
    let codes = ["ledger_unavailable", "catalog_unavailable"];
    scene.outage("refused-ledger", &["dynamodb:*"], "*", &codes).await
}

impl Scene {
    /// A large file that is in the middle when the outage begins, and others that come during it. It
    /// ends when each of them has failed with one of the codes.
    async fn outage(
        &self,
        name: &str,
        actions: &[&str],
        resource: &str,
        codes: &[&str],
    ) -> Result<(), Failure> {
        let function = self.stack.output("IngestFunctionName");
        let large = File::new(format!("{name}/large.csv"), 2_000, 10_000);
        let mut files = File::several(name, 20, HANDFUL);
        let failures = || {
            let log = std::fs::read_to_string(self.stack.aws.log())?;
            let refused = log.lines().filter(|line| line.contains("AccessDenied"));
            let failed = refused.filter(|line| codes.iter().any(|code| line.contains(code)));
            Ok::<_, Failure>(failed.map(str::to_owned).collect::<Vec<_>>())
        };
        let before = failures()?.len();
        self.put_bytes(&large.key, large.bytes()?).await?;
        self.records.event(&large.key, "inlet.records.v1", 1).await?;

        let began = Instant::now();
        self.stack.deny(name, function, actions, resource).await?;
        let during = async {
            self.drop_files(&files).await?;
            let mut failed = Vec::new();
            let all = until("every file to fail", WORK, async || {
                failed = failures().ok()?.split_off(before);
                let large = failed.iter().any(|line| line.contains(&large.key));
                (large && failed.len() > files.len()).then_some(failed.len())
            });
            let all = all.await;
            all.map_err(|failure| Failure::from(format!("{failure}; what failed: {failed:#?}")))
        };
        let during = during.await;
        self.stack.lift(name).await?;
        let lasted = began.elapsed().as_secs();
        let failed = during?;

        files.push(large);
        let prefix = format!("{name}/");
        self.all_done(&prefix, files.len(), REPEATED_WORK).await?;
        self.all_downstream(&prefix, &files).await?;
        self.nothing_left(&prefix).await?;
        println!(
            "{name}: refused for {lasted} s, {failed} failures, whole after {} s",
            began.elapsed().as_secs()
        );
        Ok(())
    }
}
