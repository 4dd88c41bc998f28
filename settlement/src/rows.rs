//! Rows on their way to a table, column by column, as the database takes them. Refuses to know what they
//! say.

use crate::tables::{Kind, Table};
use database::{BulkInsert, Column, DatabaseError, Transaction};

/// Rows of one table.
#[derive(Debug)]
pub(crate) struct Rows {
    table: &'static Table,
    columns: Vec<Values>,
}

#[derive(Debug)]
enum Values {
    Integers(Vec<i64>),
    OptionalIntegers(Vec<Option<i64>>),
    Texts(Vec<String>),
    OptionalTexts(Vec<Option<String>>),
}

/// Takes the values of one row, in the order of the table's columns.
#[derive(Debug)]
pub(crate) struct RowWriter<'a> {
    table: &'static Table,
    columns: std::slice::IterMut<'a, Values>,
}

impl Rows {
    pub(crate) fn new(table: &'static Table) -> Self {
        let columns = table.columns.iter().map(|(_, kind)| match kind {
            Kind::Integer => Values::Integers(Vec::new()),
            Kind::OptionalInteger => Values::OptionalIntegers(Vec::new()),
            Kind::Text => Values::Texts(Vec::new()),
            Kind::OptionalText => Values::OptionalTexts(Vec::new()),
        });
        Self { table, columns: columns.collect() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.columns.first().map_or(0, |values| match values {
            Values::Integers(values) => values.len(),
            Values::OptionalIntegers(values) => values.len(),
            Values::Texts(values) => values.len(),
            Values::OptionalTexts(values) => values.len(),
        })
    }

    /// Begins a row; every column must be given.
    pub(crate) fn add(&mut self) -> RowWriter<'_> {
        RowWriter { table: self.table, columns: self.columns.iter_mut() }
    }

    pub(crate) async fn insert(&self, transaction: &mut Transaction) -> Result<u64, DatabaseError> {
        let columns: Vec<_> = self
            .table
            .columns
            .iter()
            .zip(&self.columns)
            .map(|((name, _), values)| {
                let column = match values {
                    Values::Integers(values) => Column::Integers(values),
                    Values::OptionalIntegers(values) => Column::OptionalIntegers(values),
                    Values::Texts(values) => Column::Texts(values),
                    Values::OptionalTexts(values) => Column::OptionalTexts(values),
                };
                (*name, column)
            })
            .collect();
        let rows = BulkInsert { table: self.table.name, columns: &columns, conflict: self.table.conflict };
        transaction.insert(&rows).await
    }
}

// A wrong kind or count is a mistake in this crate that its first test would meet: it panics.
impl RowWriter<'_> {
    fn next(&mut self) -> &mut Values {
        let table = self.table.name;
        self.columns.next().unwrap_or_else(|| panic!("a row of {table} has more values than columns"))
    }

    #[track_caller]
    fn wrong(&self) -> ! {
        let place = self.table.columns.len() - self.columns.len() - 1;
        panic!("column {} of {} takes no such value", self.table.columns[place].0, self.table.name)
    }

    #[must_use]
    pub(crate) fn integer(mut self, value: i64) -> Self {
        match self.next() {
            Values::Integers(values) => values.push(value),
            _ => self.wrong(),
        }
        self
    }

    #[must_use]
    pub(crate) fn optional(mut self, value: Option<i64>) -> Self {
        match self.next() {
            Values::OptionalIntegers(values) => values.push(value),
            _ => self.wrong(),
        }
        self
    }

    #[must_use]
    pub(crate) fn text(mut self, value: String) -> Self {
        match self.next() {
            Values::Texts(values) => values.push(value),
            _ => self.wrong(),
        }
        self
    }

    #[must_use]
    pub(crate) fn optional_text(mut self, value: Option<String>) -> Self {
        match self.next() {
            Values::OptionalTexts(values) => values.push(value),
            _ => self.wrong(),
        }
        self
    }

    /// The row is whole.
    pub(crate) fn end(self) {
        assert!(self.columns.len() == 0, "a row of {} has a value for every column", self.table.name);
    }
}
