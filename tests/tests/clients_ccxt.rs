//! ccxt and ccxt.pro, unmodified, with only their URLs changed, trade on a real `rialto serve`. What
//! they ask and what must come back is in `tests/clients/`.

use tests::{script, server::Server};

fn run(name: &str) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(&directory.path().join("data"));
    script::run(name, &server);
}

#[test]
fn ccxt_trades_against_another_account() {
    run("ccxt_trades.py");
}

#[test]
fn ccxt_pro_watches_while_another_account_trades() {
    run("ccxt_pro.py");
}
