#![no_main]

inlet_fuzz::search!("json_lines");
