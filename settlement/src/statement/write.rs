//! A statement as CSV, as a page that can be printed, and as JSON. Refuses to know where it was read.

use super::{AssetStatement, Movement, Statement};
use protocol::{Time, decimal::print_units, event::EventKind};
use serde_json::{Value, json};
use services::StatementFormat;
use std::{
    fmt::Write as _,
    time::{Duration, UNIX_EPOCH},
};

/// The looks of the page: it needs no other file.
const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;color:#111;max-width:60rem;margin:2rem auto;\
padding:0 1rem}h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .4rem}p{color:#444}\
table{border-collapse:collapse;width:100%}th,td{padding:.25rem .5rem;text-align:left;\
border-bottom:1px solid #ddd}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
tr.sum td{font-weight:600;border-bottom:2px solid #111}@media print{body{margin:0;max-width:none}\
tr{break-inside:avoid}thead{display:table-header-group}}";

/// A moment as `2026-11-21T20:35:00.000000000Z`.
pub(crate) fn moment(time: Time) -> String {
    humantime::format_rfc3339_nanos(UNIX_EPOCH + Duration::from_nanos(time.0)).to_string()
}

/// What moved, in words.
const fn words(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Trade => "trade",
        EventKind::AuctionTrade => "auction trade",
        EventKind::Transferred => "transfer",
        EventKind::HoldCaptured => "capture",
        _ => "movement",
    }
}

impl AssetStatement {
    fn text(&self, amount: i64) -> String {
        print_units(amount.into(), self.scale)
    }

    /// What came and what went.
    fn turnover(&self) -> (i128, i128) {
        self.movements.iter().fold((0, 0), |(came, went), movement| match i128::from(movement.amount) {
            amount if amount > 0 => (came + amount, went),
            amount => (came, went - amount),
        })
    }
}

impl Statement {
    /// The whole text.
    pub fn text(&self, format: StatementFormat) -> String {
        match format {
            StatementFormat::Csv => self.csv(),
            StatementFormat::Html => self.html(),
            StatementFormat::Json => self.json().to_string(),
        }
    }

    fn csv(&self) -> String {
        let mut text =
            "asset,kind,time,sequence,event_index,symbol,subject,reference,amount,balance\r\n".to_owned();
        for asset in &self.assets {
            let (name, opening, closing) =
                (csv_field(&asset.name), asset.text(asset.opening), asset.text(asset.closing));
            let _ = write!(text, "{name},opening,{},,,,,,,{opening}\r\n", moment(self.from));
            for movement in &asset.movements {
                let _ = write!(
                    text,
                    "{name},{},{},{},{},{},{},{},{},{}\r\n",
                    words(movement.kind),
                    moment(movement.time),
                    movement.sequence,
                    movement.event_index,
                    csv_field(movement.symbol.as_deref().unwrap_or_default()),
                    subject(movement),
                    movement.reference.as_deref().unwrap_or_default(),
                    asset.text(movement.amount),
                    asset.text(movement.balance),
                );
            }
            let _ = write!(text, "{name},closing,{},,,,,,,{closing}\r\n", moment(self.until));
        }
        text
    }

    fn html(&self) -> String {
        let (from, until) = (moment(self.from), moment(self.until));
        let mut text = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <title>Statement of account {account}</title><style>{STYLE}</style></head><body>\n\
             <h1>Statement of account {account}</h1>\n<p>From {from}, until before {until}. \
             Books written up to command {sequence}, {written}.{more}</p>\n",
            account = self.account,
            sequence = self.written.0,
            written = moment(self.written.1),
            more = if self.written.1 < self.until { " More may follow." } else { "" },
        );
        if self.assets.is_empty() {
            text.push_str("<p>Nothing was held and nothing moved.</p>\n");
        }
        for asset in &self.assets {
            let name = escaped(&asset.name);
            let (came, went) = asset.turnover();
            let _ = write!(
                text,
                "<h2>{name}</h2>\n<table><thead><tr><th>Time (UTC)</th><th>What</th><th>Where</th><th>Id</th>\
                 <th class=\"n\">Amount</th><th class=\"n\">Balance</th></tr></thead><tbody>\n\
                 <tr class=\"sum\"><td>{from}</td><td colspan=\"4\">Opening balance</td>\
                 <td class=\"n\">{opening}</td></tr>\n",
                opening = asset.text(asset.opening),
            );
            for movement in &asset.movements {
                let _ = writeln!(
                    text,
                    "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td>\
                     <td class=\"n\">{}</td></tr>",
                    moment(movement.time),
                    words(movement.kind),
                    escaped(movement.symbol.as_deref().unwrap_or_default()),
                    subject(movement),
                    asset.text(movement.amount),
                    asset.text(movement.balance),
                );
            }
            let _ = write!(
                text,
                "<tr class=\"sum\"><td>{until}</td><td colspan=\"4\">Closing balance</td>\
                 <td class=\"n\">{closing}</td></tr>\n</tbody></table>\n<p>{opening} + {came} − {went} = \
                 {closing}, of which {held} is set aside.</p>\n",
                opening = asset.text(asset.opening),
                came = print_units(came, asset.scale),
                went = print_units(went, asset.scale),
                closing = asset.text(asset.closing),
                held = asset.text(asset.held),
            );
        }
        text.push_str("</body></html>\n");
        text
    }

    /// As JSON; amounts are decimal texts, times nanoseconds since 1970.
    pub fn json(&self) -> Value {
        let assets: Vec<Value> = self
            .assets
            .iter()
            .map(|asset| {
                let movements: Vec<Value> = asset
                    .movements
                    .iter()
                    .map(|movement| {
                        json!({
                            "time": movement.time.0,
                            "sequence": movement.sequence.0,
                            "eventIndex": movement.event_index,
                            "kind": words(movement.kind),
                            "symbol": movement.symbol,
                            "subject": (movement.subject != 0).then_some(movement.subject),
                            "reference": movement.reference,
                            "amount": asset.text(movement.amount),
                            "balance": asset.text(movement.balance),
                        })
                    })
                    .collect();
                json!({
                    "asset": asset.name,
                    "opening": asset.text(asset.opening),
                    "movements": movements,
                    "closing": asset.text(asset.closing),
                    "held": asset.text(asset.held),
                })
            })
            .collect();
        json!({
            "account": self.account.0,
            "from": self.from.0,
            "until": self.until.0,
            "writtenSequence": self.written.0.0,
            "writtenTime": self.written.1.0,
            "assets": assets,
        })
    }
}

fn subject(movement: &Movement) -> String {
    if movement.subject == 0 { String::new() } else { movement.subject.to_string() }
}

/// A field that may hold a comma or a quote. Names that a program of tables takes for a formula are quoted
/// by it: none begins with `=`.
fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{AccountId, AssetId, Sequence};

    fn sample() -> Statement {
        let movement = |time, amount, balance, kind| Movement {
            time: Time(time),
            sequence: Sequence(7),
            event_index: 1,
            kind,
            subject: 9,
            symbol: Some("BTCUSDT".to_owned()),
            reference: None,
            amount,
            balance,
        };
        Statement {
            account: AccountId(3),
            from: Time(1_000_000_000),
            until: Time(3_000_000_000),
            written: (Sequence(8), Time(4_000_000_000)),
            assets: vec![AssetStatement {
                asset: AssetId(1),
                name: "B<T>,C".to_owned(),
                scale: 8,
                opening: 5,
                movements: vec![
                    movement(1_500_000_000, 100_000_000, 100_000_005, EventKind::Transferred),
                    movement(2_500_000_000, -7, 99_999_998, EventKind::Trade),
                ],
                closing: 99_999_998,
                held: 1,
            }],
        }
    }

    #[test]
    fn the_csv_has_opening_movements_and_closing() {
        let lines: Vec<String> = sample().text(StatementFormat::Csv).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[1], "\"B<T>,C\",opening,1970-01-01T00:00:01.000000000Z,,,,,,,0.00000005");
        assert_eq!(
            lines[3],
            "\"B<T>,C\",trade,1970-01-01T00:00:02.500000000Z,7,1,BTCUSDT,9,,-0.00000007,0.99999998"
        );
        assert_eq!(lines[4], "\"B<T>,C\",closing,1970-01-01T00:00:03.000000000Z,,,,,,,0.99999998");
    }

    #[test]
    fn the_page_adds_up_and_holds_no_foreign_markup() {
        let page = sample().text(StatementFormat::Html);
        assert!(page.contains("<h2>B&lt;T&gt;,C</h2>"), "{page}");
        let sum = "0.00000005 + 1.00000000 − 0.00000007 = 0.99999998, of which 0.00000001 is set aside.";
        assert!(page.contains(sum), "{page}");
        assert!(!page.contains("More may follow") && !page.contains("src="), "{page}");
    }

    #[test]
    fn the_json_has_exact_amounts() {
        let json = sample().json();
        assert_eq!(json["assets"][0]["movements"][1]["amount"], "-0.00000007");
        assert_eq!(json["assets"][0]["closing"], "0.99999998");
    }
}
