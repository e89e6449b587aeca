//! A load client for HTTP/1.1 that costs little: it runs on the cores of the servers it drives.
//!
//! One thread, one task for each connection, requests written as bytes that were put together
//! beforehand, and a reader that looks at nothing but status, length and body.

mod client;
mod histogram;
mod reader;

pub(crate) use client::{Conversation, Limits, Progress, Window, drive, once};
pub(crate) use histogram::Histogram;
pub(crate) use reader::Answer;
