//! `security.md`, section Inputs, outputs, network.

mod bodies;
mod cors;
mod crowds;
mod framing;
mod headers;
mod hosts;
mod lengths;
mod mutations;
mod noise;
mod raw;
mod secrets;
mod slow;
