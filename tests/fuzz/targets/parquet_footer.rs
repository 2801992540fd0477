#![no_main]

inlet_fuzz::search!("parquet_footer");
