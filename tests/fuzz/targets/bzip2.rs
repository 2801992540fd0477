#![no_main]

inlet_fuzz::search!("bzip2");
