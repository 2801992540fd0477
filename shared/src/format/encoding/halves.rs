//! Text of Chinese, Japanese or Korean in which a character was cut in half, as a system does that counts
//! bytes where it means letters. The detector takes an encoding for impossible for one such mistake, so it
//! is asked again about the lines without any.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, SHIFT_JIS};

use super::detect::LIKELY;

const CANDIDATES: [&Encoding; 5] = [SHIFT_JIS, EUC_JP, GBK, BIG5, EUC_KR];

/// Of the lines beyond ASCII, one in so many may have a mistake.
const SOUND: usize = 8;

/// The encoding that takes several bytes for a letter and makes sense of all lines but a few, if the one
/// that was guessed is none.
pub(super) fn with_some_cut(
    bytes: &[u8],
    first: usize,
    whole: bool,
    guess: &'static Encoding,
) -> Option<&'static Encoding> {
    let letters = bytes[first..].iter().filter(|byte| !byte.is_ascii()).count();
    let end = match bytes.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(end) if !whole => end,
        _ => bytes.len(),
    };
    let lines = bytes[..end].split_inclusive(|byte| matches!(byte, b'\n' | b'\r'));
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_ascii()).collect();
    let is_sound = |encoding: &'static Encoding, line: &[u8]| {
        encoding.decode_without_bom_handling_and_without_replacement(line).is_some()
    };
    if letters < 2 * LIKELY
        || (!guess.is_single_byte() && lines.iter().all(|line| is_sound(guess, line)))
    {
        return None;
    }
    let likely = CANDIDATES.into_iter().filter_map(|candidate| {
        let sound = lines.iter().copied().filter(|line| is_sound(candidate, line));
        let sound: Vec<&[u8]> = sound.collect();
        let cut = lines.len() - sound.len();
        if cut * SOUND > lines.len() {
            return None;
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&sound.concat(), true);
        (detector.guess(None, Utf8Detection::Deny) == candidate).then_some((cut, candidate))
    });
    likely.min_by_key(|(cut, _)| *cut).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::super::detect::beyond_ascii;
    use super::*;

    /// Rows of people and towns.
    fn rows(of: &[&str]) -> Vec<String> {
        (0..40).map(|n| format!("{n},{},{}\n", of[n % of.len()], of[(n + 1) % of.len()])).collect()
    }

    #[test]
    fn a_character_cut_in_half_does_not_hide_the_encoding_of_all_others() {
        let japanese = ["山田太郎", "東京都千代田区", "カタカナ商事", "佐藤さくら", "大阪市北区"];
        let chinese = ["王小明", "北京市海淀区", "上海贸易有限公司", "李娜", "广州市天河区"];
        let taiwanese = ["王小明", "臺北市信義區", "貿易有限公司", "陳美玲", "高雄市"];
        let korean = ["김철수", "서울특별시", "주식회사 한국", "이영희", "부산광역시"];
        for (of, encoding) in [
            (japanese, SHIFT_JIS),
            (japanese, EUC_JP),
            (chinese, GBK),
            (taiwanese, BIG5),
            (korean, EUC_KR),
        ] {
            let rows = rows(&of);
            for wrong in [0, 7, 39] {
                for cut in [true, false] {
                    let mut bytes = Vec::new();
                    for (at, row) in rows.iter().enumerate() {
                        let row = encoding.encode(row).0.into_owned();
                        if at == wrong {
                            // The last letter loses its second byte, or noise comes in.
                            bytes.extend(&row[..row.len() - if cut { 2 } else { 1 }]);
                            bytes.extend(if cut { &b"\n"[..] } else { b"\xff\n" });
                        } else {
                            bytes.extend(row);
                        }
                    }
                    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap();
                    let (found, why) = beyond_ascii(&bytes, first, true, None);
                    assert_eq!(found.get(), encoding, "row {wrong}, cut: {cut}: {why}");
                }
            }
        }
    }

    #[test]
    fn texts_of_single_bytes_stay_what_they_are() {
        let german = ["Müller", "Königsallee 1, Düsseldorf", "Größe", "Jürgen Weiß", "Zoë"];
        let russian = ["Пётр", "Москва", "Анна Иванова", "Пермь", "Казань"];
        let greek = ["Αθήνα", "Γιώργος", "Θεσσαλονίκη", "Ελένη", "Πάτρα"];
        for (of, encoding) in [
            (german, encoding_rs::WINDOWS_1252),
            (russian, encoding_rs::WINDOWS_1251),
            (greek, encoding_rs::WINDOWS_1253),
        ] {
            let bytes: Vec<u8> =
                rows(&of).iter().flat_map(|row| encoding.encode(row).0.into_owned()).collect();
            let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap();
            assert_eq!(beyond_ascii(&bytes, first, true, None).0.get(), encoding);
        }
    }
}
