//! `crema-bench`: how fast the server is, measured against the limit of its database and its
//! HTTP library on the same machine in the same run.
//!
//! [`site`] makes a bench with one site and [`data`] stores tokens in it; [`load`] drives a
//! server, [`scenario`] says what is asked for, [`raw`] is the limit, [`compare`] lets both take
//! turns and [`report`] says what came of it.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tables go to stdout, what happens meanwhile to stderr"
)]

mod clock;
mod compare;
mod crema;
mod data;
mod engine;
mod extras;
mod load;
mod machine;
mod place;
mod process;
mod raw;
mod report;
mod retention;
mod run;
mod scenario;
mod servers;
mod site;
mod soak;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures Crema against the limit of its database and its HTTP library.
#[derive(Parser, Debug)]
#[command(name = "crema-bench", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(run::Run),
    Soak(soak::Soak),
    #[command(hide = true)]
    Raw(raw::Raw),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(run) => on_one_thread(run.run()),
        Command::Soak(soak) => on_one_thread(soak.run()),
        Command::Raw(raw) => raw::run(&raw),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crema-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The load client has one thread: the cores are for the servers.
fn on_one_thread(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
