//! Headers with numbers in them: years (`State,2010,2020`), or the days of a month (`Employee,1,2,3,4,5`).
//! A row of data must not pass for one, so the numbers have to differ from what their columns hold.

use super::class::Class;
use super::layout::Finder;
use super::sample::SampleRow;

/// Days, weeks or other places in a row, from 1 on: fewer are as well values.
const PLACES: usize = 5;

/// Rows that are compared.
const COMPARED: usize = 200;

impl Finder<'_> {
    /// Whether the numbers in a row name columns, beside a text or an empty cell: years that rise, or the
    /// numbers from 1 on, where the rows below hold others.
    pub(super) fn numbers_name(&self, at: usize) -> bool {
        let rows = self.rows();
        let row = &rows[at];
        let classes = || self.sample.classes(row);
        let named = |class: Class| class.is_text() || matches!(class, Class::Number | Class::Empty);
        let numbers_alone = classes().all(|class| class == Class::Number);
        if row.width < 3 || !classes().all(named) || numbers_alone {
            return false;
        }
        let cells = classes().zip(self.sample.text(row)).enumerate();
        let numbers = cells.filter(|(_, (class, _))| *class == Class::Number);
        let numbers: Option<Vec<(usize, u32)>> =
            numbers.map(|(column, (_, text))| Some((column, whole(text)?))).collect();
        let Some(numbers) = numbers else { return false };
        let below = || {
            let below = rows[at + 1..].iter().take(COMPARED);
            below.filter(|other| other.width == row.width && !self.is_again(other, row))
        };
        // Texts that stand again below are values.
        let again = |other: &SampleRow| {
            let texts = self.sample.text(row).zip(classes());
            texts.zip(self.sample.text(other)).any(|((a, class), b)| class.is_text() && a == b)
        };
        let rise = numbers.windows(2).all(|pair| pair[0].1 < pair[1].1);
        if !rise || below().next().is_none() || below().any(again) {
            return false;
        }
        let follows = |numbers: &[Option<u32>]| {
            let next = |pair: &[Option<u32>]| pair[0].map(|n| n + 1) == pair[1];
            numbers.iter().all(Option::is_some) && numbers.windows(2).all(next)
        };
        let own = self.numbers(row, &numbers);
        let is_run = |other: &SampleRow| {
            let others = self.numbers(other, &numbers);
            others.len() == own.len() && follows(&others)
        };
        if numbers.len() > 1 && own.iter().all(|number| number.is_some_and(is_year)) {
            if numbers.len() > 2 && follows(&own) {
                // Years one after another are values only where other rows have such.
                let years = |other: &SampleRow| {
                    is_run(other) && self.numbers(other, &numbers)[0].is_some_and(is_year)
                };
                return !below().any(years);
            }
            // Of many numbers, some happen to be like years.
            let cells: Vec<_> = below().flat_map(|other| self.numbers(other, &numbers)).collect();
            let alike = cells.iter().filter(|number| number.is_some_and(is_year)).count();
            return !cells.is_empty() && alike * 20 <= cells.len();
        }
        // Ranks are the same numbers in another order.
        let ranks = |other: &SampleRow| {
            let mut ranks = self.numbers(other, &numbers);
            ranks.sort_unstable();
            ranks == own
        };
        numbers.len() >= PLACES
            && own[0] == Some(1)
            && follows(&own)
            && !below().any(|other| ranks(other) || is_run(other))
    }

    /// The whole numbers of a row in some columns.
    fn numbers(&self, row: &SampleRow, columns: &[(usize, u32)]) -> Vec<Option<u32>> {
        let cells = self.sample.classes(row).zip(self.sample.text(row)).enumerate();
        let of = cells.filter(|(at, (class, _))| {
            *class == Class::Number && columns.iter().any(|(column, _)| column == at)
        });
        of.map(|(_, (_, text))| whole(text)).collect()
    }
}

/// The number that digits alone say.
fn whole(text: &[u8]) -> Option<u32> {
    let text = text.trim_ascii();
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit) && text[0] != b'0';
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

fn is_year(number: u32) -> bool {
    (1900..=2100).contains(&number)
}
