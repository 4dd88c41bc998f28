//! A table as Parquet: integers and times as 64 bits, decimals as decimal(38, 8) of 128 bits, words
//! as strings; zstd. Refuses to know what the rows mean.

use super::{
    sink::Sink,
    table::{Cell, Column, Kind, SCALE},
};
use crate::ReplayError;
use parquet::{
    basic::{Compression, ZstdLevel},
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::{parser::parse_message_type, types::ColumnPath},
};
use std::{fs::File, sync::Arc};

/// Rows that are gathered before they are written: what a reader may skip or read at once.
const GROUP_ROWS: usize = 1 << 17;

pub(super) struct ParquetFile {
    writer: SerializedFileWriter<File>,
    gathered: Vec<Gathered>,
    rows: usize,
}

/// A column of the rows that are not written yet.
struct Gathered {
    values: Values,
    /// For a column that may have nothing: 1 where a row has something.
    present: Option<Vec<i16>>,
}

enum Values {
    Integers(Vec<i64>),
    Texts(Vec<ByteArray>),
    Decimals(Vec<FixedLenByteArray>),
    Flags(Vec<bool>),
}

impl ParquetFile {
    pub(super) fn new(file: File, table: &str, columns: &[Column]) -> Result<Self, ReplayError> {
        let schema = parse_message_type(&schema(table, columns)).map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            // No two rows have the same time in words, nor most in nanoseconds.
            .set_column_dictionary_enabled(ColumnPath::from("time"), false)
            .set_column_dictionary_enabled(ColumnPath::from("time_ns"), false)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by("rialto replay export".to_owned())
            .build();
        let writer =
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        let gathered = columns.iter().map(|column| Gathered {
            values: match column.kind {
                Kind::Integer | Kind::Time => Values::Integers(Vec::new()),
                Kind::Text => Values::Texts(Vec::new()),
                Kind::Decimal => Values::Decimals(Vec::new()),
                Kind::Flag => Values::Flags(Vec::new()),
            },
            present: column.is_optional.then(Vec::new),
        });
        Ok(Self { writer, gathered: gathered.collect(), rows: 0 })
    }

    fn write_group(&mut self) -> Result<(), ReplayError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for column in &mut self.gathered {
            let Some(mut writer) = group.next_column().map_err(failed)? else { break };
            let present = column.present.as_deref();
            match (writer.untyped(), &column.values) {
                (ColumnWriter::Int64ColumnWriter(to), Values::Integers(values)) => {
                    to.write_batch(values, present, None)
                }
                (ColumnWriter::ByteArrayColumnWriter(to), Values::Texts(values)) => {
                    to.write_batch(values, present, None)
                }
                (ColumnWriter::FixedLenByteArrayColumnWriter(to), Values::Decimals(values)) => {
                    to.write_batch(values, present, None)
                }
                (ColumnWriter::BoolColumnWriter(to), Values::Flags(values)) => {
                    to.write_batch(values, present, None)
                }
                _ => Err(ParquetError::General("a column's type is not its schema's".to_owned())),
            }
            .map_err(failed)?;
            writer.close().map_err(failed)?;
            column.clear();
        }
        group.close().map_err(failed)?;
        self.rows = 0;
        Ok(())
    }
}

impl Gathered {
    fn push(&mut self, cell: &Cell<'_>) -> Result<(), ParquetError> {
        match (&mut self.values, cell) {
            (Values::Integers(values), Cell::Integer(number)) => values.push(
                i64::try_from(*number)
                    .map_err(|_| ParquetError::General(format!("{number} is too large")))?,
            ),
            (Values::Texts(values), Cell::Text(text)) => values.push(text.as_bytes().to_vec().into()),
            (Values::Decimals(values), Cell::Decimal(units)) => {
                values.push(ByteArray::from(units.to_be_bytes().to_vec()).into());
            }
            (Values::Flags(values), Cell::Flag(flag)) => values.push(*flag),
            (_, Cell::Nothing) if self.present.is_some() => {}
            _ => return Err(ParquetError::General("a cell is not of its column's kind".to_owned())),
        }
        if let Some(present) = &mut self.present {
            present.push(i16::from(*cell != Cell::Nothing));
        }
        Ok(())
    }

    fn clear(&mut self) {
        match &mut self.values {
            Values::Integers(values) => values.clear(),
            Values::Texts(values) => values.clear(),
            Values::Decimals(values) => values.clear(),
            Values::Flags(values) => values.clear(),
        }
        if let Some(present) = &mut self.present {
            present.clear();
        }
    }
}

impl Sink for ParquetFile {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ReplayError> {
        for (column, cell) in self.gathered.iter_mut().zip(cells) {
            column.push(cell).map_err(failed)?;
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS { self.write_group() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<File, ReplayError> {
        self.write_group()?;
        self.writer.into_inner().map_err(failed)
    }
}

fn failed(error: ParquetError) -> ReplayError {
    match error {
        ParquetError::External(source) => std::io::Error::other(source).into(),
        other => std::io::Error::other(other).into(),
    }
}

/// The schema in the format's own words.
fn schema(table: &str, columns: &[Column]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("message {table} {{ ");
    for column in columns {
        let repetition = if column.is_optional { "optional" } else { "required" };
        let name = column.name;
        // Writing to a String cannot fail.
        let _ = match column.kind {
            Kind::Integer => write!(text, "{repetition} int64 {name}; "),
            Kind::Time => write!(text, "{repetition} int64 {name} (TIMESTAMP(NANOS,true)); "),
            Kind::Text => write!(text, "{repetition} binary {name} (STRING); "),
            Kind::Decimal => {
                write!(text, "{repetition} fixed_len_byte_array(16) {name} (DECIMAL(38,{SCALE})); ")
            }
            Kind::Flag => write!(text, "{repetition} boolean {name}; "),
        };
    }
    text.push('}');
    text
}
