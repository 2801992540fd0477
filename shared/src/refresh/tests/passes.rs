//! Whole passes, with crashes and deadlines between their stretches.

use std::time::Duration;

use super::stretches::{Home, home, key, unknown};
use super::*;
use crate::object::ObjectErrorKind;

const COMPARE: Option<Wish> = Some(Wish { kind: Kind::Compare, anew: false });

impl Home {
    async fn carry(
        &self,
        wish: Option<Wish>,
        owner: &str,
        time: Option<Duration>,
    ) -> Result<Carried, Failure> {
        let until = time.map(|time| Instant::now() + time);
        carry_out(&self.ports, &self.catalog, self.source(), wish, owner, until).await
    }

    async fn progress(&self) -> Progress {
        self.ports.journal.read("s").await.unwrap().unwrap().0
    }

    /// How long a whole pass takes here.
    fn whole(&self) -> Duration {
        Duration::from_millis(50) * u32::try_from(self.pages() + 2).unwrap()
    }
}

fn ended(carried: &Carried) -> &Pass {
    match carried {
        Carried::Ended(pass) => pass,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_is_interrupted_at_any_page_orders_every_key_in_the_end() {
    let pages = home(60).await.pages();
    for page in 0..=pages {
        let home = home(60).await;
        // The process dies while it waits for this page.
        let died = Duration::from_millis(50 * page as u64 + 25);
        let carried = tokio::time::timeout(died, home.carry(COMPARE, "dead", None)).await;
        carried.expect_err("it died before its end");
        let held = home.carry(None, "next", None).await.unwrap();
        assert!(matches!(held, Carried::Held(_)), "nobody knows yet that it died: {held:?}");
        tokio::time::sleep(Duration::from_secs(180)).await;
        let next = home.carry(None, "next", None).await.unwrap();
        assert_eq!(ended(&next).report.new, 40);
        let mut keys = home.ordered();
        keys.sort();
        keys.dedup();
        assert_eq!(keys, unknown(60), "died at page {page}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_does_not_fit_its_time_goes_on_in_the_next() {
    let home = home(2_000).await;
    let mut wish = COMPARE;
    let mut invocations = 0;
    let pass = loop {
        invocations += 1;
        let owner = format!("w{invocations}");
        match home.carry(wish.take(), &owner, Some(home.whole() / 7)).await.unwrap() {
            Carried::Paused(pass) => assert!(pass.after.is_some()),
            Carried::Ended(pass) => break pass,
            other => panic!("{other:?}"),
        }
    };
    assert!((7..=9).contains(&invocations), "{invocations}");
    assert_eq!(home.ordered(), unknown(2_000), "in order, and each once");
    assert_eq!((pass.report.listed, pass.report.new), (2_000, unknown(2_000).len() as u64));
    assert_eq!(home.carry(None, "after", None).await.unwrap(), Carried::Nothing);
}

/// What a crash costs is a stretch of seconds, and not the whole pass.
#[tokio::test(start_paused = true)]
async fn a_crash_after_a_while_costs_its_last_stretch_alone() {
    let home = home(3_000).await;
    let died = home.whole() * 3 / 4;
    tokio::time::timeout(died, home.carry(COMPARE, "dead", None)).await.unwrap_err();
    let before = home.ordered().len();
    tokio::time::sleep(Duration::from_secs(180)).await;
    let next = home.carry(None, "next", None).await.unwrap();
    assert_eq!(ended(&next).report.listed, 3_000);
    let twice = home.ordered().len() - unknown(3_000).len();
    assert!(twice < before / 2, "{twice} were ordered twice, of {before} before the crash");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_stays_refused_ends_the_pass_for_now_and_is_where_it_goes_on() {
    let home = home(60).await;
    *home.bucket.mood.lock().unwrap() = Box::new(|call| {
        (5..5 + 9).contains(&call).then(|| ObjectErrorKind::Unavailable("SlowDown".into()))
    });
    for _ in 0..2 {
        let failure = home.carry(COMPARE, "w", None).await.unwrap_err();
        assert_eq!(failure.code, "object_unavailable");
        let progress = home.progress().await;
        let pass = progress.pass.unwrap();
        assert_eq!(pass.after, Some(key(17)));
        assert!(pass.failure.unwrap().contains("SlowDown"));
        assert_eq!(progress.lease, None, "the next one need not wait");
    }
    let carried = home.carry(COMPARE, "w", None).await.unwrap();
    assert_eq!(home.ordered(), unknown(60), "each once");
    assert_eq!(ended(&carried).failure, None);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_came_meanwhile_is_carried_out_by_whoever_is_at_work() {
    let home = home(60).await;
    let (first, second) = tokio::join!(home.carry(COMPARE, "one", None), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let full = Wish { kind: Kind::Full, anew: false };
        home.carry(Some(full), "two", None).await
    });
    assert!(matches!(second.unwrap(), Carried::Held(lease) if lease.owner == "one"));
    let first = first.unwrap();
    assert_eq!((ended(&first).kind, ended(&first).report.orders()), (Kind::Full, 60));
    assert_eq!(home.ordered().len(), 40 + 60);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_stood_still_past_its_time_does_not_write_over_its_successor() {
    let home = home(60).await;
    let (zombie, next) = tokio::join!(
        async {
            let stretch = home.carry(COMPARE, "zombie", None);
            // Its process is stopped in the middle of a page, and goes on minutes later.
            let mut stretch = std::pin::pin!(stretch);
            tokio::select! {
                biased;
                _ = &mut stretch => panic!("it was to be slower"),
                () = tokio::time::sleep(Duration::from_millis(225)) => {}
            }
            tokio::time::sleep(Duration::from_secs(200)).await;
            stretch.await
        },
        async {
            tokio::time::sleep(Duration::from_secs(190)).await;
            home.carry(None, "next", None).await
        }
    );
    assert_eq!(ended(&next.unwrap()).report.listed, 60);
    assert_eq!(zombie.unwrap_err().code, "taken_over");
    assert_eq!(home.progress().await.last.unwrap().report.listed, 60, "counted once");
}

#[tokio::test(start_paused = true)]
async fn a_tick_does_what_is_due_and_nothing_else() {
    let home = home(6).await;
    let tick = async || tick(&home.ports, &home.catalog, home.source(), "w", None).await.unwrap();
    assert_eq!(ended(&tick().await).report.new, 4, "a new source is compared at once");
    assert_eq!(tick().await, Carried::Nothing);
    let written = home.ports.journal.read("s").await.unwrap().unwrap().1;
    assert_eq!(tick().await, Carried::Nothing);
    let again = home.ports.journal.read("s").await.unwrap().unwrap().1;
    assert_eq!(written, again, "a tick without work writes nothing");
    note(&home.ports, home.source(), Kind::Compare).await.unwrap();
    assert_eq!(ended(&tick().await).report.new, 4, "what was noted is carried out");
}
