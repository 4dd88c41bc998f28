//! The demonstration: three instruments, four funded accounts, and their keys in a file. Refuses to
//! touch a directory that was not made for it.

use crate::{private_file, process::now};
use accounts::{AccountName, CreatedKey, IpAllowList, NewCredential, NewKey, Revealed, Scopes};
use anyhow::{Context as _, bail};
use gateway::{admin::Administration, views::Views};
use protocol::{
    AccountId, AssetId, FeeRate, Instrument, InstrumentId, InstrumentStatus, Price, Quantity,
    SelfTradePrevention,
    command::{Command, CreateAsset, CreateInstrument, LedgerOperation, OpenAccount},
    decimal::parse_units,
    instrument::{FeeRates, Filters, MULTIPLIER_ONE, Name},
    money::SUPPLY_MAX,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::path::Path;

/// Who asks, in the audit log.
pub(crate) const ACTOR: &str = "demo";
/// Where the keys are.
const KEYS_FILE: &str = "demo-keys.json";
/// Every asset's decimals.
const ASSET_SCALE: u8 = 8;
const ACCOUNTS: [&str; 4] = ["demo-1", "demo-2", "demo-3", "demo-4"];
/// The one whose key is Ed25519.
const ED25519_ACCOUNT: &str = "demo-4";
const FUNDS: [(&str, &str); 3] = [("USDT", "1000000"), ("BTC", "100"), ("ETH", "1000")];
/// 0.1 %.
const FEE: FeeRate = FeeRate(FeeRate::ONE as i32 / 1_000);
/// Percent-price is open by this factor.
const PERCENT_FACTOR: u32 = 5;

/// An instrument in decimals.
struct Listing {
    symbol: &'static str,
    base: &'static str,
    quote: &'static str,
    price_scale: u8,
    quantity_scale: u8,
    highest_price: &'static str,
    largest_quantity: &'static str,
    least_notional: &'static str,
    reference: &'static str,
}

/// Tick and lot are one unit of the scales.
const LISTINGS: [Listing; 3] = [
    Listing {
        symbol: "BTCUSDT",
        base: "BTC",
        quote: "USDT",
        price_scale: 2,
        quantity_scale: 5,
        highest_price: "1000000",
        largest_quantity: "9000",
        least_notional: "5",
        reference: "50000",
    },
    Listing {
        symbol: "ETHUSDT",
        base: "ETH",
        quote: "USDT",
        price_scale: 2,
        quantity_scale: 4,
        highest_price: "1000000",
        largest_quantity: "9000",
        least_notional: "5",
        reference: "3000",
    },
    Listing {
        symbol: "ETHBTC",
        base: "ETH",
        quote: "BTC",
        price_scale: 5,
        quantity_scale: 3,
        highest_price: "1000",
        largest_quantity: "9000",
        least_notional: "0.0001",
        reference: "0.06",
    },
];
/// The largest notional, in any quote asset.
const LARGEST_NOTIONAL: &str = "9000000";

/// Makes what is missing of the demonstration: all of it in an empty directory, the rest where a start
/// was cut short, nothing on a later start.
pub(crate) async fn prepare(
    data: &Path,
    administration: &Administration,
    views: &Views,
    was_empty: bool,
) -> anyhow::Result<()> {
    if !was_empty && !is_ours(administration, views).await? {
        bail!("{} holds another exchange; give --demo an empty data directory", data.display());
    }
    for (name, _) in FUNDS {
        if views.directory().asset_named(name).is_none() {
            let asset = CreateAsset {
                name: named(name)?,
                scale: ASSET_SCALE,
                reserved: [0; 7],
                max_supply: SUPPLY_MAX,
            };
            execute(administration, "asset.create", json!({"name": name}), Command::CreateAsset(asset))
                .await?;
        }
    }
    for listing in &LISTINGS {
        if views.directory().listing_named(listing.symbol).is_none() {
            let instrument = listing.instrument(views)?;
            let command = Command::CreateInstrument(CreateInstrument { instrument });
            execute(administration, "instrument.create", json!({"symbol": listing.symbol}), command).await?;
        }
    }
    let mut opened = Vec::new();
    for name in ACCOUNTS {
        opened.push((name, open_account(administration, views, name, &FUNDS).await?));
    }
    let keys_file = data.join(KEYS_FILE);
    if !keys_file.exists() {
        let mut keys = Vec::new();
        for (name, account) in opened {
            let credential =
                if name == ED25519_ACCOUNT { NewCredential::Ed25519Generated } else { NewCredential::Hmac };
            let scopes = Scopes::READ | Scopes::TRADE | Scopes::KEYS;
            let key = new_key(administration, account, credential, scopes, "demo").await?;
            keys.push(key_json(name, &key));
        }
        let text = serde_json::to_string_pretty(&keys)?;
        private_file::write(&keys_file, text.as_bytes()).context("cannot write the demo's keys")?;
    }
    tracing::info!(keys = %keys_file.display(), "the demonstration is ready");
    Ok(())
}

/// Whether an exchange is the demonstration's: it has the first account, or it has none yet and nothing
/// that the demonstration does not make, since its first start was cut short.
async fn is_ours(administration: &Administration, views: &Views) -> anyhow::Result<bool> {
    let accounts = administration.accounts().accounts().await?;
    if !accounts.is_empty() {
        return Ok(accounts.iter().any(|account| account.name.as_str() == ACCOUNTS[0]));
    }
    let directory = views.directory();
    let made = |symbol: &str| LISTINGS.iter().any(|listing| listing.symbol == symbol);
    let funded = |name: &str| FUNDS.iter().any(|(asset, _)| *asset == name);
    Ok(directory.listings().iter().all(|listing| made(listing.symbol()))
        && directory.assets().iter().all(|asset| funded(asset.name.as_str())))
}

impl Listing {
    fn instrument(&self, views: &Views) -> anyhow::Result<Instrument> {
        let directory = views.directory();
        let asset =
            |name: &str| directory.asset_named(name).map(|asset| asset.id).context("an asset is missing");
        let price =
            |text: &str| Ok::<_, anyhow::Error>(Price(u32::try_from(parse_units(text, self.price_scale)?)?));
        let factor = PERCENT_FACTOR * MULTIPLIER_ONE;
        let fraction = MULTIPLIER_ONE / PERCENT_FACTOR;
        Ok(Instrument {
            id: InstrumentId(0),
            base: asset(self.base)?,
            quote: asset(self.quote)?,
            price_scale: self.price_scale,
            quantity_scale: self.quantity_scale,
            status: InstrumentStatus::Trading,
            default_self_trade_prevention: SelfTradePrevention::None,
            reserved: [0; 6],
            symbol: named(self.symbol)?,
            quote_per_unit: 0,
            base_per_unit: 0,
            filters: Filters {
                max_price: price(self.highest_price)?,
                max_quantity: Quantity(parse_units(self.largest_quantity, self.quantity_scale)?),
                min_notional: parse_units(self.least_notional, ASSET_SCALE)? as i64,
                max_notional: parse_units(LARGEST_NOTIONAL, ASSET_SCALE)? as i64,
                bid_multiplier_up: factor,
                bid_multiplier_down: fraction,
                ask_multiplier_up: factor,
                ask_multiplier_down: fraction,
                reference_price: price(self.reference)?,
                max_account_orders: 1_000,
                max_open_orders: 1_000_000,
                ..Filters::open()
            },
            fees: FeeRates { maker: FEE, taker: FEE },
        })
    }
}

fn named(text: &str) -> anyhow::Result<Name> {
    Name::parse(text).with_context(|| format!("{text} is no name"))
}

async fn execute(
    administration: &Administration,
    action: &str,
    details: Value,
    command: Command,
) -> anyhow::Result<u64> {
    administration.execute(ACTOR, action, details, command).await.with_context(|| format!("{action} failed"))
}

/// The account of this name, opened and funded if it is not.
pub(crate) async fn open_account(
    administration: &Administration,
    views: &Views,
    name: &str,
    funds: &[(&str, &str)],
) -> anyhow::Result<AccountId> {
    let parsed = AccountName::parse(name)?;
    let known = administration.accounts().account(&parsed).await?.and_then(|account| account.account_id);
    let account = if let Some(account) = known {
        account
    } else {
        let open = OpenAccount { trade_group: 0, fee_tier: 0, reserved: [0; 3] };
        administration.open_account(ACTOR, &parsed, open).await?
    };
    // Funded once: who has nothing of anything may have lost it, but has been here before.
    let is_new = |asset: AssetId| {
        let held = views.accounts().balances(account);
        !held.iter().any(|(found, _)| *found == asset)
    };
    for (asset, amount) in funds {
        let directory = views.directory();
        let asset = directory.asset_named(asset).context("an asset is missing")?;
        if is_new(asset.id) {
            let units = i64::try_from(parse_units(amount, asset.scale)?)?;
            let command =
                Command::Ledger(LedgerOperation::transfer(asset.external, account, asset.id, units));
            let details = json!({"account": name, "asset": asset.name.as_str(), "amount": amount});
            execute(administration, "account.credit", details, command).await?;
        }
    }
    Ok(account)
}

/// A key that may be used from anywhere.
pub(crate) async fn new_key(
    administration: &Administration,
    account_id: AccountId,
    credential: NewCredential,
    scopes: Scopes,
    label: &str,
) -> anyhow::Result<CreatedKey> {
    let new = NewKey {
        account_id,
        credential,
        scopes,
        ip_allow_list: IpAllowList::default(),
        label: label.to_owned(),
    };
    Ok(administration.accounts().create_key(ACTOR, new, now()).await?)
}

fn key_json(account: &str, key: &CreatedKey) -> Value {
    let mut shown = json!({"account": account, "key_type": "HMAC", "api_key": key.api_key.as_str()});
    match &key.revealed {
        Revealed::HmacSecret(secret) => shown["secret"] = secret.expose_secret().into(),
        Revealed::PrivateKeyPem(pem) => {
            shown["key_type"] = "Ed25519".into();
            shown["private_key_pem"] = pem.expose_secret().into();
        }
        Revealed::Nothing => {}
    }
    shown
}
