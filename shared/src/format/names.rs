//! What the names of members say: which hold the rows of a document, which are about the document,
//! and which are what a record is known by.
//!
//! Where a list lies beside other members, only their names tell a file of rows from a record that has a
//! list: an order has lines and items, a person addresses, and both are known by a number. Of any other list
//! the elements are the rows, and what is left out is told.

/// Names of lists that are rows, whatever lies beside them.
const ROWS: &[&str] = &[
    "data", "feature", "features", "graph", "hits", "record", "records", "result", "results",
    "row", "rows", "value",
];

/// Names of lists that are rows if nothing beside them is a record's.
const PERHAPS_ROWS: &[&str] =
    &["content", "docs", "documents", "elements", "entries", "items", "list", "objects", "values"];

/// Last words of names of lists that are parts of a record, if something of a record lies beside them.
const PARTS: &[&str] = &[
    "addresses",
    "attachments",
    "attributes",
    "children",
    "comments",
    "contacts",
    "discounts",
    "emails",
    "images",
    "items",
    "legs",
    "line",
    "lines",
    "notes",
    "options",
    "parcels",
    "parts",
    "payments",
    "phones",
    "photos",
    "positions",
    "properties",
    "roles",
    "skills",
    "steps",
    "stops",
    "tags",
    "taxes",
    "variants",
];

/// Names of lists that are about the rows.
const BESIDE_ROWS: &[&str] = &[
    "aggregations",
    "columns",
    "errors",
    "facets",
    "fields",
    "headers",
    "included",
    "links",
    "messages",
    "meta",
    "metadata",
    "warnings",
];

/// Words of names that are about the document: how much of it there is, where more is, how it was
/// made.
const ABOUT: &[&str] = &[
    "aggregations",
    "api",
    "attribution",
    "bbox",
    "code",
    "columns",
    "complete",
    "context",
    "copyright",
    "count",
    "counts",
    "created",
    "crs",
    "current",
    "cursor",
    "date",
    "datetime",
    "done",
    "duration",
    "elapsed",
    "empty",
    "encoding",
    "end",
    "environment",
    "error",
    "errors",
    "etag",
    "expand",
    "export",
    "exported",
    "facets",
    "fetched",
    "fields",
    "filter",
    "filters",
    "first",
    "format",
    "found",
    "generated",
    "header",
    "headers",
    "host",
    "hostname",
    "href",
    "included",
    "incomplete",
    "info",
    "jsonapi",
    "kind",
    "last",
    "license",
    "limit",
    "link",
    "links",
    "locale",
    "max",
    "message",
    "messages",
    "meta",
    "metadata",
    "min",
    "modified",
    "more",
    "msg",
    "next",
    "now",
    "odata",
    "offset",
    "ok",
    "page",
    "pageable",
    "paged",
    "pages",
    "pagination",
    "paging",
    "parameters",
    "params",
    "path",
    "prev",
    "previous",
    "query",
    "range",
    "request",
    "response",
    "retrieved",
    "schema",
    "score",
    "self",
    "server",
    "shards",
    "size",
    "skip",
    "sort",
    "source",
    "start",
    "status",
    "success",
    "system",
    "time",
    "timed",
    "timestamp",
    "timezone",
    "token",
    "took",
    "total",
    "totals",
    "trace",
    "truncated",
    "type",
    "updated",
    "uri",
    "url",
    "version",
    "warning",
    "warnings",
    "xmlns",
    "xsi",
];

/// Words that say nothing by themselves.
const WITH_OTHERS: &[&str] = &[
    "at",
    "by",
    "docs",
    "documents",
    "element",
    "elements",
    "entries",
    "from",
    "has",
    "hits",
    "id",
    "index",
    "is",
    "item",
    "items",
    "no",
    "num",
    "number",
    "object",
    "objects",
    "of",
    "on",
    "out",
    "per",
    "record",
    "records",
    "result",
    "results",
    "row",
    "rows",
    "the",
    "to",
    "values",
];

/// Words at the end of a name by which a record is known.
const KNOWN_BY: &[&str] = &[
    "guid",
    "iban",
    "id",
    "isbn",
    "key",
    "no",
    "nr",
    "num",
    "number",
    "ref",
    "reference",
    "sku",
    "uuid",
];

/// What a member says of the document that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It is about the document.
    About,
    /// It is something of a record.
    Something,
    /// A record is known by it.
    Known,
}

/// What a member of this name says, if it is a single value.
pub(super) fn says(name: &str) -> Says {
    let words = words(name);
    let among = |list: &[&str], word: &String| list.contains(&word.as_str());
    // `number`, and `numberOfElements`: of a page. An order has an `orderNumber`.
    let counts = words.first().is_some_and(|first| matches!(first.as_str(), "num" | "number"));
    let about = (counts || words.iter().any(|word| among(ABOUT, word)))
        && words.iter().all(|word| among(ABOUT, word) || among(WITH_OTHERS, word));
    match words.last() {
        _ if about => Says::About,
        Some(last) if among(KNOWN_BY, last) => Says::Known,
        _ => Says::Something,
    }
}

/// Whether a list of this name holds the rows, whatever lies beside it.
pub(super) fn holds_rows(name: &str) -> bool {
    ROWS.contains(&words(name).concat().as_str())
}

/// Whether a list of this name is a part of a record, where something of one lies beside it.
pub(super) fn is_part(name: &str) -> bool {
    words(name).last().is_some_and(|last| PARTS.contains(&last.as_str()))
}

/// Whether a member of this name says that something went wrong: an error that is there, or that there was no
/// success. `scalar`: its JSON, if it is one.
pub(super) fn is_failure(name: &str, scalar: Option<&[u8]>) -> bool {
    let nothing = matches!(scalar, Some(b"null" | b"false" | b"0" | b"\"\""));
    match words(name).concat().as_str() {
        "error" | "errors" | "exception" | "exceptions" | "fault" => !nothing,
        "success" | "ok" => scalar == Some(b"false"),
        _ => false,
    }
}

/// Whether a list of this name usually holds rows: where it is empty, there are none.
pub(super) fn may_hold_rows(name: &str) -> bool {
    holds_rows(name) || PERHAPS_ROWS.contains(&words(name).concat().as_str())
}

/// Whether a list of this name is about the rows rather than one of them.
pub(super) fn is_beside_rows(name: &str) -> bool {
    BESIDE_ROWS.contains(&words(name).concat().as_str())
}

/// The words of a name in lower case: `nextPage`, `next_page` and `x:next-page` are `next page`.
pub(super) fn words(name: &str) -> Vec<String> {
    let name = match name.rsplit_once(':') {
        Some((_, name)) if !name.is_empty() => name,
        _ => name,
    };
    let mut words: Vec<String> = Vec::new();
    let mut goes_on = false;
    let characters: Vec<char> = name.chars().take(LONGEST).collect();
    for (at, character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            goes_on = false;
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let small_before = before.is_some_and(|before| !before.is_uppercase());
        let small_behind = characters.get(at + 1).is_some_and(|behind| behind.is_lowercase());
        let begins = character.is_uppercase() && (small_before || small_behind);
        if begins || !goes_on {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
        goes_on = true;
    }
    words
}

/// Characters of a name that are looked at: no name that says something is longer.
const LONGEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_words_however_they_are_put_together() {
        for (name, expected) in [
            ("nextPage", "next page"),
            ("next_page", "next page"),
            ("x:Next-Page", "next page"),
            ("@odata.nextLink", "odata next link"),
            ("MsgID", "msg id"),
            ("HTTPStatus", "http status"),
            ("_id", "id"),
            ("", ""),
            ("größeÄ", "größe ä"),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn names_say_what_a_person_would_take_them_for() {
        for name in [
            "count",
            "totalItems",
            "next",
            "nextPageToken",
            "has_more",
            "@odata.context",
            "request_id",
            "resultsPerPage",
            "status",
            "export_date",
            "numFound",
            "_shards",
            "timed_out",
            "number",
            "numberOfElements",
            "meta",
        ] {
            assert_eq!(says(name), Says::About, "{name}");
        }
        for name in ["id", "_id", "ID", "order_id", "orderNumber", "uuid", "DocId", "@id"] {
            assert_eq!(says(name), Says::Known, "{name}");
        }
        for name in ["name", "customer", "total_amount", "balance", "city", "", "7"] {
            assert_eq!(says(name), Says::Something, "{name}");
        }
    }
}
