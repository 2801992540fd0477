//! Schedules, in the syntax of EventBridge Scheduler: `cron(…)` with six fields and `rate(…)`
//! (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>).

use super::problem::Complaint;

/// The six fields of `cron(…)`: name, smallest and greatest number, words.
const FIELDS: [(&str, u32, u32, &[&str]); 6] = [
    ("minutes", 0, 59, &[]),
    ("hours", 0, 23, &[]),
    ("day of month", 1, 31, &["L", "W", "LW"]),
    (
        "month",
        1,
        12,
        &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    ),
    ("day of week", 1, 7, &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "L"]),
    ("year", 1970, 2199, &[]),
];

/// The schedule as given, if it is one.
pub(super) fn parse(text: &str) -> Result<String, Complaint> {
    let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    match (inside("cron"), inside("rate")) {
        (Some(fields), _) => cron(text, fields)?,
        (_, Some(rate)) => every(text, rate)?,
        _ => {
            return Err(Complaint::new(
                format!("\"{text}\" is not a schedule"),
                "write cron(…) with six fields, such as \"cron(0 6 * * ? *)\", or \"rate(15 minutes)\"",
            ));
        }
    }
    Ok(text.to_owned())
}

fn every(text: &str, rate: &str) -> Result<(), Complaint> {
    let (count, unit) = rate.split_once(' ').unwrap_or((rate, ""));
    let units = ["minute", "minutes", "hour", "hours", "day", "days"];
    if count.parse::<u32>().is_ok_and(|count| count > 0) && units.contains(&unit) {
        return Ok(());
    }
    Err(Complaint::new(
        format!("\"{text}\" is not a rate"),
        "write a number above 0 and minutes, hours or days, such as \"rate(15 minutes)\"",
    ))
}

fn cron(text: &str, inside: &str) -> Result<(), Complaint> {
    let fields: Vec<&str> = inside.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(Complaint::new(
            format!("\"{text}\" has {} fields, not six", fields.len()),
            "write minutes, hours, day of month, month, day of week and year: \"cron(0 6 * * ? *)\"",
        ));
    }
    for (field, (name, low, high, words)) in fields.iter().zip(FIELDS) {
        let day = name.starts_with("day");
        if !(*field == "*" || (day && *field == "?") || values(field, low, high, words)) {
            return Err(Complaint::new(
                format!("\"{field}\" is not a value for {name} in \"{text}\""),
                format!("write *, or numbers from {low} to {high}, with , - and / between them"),
            ));
        }
    }
    if (fields[2] == "?") == (fields[4] == "?") {
        return Err(Complaint::new(
            format!("\"{text}\" must have ? as day of month or as day of week, and not as both"),
            "write ? for the one that does not matter: \"cron(0 6 * * ? *)\" is every day at six",
        ));
    }
    Ok(())
}

/// A list of numbers, words, ranges and steps; also `5L`, `15W` and `2#1`.
fn values(field: &str, low: u32, high: u32, words: &[&str]) -> bool {
    let value = |text: &str| {
        let number = if words.contains(&"L") { text.trim_end_matches(['L', 'W']) } else { text };
        words.iter().any(|word| word.eq_ignore_ascii_case(text))
            || number.parse::<u32>().is_ok_and(|number| (low..=high).contains(&number))
    };
    field.split(',').all(|part| {
        if let Some((day, nth)) = part.split_once('#') {
            return words.contains(&"SUN")
                && value(day)
                && nth.parse::<u32>().is_ok_and(|nth| (1..=5).contains(&nth));
        }
        let (range, step) = part.split_once('/').map_or((part, "1"), |(range, step)| (range, step));
        let range = match range.split_once('-') {
            Some((first, last)) => value(first) && value(last),
            None => (range == "*" && part != "*") || value(range),
        };
        range && step.parse::<u32>().is_ok_and(|step| step > 0)
    })
}

/// The IANA name of a time zone.
pub(super) fn timezone(text: &str) -> Result<String, Complaint> {
    if jiff::tz::TimeZone::get(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(
        format!("\"{text}\" is not the name of a time zone"),
        "write a name such as \"Europe/Paris\" or \"UTC\"",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_of_the_scheduler_are_accepted() {
        for text in [
            "cron(0 6,18 * * ? *)",
            "cron(*/15 8-18 ? * MON-FRI *)",
            "cron(0 0 L * ? *)",
            "cron(0 0 ? * 6L 2026-2030)",
            "cron(0 0 15W JAN,jul ? *)",
            "cron(5 4 ? * 2#1 *)",
            "rate(1 hour)",
            "rate(15 minutes)",
        ] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_and_says_why() {
        for (text, part) in [
            ("0 6 * * *", "is not a schedule"),
            ("cron(0 6 * * *)", "has 5 fields"),
            ("cron(60 6 * * ? *)", "\"60\" is not a value for minutes"),
            ("cron(0 6 * * * *)", "must have ?"),
            ("cron(0 6 ? * ? *)", "must have ?"),
            ("cron(0 ? * * ? *)", "for hours"),
            ("cron(0 6 * * ?, *)", "for day of week"),
            ("rate(0 minutes)", "is not a rate"),
            ("rate(5 weeks)", "is not a rate"),
            ("rate(5minutes)", "is not a rate"),
        ] {
            let complaint = parse(text).expect_err(text);
            assert!(complaint.message.contains(part), "{text}: {}", complaint.message);
        }
    }

    #[test]
    fn time_zones_are_those_of_the_list() {
        assert!(timezone("Europe/Paris").is_ok());
        assert!(timezone("America/Argentina/Buenos_Aires").is_ok());
        assert!(timezone("Etc/GMT+5").is_ok());
        assert!(timezone("Europe Paris").is_err());
        assert!(timezone("Europe/Pari").is_err());
        assert!(timezone("/Paris").is_err());
    }
}
