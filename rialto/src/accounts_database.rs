//! Opens the accounts database that the configuration names, with its master key. Refuses to know what
//! is in it.

use crate::config::{Config, DatabaseSetting};
use accounts::{Accounts, MASTER_KEY_FILE, MASTER_KEY_VARIABLE, MasterKeySource};
use anyhow::bail;
use database::{Database, TableGroup};
use secrecy::SecretString;

/// The accounts of this exchange. At the first start of all a master key is made.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Accounts> {
    let database = Database::open(&config.database(TableGroup::Accounts)?, TableGroup::Accounts).await?;
    Ok(Accounts::open(database, &master_key(config)).await?)
}

/// The same for an engine whose gateways are other processes: the database must be one that they share.
pub(crate) async fn open_to_share(config: &Config) -> anyhow::Result<Accounts> {
    if config.database == DatabaseSetting::Sqlite {
        bail!(
            "engine and gateways in processes of their own share the accounts database, which a SQLite file is not for: set `database` to a PostgreSQL one in each of their configurations, or run everything in one process (rialto serve)"
        );
    }
    open(config).await
}

/// The same for a gateway beside the engine, which has made the master key.
pub(crate) async fn open_shared(config: &Config) -> anyhow::Result<Accounts> {
    let file = master_key_file(config);
    if std::env::var_os(MASTER_KEY_VARIABLE).is_none() && !file.exists() {
        bail!(
            "the master key is not there: give the gateway the engine's, in {} (`master_key_file`) or in {MASTER_KEY_VARIABLE}; the engine makes it at its first start",
            file.display()
        );
    }
    open_to_share(config).await
}

fn master_key(config: &Config) -> MasterKeySource {
    // What is not text becomes a malformed key, not an absent one.
    let environment = std::env::var_os(MASTER_KEY_VARIABLE)
        .map(|value| SecretString::from(value.into_string().unwrap_or_default()));
    MasterKeySource::new(environment, master_key_file(config))
}

fn master_key_file(config: &Config) -> std::path::PathBuf {
    config.master_key_file.clone().unwrap_or_else(|| config.data.join(MASTER_KEY_FILE))
}
