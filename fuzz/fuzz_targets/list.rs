#![no_main]

#[path = "../bodies/document.rs"]
#[allow(dead_code, reason = "each target uses one of the functions")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::list(data));
