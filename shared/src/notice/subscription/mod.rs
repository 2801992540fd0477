//! Which notifications a bucket must send so that its notices come to a queue, and how they stand beside
//! those that it sends already.
//!
//! S3 keeps one configuration for a bucket and replaces it as a whole, so whoever adds to it must send
//! all of it again. And it refuses two rules for the same event whose filters overlap, whatever they
//! notify (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html>).

#[cfg(feature = "aws")]
pub mod s3;

/// The events that Inlet needs. Of a versioned bucket `LifecycleExpiration:Delete` says only that an
/// old version was cleared away, and of one without versions that a file expired.
pub const EVENTS: [&str; 5] = [
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:ObjectRestore:Completed",
];

/// One rule of a bucket's notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name; S3 makes one if there is none.
    pub id: Option<String>,
    /// What is notified: the ARN of a queue, a topic or a function.
    pub target: String,
    /// Of which events, `*` at the end standing for all of a kind.
    pub events: Vec<String>,
    /// Of keys that begin so.
    pub prefix: String,
    /// Of keys that end so.
    pub suffix: String,
}

/// What is to be done so that notices come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needed {
    /// Nothing: these rules send them already.
    Nothing,
    /// This rule beside those that are there.
    Add(Rule),
}

/// Another rule has the events already, and S3 allows no second one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the bucket sends {} of keys like {:?} to {} already (rule {}), and S3 sends each event to one place only. \
     Let that rule notify an SNS topic to which both subscribe, or turn on EventBridge for the bucket",
    .event, pattern(.rule), .rule.target, .rule.id.as_deref().unwrap_or("without a name")
)]
pub struct Taken {
    /// The event.
    pub event: String,
    /// The rule that has it.
    pub rule: Rule,
}

fn pattern(rule: &Rule) -> String {
    format!("{}*{}", rule.prefix, rule.suffix)
}

/// What `existing` rules lack for the notices of keys under `prefix` to come to `queue`.
///
/// # Errors
/// If another rule has some of the events.
pub fn needed(existing: &[Rule], queue: &str, prefix: &str) -> Result<Needed, Box<Taken>> {
    let covers = |rule: &&Rule| {
        rule.target == queue && prefix.starts_with(&rule.prefix) && rule.suffix.is_empty()
    };
    let sent: Vec<&String> = existing.iter().filter(covers).flat_map(|rule| &rule.events).collect();
    let missing: Vec<String> = EVENTS
        .iter()
        .filter(|event| !sent.iter().any(|sent| includes(sent, event)))
        .map(|event| (*event).to_owned())
        .collect();
    if missing.is_empty() {
        return Ok(Needed::Nothing);
    }
    for rule in existing {
        // No suffix of ours: each of theirs overlaps with it.
        let overlaps = rule.prefix.starts_with(prefix) || prefix.starts_with(&rule.prefix);
        if !overlaps {
            continue;
        }
        let both = |event: &&String| {
            missing.iter().any(|ours| includes(ours, event) || includes(event, ours))
        };
        if let Some(event) = rule.events.iter().find(both) {
            return Err(Box::new(Taken { event: event.clone(), rule: rule.clone() }));
        }
    }
    let (target, prefix) = (queue.to_owned(), prefix.to_owned());
    let id = Some(if prefix.is_empty() { "inlet".to_owned() } else { format!("inlet {prefix}") });
    Ok(Needed::Add(Rule { id, target, events: missing, prefix, suffix: String::new() }))
}

/// Whether all events named `part` are among those named `whole`.
fn includes(whole: &str, part: &str) -> bool {
    match whole.strip_suffix('*') {
        Some(kind) => part.starts_with(kind),
        None => whole == part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "arn:aws:sqs:eu-west-1:1:inlet";
    const THEIRS: &str = "arn:aws:lambda:eu-west-1:1:function:thumbnails";

    fn rule(target: &str, events: &[&str], prefix: &str, suffix: &str) -> Rule {
        Rule {
            id: Some("theirs".into()),
            target: target.into(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            prefix: prefix.into(),
            suffix: suffix.into(),
        }
    }

    #[test]
    fn a_rule_is_added_once() {
        let Ok(Needed::Add(added)) = needed(&[], OURS, "in/") else { panic!() };
        assert_eq!(added.events, EVENTS);
        assert_eq!((added.prefix.as_str(), added.suffix.as_str()), ("in/", ""));
        assert_eq!(needed(std::slice::from_ref(&added), OURS, "in/"), Ok(Needed::Nothing));
        assert_eq!(needed(&[added], OURS, "in/deals/"), Ok(Needed::Nothing), "a part of it");
    }

    #[test]
    fn rules_of_other_keys_and_other_events_are_no_hindrance() {
        let images = rule(THEIRS, &["s3:ObjectCreated:*"], "images/", ".png");
        let tags = rule(THEIRS, &["s3:ObjectTagging:Put"], "", "");
        assert!(matches!(needed(&[images, tags], OURS, "in/"), Ok(Needed::Add(_))));
    }

    #[test]
    fn what_is_sent_already_is_not_asked_for_again() {
        let some = rule(OURS, &["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], "", "");
        let Ok(Needed::Add(added)) = needed(&[some], OURS, "") else { panic!() };
        assert_eq!(added.events, EVENTS[2..]);
    }

    #[test]
    fn an_event_that_another_rule_has_is_named_with_what_to_do() {
        for (events, prefix, suffix) in [
            ("s3:ObjectCreated:*", "", ".csv"),
            ("s3:ObjectCreated:Put", "in/deals/", ""),
            ("s3:ObjectRemoved:Delete", "i", ""),
        ] {
            let theirs = rule(THEIRS, &[events], prefix, suffix);
            let taken = needed(&[theirs], OURS, "in/").expect_err("taken");
            assert_eq!(taken.event, events);
            let text = taken.to_string();
            assert!(text.contains("thumbnails") && text.contains("EventBridge"), "{text}");
        }
    }
}
