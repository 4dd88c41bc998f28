//! Keys: shown once, at work at once, gone at once, and the same after a restart.

use crate::{ACTOR, NOW, create, new_key, open, opened};
use accounts::signature::{self, SignatureError};
use accounts::{Accounts, AccountsError, ApiKeyId, CreatedKey, KeyType, NewCredential, Revealed, Scopes};
use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _, spki::der::pem::LineEnding};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use protocol::{AccountId, Time};
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;

const PAYLOAD: &[u8] = b"symbol=BTCUSDT&timestamp=1700000000123";

/// Signs as a client with what it was shown.
fn sign(revealed: &Revealed) -> String {
    match revealed {
        Revealed::HmacSecret(secret) => {
            let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).unwrap();
            HEXLOWER.encode(&mac.chain_update(PAYLOAD).finalize().into_bytes())
        }
        Revealed::PrivateKeyPem(pem) => {
            let key = SigningKey::from_pkcs8_pem(pem.expose_secret()).unwrap();
            BASE64.encode(&key.sign(PAYLOAD).to_bytes())
        }
        Revealed::Nothing => panic!("nothing was shown to sign with"),
    }
}

fn works(accounts: &Accounts, key: &CreatedKey) -> bool {
    let Some(found) = accounts.key_store().lookup(&key.api_key) else { return false };
    signature::verify(&found, PAYLOAD, &sign(&key.revealed)).unwrap();
    assert_eq!(found.account_id, key.account_id);
    found.permits(Scopes::TRADE, "10.1.2.3".parse().unwrap()).unwrap();
    found.permits(Scopes::WITHDRAW, "10.1.2.3".parse().unwrap()).unwrap_err();
    found.permits(Scopes::TRADE, "192.0.2.1".parse().unwrap()).unwrap_err();
    true
}

async fn two_accounts(directory: &Path) -> Accounts {
    let accounts = open(directory).await;
    opened(&accounts, "demo-1", 3).await;
    opened(&accounts, "demo-2", 4).await;
    accounts
}

#[tokio::test]
async fn keys_work_at_once_and_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let hmac = create(&accounts, 3, NewCredential::Hmac).await;
    let pair = create(&accounts, 4, NewCredential::Ed25519Generated).await;
    assert_eq!((hmac.key_type, pair.key_type), (KeyType::Hmac, KeyType::Ed25519));
    let Revealed::HmacSecret(secret) = &hmac.revealed else { panic!("an HMAC key shows its secret") };
    assert_eq!(secret.expose_secret().len(), 64);
    assert!(works(&accounts, &hmac) && works(&accounts, &pair));
    let before = accounts.keys().await.unwrap();
    drop(accounts);

    let accounts = open(directory.path()).await;
    assert!(works(&accounts, &hmac) && works(&accounts, &pair));
    assert_eq!(accounts.key_store().len(), 2);
    assert_eq!(accounts.keys().await.unwrap(), before);
    let listed = before.iter().find(|key| key.api_key == hmac.api_key).unwrap();
    assert_eq!((listed.account_id, listed.label.as_str(), listed.enabled), (AccountId(3), "desk", true));
    assert_eq!((listed.created_at, listed.last_used_at), (NOW, None));
    assert_eq!(listed.ip_allow_list.to_string(), "10.0.0.0/8,203.0.113.7/32");

    // One key's signature is not another's.
    let found = accounts.key_store().lookup(&pair.api_key).unwrap();
    assert_eq!(signature::verify(&found, PAYLOAD, &sign(&hmac.revealed)), Err(SignatureError::Malformed));
}

#[tokio::test]
async fn a_client_may_keep_its_private_key() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let own = SigningKey::from_bytes(&[7; 32]);
    let pem = own.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    let created = create(&accounts, 3, NewCredential::wanted(None, Some(&pem)).unwrap()).await;
    assert!(matches!(created.revealed, Revealed::Nothing));
    let found = accounts.key_store().lookup(&created.api_key).unwrap();
    signature::verify(&found, PAYLOAD, &BASE64.encode(&own.sign(PAYLOAD).to_bytes())).unwrap();
}

#[tokio::test]
async fn a_revoked_key_stops_at_once_and_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let (first, second) =
        (create(&accounts, 3, NewCredential::Hmac).await, create(&accounts, 3, NewCredential::Hmac).await);
    accounts.revoke_key(ACTOR, &first.api_key, NOW).await.unwrap();
    assert!(!works(&accounts, &first) && works(&accounts, &second));
    let again = accounts.revoke_key(ACTOR, &first.api_key, NOW).await;
    assert!(matches!(again, Err(AccountsError::NoKey(id)) if id == first.api_key), "{again:?}");
    drop(accounts);
    let accounts = open(directory.path()).await;
    assert!(!works(&accounts, &first) && works(&accounts, &second));
    let enabled = accounts.keys().await.unwrap().iter().filter(|key| key.enabled).count();
    assert_eq!(enabled, 1);
}

#[tokio::test]
async fn a_revocation_that_is_given_up_half_way_does_not_leave_the_key_at_work() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    // Whether a poll finds the commit under way is the scheduler's choice: several rounds.
    for polls in (0..10).cycle().take(50) {
        let key = create(&accounts, 3, NewCredential::Hmac).await;
        let mut revoking = Box::pin(accounts.revoke_key(ACTOR, &key.api_key, NOW));
        poll_up_to(&mut revoking, polls).await;
        drop(revoking);
        // A writer waits its turn: what was given up is over when this returns.
        accounts.outbox().append(|_| Vec::new()).await.unwrap();
        let enabled =
            accounts.keys().await.unwrap().iter().any(|row| row.api_key == key.api_key && row.enabled);
        assert!(enabled || !works(&accounts, &key), "given up after {polls} polls");
    }
}

/// Polls `future` at most `polls` times, each when it asked to be, and leaves it there.
async fn poll_up_to(future: &mut (impl Future + Unpin), polls: usize) {
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        match Pin::new(&mut *future).poll(context) {
            Poll::Ready(_) => Poll::Ready(()),
            // Out of polls: leave now, with the work it started under way.
            Poll::Pending if left == 0 => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
}

#[tokio::test]
async fn a_rotated_key_hands_its_rights_on() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let old = create(&accounts, 4, NewCredential::Hmac).await;
    let new = accounts.rotate_key(ACTOR, &old.api_key, NewCredential::Hmac, NOW).await.unwrap();
    assert_ne!((new.api_key, sign(&new.revealed)), (old.api_key, sign(&old.revealed)));
    assert_eq!(new.account_id, AccountId(4));
    assert!(!works(&accounts, &old) && works(&accounts, &new));
    let twice = accounts.rotate_key(ACTOR, &old.api_key, NewCredential::Hmac, NOW).await;
    assert!(matches!(twice, Err(AccountsError::NoKey(_))), "{twice:?}");
    drop(accounts);
    let accounts = open(directory.path()).await;
    assert!(!works(&accounts, &old) && works(&accounts, &new));
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let refused = accounts.create_key(ACTOR, new_key(9, NewCredential::Hmac), NOW).await;
    assert!(matches!(refused, Err(AccountsError::NoAccount(AccountId(9)))), "{refused:?}");
    for label in ["x".repeat(101), "a\nb".to_owned()] {
        let new = accounts::NewKey { label, ..new_key(3, NewCredential::Hmac) };
        assert!(matches!(accounts.create_key(ACTOR, new, NOW).await, Err(AccountsError::Label)));
    }
    let unknown = ApiKeyId::parse(&"x".repeat(64)).unwrap();
    assert!(matches!(accounts.revoke_key(ACTOR, &unknown, NOW).await, Err(AccountsError::NoKey(_))));
    assert!(accounts.keys().await.unwrap().is_empty() && accounts.key_store().is_empty());
    assert_eq!(accounts.audit_log().verify(None).await.unwrap().id, 2, "only the two accounts");
}

#[tokio::test]
async fn uses_are_written_down_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let (used, idle) =
        (create(&accounts, 3, NewCredential::Hmac).await, create(&accounts, 3, NewCredential::Hmac).await);
    assert_eq!(accounts.flush_last_used().await.unwrap(), 0);
    let key = accounts.key_store().lookup(&used.api_key).unwrap();
    key.mark_used(Time(NOW.0 + 5));
    key.mark_used(Time(NOW.0 + 2));
    assert_eq!(accounts.flush_last_used().await.unwrap(), 1);
    assert_eq!(accounts.flush_last_used().await.unwrap(), 0);
    for summary in accounts.keys().await.unwrap() {
        let expected = (summary.api_key != idle.api_key).then_some(Time(NOW.0 + 5));
        assert_eq!(summary.last_used_at, expected);
    }
}

#[tokio::test]
async fn a_secret_is_nowhere_but_in_what_was_shown() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = two_accounts(directory.path()).await;
    let hmac = create(&accounts, 3, NewCredential::Hmac).await;
    let pair = create(&accounts, 3, NewCredential::Ed25519Generated).await;
    let rotated =
        accounts.rotate_key(ACTOR, &pair.api_key, NewCredential::Ed25519Generated, NOW).await.unwrap();
    let mut canaries = Vec::new();
    for key in [&hmac, &pair, &rotated] {
        match &key.revealed {
            Revealed::HmacSecret(secret) => canaries.push(secret.expose_secret().to_owned()),
            Revealed::PrivateKeyPem(pem) => {
                let seed = SigningKey::from_pkcs8_pem(pem.expose_secret()).unwrap().to_bytes();
                canaries
                    .extend([pem.expose_secret().lines().nth(1).unwrap().to_owned(), HEXLOWER.encode(&seed)]);
            }
            Revealed::Nothing => panic!("each shows something"),
        }
    }
    let found = accounts.key_store().lookup(&hmac.api_key).unwrap();
    let (listed, audited) =
        (accounts.keys().await.unwrap(), accounts.audit_log().entries(0, 100).await.unwrap());
    let seen = format!("{hmac:?} {pair:?} {rotated:?} {found:?} {accounts:?} {listed:?} {audited:?}");
    for canary in &canaries {
        assert!(!seen.contains(canary.as_str()));
    }
    drop(accounts);
    let mut public_key_found = false;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        let public = hmac.api_key.as_str().as_bytes();
        public_key_found |= content.windows(public.len()).any(|window| window == public);
        for canary in &canaries {
            let hexadecimal = HEXLOWER.encode(canary.as_bytes());
            for form in [canary.as_bytes(), hexadecimal.as_bytes()] {
                assert!(!content.windows(form.len()).any(|window| window == form), "{}", path.display());
            }
        }
    }
    assert!(public_key_found, "what is not secret is found by the same search");
}
