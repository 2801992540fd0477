#![no_main]

inlet_fuzz::search!("csv_written");
