//! The file that holds the secret of all proofs, made when it is first needed. Refuses to know what a proof
//! is.

use crate::{config::Config, private_file};
use anyhow::Context as _;
use data_encoding::HEXLOWER;
use settlement::proof::ProofKey;

/// In the data directory.
const FILE: &str = "proof.key";

/// The configured exchange's.
pub(crate) fn of(config: &Config) -> anyhow::Result<ProofKey> {
    let path = config.data.join(FILE);
    if !path.exists() {
        private_file::create_directory(&config.data)
            .with_context(|| format!("cannot make the data directory {}", config.data.display()))?;
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        private_file::write(&path, HEXLOWER.encode(&bytes).as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ProofKey::parse(&text).with_context(|| {
        format!(
            "{} is no proof key, which is 64 hexadecimal digits: put the one back that was there",
            path.display()
        )
    })
}
