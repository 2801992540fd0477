//! Words by which rows are known that are no rows of a table: those that sum up or count the others,
//! and units.

/// First words of rows that sum up others.
const TOTALS: [&str; 28] = [
    "total",
    "totals",
    "grand total",
    "sum",
    "subtotal",
    "summe",
    "gesamt",
    "gesamtsumme",
    "insgesamt",
    "totaal",
    "totale",
    "total général",
    "zwischensumme",
    "endsumme",
    "endsaldo",
    "suma",
    "summa",
    "razem",
    "celkem",
    "összesen",
    "toplam",
    "итого",
    "всего",
    "合計",
    "合计",
    "总计",
    "小計",
    "합계",
];

/// Whether a text is the word for a sum.
pub(super) fn is_total(text: &str) -> bool {
    let word = text.trim().trim_end_matches(':').trim_end().to_lowercase();
    TOTALS.contains(&word.as_str())
}

/// Whether a line in small letters begins with such a word.
pub(super) fn begins_with_total(line: &str) -> bool {
    TOTALS.iter().any(|word| line.starts_with(word))
}

/// First words of lines in which a statement or a report says what it is about.
const LABELS: [&str; 61] = [
    "account",
    "accounts",
    "address",
    "as",
    "author",
    "balance",
    "bank",
    "bic",
    "blz",
    "branch",
    "client",
    "company",
    "created",
    "currency",
    "customer",
    "date",
    "datum",
    "department",
    "erstellt",
    "export",
    "exported",
    "filter",
    "filters",
    "firma",
    "from",
    "generated",
    "holder",
    "iban",
    "inhaber",
    "konto",
    "kontoinhaber",
    "kontoname",
    "kontonummer",
    "kontostand",
    "kunde",
    "kundennummer",
    "name",
    "owner",
    "page",
    "period",
    "periode",
    "printed",
    "prepared",
    "project",
    "range",
    "report",
    "saldo",
    "sortierung",
    "source",
    "start",
    "end",
    "station",
    "status",
    "title",
    "to",
    "until",
    "user",
    "version",
    "von",
    "bis",
    "zeitraum",
];

/// Whether a text is what stands before a value above a table: it ends with a colon, or begins with a word
/// that statements and reports use.
pub(super) fn is_label(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).trim().to_lowercase();
    let word = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(&text);
    text.ends_with(':') || LABELS.contains(&word)
}

/// `(3 rows affected)`, `3 rows`, `Rows: 3` and the like.
pub(super) fn counts_rows(line: &[u8]) -> bool {
    if line.len() > 60 {
        return false;
    }
    let text = String::from_utf8_lossy(line).to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let number = |word: &&str| word.chars().all(|c| c.is_ascii_digit());
    let rows = |word: &&str| matches!(*word, "row" | "rows" | "records" | "record" | "zeilen");
    let others = |word: &&str| {
        number(word)
            || rows(word)
            || matches!(
                *word,
                "affected" | "selected" | "returned" | "total" | "in" | "set" | "count" | "of"
            )
    };
    words.iter().filter(|word| number(word)).count() == 1
        && words.iter().any(rows)
        && words.iter().all(others)
}

/// Whether a text is a unit: a known one, or anything in brackets.
pub(super) fn is_unit(text: &[u8]) -> bool {
    const UNITS: [&str; 64] = [
        "m", "cm", "mm", "km", "m2", "m²", "m3", "m³", "kg", "g", "mg", "t", "lb", "oz", "s", "ms",
        "min", "h", "hr", "d", "°c", "°f", "k", "%", "‰", "eur", "usd", "gbp", "chf", "jpy", "€",
        "$", "£", "v", "a", "w", "kw", "kwh", "mwh", "hz", "bar", "pa", "kpa", "l", "ml", "km/h",
        "m/s", "kb", "mb", "gb", "px", "pcs", "ft", "in", "degc", "degf", "deg", "pct", "percent",
        "ppm", "rpm", "psi", "hpa", "lux",
    ];
    let bracketed = matches!(text, [b'(', .., b')'] | [b'[', .., b']']);
    bracketed
        || std::str::from_utf8(text).is_ok_and(|text| UNITS.contains(&text.to_lowercase().as_str()))
}

/// Whether a text says in which zone times are.
pub(super) fn is_zone(text: &[u8]) -> bool {
    const ZONES: [&[u8]; 6] = [b"utc", b"gmt", b"cet", b"cest", b"local", b"z"];
    let text = text.trim_ascii_start().strip_prefix(b"[").unwrap_or(text);
    let text = text.strip_suffix(b"]").unwrap_or(text);
    ZONES.iter().any(|zone| text.eq_ignore_ascii_case(zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_rows_is_known() {
        for line in ["(3 rows affected)", "3 rows", "Total rows: 12", "1 row selected.", "Rows,3"] {
            assert!(counts_rows(line.as_bytes()), "{line}");
        }
        for line in ["1,rows of seats,5", "3", "rows", "Total,5", "1,2 records"] {
            assert!(!counts_rows(line.as_bytes()), "{line}");
        }
    }
}
