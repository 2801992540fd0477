//! Whether a text is one for people to read, or rows of cells.
//!
//! Asked only of files whose name is one of texts (`.txt`), and of which nothing is stated: there a letter,
//! taken for a table, would lose its first line to the header. In doubt it is a table, as it always was.

/// Lines that are looked at.
const LINES: usize = 2_000;
/// Words of a sentence at least.
const WORDS: usize = 5;
/// Shares, in percent: of words among what stands between blanks, for a line to be of sentences; of the
/// bytes in such lines, for a text to be prose; and of lines with as many delimiters, for it to be a table.
const OF_WORDS: usize = 70;
const OF_SENTENCES: usize = 60;
const OF_CELLS: usize = 80;

/// Whether the text is made of sentences. `whole`: nothing follows it.
pub(super) fn is_prose(text: &[u8], whole: bool) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut lines: Vec<&str> = text.split(['\n', '\r']).take(LINES).collect();
    if !whole && lines.len() > 1 {
        lines.pop();
    }
    let lines: Vec<&str> =
        lines.into_iter().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() || has_cells(&lines) {
        return false;
    }
    let bytes =
        |lines: &mut dyn Iterator<Item = &&str>| lines.map(|line| line.len()).sum::<usize>();
    let sentences = bytes(&mut lines.iter().filter(|line| is_of_sentences(line)));
    sentences * 100 >= bytes(&mut lines.iter()) * OF_SENTENCES
}

fn is_of_sentences(line: &str) -> bool {
    // Scripts that put no blanks between words.
    if line.contains(['。', '！', '？']) {
        return true;
    }
    let (mut all, mut words) = (0, 0);
    for part in line.split_whitespace() {
        all += 1;
        let part = part
            .trim_matches(|mark: char| mark.is_ascii_punctuation() || "«»„“”’…–—".contains(mark));
        let letters = part.chars().all(|letter| letter.is_alphabetic() || "'’-".contains(letter));
        words += usize::from(letters && !part.is_empty());
    }
    words >= WORDS && words * 100 >= all * OF_WORDS
}

/// Whether most lines have something between cells, and as often.
fn has_cells(lines: &[&str]) -> bool {
    let ends = |line: &&str| line.ends_with(['.', '!', '?', ':', '"', '”']);
    let sentences = lines.iter().any(ends);
    let commas = |line: &str| {
        let after = line.as_bytes().windows(2);
        match sentences {
            // One in a sentence is followed by a blank.
            true => after.filter(|pair| pair[0] == b',' && pair[1] != b' ').count(),
            false => line.matches(',').count(),
        }
    };
    // Columns that are aligned by blanks.
    let gaps = |line: &str| line.split("  ").filter(|part| !part.trim().is_empty()).count() - 1;
    let often = |count: &dyn Fn(&str) -> usize| {
        let mut counts: Vec<usize> = lines.iter().map(|line| count(line)).collect();
        counts.sort_unstable();
        let same = counts.chunk_by(|one, other| one == other).filter(|same| same[0] > 0);
        same.map(|same| same.len()).max().unwrap_or(0) * 100 >= lines.len() * OF_CELLS
    };
    often(&commas)
        || often(&gaps)
        || ['\t', ';', '|'].iter().any(|mark| often(&|line| line.matches(*mark).count()))
        // A table of which some rows are damaged.
        || lines.iter().filter(|line| line.contains(['\t', '|'])).count() * 2 > lines.len()
}

#[cfg(test)]
mod tests {
    use super::is_prose;

    #[test]
    fn letters_reports_and_poems_are_prose() {
        for text in [
            "Dear Ms. Hopper,\n\nthank you for your letter of 3 May, which I read with joy.\n\nYours,\nAda\n",
            "This agreement is made between the parties named below, who agree as follows.",
            "REPORT\n======\n\nThe quick brown fox jumps over the lazy dog; it does so every day.\n\n\
             - The first point is about speed.\n- The second point is about memory, mostly.\n",
            "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n\
             Rough winds do shake the darling buds of May,\n",
            "Sehr geehrte Damen und Herren,\n\nanbei erhalten Sie die gewünschten Unterlagen zu dem \
             Vertrag.\n\nMit freundlichen Grüßen\n",
            "吾輩は猫である。名前はまだ無い。\nどこで生れたかとんと見当がつかぬ。\n",
        ] {
            assert!(is_prose(text.as_bytes(), true), "{text}");
        }
    }

    #[test]
    fn tables_and_lists_are_none() {
        for text in [
            "",
            "\n\n",
            "id\n1\n2\n",
            "name\nAda Lovelace\nGrace Hopper\n",
            "alice@example.com\nbob@example.com\n",
            "id,comment\n1,this is a long comment of many words\n2,and here is another one of them\n",
            "id, comment\n1, this is a long comment of many words\n2, and here is another one of them\n",
            "id\tcomment\n1\tThe sentence of the first row is here.\n2\tThe second one is longer than that.\n",
            "id;comment\n1;The sentence of the first row is here.\n2;The second one is longer than that.\n",
            "what is wanted|by whom and since when\nthe report of this year|all of us in here\n",
            "Ada Lovelace     analyst of the engine      London in England\n\
             Grace Hopper     admiral of the navy        New York in America\n",
            "2026-11-21 10:00:01 INFO  service 17 started on port 8080\n\
             2026-11-21 10:00:02 ERROR service 18 failed after 12 ms\n",
            "SELECT 1\n",
        ] {
            assert!(!is_prose(text.as_bytes(), true), "{text}");
        }
    }

    #[test]
    fn a_line_that_was_cut_does_not_count() {
        let text = "id\n1\n2\nthis line was cut in the middle of a word of it and";
        assert!(is_prose(text.as_bytes(), true));
        assert!(!is_prose(text.as_bytes(), false));
    }
}
