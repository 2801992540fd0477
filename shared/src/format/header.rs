//! The names of the columns.

use std::collections::{HashMap, HashSet};

/// Makes each name non-empty and unique, always in the same way: an empty name becomes `column_3`
/// (its place), and a repeated one `name_2`, `name_3` and so on, passing over names that the header
/// itself uses. The first of several equal names keeps it.
pub(super) fn unique(names: &[String]) -> Vec<String> {
    let named: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(at, name)| if name.trim().is_empty() { numbered(at) } else { name.clone() })
        .collect();
    apart(named)
}

/// Makes each name unique, as [`unique`] does, and leaves empty ones.
pub(super) fn apart(names: Vec<String>) -> Vec<String> {
    let written: HashSet<String> = names.iter().cloned().collect();
    if written.len() == names.len() {
        return names;
    }
    let mut used = HashSet::new();
    // Where the numbers of a name may go on: of many equal names each would else count from 2.
    let mut next: HashMap<String, usize> = HashMap::new();
    names
        .into_iter()
        .map(|name| {
            if used.insert(name.clone()) {
                return name;
            }
            let n = next.entry(name.clone()).or_insert(2);
            loop {
                let candidate = format!("{name}_{n}");
                *n += 1;
                if !written.contains(&candidate) && used.insert(candidate.clone()) {
                    return candidate;
                }
            }
        })
        .collect()
}

/// The names of columns that have none.
pub(super) fn numbered_columns(count: usize) -> Vec<String> {
    (0..count).map(numbered).collect()
}

fn numbered(at: usize) -> String {
    format!("column_{}", at + 1)
}

#[cfg(test)]
mod tests {
    fn unique(names: &[&str]) -> Vec<String> {
        super::unique(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn repeated_and_empty_names_become_unique() {
        assert_eq!(unique(&["a", "b", "a", "a"]), ["a", "b", "a_2", "a_3"]);
        assert_eq!(unique(&["a", "a", "a_2"]), ["a", "a_3", "a_2"], "written names keep theirs");
        assert_eq!(unique(&["", "x", " "]), ["column_1", "x", "column_3"]);
        assert_eq!(unique(&["column_2", ""]), ["column_2", "column_2_2"]);
    }
}
