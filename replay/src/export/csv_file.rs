//! A table as CSV: a header, then a row a line; decimals with eight digits after the point, nothing
//! as an empty field. Refuses to know what the rows mean.

use super::{
    sink::Sink,
    table::{Cell, Column, SCALE},
};
use crate::ReplayError;
use protocol::decimal::print_units_into;
use std::{fs::File, io::BufWriter};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

pub(super) struct CsvFile {
    writer: csv::Writer<BufWriter<File>>,
    text: String,
}

impl CsvFile {
    pub(super) fn new(file: File, columns: &[Column]) -> Result<Self, ReplayError> {
        let mut writer = csv::Writer::from_writer(BufWriter::with_capacity(BUFFER, file));
        writer.write_record(columns.iter().map(|column| column.name)).map_err(std::io::Error::from)?;
        Ok(Self { writer, text: String::new() })
    }
}

impl Sink for CsvFile {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ReplayError> {
        use std::fmt::Write as _;
        for cell in cells {
            self.text.clear();
            let field = match cell {
                Cell::Text(text) => text.as_ref(),
                Cell::Flag(true) => "true",
                Cell::Flag(false) => "false",
                Cell::Nothing => "",
                Cell::Integer(number) => {
                    // Writing to a String cannot fail.
                    let _ = write!(self.text, "{number}");
                    &self.text
                }
                Cell::Decimal(units) => {
                    print_units_into(&mut self.text, *units, SCALE);
                    &self.text
                }
            };
            self.writer.write_field(field).map_err(std::io::Error::from)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(std::io::Error::from)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File, ReplayError> {
        let buffer = self.writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(buffer.into_inner().map_err(std::io::IntoInnerError::into_error)?)
    }
}
