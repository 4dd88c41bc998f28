//! Whose command was refused: the event says only that one was, so the journal is asked. Refuses to read
//! it but for that.

use super::projection::Refusals;
use engine_journal::{FileStorage, JournalReader, ReadError};
use protocol::{
    AccountId, Sequence,
    command::{Command, CommandRecord},
};

/// Reads the journal forward, from refusal to refusal.
#[derive(Debug)]
pub(super) struct JournalRefusals {
    storage: FileStorage,
    reader: Option<JournalReader<FileStorage>>,
    /// The batch read last: the sequence of its first record, and whose each record is.
    first: Sequence,
    accounts: Vec<Option<AccountId>>,
}

impl JournalRefusals {
    pub(super) fn new(storage: FileStorage) -> Self {
        Self { storage, reader: None, first: Sequence(0), accounts: Vec::new() }
    }

    /// Where a record is in that batch; `None` when it is not in it.
    fn place(&self, sequence: Sequence) -> Option<usize> {
        let place = sequence.0.checked_sub(self.first.0)? as usize;
        (place < self.accounts.len()).then_some(place)
    }
}

impl Refusals for JournalRefusals {
    type Error = ReadError;

    fn account(&mut self, sequence: Sequence) -> Result<Option<AccountId>, ReadError> {
        loop {
            if let Some(place) = self.place(sequence) {
                return Ok(self.accounts[place]);
            }
            let reader = match &mut self.reader {
                Some(reader) => reader,
                none => none.insert(JournalReader::open(self.storage.clone(), sequence.0)?),
            };
            // Its event is durable, so it is there.
            let Some(batch) = reader.next_batch()? else { return Ok(None) };
            if batch.last_sequence() < sequence.0 {
                continue;
            }
            self.first = Sequence(batch.first_sequence);
            // The engine has read every one of them.
            let commands =
                batch.records().map(|(_, record)| CommandRecord::parse(record).ok()?.decode().ok());
            self.accounts = commands.map(|command| command.as_ref().and_then(account)).collect();
        }
    }
}

/// Whose command it is.
fn account(command: &Command) -> Option<AccountId> {
    match command {
        Command::PlaceOrder { order, .. } => Some(order.account),
        Command::CancelOrder { cancel, .. } => Some(cancel.account),
        Command::CancelReplace { replace, .. } => Some(replace.order.account),
        Command::AmendOrder { amend, .. } => Some(amend.account),
        Command::CancelAll(cancel) => Some(cancel.account),
        Command::PlaceOrderList { list, .. } => Some(list.account),
        Command::CancelOrderList { cancel, .. } => Some(cancel.account),
        Command::SetCancelTimer(timer) => Some(timer.account),
        Command::SetKillSwitch(switch) => Some(switch.account),
        Command::Ledger(operation) => Some(operation.account),
        _ => None,
    }
    .filter(|account| account.0 != 0)
}
