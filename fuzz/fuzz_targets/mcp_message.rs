#![no_main]

#[path = "../bodies/web.rs"]
#[allow(dead_code, reason = "each target uses one of the functions")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::mcp_message(data));
