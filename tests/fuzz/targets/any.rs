//! Any target, by the name in `INLET_FUZZ_TARGET`: one program to build in place of all of them.

#![no_main]

inlet_fuzz::search!(inlet_fuzz::guided::asked_for());
