//! An account that manages its own keys: within its rights, each request once.

use crate::{ACTOR, NOW, create, open, opened};
use accounts::timing::{Timing, check_timing};
use accounts::{
    Accounts, AccountsError, Actor, ApiKeyId, CreatedKey, IpAllowList, KeyChange, KeyType, NewCredential,
    NewKey, Scopes, SignedRequest,
};
use protocol::{AccountId, Time};
use std::path::Path;

const MANAGER: Scopes = Scopes::ALL;

fn timing() -> Timing {
    check_timing(&NOW.millis().to_string(), Some("5000"), NOW.micros()).unwrap()
}

/// A request that `key` signed; requests of one payload are the same request.
fn request(accounts: &Accounts, key: &ApiKeyId, payload: &str) -> SignedRequest {
    SignedRequest::new(accounts.key_store().lookup(key).unwrap(), payload.as_bytes(), timing())
}

fn wanted(scopes: Scopes, list: &str) -> NewKey {
    NewKey {
        account_id: AccountId(3),
        credential: NewCredential::Hmac,
        scopes,
        ip_allow_list: list.parse().unwrap(),
        label: "own".to_owned(),
    }
}

async fn manager(accounts: &Accounts, scopes: Scopes, list: &str) -> CreatedKey {
    accounts.create_key(ACTOR, wanted(scopes, list), NOW).await.unwrap()
}

async fn two_accounts(directory: &Path) -> Accounts {
    let accounts = open(directory).await;
    opened(&accounts, "demo-1", 3).await;
    opened(&accounts, "demo-2", 4).await;
    accounts
}

#[tokio::test]
async fn a_request_is_carried_out_once_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let (first, second) = (manager(&accounts, MANAGER, "").await, manager(&accounts, MANAGER, "").await);
    let signed = request(&accounts, &first.api_key, "a=1");
    let made = accounts.create_key(Actor::Owner(&signed), wanted(Scopes::READ, ""), NOW).await.unwrap();
    let again = accounts.create_key(Actor::Owner(&signed), wanted(Scopes::READ, ""), NOW).await;
    assert!(matches!(again, Err(AccountsError::Replayed)), "{again:?}");
    // Whatever it would do this time.
    let again = accounts.revoke_key(Actor::Owner(&signed), &made.api_key, NOW).await;
    assert!(matches!(again, Err(AccountsError::Replayed)), "{again:?}");
    // The same words of another key are another request.
    let other = request(&accounts, &second.api_key, "a=1");
    accounts.create_key(Actor::Owner(&other), wanted(Scopes::READ, ""), NOW).await.unwrap();
    drop(accounts);

    let accounts = open(directory.path()).await;
    let signed = request(&accounts, &first.api_key, "a=1");
    let replayed = accounts.create_key(Actor::Owner(&signed), wanted(Scopes::READ, ""), NOW).await;
    assert!(matches!(replayed, Err(AccountsError::Replayed)), "{replayed:?}");
    // One that failed has done nothing and may be sent again.
    let signed = request(&accounts, &first.api_key, "b=1");
    let nobody = ApiKeyId::parse(&"x".repeat(64)).unwrap();
    for _ in 0..2 {
        let refused = accounts.revoke_key(Actor::Owner(&signed), &nobody, NOW).await;
        assert!(matches!(refused, Err(AccountsError::NoKey(_))), "{refused:?}");
    }
    // Long after, its own timing refuses it, and it need not be remembered.
    let later = Time(NOW.0 + 3_600_000_000_000);
    let signed = request(&accounts, &first.api_key, "a=1");
    accounts.revoke_key(Actor::Owner(&signed), &made.api_key, later).await.unwrap();
}

#[tokio::test]
async fn a_key_hands_out_no_more_than_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let scopes = Scopes::READ | Scopes::TRADE | Scopes::KEYS;
    let bound = manager(&accounts, scopes, "10.0.0.0/8").await;
    let strong = manager(&accounts, MANAGER, "").await;
    let mut number = 0;
    let mut signed = || {
        number += 1;
        request(&accounts, &bound.api_key, &format!("n={number}"))
    };
    for (scopes, list, good) in [
        (Scopes::READ, "10.1.2.3", true),
        (scopes, "10.0.0.0/8", true),
        (Scopes::WITHDRAW, "10.1.2.3", false),
        (Scopes::ALL, "10.1.2.3", false),
        (Scopes::READ, "", false),
        (Scopes::READ, "10.1.2.3,192.0.2.1", false),
    ] {
        let made = accounts.create_key(Actor::Owner(&signed()), wanted(scopes, list), NOW).await;
        match made {
            Ok(_) => assert!(good, "{scopes} {list}"),
            Err(error) => assert!(!good && matches!(error, AccountsError::BeyondOwnRights(_)), "{error}"),
        }
    }
    // Nor by way of a key that is there: its secret would be the asker's.
    let rotated =
        accounts.rotate_key(Actor::Owner(&signed()), &strong.api_key, NewCredential::Hmac, NOW).await;
    assert!(matches!(rotated, Err(AccountsError::BeyondOwnRights(_))), "{rotated:?}");
    let off = KeyChange { enabled: Some(false), ..KeyChange::default() };
    let on = KeyChange { enabled: Some(true), ..KeyChange::default() };
    accounts.change_key(Actor::Owner(&signed()), &strong.api_key, off, NOW).await.unwrap();
    let enabled = accounts.change_key(Actor::Owner(&signed()), &strong.api_key, on, NOW).await;
    assert!(matches!(enabled, Err(AccountsError::BeyondOwnRights(_))), "{enabled:?}");
    // An operator may.
    let open: IpAllowList = "".parse().unwrap();
    let all = KeyChange { enabled: Some(true), ip_allow_list: Some(open), label: Some("back".to_owned()) };
    let changed = accounts.change_key(ACTOR, &strong.api_key, all, NOW).await.unwrap();
    assert!(changed.enabled && changed.label == "back");
    assert!(accounts.key_store().lookup(&strong.api_key).is_some());
}

#[tokio::test]
async fn a_key_manages_its_own_account_alone() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let own = manager(&accounts, MANAGER, "").await;
    let foreign = create(&accounts, 4, NewCredential::Hmac).await;
    let signed = |payload: &str| request(&accounts, &own.api_key, payload);
    let elsewhere = NewKey { account_id: AccountId(4), ..wanted(Scopes::READ, "") };
    let refused = accounts.create_key(Actor::Owner(&signed("1")), elsewhere, NOW).await;
    assert!(matches!(refused, Err(AccountsError::NoAccount(AccountId(4)))), "{refused:?}");
    let nothing = KeyChange::default();
    for refused in [
        accounts.revoke_key(Actor::Owner(&signed("2")), &foreign.api_key, NOW).await.err(),
        accounts.change_key(Actor::Owner(&signed("3")), &foreign.api_key, nothing, NOW).await.err(),
        accounts
            .rotate_key(Actor::Owner(&signed("4")), &foreign.api_key, NewCredential::Hmac, NOW)
            .await
            .err(),
    ] {
        assert!(matches!(refused, Some(AccountsError::NoKey(_))), "{refused:?}");
    }
    assert!(accounts.key_store().lookup(&foreign.api_key).is_some());
    let listed = accounts.keys_of(AccountId(3)).await.unwrap();
    assert_eq!(listed.iter().map(|key| key.api_key).collect::<Vec<_>>(), [own.api_key]);
}

#[tokio::test]
async fn a_key_is_off_while_it_is_disabled_and_gone_when_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let (own, other) = (manager(&accounts, MANAGER, "").await, manager(&accounts, Scopes::READ, "").await);
    let works = |accounts: &Accounts| accounts.key_store().lookup(&other.api_key).is_some();
    let set = async |accounts: &Accounts, enabled: bool| {
        let signed = request(accounts, &own.api_key, &format!("{enabled}"));
        let change = KeyChange { enabled: Some(enabled), ..KeyChange::default() };
        accounts.change_key(Actor::Owner(&signed), &other.api_key, change, NOW).await
    };
    accounts.key_store().lookup(&other.api_key).unwrap().mark_used(Time(NOW.0 + 7));
    let listed = accounts.keys_of(AccountId(3)).await.unwrap();
    let last_used = |key: &ApiKeyId| listed.iter().find(|row| row.api_key == *key).unwrap().last_used_at;
    assert_eq!(last_used(&other.api_key), Some(Time(NOW.0 + 7)), "seen before it is written");
    let list = KeyChange { ip_allow_list: Some("10.0.0.0/8".parse().unwrap()), ..KeyChange::default() };
    accounts.change_key(ACTOR, &other.api_key, list, NOW).await.unwrap();
    let changed = accounts.key_store().lookup(&other.api_key).unwrap();
    changed.permits(Scopes::READ, "192.0.2.1".parse().unwrap()).unwrap_err();
    assert_eq!(accounts.flush_last_used().await.unwrap(), 1, "a change forgets no use");

    set(&accounts, false).await.unwrap();
    assert!(!works(&accounts));
    drop(accounts);
    let accounts = open(directory.path()).await;
    assert!(!works(&accounts));
    set(&accounts, true).await.unwrap();
    assert!(works(&accounts));
    accounts.revoke_key(ACTOR, &other.api_key, NOW).await.unwrap();
    let refused = accounts.change_key(
        ACTOR,
        &other.api_key,
        KeyChange { enabled: Some(true), ..KeyChange::default() },
        NOW,
    );
    assert!(matches!(refused.await, Err(AccountsError::NoKey(_))));
    assert!(!works(&accounts) && accounts.keys_of(AccountId(3)).await.unwrap().len() == 1);
    // A request of a key that was revoked after it was found good.
    let signed = request(&accounts, &own.api_key, "late");
    accounts.revoke_key(ACTOR, &own.api_key, NOW).await.unwrap();
    let refused = accounts.create_key(Actor::Owner(&signed), wanted(Scopes::READ, ""), NOW).await;
    assert!(matches!(refused, Err(AccountsError::NoKey(_))), "{refused:?}");
}

#[tokio::test]
async fn an_account_has_so_many_keys_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let own = manager(&accounts, MANAGER, "").await;
    for number in 1..=30 {
        let signed = request(&accounts, &own.api_key, &number.to_string());
        let made = accounts.create_key(Actor::Owner(&signed), wanted(Scopes::READ, ""), NOW).await;
        match number {
            30 => assert!(matches!(made, Err(AccountsError::TooManyKeys(30))), "{made:?}"),
            _ => drop(made.unwrap()),
        }
    }
    manager(&accounts, Scopes::READ, "").await;
}

#[tokio::test]
async fn an_rsa_key_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let pem = include_str!("../fixtures/rsa-2048.public.pem");
    let rsa = create(&accounts, 3, NewCredential::wanted(Some("RSA"), Some(pem)).unwrap()).await;
    assert_eq!(rsa.key_type, KeyType::Rsa);
    drop(accounts);
    let accounts = open(directory.path()).await;
    let found = accounts.key_store().lookup(&rsa.api_key).unwrap();
    let payload = b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    let signature = include_str!("../fixtures/rsa-2048.signature.txt");
    accounts::signature::verify(&found, payload, signature).unwrap();
}
