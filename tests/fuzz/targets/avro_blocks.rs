#![no_main]

inlet_fuzz::search!("avro_blocks");
