//! placeholder
pub mod pages;
