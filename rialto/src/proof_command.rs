//! `rialto proof`: closes a day, writes its proof of liabilities, and checks one account's proof with
//! nothing but its file. Refuses to know how a proof is made.

use crate::{command_line::ConfigFlags, config::Config, private_file, process, proof_key};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use database::{Database, TableGroup};
use settlement::{
    Closing, ClosingReport, Day,
    proof::{ProofError, ProofFile, PublishedRoot, check},
};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum ProofCommand {
    /// Closes a day (UTC): what every account had at its midnight, as the postings say, and a Merkle-sum
    /// proof of it. Writes DIR/root.json, to be published, and DIR/accounts/ID.json for each account's owner.
    ///
    /// Example: rialto proof make --day 2026-11-20 --out ./proof-2026-11-20
    Make {
        #[command(flatten)]
        common: ConfigFlags,
        /// The day, such as 2026-11-20; yesterday when not given
        #[arg(long, value_name = "DAY")]
        day: Option<Day>,
        /// Where the files go; made if it is absent
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// The report as one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Checks that an account's balances are part of what was published. Exit status 1 when they are not.
    ///
    /// Example: rialto proof check ./proof-2026-11-20/accounts/3.json --root ./root.json
    Check {
        /// The account's file
        file: PathBuf,
        /// What was published, to be compared with what the file says was
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// One JSON object on standard output
        #[arg(long)]
        json: bool,
    },
}

/// Whether the proof holds; making one always does, or is an error.
pub(crate) fn run(command: ProofCommand) -> anyhow::Result<bool> {
    match command {
        ProofCommand::Make { common, day, out, json } => {
            let report = make(&Config::of(&common)?, day, &out)?;
            if json {
                println!("{}", serde_json::to_string(&report)?);
            } else {
                print!("{}", text(&report, &out));
            }
            Ok(true)
        }
        ProofCommand::Check { file, root, json } => {
            let proved = read::<ProofFile>(&file)?;
            let published = root.as_deref().map(read::<PublishedRoot>).transpose()?;
            let verdict = verdict(&proved, published.as_ref());
            say(&proved, &verdict, json);
            Ok(verdict.is_ok())
        }
    }
}

fn make(config: &Config, day: Option<Day>, out: &Path) -> anyhow::Result<ClosingReport> {
    let day = match day {
        Some(day) => day,
        None => Day::of(process::now()).before().context("there was no day before this one")?,
    };
    let runtime = process::threads()?;
    let proof_key = proof_key::of(config)?;
    let closing = runtime.block_on(async {
        let location = config.database(TableGroup::Settlement)?;
        let database = Database::open(&location, TableGroup::Settlement).await?;
        let closing = Closing::of(&database, day, process::now(), &proof_key).await;
        database.close().await;
        anyhow::Ok(closing?)
    })?;
    let (published, files) = closing.proofs()?;
    private_file::create_directory(&out.join("accounts"))
        .with_context(|| format!("cannot make {}", out.display()))?;
    let write = |path: PathBuf, json: String| {
        private_file::write(&path, json.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    };
    write(out.join("root.json"), serde_json::to_string_pretty(&published)?)?;
    for file in &files {
        let path = out.join("accounts").join(format!("{}.json", file.proof.account));
        write(path, serde_json::to_string_pretty(file)?)?;
    }
    Ok(closing.report()?)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(value),
        Err(error) => bail!("{} is no such file: {error}", path.display()),
    }
}

fn verdict(proved: &ProofFile, published: Option<&PublishedRoot>) -> Result<(), String> {
    check(proved).map_err(|error: ProofError| error.to_string())?;
    match published {
        Some(published) if *published != proved.published => {
            Err("the file's root is not the one that was published".to_owned())
        }
        _ => Ok(()),
    }
}

fn say(proved: &ProofFile, verdict: &Result<(), String>, json: bool) {
    let ProofFile { published, proof } = proved;
    if json {
        let said = serde_json::json!({
            "equal": verdict.is_ok(),
            "why": verdict.as_ref().err(),
            "day": published.day,
            "account": proof.account,
            "root": published.root,
        });
        println!("{said}");
        return;
    }
    match verdict {
        Ok(()) => println!(
            "Account {} is counted in the closing of {} with what the file says.\nroot {}\nCompare this root \
             with the one that was published.",
            proof.account, published.day, published.root
        ),
        Err(why) => println!("The proof of account {} does not hold: {why}.", proof.account),
    }
}

fn text(report: &ClosingReport, out: &Path) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header([
        "asset",
        "customers",
        "of that held",
        "fees",
        "suspense",
        "liabilities",
        "outside",
    ]);
    for asset in &report.assets {
        table.add_row([
            &asset.asset,
            &asset.customers,
            &asset.held,
            &asset.fees,
            &asset.suspense,
            &asset.liabilities,
            &asset.outside,
        ]);
    }
    format!(
        "Closing of {} (UTC), up to command {}; {} accounts.\n{table}\nroot {}\nPublish {}; give each \
         account's owner its file of {}.\n",
        report.day,
        report.sequence,
        report.accounts,
        report.root,
        out.join("root.json").display(),
        out.join("accounts").display(),
    )
}
