//! When schedules fire: pure. What is asked is never "when next?" but "did it, between these two
//! times?", so that whoever asks late misses nothing.
//!
//! The texts were validated by [`schedule`](super::schedule); one that was not never fires.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::definition::RefreshSchedule;

/// Days that are looked back at: a year, and a leap day.
const DAYS: u32 = 366;

impl RefreshSchedule {
    /// Whether a full refresh was due after the one time and not after the other.
    pub fn full_fired(&self, after: Timestamp, until: Timestamp) -> bool {
        self.fired(self.schedule.as_deref(), after, until)
    }

    /// Whether a comparison was.
    pub fn poll_fired(&self, after: Timestamp, until: Timestamp) -> bool {
        self.fired(self.poll.as_deref(), after, until)
    }

    fn fired(&self, text: Option<&str>, after: Timestamp, until: Timestamp) -> bool {
        let Some(text) = text else { return false };
        let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inside("rate") {
            return rate_of(rate).is_some_and(|rate| until.duration_since(after) >= rate);
        }
        let fields: Vec<&str> = inside("cron").unwrap_or("").split_whitespace().collect();
        let Ok(fields) = <[&str; 6]>::try_from(fields) else { return false };
        let zone = self.timezone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get);
        zone.is_ok_and(|zone| cron_fired(&fields, &zone, after, until))
    }
}

fn rate_of(text: &str) -> Option<SignedDuration> {
    let (count, unit) = text.split_once(' ')?;
    // As the definition is looked through: what is beyond would not fit a duration, either.
    let count = i64::from(count.parse::<u32>().ok()?);
    Some(match unit.trim_end_matches('s') {
        "minute" => SignedDuration::from_mins(count),
        "hour" => SignedDuration::from_hours(count),
        _ => SignedDuration::from_hours(count * 24),
    })
}

/// Goes back from `until`, a day at a time: a day that fits has a minute that fits.
fn cron_fired(fields: &[&str; 6], zone: &TimeZone, after: Timestamp, until: Timestamp) -> bool {
    let [minutes, hours, ..] = *fields;
    let first = after.to_zoned(zone.clone()).date();
    let mut day = until.to_zoned(zone.clone()).date();
    for _ in 0..=DAYS {
        if day < first {
            return false;
        }
        if day_fits(fields, day) {
            for minute in (0..24 * 60).rev() {
                let (hour, minute) = (minute / 60, minute % 60);
                if !fits(minutes, minute, &MINUTES) || !fits(hours, hour, &HOURS) {
                    continue;
                }
                let (Ok(hour), Ok(minute)) = (i8::try_from(hour), i8::try_from(minute)) else {
                    continue;
                };
                // A time that the clock leaps over fires when it has leapt.
                let at = day.at(hour, minute, 0, 0).to_zoned(zone.clone());
                if at.is_ok_and(|at| at.timestamp() > after && at.timestamp() <= until) {
                    return true;
                }
            }
        }
        let Ok(before) = day.checked_sub(1.day()) else { return false };
        day = before;
    }
    false
}

/// What a field counts: the first number, how many there are, and their words.
struct Unit {
    base: u32,
    count: u32,
    words: &'static [&'static str],
}

const MINUTES: Unit = Unit { base: 0, count: 60, words: &[] };
const HOURS: Unit = Unit { base: 0, count: 24, words: &[] };
const DAYS_OF_MONTH: Unit = Unit { base: 1, count: 31, words: &[] };
const MONTHS: Unit = Unit {
    base: 1,
    count: 12,
    words: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEKDAYS: Unit =
    Unit { base: 1, count: 7, words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };
const YEARS: Unit = Unit { base: 1970, count: 230, words: &[] };

fn day_fits([_, _, of_month, months, of_week, years]: &[&str; 6], day: Date) -> bool {
    fits(months, number(day.month()), &MONTHS)
        && fits(years, u32::from(day.year().unsigned_abs()), &YEARS)
        && of_month.split(',').any(|part| fits_month(part, day))
        && of_week.split(',').any(|part| fits_week(part, day))
}

fn number(small: i8) -> u32 {
    u32::from(small.unsigned_abs())
}

/// A part of the day of the month: also `L`, `LW` and `15W`.
fn fits_month(part: &str, day: Date) -> bool {
    let last = day.days_in_month();
    match part {
        "?" => true,
        "L" | "l" => day.day() == last,
        "LW" | "lw" => Some(day) == working_day(day, last),
        _ => match part.strip_suffix(['W', 'w']) {
            Some(nearest) => {
                nearest.parse().is_ok_and(|nearest| Some(day) == working_day(day, nearest))
            }
            None => fits(part, number(day.day()), &DAYS_OF_MONTH),
        },
    }
}

/// The working day nearest to a day of this month, within the month.
fn working_day(month: Date, day: i8) -> Option<Date> {
    let date = Date::new(month.year(), month.month(), day).ok()?;
    let last = date.days_in_month();
    let moved = match date.weekday() {
        Weekday::Saturday if day == 1 => day + 2,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == last => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    };
    Date::new(month.year(), month.month(), moved).ok()
}

/// A part of the day of the week, 1 (Sunday) to 7: also `L`, `5L` and `2#1`.
fn fits_week(part: &str, day: Date) -> bool {
    let of_week = number(day.weekday().to_sunday_one_offset());
    if part == "?" {
        return true;
    }
    if part.eq_ignore_ascii_case("L") {
        return of_week == 7;
    }
    if let Some((weekday, nth)) = part.split_once('#') {
        let nth_of_day = (number(day.day()) - 1) / 7 + 1;
        return fits(weekday, of_week, &WEEKDAYS) && nth.parse() == Ok(nth_of_day);
    }
    match part.strip_suffix(['L', 'l']) {
        Some(last) => fits(last, of_week, &WEEKDAYS) && day.day() + 7 > day.days_in_month(),
        None => fits(part, of_week, &WEEKDAYS),
    }
}

/// A list of numbers, words, ranges and steps.
fn fits(field: &str, value: u32, unit: &Unit) -> bool {
    let number = |text: &str| {
        let mut words = unit.words.iter().zip(unit.base..);
        let word = words.find(|(word, _)| word.eq_ignore_ascii_case(text));
        word.map_or_else(|| text.parse().ok(), |(_, number)| Some(number))
    };
    field.split(',').any(|part| {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok()),
            None => (part, None),
        };
        let (low, high) = match range.split_once('-') {
            Some((low, high)) => (number(low), number(high)),
            None if range == "*" => (Some(unit.base), Some(u32::MAX)),
            // With a step, a number alone is where the steps begin.
            None if step.is_some() => (number(range), Some(u32::MAX)),
            None => (number(range), number(range)),
        };
        let (Some(low), Some(high)) = (low, high) else { return false };
        // FRI-MON goes over the end of the week.
        let over = low > high;
        let inside =
            if over { value >= low || value <= high } else { (low..=high).contains(&value) };
        let from = if value >= low { value - low } else { value + unit.count.max(low) - low };
        inside && from % step.unwrap_or(1).max(1) == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(schedule: &str, zone: &str, after: &str, until: &str) -> bool {
        let schedule = RefreshSchedule {
            schedule: Some(schedule.to_owned()),
            poll: None,
            timezone: (!zone.is_empty()).then(|| zone.to_owned()),
        };
        schedule.full_fired(after.parse().unwrap(), until.parse().unwrap())
    }

    #[test]
    fn a_rate_beyond_all_measure_never_fires() {
        for schedule in
            ["rate(100000000000000000 hour)", "rate(9223372036854775807 minutes)", "rate(-1 day)"]
        {
            assert!(!fired(schedule, "", "1970-01-01T00:00Z", "2100-01-01T00:00Z"), "{schedule}");
        }
        assert!(!fired("rate(4294967295 days)", "", "1970-01-01T00:00Z", "2100-01-01T00:00Z"));
    }

    #[test]
    fn a_schedule_fires_at_its_times_and_at_no_other() {
        // Schedule, a time at which it fires, and one at which it does not: of that very minute.
        for (schedule, at, not) in [
            ("cron(0 6,18 * * ? *)", "2026-03-04T18:00", "2026-03-04T17:00"),
            ("cron(*/15 8-18 ? * MON-FRI *)", "2026-03-06T08:45", "2026-03-07T08:45"),
            ("cron(10/20 * * * ? *)", "2026-03-06T08:50", "2026-03-06T08:20"),
            ("cron(0 0 L * ? *)", "2026-02-28T00:00", "2026-02-27T00:00"),
            ("cron(0 0 LW * ? *)", "2026-02-27T00:00", "2026-02-28T00:00"),
            ("cron(0 0 ? * 6L 2026-2030)", "2026-02-27T00:00", "2026-02-20T00:00"),
            ("cron(0 0 ? * 6L 2027-2030)", "2027-02-26T00:00", "2026-02-27T00:00"),
            // The fifteenth is a Sunday; the first of August a Saturday.
            ("cron(0 0 15W JAN,feb ? *)", "2026-02-16T00:00", "2026-02-15T00:00"),
            ("cron(0 0 1W * ? *)", "2026-08-03T00:00", "2026-08-01T00:00"),
            ("cron(5 4 ? * 2#1 *)", "2026-03-02T04:05", "2026-03-09T04:05"),
            ("cron(0 0 ? * FRI-MON *)", "2026-03-01T00:00", "2026-03-03T00:00"),
            ("cron(0 0 ? * L *)", "2026-02-28T00:00", "2026-03-01T00:00"),
            ("cron(0 22-2/2 * * ? *)", "2026-02-28T02:00", "2026-02-28T01:00"),
        ] {
            let minute = |at: &str| {
                let at: Timestamp = format!("{at}:00Z").parse().unwrap();
                let before = at - SignedDuration::from_secs(1);
                fired(schedule, "", &before.to_string(), &at.to_string())
            };
            assert!(minute(at), "{schedule} at {at}");
            assert!(!minute(not), "{schedule} at {not}");
        }
    }

    #[test]
    fn a_time_that_was_missed_is_found_later() {
        let weekly = "cron(0 6 ? * MON *)";
        assert!(fired(weekly, "", "2026-03-01T00:00:00Z", "2026-03-05T10:07:31Z"));
        assert!(!fired(weekly, "", "2026-03-02T06:00:00Z", "2026-03-05T10:07:31Z"), "once");
        let leap = "cron(0 0 29 2 ? *)";
        assert!(!fired(leap, "", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"));
        assert!(fired(leap, "", "2028-01-01T00:00:00Z", "2028-12-31T00:00:00Z"));
    }

    #[test]
    fn a_schedule_is_of_its_time_zone() {
        let six = "cron(0 6 * * ? *)";
        let fires = |zone, at: &str| {
            let at: Timestamp = at.parse().unwrap();
            let before = at - SignedDuration::from_secs(60);
            fired(six, zone, &before.to_string(), &at.to_string())
        };
        assert!(fires("Europe/Paris", "2026-01-10T05:00:00Z"));
        assert!(fires("Europe/Paris", "2026-07-10T04:00:00Z"), "in summer");
        assert!(!fires("Europe/Paris", "2026-07-10T06:00:00Z"));
        assert!(fires("", "2026-07-10T06:00:00Z"));
        assert!(!fires("No/Where", "2026-07-10T06:00:00Z"));
        // Between two and three there was no such time that night: it fires when it has leapt.
        let gap = "cron(30 2 * * ? *)";
        assert!(fired(gap, "Europe/Paris", "2026-03-29T00:59:00Z", "2026-03-29T01:45:00Z"));
    }

    #[test]
    fn a_rate_fires_when_its_time_is_over() {
        for (rate, fires, not) in [
            ("rate(15 minutes)", "2026-03-01T00:15:00Z", "2026-03-01T00:14:59Z"),
            ("rate(1 hour)", "2026-03-01T01:00:00Z", "2026-03-01T00:59:00Z"),
            ("rate(2 days)", "2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z"),
        ] {
            assert!(fired(rate, "", "2026-03-01T00:00:00Z", fires), "{rate}");
            assert!(!fired(rate, "", "2026-03-01T00:00:00Z", not), "{rate}");
        }
    }
}
