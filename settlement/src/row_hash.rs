//! One number for all rows of the books: equal where the rows are, in SQLite and in PostgreSQL, however
//! often and in whatever batches the events came. A table's is the sum of its rows' hashes, so that no
//! database has to sort; a row holds its key. Refuses to say what differs.

use crate::{
    SettlementError, projection,
    tables::{self, Kind, Table},
};
use database::{Database, DatabaseError, Row};
use protocol::Sequence;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// 256 bits, as four words, the lowest first.
type Sum = [u64; 4];

/// All rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHash {
    /// Which.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
    /// Their hash, in lowercase hexadecimal.
    pub hash: String,
}

/// All rows that follow from events. Where they were written from (the epoch) is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowHash {
    /// Up to which command; 0 of empty books.
    pub position: Sequence,
    /// Of all tables, in lowercase hexadecimal.
    pub hash: String,
    /// Each.
    pub tables: Vec<TableHash>,
}

impl fmt::Display for RowHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.hash)
    }
}

/// Hashes all rows in `database`. Whoever writes meanwhile makes it meaningless.
pub async fn row_hash(database: &Database) -> Result<RowHash, SettlementError> {
    let position = projection::position(database).await?.map_or(Sequence(0), |place| place.sequence);
    let mut whole = Sha256::new();
    let mut hashed = Vec::with_capacity(tables::ALL.len());
    for table in tables::ALL {
        let (rows, sum) = sum_of(database, table).await?;
        whole.update(table.name);
        whole.update(rows.to_le_bytes());
        whole.update(bytes(sum));
        hashed.push(TableHash { table: table.name, rows, hash: data_encoding::HEXLOWER.encode(&bytes(sum)) });
    }
    let hash = data_encoding::HEXLOWER.encode(&whole.finalize());
    Ok(RowHash { position, hash, tables: hashed })
}

async fn sum_of(database: &Database, table: &Table) -> Result<(u64, Sum), SettlementError> {
    let (mut rows, mut sum) = (0, Sum::default());
    let each = |row: Row| {
        rows += 1;
        add(&mut sum, hash_of(table, &row)?);
        Ok::<_, DatabaseError>(())
    };
    database.each_row(table.select, &[], each).await?;
    Ok((rows, sum))
}

/// Each value behind a mark that says what it is, texts behind their length: no two rows are the same
/// bytes.
fn hash_of(table: &Table, row: &Row) -> Result<Sum, DatabaseError> {
    let mut hash = Sha256::new();
    for (column, kind) in table.columns {
        match kind {
            Kind::Integer | Kind::OptionalInteger => match row.optional_integer(column)? {
                Some(value) => {
                    hash.update([1]);
                    hash.update(value.to_le_bytes());
                }
                None => hash.update([0]),
            },
            Kind::Text | Kind::OptionalText => match row.optional_text(column)? {
                Some(value) => {
                    hash.update([2]);
                    hash.update((value.len() as u64).to_le_bytes());
                    hash.update(value.as_bytes());
                }
                None => hash.update([0]),
            },
        }
    }
    let digest = hash.finalize();
    let mut sum = Sum::default();
    for (word, bytes) in sum.iter_mut().zip(digest.chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    Ok(sum)
}

/// Adds, modulo 2^256.
fn add(sum: &mut Sum, other: Sum) {
    let mut carry = false;
    for (word, other) in sum.iter_mut().zip(other) {
        let (first, over) = word.overflowing_add(other);
        let (second, over_again) = first.overflowing_add(u64::from(carry));
        (*word, carry) = (second, over || over_again);
    }
}

fn bytes(sum: Sum) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, word) in bytes.chunks_exact_mut(8).zip(sum) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_and_do_not_depend_on_order() {
        let (one, most) = ([1, 0, 0, 0], [u64::MAX; 4]);
        let mut sum = most;
        add(&mut sum, one);
        assert_eq!(sum, [0; 4]);
        let mut there = [5, u64::MAX, 7, 0];
        let mut back = [u64::MAX, 1, 0, 9];
        let before = (there, back);
        add(&mut there, before.1);
        add(&mut back, before.0);
        assert_eq!(there, back);
        assert_eq!(there, [4, 1, 8, 9]);
    }
}
