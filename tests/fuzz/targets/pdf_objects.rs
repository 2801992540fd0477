#![no_main]

inlet_fuzz::search!("pdf_objects");
