//! `crema`: the server and its commands, in the habit of `bench`.
//!
//! [`cli`] declares options and commands, each command is a file in [`commands`]. A command works
//! on a [`shell::Shell`] and gives an [`answer::Answer`], which is printed as text or JSON;
//! what went wrong is said by [`advice`], with what to do about it.
#![forbid(unsafe_code)]
// A command's future holds those of every layer below; optimised builds lay them out as one type.
#![recursion_limit = "256"]

mod advice;
mod answer;
mod cli;
mod commands;
mod control;
mod logging;
mod question;
mod secrets;
mod shell;

use std::process::ExitCode;

use clap::Parser as _;

/// A request makes some hundred small allocations; the system's allocator takes a fifth of its time
/// for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, with exit code 0. A closed pipe is no failure.
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => advice::report(&error),
    }
}
