//! Work of crates that panic on damaged files.
//!
//! A panic in it ends that work alone and is an error of the file, like any other. It is not printed: what
//! it says may be words of the file, and a trace of the stack takes hundreds of megabytes to write where
//! there is debug information. What is told is the place in the code, for those who mend it.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does the work; nothing of what it was doing may be used if it panics.
///
/// # Errors
///
/// What to say of a file on which it panicked.
pub(super) fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Box<str>> {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| match CONTAINED.get() {
            true => PLACE.set(panic.location().map(place)),
            false => others(panic),
        }));
    });
    let around = CONTAINED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(around);
    done.map_err(|_| match PLACE.take() {
        Some(place) => format!("its reader gave up on it ({place})").into(),
        None => "its reader gave up on it".into(),
    })
}

/// The crate, its version, the file in it and the line.
fn place(location: &Location<'_>) -> String {
    let path = location.file().replace('\\', "/");
    let parts: Vec<&str> = path.split('/').collect();
    let source = parts.iter().rposition(|part| *part == "src").unwrap_or(0);
    format!("{}:{}", parts[source.saturating_sub(1)..].join("/"), location.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_where() {
        let error = contained(|| panic!("a word of the file")).unwrap_err();
        assert!(error.contains("shared/src/format/contained.rs:"), "{error}");
        assert!(!error.contains("a word of the file"), "{error}");
    }

    #[test]
    fn work_within_work_leaves_the_outer_one_contained() {
        let outer = contained(|| {
            assert_eq!(contained(|| 1).unwrap(), 1);
            assert!(contained(|| panic!("inner")).is_err());
            assert!(CONTAINED.get());
            2
        });
        assert_eq!(outer.unwrap(), 2);
        assert!(!CONTAINED.get());
    }
}
