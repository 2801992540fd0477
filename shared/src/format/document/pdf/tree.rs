//! The pages of a document, in order.

use std::collections::HashSet;

use hayro_syntax::object::dict::keys::{KIDS, PAGES, RESOURCES, TYPE};
use hayro_syntax::object::{Array, Dict, MaybeRef, Name, ObjectIdentifier};
use hayro_syntax::xref::XRef;

use super::{damaged, over};
use crate::format::{FormatError, Limits};

/// A page, and what it may use.
pub(super) struct Page<'a> {
    pub(super) dict: Dict<'a>,
    pub(super) resources: Dict<'a>,
    pub(super) xref: &'a XRef,
}

/// Walks the tree of pages. A node that comes twice is an error: it would be a loop, or pages
/// without end.
pub(super) fn pages<'a>(
    root: &Dict<'a>,
    xref: &'a XRef,
    limits: &Limits,
) -> Result<Vec<Page<'a>>, FormatError> {
    let top = root.get_ref(PAGES).ok_or_else(|| damaged("its catalog names no pages"))?;
    let mut nodes: HashSet<ObjectIdentifier> = HashSet::new();
    let mut pages = Vec::new();
    let mut left = limits.max_pdf_objects;
    // What is to be visited, the next at the end, with the resources of the node above.
    let mut stack = vec![(top, Dict::empty())];
    while let Some((at, resources)) = stack.pop() {
        let number = at.obj_number;
        let dict: Dict<'_> = xref.get(at.into()).ok_or_else(|| {
            let page = pages.len() + 1;
            damaged(format!("object {number}, which leads to page {page}, is not in the file"))
        })?;
        let resources = dict.get::<Dict<'_>>(RESOURCES).unwrap_or(resources);
        let is_node = match dict.get::<Name<'_>>(TYPE) {
            Some(name) => name.as_ref() == PAGES,
            None => dict.contains_key(KIDS),
        };
        if !is_node {
            pages.push(Page { dict, resources, xref });
            if pages.len() as u64 > limits.max_pdf_pages {
                return Err(over("pages", "max_pdf_pages", limits.max_pdf_pages));
            }
            continue;
        }
        if !nodes.insert(at.into()) {
            return Err(damaged(format!("its tree of pages loops at object {number}")));
        }
        let kids: Array<'_> = dict.get(KIDS).unwrap_or_default();
        let first = stack.len();
        for kid in kids.raw_iter() {
            let MaybeRef::Ref(kid) = kid else {
                return Err(damaged(format!("object {number} of its tree of pages is malformed")));
            };
            left = left
                .checked_sub(1)
                .ok_or_else(|| over("objects", "max_pdf_objects", limits.max_pdf_objects))?;
            stack.push((kid, resources.clone()));
        }
        stack[first..].reverse();
    }
    if pages.is_empty() {
        return Err(damaged("it has no pages"));
    }
    Ok(pages)
}
