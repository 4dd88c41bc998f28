//! Assets: listing and creating. Refuses to know balances.

use super::{
    Admin,
    error::{AdminError, Answered, Result},
    received::{actor, amount, body},
};
use crate::views::Asset;
use axum::{body::Bytes, extract::State, http::HeaderMap};
use protocol::{
    command::{Command, CreateAsset},
    decimal::SCALE_MAX,
    instrument::Name,
    money::SUPPLY_MAX,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAsset {
    name: String,
    scale: u8,
    #[serde(default)]
    max_supply: Option<String>,
}

pub(super) async fn list(State(admin): State<Admin>) -> Answered {
    let directory = admin.gateway.views.directory();
    Answered(directory.assets().iter().map(row).collect())
}

pub(super) async fn create(State(admin): State<Admin>, headers: HeaderMap, bytes: Bytes) -> Result {
    let new: NewAsset = body(&bytes)?;
    let name = Name::parse(&new.name)
        .ok_or_else(|| AdminError::bad("name must be 1 to 24 capital letters and digits"))?;
    if new.scale > SCALE_MAX {
        return Err(AdminError::bad(format!("scale must be 0 to {SCALE_MAX}")));
    }
    let max_supply = match &new.max_supply {
        Some(text) => amount("max_supply", text, new.scale)?,
        None => SUPPLY_MAX,
    };
    let command = Command::CreateAsset(CreateAsset { name, scale: new.scale, reserved: [0; 7], max_supply });
    let details = json!({"asset": new.name, "scale": new.scale, "max_supply": max_supply});
    let id = admin.administration.execute(&actor(&headers), "asset.create", details, command).await?;
    Ok(Answered(json!({"asset_id": id, "name": new.name})))
}

fn row(asset: &Asset) -> Value {
    json!({
        "asset_id": asset.id.0,
        "name": asset.name.as_str(),
        "scale": asset.scale,
        "max_supply": asset.amount_text(asset.max_supply),
        "external_account_id": asset.external.0,
    })
}
