//! What may go wrong, and how often it does in one history.

use fastrand::Rng;

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A notice is sent twice.
    NoticeDuplicated,
    /// A notice comes some seconds late, after those of later events.
    NoticeReordered,
    /// A notice comes minutes late.
    NoticeDelayed,
    /// A notice never comes.
    NoticeDropped,
    /// The queue gives a message to two workers.
    MessageDoubled,
    /// The acknowledgement of a message does not arrive.
    AcknowledgementLost,
    /// A worker ends before a call takes effect.
    CrashBefore,
    /// A worker ends when a call has taken effect.
    CrashAfter,
    /// A worker stands still for longer than its leases, and then goes on.
    Freeze,
    /// A call takes effect, and the caller sees an error.
    AnswerLost,
    /// A call is refused without effect.
    Throttle,
    /// A body ends before its end.
    ReadBroken,
    /// A destination takes nothing.
    SendFailed,
    /// A destination takes nothing, and says so late.
    SendTimedOut,
    /// A destination takes the event and says that it did not.
    SendApplied,
    /// A destination says that it will never take the event.
    SendRefused,
    /// A worker's function is ended by its deadline.
    TimedOut,
    /// A worker's clock goes wrong by seconds.
    ClockSkewed,
    /// An object is written or deleted while it is being read.
    ChangedWhileRead,
    /// A worker's time is up in the middle of an object, which goes on elsewhere.
    Paused,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 20] = [
        Fault::NoticeDuplicated,
        Fault::NoticeReordered,
        Fault::NoticeDelayed,
        Fault::NoticeDropped,
        Fault::MessageDoubled,
        Fault::AcknowledgementLost,
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::Freeze,
        Fault::AnswerLost,
        Fault::Throttle,
        Fault::ReadBroken,
        Fault::SendFailed,
        Fault::SendTimedOut,
        Fault::SendApplied,
        Fault::SendRefused,
        Fault::TimedOut,
        Fault::ClockSkewed,
        Fault::ChangedWhileRead,
        Fault::Paused,
    ];

    /// Faults that leave the pipeline no choice but to do or to tell something twice, or to give up.
    fn harms(self) -> bool {
        !matches!(
            self,
            Fault::NoticeDuplicated
                | Fault::NoticeReordered
                | Fault::NoticeDelayed
                | Fault::NoticeDropped
                | Fault::ClockSkewed
                | Fault::ChangedWhileRead
                | Fault::Paused
        )
    }

    /// The greatest chance in 10,000, at each opportunity.
    fn most(self) -> u16 {
        match self {
            Fault::NoticeDuplicated | Fault::NoticeReordered => 3_000,
            Fault::NoticeDelayed | Fault::NoticeDropped => 1_500,
            Fault::MessageDoubled | Fault::AcknowledgementLost => 1_000,
            Fault::CrashBefore | Fault::CrashAfter => 200,
            Fault::Freeze => 150,
            Fault::AnswerLost | Fault::Throttle => 500,
            Fault::ReadBroken => 600,
            Fault::SendFailed | Fault::SendTimedOut | Fault::SendApplied => 1_500,
            Fault::SendRefused => 100,
            Fault::ClockSkewed => 5_000,
            // These come from what happens, not from a draw.
            Fault::TimedOut | Fault::ChangedWhileRead | Fault::Paused => 0,
        }
    }
}

/// How often each fault happens, in 10,000 opportunities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    chances: [u16; Fault::ALL.len()],
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self { chances: [0; Fault::ALL.len()] }
    }

    /// The plan of one history: some faults often, some seldom, some never.
    pub fn draw(rng: &mut Rng) -> Self {
        let mut plan = Self::none();
        let calm = rng.u8(..8) == 0;
        let wild = rng.u8(..8) == 0;
        for fault in Fault::ALL {
            let level = match rng.u8(..4) {
                _ if calm && fault.harms() => 0,
                _ if wild => fault.most() * 2,
                0 | 1 => 0,
                2 => fault.most() / 5,
                _ => fault.most(),
            };
            plan.chances[fault as usize] = level;
        }
        plan
    }

    /// The chance of a fault, in 10,000.
    pub fn chance(&self, fault: Fault) -> u16 {
        self.chances[fault as usize]
    }

    /// Whether nothing happens that would justify a repetition or a failure.
    pub fn is_calm(&self) -> bool {
        Fault::ALL.iter().all(|fault| !fault.harms() || self.chance(*fault) == 0)
    }
}
