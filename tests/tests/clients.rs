//! Other people's clients, unmodified, with only their URLs changed, trade on a real `rialto serve`. What
//! they ask and what must come back is in `tests/clients/`; what was seen is printed, a line for each call:
//! client | method | outcome. A client that this machine cannot have is told, and counted as ignored.

use libtest_mimic::{Arguments, Trial};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use tests::script::Script;

/// What `ccxt_limits.py` runs into.
const NARROW_LIMITS: &str = "request_weight_per_minute = 400
orders_per_10_seconds = 5
";

const SCRIPTS: &[Script] = &[
    script("python/ccxt_trades.py", "ccxt"),
    script("python/ccxt_pro.py", "ccxt"),
    Script { file: "python/ccxt_limits.py", client: "ccxt", settings: Some(NARROW_LIMITS) },
    script("javascript/ccxt_rest.mjs", "ccxt-javascript"),
    script("javascript/ccxt_pro.mjs", "ccxt-javascript"),
    script("python/python_binance.py", "python-binance"),
    script("python/binance_connector.py", "binance-connector"),
    script("python/binance_sdk.py", "binance-sdk-spot"),
    script("python/nautilus.py", "nautilus-trader"),
    script("python/freqtrade_exchange.py", "freqtrade"),
    script("python/hummingbot_connector.py", "hummingbot"),
];

const fn script(file: &'static str, client: &'static str) -> Script {
    Script { file, client, settings: None }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let trials = SCRIPTS.iter().map(|script| trial(*script, Arc::clone(&seen))).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    summarise(&seen.lock().unwrap_or_else(PoisonError::into_inner));
    conclusion.exit_code()
}

fn trial(script: Script, seen: Arc<Mutex<Vec<String>>>) -> Trial {
    let missing = script.missing();
    if let Some(reason) = &missing {
        println!("{} is skipped: {reason}", script.file);
    }
    let trial = Trial::test(script.file, move || {
        let lines = script.run()?;
        println!("{}", lines.join("\n"));
        seen.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
        Ok(())
    });
    trial.with_ignored_flag(missing.is_some())
}

/// How much of each client was seen to work.
fn summarise(lines: &[String]) {
    let mut clients: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for line in lines {
        let mut parts = line.split(" | ");
        if let (Some(client), Some(method), Some(_)) = (parts.next(), parts.next(), parts.next()) {
            *clients.entry(client).or_default().entry(method).or_default() += 1;
        }
    }
    for (client, methods) in clients {
        let outcomes: u32 = methods.values().sum();
        println!("{client}: {} methods, {outcomes} outcomes as they must be", methods.len());
    }
}
