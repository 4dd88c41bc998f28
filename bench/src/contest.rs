//! A comparison on generated streams: the sides take turns, round by round, and a round counts only if its totals are
//! the reference's.
//!
//! It refuses to know who the contenders are and how they work.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::stream_file::{StreamFile, StreamHeader};
use crate::workload::{Mix, Specification, generate};

/// A generated stream that everyone is measured on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NamedStream {
    /// What tables call it.
    pub name: &'static str,
    /// How it is made.
    pub specification: Specification,
}

/// The streams of the comparison: one book and a hundred, shallow and deep, and a flow of moves.
pub const STREAMS: [NamedStream; 5] = [
    standard("s1_1k", 1, 1_000, 1.0),
    standard("s1_100k", 1, 100_000, 3.0),
    standard("s100_1k", 100, 1_000, 1.0),
    standard("s100_100k", 100, 100_000, 1.0),
    NamedStream {
        name: "ec_1k",
        specification: Specification {
            mix: Mix::Moves,
            symbols: 1,
            resting: 1_000,
            commands: 3_000_000,
            scale: 4.0,
            seed: 42,
        },
    },
];

const fn standard(name: &'static str, symbols: u16, resting: u32, scale: f64) -> NamedStream {
    let mix = Mix::Standard;
    let commands = 5_000_000;
    NamedStream { name, specification: Specification { mix, symbols, resting, commands, scale, seed: 42 } }
}

/// A stream on disk and in memory.
pub struct Stream {
    /// What tables call it.
    pub name: String,
    /// Where it is, for contenders in processes of their own.
    pub path: PathBuf,
    /// Its commands.
    pub file: StreamFile,
}

impl Stream {
    /// Reads a stream from a directory, generating it there first if it is absent or damaged.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn prepare(stream: &NamedStream, directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join(stream.name);
        let file = if let Ok(file) = StreamFile::open(&path) {
            file
        } else {
            std::fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
            let generated = generate(stream.specification)?;
            generated.write(&path).with_context(|| format!("writing {}", path.display()))?;
            StreamFile::open(&path).with_context(|| path.display().to_string())?
        };
        Ok(Self { name: stream.name.to_owned(), path, file })
    }
}

/// Someone who runs streams.
pub trait Contender {
    /// What tables call it.
    fn name(&self) -> &str;

    /// Runs a stream once, from empty books: prefill untimed, commands timed.
    ///
    /// # Errors
    /// When the stream cannot be run to its end.
    fn round(&mut self, stream: &Stream) -> anyhow::Result<RoundResult>;

    /// Whether its totals must be the reference's; a run with rules that the reference lacks has totals of its own.
    fn must_equal_reference(&self) -> bool {
        true
    }
}

/// What came of one round.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
pub struct RoundResult {
    /// Measured commands divided by the seconds they took.
    pub commands_per_second: f64,
    /// Trades, prefill included (the generated prefills have none).
    pub trades: u64,
    /// Lots traded.
    pub quantity: u64,
    /// Sum of price × quantity, in ticks and lots.
    pub notional: u64,
    /// Orders resting at the end.
    pub live: u64,
}

impl RoundResult {
    /// Holds the round to the reference's totals.
    ///
    /// # Errors
    /// Names the first total that differs.
    pub fn check(&self, reference: &StreamHeader) -> anyhow::Result<()> {
        let totals = [
            ("trades", self.trades, reference.trades),
            ("quantity", self.quantity, reference.quantity),
            ("notional", self.notional, reference.notional),
            ("live orders", self.live, reference.live_orders),
        ];
        for (what, got, expected) in totals {
            if got != expected {
                bail!("{what} {got}, the reference has {expected}: its speed does not count");
            }
        }
        Ok(())
    }
}

/// How often each side runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// Rounds at the beginning that do not count (compilers and caches warm up).
    pub warm_up: u32,
    /// Rounds that count, at least one.
    pub counted: u32,
}

/// The speeds of one contender on one stream, in commands a second.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Speeds {
    /// Whose.
    pub contender: String,
    /// On what.
    pub stream: String,
    /// The middle round's.
    pub median: f64,
    /// The slowest round's.
    pub minimum: f64,
    /// The fastest round's.
    pub maximum: f64,
}

impl Speeds {
    fn of(contender: &str, stream: &str, mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let middle = rounds.len() / 2;
        let median = match rounds.len() % 2 {
            0 => f64::midpoint(rounds[middle - 1], rounds[middle]),
            _ => rounds[middle],
        };
        Self {
            contender: contender.to_owned(),
            stream: stream.to_owned(),
            median,
            minimum: rounds[0],
            maximum: rounds[rounds.len() - 1],
        }
    }
}

/// Runs a stream in turns: every contender once a round, the first one changing from round to round, so that no side
/// always comes after the same other. `after_each` is called after every contender's turn.
///
/// # Errors
/// When a contender fails or a total differs from the reference's.
pub fn take_turns(
    contenders: &mut [Box<dyn Contender>],
    stream: &Stream,
    rounds: Rounds,
    mut after_each: impl FnMut(&str),
) -> anyhow::Result<Vec<Speeds>> {
    if rounds.counted == 0 {
        bail!("no round would count: ask for at least one");
    }
    let mut speeds = vec![Vec::new(); contenders.len()];
    for round in 0..rounds.warm_up + rounds.counted {
        for turn in 0..contenders.len() {
            let index = (turn + round as usize) % contenders.len();
            let contender = &mut contenders[index];
            let result = contender
                .round(stream)
                .and_then(|result| {
                    if contender.must_equal_reference() {
                        result.check(&stream.file.header)?;
                    }
                    Ok(result)
                })
                .with_context(|| format!("{} on {}", contender.name(), stream.name))?;
            if round >= rounds.warm_up {
                speeds[index].push(result.commands_per_second);
            }
            after_each(contender.name());
        }
    }
    let names = contenders.iter().map(|contender| contender.name());
    Ok(names.zip(speeds).map(|(name, rounds)| Speeds::of(name, &stream.name, rounds)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers with prepared speeds and the reference's totals, one trade more at the end if it cheats.
    struct Scripted {
        speeds: Vec<f64>,
        cheats: bool,
    }

    impl Contender for Scripted {
        fn name(&self) -> &'static str {
            "scripted"
        }

        fn round(&mut self, stream: &Stream) -> anyhow::Result<RoundResult> {
            let header = &stream.file.header;
            Ok(RoundResult {
                commands_per_second: self.speeds.remove(0),
                trades: header.trades + u64::from(self.cheats),
                quantity: header.quantity,
                notional: header.notional,
                live: header.live_orders,
            })
        }
    }

    fn small_stream(directory: &Path) -> Stream {
        let mut small = standard("small", 1, 50, 1.0);
        small.specification.commands = 500;
        Stream::prepare(&small, directory).unwrap()
    }

    #[test]
    fn warm_up_does_not_count_and_the_median_does() {
        let directory = tempfile::tempdir().unwrap();
        let stream = small_stream(directory.path());
        let cases = [(vec![100.0, 3.0, 1.0, 2.0], 2.0), (vec![100.0, 4.0, 1.0, 2.0, 3.0], 2.5)];
        for (speeds, median) in cases {
            let counted = speeds.len() as u32 - 1;
            let mut contenders: Vec<Box<dyn Contender>> = vec![Box::new(Scripted { speeds, cheats: false })];
            let rounds = Rounds { warm_up: 1, counted };
            let [result] =
                <[Speeds; 1]>::try_from(take_turns(&mut contenders, &stream, rounds, |_| ()).unwrap())
                    .unwrap();
            assert!((result.median - median).abs() < 1e-9, "{result:?}");
            assert!((result.minimum - 1.0).abs() < 1e-9 && result.maximum < 5.0, "{result:?}");
        }
    }

    #[test]
    fn a_wrong_total_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let stream = small_stream(directory.path());
        let mut contenders: Vec<Box<dyn Contender>> =
            vec![Box::new(Scripted { speeds: vec![1.0], cheats: true })];
        let rounds = Rounds { warm_up: 0, counted: 1 };
        let error = take_turns(&mut contenders, &stream, rounds, |_| ()).unwrap_err();
        assert!(format!("{error:#}").starts_with("scripted on small: trades "), "{error:#}");
    }

    #[test]
    fn a_damaged_stream_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let first = small_stream(directory.path());
        std::fs::write(&first.path, b"STRSTM11").unwrap();
        let second = small_stream(directory.path());
        assert!(first.file == second.file);
    }
}
