#![no_main]

#[path = "../bodies/protocol.rs"]
#[allow(dead_code, reason = "each target uses one of the functions")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::registration(data));
