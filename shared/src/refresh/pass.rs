//! A pass over one source, from its request to its end: pure.
//!
//! Somebody wishes for a pass, or it is due; somebody claims it, and holds it for a time that each
//! stretch renews. Who does not hold it any more writes nothing. A pass that was left in its middle,
//! by a crash or by a deadline, is claimed again and goes on behind the last key that is done with.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Report, Stretch};

/// A pass holds this long unless a stretch renews it; stretches are much shorter.
const LEASE: SignedDuration = SignedDuration::from_mins(3);

/// What a pass orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What differs.
    Compare,
    /// Everything.
    Full,
}

/// What somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The kind of pass.
    pub kind: Kind,
    /// A comparison that is in its middle does not do: what it has passed may have changed since.
    pub anew: bool,
}

/// How the refreshes of one source stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The pass that is not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// Who is at work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// What was asked for while another pass was under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Kind>,
    /// The pass that ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Pass>,
    /// When the first pass began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_began: Option<Timestamp>,
    /// When the last full pass began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_began: Option<Timestamp>,
}

/// One pass over the objects of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// What it orders.
    pub kind: Kind,
    /// When it began.
    pub began: Timestamp,
    /// When it was written last: at its end, if it has ended.
    pub updated: Timestamp,
    /// The last key that is done with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What it has found so far.
    pub report: Report,
    /// Where the source lies: a pass over another bucket or path is another pass.
    pub place: String,
    /// Why its last stretch ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Who works on a pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Which worker.
    pub owner: String,
    /// Until when, unless it is renewed.
    pub until: Timestamp,
}

/// What a claim led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Write this; then the pass in it is ours.
    Take(Progress),
    /// Somebody else is at work; write this, if the wish is to be kept.
    Held(Lease, Option<Progress>),
    /// Nothing is to be done.
    Nothing,
}

impl Progress {
    /// Takes the pass that is to be worked on now, if there is one.
    pub(super) fn claim(
        &self,
        wish: Option<Wish>,
        place: &str,
        owner: &str,
        now: Timestamp,
    ) -> Claim {
        if let Some(lease) = &self.lease
            && lease.until > now
            && lease.owner != owner
        {
            let wanted = self.wanted.max(wish.map(|wish| wish.kind));
            let kept = (wanted != self.wanted).then(|| Progress { wanted, ..self.clone() });
            return Claim::Held(lease.clone(), kept);
        }
        let mut next = self.clone();
        let wanted = self.wanted.max(wish.map(|wish| wish.kind));
        let anew = wish.is_some_and(|wish| wish.anew);
        let pass = match (self.pass.clone(), wanted) {
            (Some(pass), Some(wanted)) if pass.place != place => {
                Pass::new(pass.kind.max(wanted), place, now)
            }
            (Some(pass), None) if pass.place != place => Pass::new(pass.kind, place, now),
            // It has not ordered what is in agreement.
            (Some(pass), Some(Kind::Full)) if pass.kind == Kind::Compare => {
                Pass::new(Kind::Full, place, now)
            }
            (Some(pass), Some(Kind::Compare)) if pass.kind == Kind::Full => {
                // First this one; what came behind its back is compared afterwards.
                next.wanted = Some(Kind::Compare);
                return next.taken(pass, owner, now);
            }
            (Some(pass), Some(_)) if pass.kind == Kind::Compare && anew => {
                Pass::new(Kind::Compare, place, now)
            }
            (Some(pass), _) => pass,
            (None, Some(kind)) => Pass::new(kind, place, now),
            (None, None) => return Claim::Nothing,
        };
        next.wanted = None;
        next.taken(pass, owner, now)
    }

    fn taken(mut self, pass: Pass, owner: &str, now: Timestamp) -> Claim {
        self.first_began.get_or_insert(pass.began);
        if pass.kind == Kind::Full {
            self.full_began = Some(pass.began);
        }
        self.pass = Some(pass);
        self.lease = Some(Lease { owner: owner.to_owned(), until: now + LEASE });
        Claim::Take(self)
    }

    /// Writes down a stretch. `None`: the pass is not ours any more.
    pub(super) fn advance(
        &self,
        stretch: &Stretch,
        owner: &str,
        now: Timestamp,
        goes_on: bool,
    ) -> Option<Progress> {
        let lease = self.lease.as_ref().filter(|lease| lease.owner == owner)?;
        let mut pass = self.pass.clone()?;
        pass.report.add(stretch.report);
        pass.after.clone_from(&stretch.after);
        pass.updated = now;
        pass.failure = stretch.failure.as_ref().map(ToString::to_string);
        let mut next = self.clone();
        next.lease = goes_on.then(|| Lease { until: now + LEASE, ..lease.clone() });
        if stretch.ended {
            next.lease = None;
            next.last = Some(pass);
            next.pass = None;
        } else {
            next.pass = Some(pass);
        }
        Some(next)
    }

    /// Lets the pass go; `None`: it is not held by `owner`.
    pub(super) fn release(&self, owner: &str) -> Option<Progress> {
        self.lease.as_ref().filter(|lease| lease.owner == owner)?;
        Some(Progress { lease: None, ..self.clone() })
    }

    /// Whether there is a pass to go on with, or a wish for one.
    pub fn is_open(&self) -> bool {
        self.pass.is_some() || self.wanted.is_some()
    }

    /// Keeps a wish for whoever comes next; `None`: it is kept already.
    pub(super) fn wish(&self, kind: Kind) -> Option<Progress> {
        let wanted = self.wanted.max(Some(kind));
        (wanted != self.wanted).then(|| Progress { wanted, ..self.clone() })
    }
}

impl Pass {
    fn new(kind: Kind, place: &str, now: Timestamp) -> Self {
        Self {
            kind,
            began: now,
            updated: now,
            after: None,
            report: Report::default(),
            place: place.to_owned(),
            failure: None,
        }
    }
}
