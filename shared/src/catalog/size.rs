//! Sizes as people write them: `100MB`, `1.5GiB`.

use super::problem::Complaint;

const UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Bytes. `KB` counts in thousands, `KiB` in 1024; upper and lower case are the same.
pub(super) fn parse(text: &str) -> Result<u64, Complaint> {
    let size = text.trim().to_ascii_lowercase();
    let split = size.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(size.len());
    let (number, unit) = size.split_at(split);
    let unit = UNITS.iter().find(|(name, _)| *name == unit.trim_start());
    unit.and_then(|(_, factor)| exact(number, *factor)).filter(|bytes| *bytes > 0).ok_or_else(|| {
        Complaint::new(
            format!("\"{text}\" is not a size"),
            "write a number of bytes, or a number with one of B, KB, MB, GB, TB, KiB, MiB, GiB, TiB, \
             such as \"100MB\"",
        )
    })
}

/// `number × factor` without floating point, a fraction of a byte left out.
fn exact(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let scale = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let factor = u128::from(factor);
    let whole = whole.parse::<u128>().ok()?.checked_mul(factor)?;
    let fraction = fraction.parse::<u128>().ok()?.checked_mul(factor)? / scale;
    u64::try_from(whole.checked_add(fraction)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        for (text, bytes) in [
            ("1B", 1),
            ("100MB", 100_000_000),
            ("1.5GiB", 3 << 29),
            ("10 kib", 10_240),
            ("0.5KB", 500),
            ("50TiB", 50 << 40),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "MB",
            "10",
            "10 XB",
            "-1MB",
            "1e3KB",
            "1.MB",
            ".5MB",
            "1,5GB",
            "0MB",
            "99999999999TB",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
