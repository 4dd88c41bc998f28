//! The books of record: what happened in the engine, in SQL, exactly once and to the last unit. Reads
//! the event stream and writes rows; refuses to decide anything: every row follows from events, and can
//! be made again from the first one.
