#![no_main]

inlet_fuzz::search!("recompressed");
