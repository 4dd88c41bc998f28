//! The command line. Refuses to do anything.

use crate::{
    config::DatabaseSetting, migrate_command::Group, proof_command::ProofCommand,
    reconcile_command::ReconcileArguments, statement_command::StatementArguments,
};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Rialto: a spot exchange in one binary.
///
/// Example: rialto serve --demo --demo-market
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the exchange: everything in one process.
    ///
    /// Example: rialto serve --data ./data --listen 127.0.0.1:8080
    Serve(ServeFlags),
    /// Runs the engine alone: journal, core, event stream, administration. Gateways connect to it.
    ///
    /// Example: rialto engine --config deploy/engine.toml
    Engine(EngineFlags),
    /// Runs a gateway: traders' doors and views, for an engine in another process.
    ///
    /// Example: rialto gateway --config deploy/gateway.toml
    Gateway(GatewayFlags),
    /// Follows one message from a gateway's door to the rows it became.
    ///
    /// Example: rialto trace 18c9f3a2b4d5e6f7 --config deploy/engine.toml
    Trace(TraceFlags),
    /// Looks into the journal of a stopped or a live data directory.
    #[command(subcommand)]
    Replay(replay::Command),
    /// Makes snapshots of the state, and lists them.
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Backs a data directory up while trading goes on, and restores it.
    #[command(subcommand)]
    Backup(backup::Command),
    /// Shows what administration did, and checks that nobody changed the record of it.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Keeps the books of record, for an engine in another process; makes them again, and compares them.
    ///
    /// Example: rialto settlement --config deploy/settlement.toml
    Settlement(SettlementArguments),
    /// Brings the configured databases to this build's schema, or takes migrations back.
    ///
    /// Example: rialto migrate --config deploy/rialto.toml
    Migrate(MigrateFlags),
    /// Closes a day, and proves what is owed.
    #[command(subcommand)]
    Proof(ProofCommand),
    /// Writes an account's statement.
    Statement(StatementArguments),
    /// Checks a configuration file, and explains its keys.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Where a command finds its settings. Flags win over the environment, which wins over the file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigFlags {
    /// The configuration file; `rialto.toml`, if there is one, when not given
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The data directory
    #[arg(long, env = "RIALTO_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What is logged, such as `info` or `gateway=debug,info`
    #[arg(long, env = "RIALTO_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// `sqlite`, or a PostgreSQL database such as `postgres://rialto@127.0.0.1:5432/rialto`
    #[arg(long, env = "RIALTO_DATABASE", value_name = "URL")]
    pub(crate) database: Option<DatabaseSetting>,
    /// Kafka's brokers, such as `127.0.0.1:9092`
    #[arg(long, env = "RIALTO_KAFKA", value_name = "SERVERS")]
    pub(crate) kafka: Option<String>,
}

/// Flags of `rialto serve`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeFlags {
    #[command(flatten)]
    pub(crate) common: ConfigFlags,
    /// Where traders connect
    #[arg(long, env = "RIALTO_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where administration connects
    #[arg(long, env = "RIALTO_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// In an empty data directory: makes a demonstration's instruments and accounts, and writes their keys
    #[arg(long)]
    pub(crate) demo: bool,
    /// With --demo: a small synthetic market
    #[arg(long, requires = "demo")]
    pub(crate) demo_market: bool,
}

/// Flags of `rialto engine`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct EngineFlags {
    #[command(flatten)]
    pub(crate) common: ConfigFlags,
    /// Where administration connects
    #[arg(long, env = "RIALTO_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Where gateways connect
    #[arg(long, env = "RIALTO_ENGINE_LISTEN", value_name = "ADDRESS")]
    pub(crate) engine_listen: Option<SocketAddr>,
    /// In an empty data directory: makes a demonstration's instruments and accounts, and writes their keys
    #[arg(long)]
    pub(crate) demo: bool,
}

/// Flags of `rialto gateway`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct GatewayFlags {
    #[command(flatten)]
    pub(crate) common: ConfigFlags,
    /// Where traders connect
    #[arg(long, env = "RIALTO_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where health and metrics are served
    #[arg(long, env = "RIALTO_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Where the engine listens
    #[arg(long, env = "RIALTO_ENGINE", value_name = "HOST:PORT")]
    pub(crate) engine: Option<String>,
    /// Its own source, different for each gateway
    #[arg(long, value_name = "NUMBER")]
    pub(crate) source: Option<u32>,
    /// Without Kafka: the data directory of the engine on this machine
    #[arg(long, env = "RIALTO_EVENT_LOG", value_name = "DIR")]
    pub(crate) event_log: Option<PathBuf>,
}

/// Flags of `rialto settlement`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SettlementFlags {
    #[command(flatten)]
    pub(crate) common: ConfigFlags,
    /// Where health and metrics are served
    #[arg(long, env = "RIALTO_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Without Kafka: the data directory of the engine on this machine
    #[arg(long, env = "RIALTO_EVENT_LOG", value_name = "DIR")]
    pub(crate) event_log: Option<PathBuf>,
}

/// Flags of `rialto trace`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TraceFlags {
    #[command(flatten)]
    pub(crate) common: ConfigFlags,
    /// The trace, as the header `X-Rialto-Trace` of the answer has it: 16 hexadecimal digits
    #[arg(required_unless_present = "sequence", conflicts_with = "sequence")]
    pub(crate) id: Option<String>,
    /// Instead: the command's place in the journal
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) sequence: Option<u64>,
    /// Looks at the journal from this command on: quicker, where it is known to be later
    #[arg(long, value_name = "SEQUENCE", default_value_t = 1)]
    pub(crate) from: u64,
    /// One JSON object on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// Makes a snapshot of all that is on disk, while the exchange runs, and waits for it.
    ///
    /// Example: rialto snapshot now --data ./data
    Now {
        /// The data directory of the running exchange: its `admin-token` is used
        #[arg(long, env = "RIALTO_DATA", value_name = "DIR", default_value = "./data")]
        data: PathBuf,
        /// Where administration listens
        #[arg(long, env = "RIALTO_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
        admin_listen: SocketAddr,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Which snapshots a data directory has, and whether each is whole.
    ///
    /// Example: rialto snapshot list ./data
    List {
        /// The data directory
        #[arg(default_value = "./data")]
        directory: PathBuf,
        /// JSON on standard output
        #[arg(long)]
        json: bool,
    },
}

/// Where `rialto audit` finds the record.
#[derive(Debug, Args)]
pub(crate) struct AuditPlace {
    /// A data directory with its accounts in SQLite; what the configuration names when not given
    pub(crate) directory: Option<PathBuf>,
    /// The configuration file; `rialto.toml`, if there is one, when not given
    #[arg(long, value_name = "FILE", conflicts_with = "directory")]
    pub(crate) config: Option<PathBuf>,
    /// `sqlite`, or a PostgreSQL database such as `postgres://rialto@127.0.0.1:5432/rialto`
    #[arg(long, env = "RIALTO_DATABASE", value_name = "URL")]
    pub(crate) database: Option<DatabaseSetting>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Follows the chain of hashes from the first row to the last: a row that was changed, taken out or
    /// put in between breaks it. Prints its end: noted elsewhere, it shows a later time that nothing
    /// before it was made anew.
    ///
    /// Example: rialto audit verify ./data
    Verify {
        #[command(flatten)]
        place: AuditPlace,
        /// An end noted before, which must still be part of the chain
        #[arg(long, value_name = "ID:HASH")]
        known: Option<String>,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// What was done, by whom, when, the oldest first.
    ///
    /// Example: rialto audit list ./data --after 100
    List {
        #[command(flatten)]
        place: AuditPlace,
        /// Rows after this one
        #[arg(long, value_name = "ROW", default_value_t = 0)]
        after: u64,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// JSON on standard output
        #[arg(long)]
        json: bool,
    },
}

/// `rialto settlement`: by itself it keeps the books.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SettlementArguments {
    #[command(flatten)]
    pub(crate) flags: SettlementFlags,
    #[command(subcommand)]
    pub(crate) command: Option<SettlementCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SettlementCommand {
    Reconcile(ReconcileArguments),
    /// Empties the books of record and writes them again from the first event. No settlement may run on
    /// them meanwhile; interrupted, its next start goes on.
    ///
    /// Example: rialto settlement rebuild --data ./data
    Rebuild {
        #[command(flatten)]
        common: ConfigFlags,
        /// The data directory whose event log is read; --data when not given
        #[arg(long, env = "RIALTO_EVENT_LOG", value_name = "DIR")]
        event_log: Option<PathBuf>,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// One hash over all rows of the books of record: equal where the rows are, in SQLite and in
    /// PostgreSQL. Nothing may be written meanwhile.
    ///
    /// Example: rialto settlement hash --data ./data
    Hash {
        #[command(flatten)]
        common: ConfigFlags,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
}

/// Flags of `rialto migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateFlags {
    #[command(flatten)]
    pub(crate) common: ConfigFlags,
    /// Only these tables; all of them when not given
    #[arg(long)]
    pub(crate) group: Option<Group>,
    /// Takes the newest N migrations of a group back, with all that their tables hold
    #[arg(long, value_name = "N", requires = "group")]
    pub(crate) down: Option<usize>,
    /// One JSON object on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Checks a configuration file.
    ///
    /// Example: rialto config check rialto.toml
    Check {
        /// The file
        #[arg(default_value = "rialto.toml")]
        file: PathBuf,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Explains a key: what it is for, its unit, its default, its environment variable.
    ///
    /// Example: rialto config explain listen
    Explain {
        /// The key; all of them when not given
        key: Option<String>,
        /// JSON on standard output
        #[arg(long)]
        json: bool,
    },
}
