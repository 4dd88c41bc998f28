//! `rialto`: the one binary. Reads the command line and the configuration, and composes the rooms.
//! Refuses to know any of their business.

mod accounts_database;
mod admin_client;
mod admin_door;
mod audit_command;
mod books_upkeep;
mod command_line;
mod config;
mod demo;
mod demo_market;
mod engine_door;
mod event_feed;
mod event_source;
mod followers;
mod gateway_process;
mod migrate_command;
mod panics;
mod past;
mod private_file;
mod process;
mod proof_command;
mod proof_key;
mod readiness;
mod reconcile_command;
mod rest_client;
mod saved_views;
mod serve;
mod settlement_command;
mod settlement_health;
mod settlement_process;
mod snapshot_command;
mod snapshots;
mod statement_command;
mod tls;
mod trace;
mod trace_command;
mod traders_ports;

use clap::Parser;
use command_line::{Arguments, Command, ConfigCommand};
use replay::Verdict;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The answer is "no": a check failed, a difference was found.
const NO: u8 = 1;
/// It could not be done.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rialto: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Serve(flags) => {
            let config = config::Config::load(&flags)?;
            serve::start(&config, serve::Role::Whole { demo_market: flags.demo_market }, flags.demo)?;
        }
        Command::Engine(flags) => {
            let config = config::Config::of_engine(&flags)?;
            serve::start(&config, serve::Role::Engine, flags.demo)?;
        }
        Command::Gateway(flags) => gateway_process::start(&config::Config::of_gateway(&flags)?)?,
        Command::Trace(flags) => {
            if !trace_command::run(&flags)? {
                return Ok(ExitCode::from(NO));
            }
        }
        Command::Replay(command) => {
            if command.run()? == Verdict::Different {
                return Ok(ExitCode::from(NO));
            }
        }
        Command::Snapshot(command) => {
            if !snapshot_command::run(command)? {
                return Ok(ExitCode::from(NO));
            }
        }
        Command::Backup(command) => {
            if command.run()? == backup::Verdict::Bad {
                return Ok(ExitCode::from(NO));
            }
        }
        Command::Audit(command) => {
            if !audit_command::run(&command)? {
                return Ok(ExitCode::from(NO));
            }
        }
        Command::Settlement(command) => {
            if !settlement_command::run(&command)? {
                return Ok(ExitCode::from(NO));
            }
        }
        Command::Migrate(flags) => migrate_command::run(&flags)?,
        Command::Proof(command) => {
            if !proof_command::run(command)? {
                return Ok(ExitCode::from(NO));
            }
        }
        Command::Statement(arguments) => statement_command::run(&arguments)?,
        Command::Config(ConfigCommand::Check { file, json }) => config::check(&file, json)?,
        Command::Config(ConfigCommand::Explain { key, json }) => config::explain(key.as_deref(), json)?,
    }
    Ok(ExitCode::SUCCESS)
}
