//! Nothing is restored from a backup that is not as it was written, and what is wrong is named.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::path::PathBuf;

use backup::{BackupError, Kind, Manifest, Verified, verify};
use support::{GATEWAY, Place, key, later, open, set_up, trade};

/// An exchange of few commands, with so many backups: a full one, and incremental ones.
fn backed_up(backups: u64) -> (Place, Vec<Manifest>) {
    let place = Place::new();
    let exchange = open(&place.data());
    let port = exchange.port(GATEWAY);
    set_up(&port);
    let made = (0..backups)
        .map(|index| {
            let kind = if index == 0 { Kind::Full } else { Kind::Incremental };
            trade(&port, index * 3, index * 3 + 3, 1);
            place.create_of(&place.data(), kind, later(index)).unwrap()
        })
        .collect();
    exchange.stop();
    (place, made)
}

fn check(place: &Place) -> Vec<Verified> {
    verify(&place.backups(), &place.key, None, &mut |_| ()).unwrap()
}

fn files_of(place: &Place, manifest: &Manifest) -> Vec<PathBuf> {
    let directory = place.backups().join(&manifest.id);
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_flipped_bit_is_found() {
    let (place, made) = backed_up(1);
    assert!(check(&place).iter().all(|backup| backup.good));
    for path in files_of(&place, &made[0]) {
        let good = fs::read(&path).unwrap();
        let is_manifest = path.extension().is_some_and(|extension| extension == "json");
        for bit in 0..good.len() * 8 {
            // Of the manifest, which is long and all under one proof, a bit of each byte.
            if is_manifest && bit % 8 != bit / 8 % 8 {
                continue;
            }
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bad).unwrap();
            let is_found = match verify(&place.backups(), &place.key, None, &mut |_| ()) {
                Ok(found) => found.iter().any(|backup| !backup.good),
                // The manifest names another key, or gives another salt to make keys with.
                Err(error) => is_manifest && matches!(error, BackupError::WrongKey(_)),
            };
            assert!(is_found, "bit {bit} of {}", path.display());
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(check(&place).iter().all(|backup| backup.good), "and put right it is good again");
}

#[test]
fn every_cut_of_a_file_is_found_and_stops_a_restore() {
    let (place, made) = backed_up(3);
    for path in files_of(&place, &made[1]) {
        let good = fs::read(&path).unwrap();
        for length in [0, 1, good.len() / 2, good.len() - 1] {
            fs::write(&path, &good[..length]).unwrap();
            let found = check(&place);
            assert!(found.iter().any(|backup| !backup.good), "{} cut at {length}", path.display());
            let to = place.path("restored");
            assert!(place.restore(&to, None).is_err(), "{} cut at {length}", path.display());
            assert!(!to.join("identity").exists(), "nothing that opens is left");
            let _ = fs::remove_dir_all(&to);
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(place.restore(&place.path("restored"), None).unwrap().equal);
}

#[test]
fn another_key_opens_nothing() {
    let (mut place, made) = backed_up(3);
    place.key = key(&place.path("data"), "other", 'b');
    let error = verify(&place.backups(), &place.key, None, &mut |_| ()).unwrap_err();
    assert!(matches!(error, BackupError::WrongKey(_)), "{error}");
    let error = place.restore(&place.path("restored"), None).unwrap_err();
    assert!(matches!(&error, BackupError::WrongKey(_)) && error.to_string().contains(&made[0].id), "{error}");
    let error = place.create_of(&place.data(), Kind::Incremental, later(9)).unwrap_err();
    assert!(matches!(error, BackupError::WrongKey(_)), "{error}");
}

#[test]
fn a_missing_incremental_backup_is_named() {
    let (place, made) = backed_up(3);
    fs::rename(place.backups().join(&made[1].id), place.path("elsewhere")).unwrap();
    let error = place.restore(&place.path("restored"), None).unwrap_err();
    match &error {
        BackupError::ParentMissing { child, parent, .. } => {
            assert_eq!((child, parent), (&made[2].id, &made[1].id));
        }
        error => panic!("{error}"),
    }
    assert!(error.to_string().contains(&made[1].id), "{error}");
    let found = check(&place);
    assert_eq!(found.iter().map(|backup| backup.good).collect::<Vec<_>>(), [true, false]);
    let error = place.create_of(&place.data(), Kind::Incremental, later(9)).unwrap_err();
    assert!(matches!(error, BackupError::ParentMissing { .. }), "{error}");
}

#[test]
fn files_of_two_backups_cannot_be_exchanged() {
    let (place, made) = backed_up(3);
    let (left, right) = (files_of(&place, &made[1]), files_of(&place, &made[2]));
    for name in ["manifest.json", "manifest.hmac", "000000.blob"] {
        let of = |files: &[PathBuf]| files.iter().find(|path| path.ends_with(name)).unwrap().clone();
        let (left, right) = (of(&left), of(&right));
        let good = fs::read(&left).unwrap();
        fs::copy(&right, &left).unwrap();
        let found = verify(&place.backups(), &place.key, None, &mut |_| ());
        assert!(!found.is_ok_and(|found| found.iter().all(|backup| backup.good)), "{name}");
        fs::write(&left, good).unwrap();
    }
}
