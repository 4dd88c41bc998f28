//! One seed's world: clients, an exchange, a disk, a clock, and what befalls them, all drawn from the
//! seed. After every life the witness audits what is left. Refuses to know how anything is audited.

use crate::client::Client;
use crate::clock::{SECOND, SimulatedClock};
use crate::commands::{Commands, set_up};
use crate::disk::Disk;
use crate::keeper;
use crate::life::{Life, Turn};
use crate::planted::{self, PlantedFault};
use crate::random::Random;
use crate::sizes::Sizes;
use crate::witness::{Found, Witness};
use engine_journal::KeepRules;
use engine_runtime::pipeline::Clock;
use protocol::command::{Command, ResumeSource};
use services::{EngineState, EngineStatus, HaltReason};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

/// Rounds in which everything goes on without faults, after which nothing may wait any more.
const CALM_ROUNDS: u32 = 4_000;

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The machine loses its power.
    PowerCut,
    /// The process is killed, or ends itself.
    Killed,
    /// It is told to stop, and has finished.
    Stopped,
}

/// What a seed came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Openings that succeeded.
    pub lives: u64,
    /// Losses of power, kills, and stops.
    pub power_cuts: u64,
    /// Kills of the process, by itself or by others.
    pub kills: u64,
    /// Snapshots made.
    pub snapshots: u64,
    /// Flipped bits that were refused, their file named.
    pub rot_refused: u64,
    /// Flipped bits that did no harm.
    pub rot_harmless: u64,
    /// Answers given.
    pub answers: u64,
    /// Commands in the journal at the end.
    pub commands: u64,
    /// Trades among them.
    pub trades: u64,
    /// The first bytes of the last state's hash.
    pub state: u64,
}

impl Summary {
    /// Adds another seed's; the state is then that seed's.
    pub fn add(&mut self, other: &Self) {
        self.lives += other.lives;
        self.power_cuts += other.power_cuts;
        self.kills += other.kills;
        self.snapshots += other.snapshots;
        self.rot_refused += other.rot_refused;
        self.rot_harmless += other.rot_harmless;
        self.answers += other.answers;
        self.commands += other.commands;
        self.trades += other.trades;
        self.state = other.state;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lives, power_cuts, kills, snapshots, rot_refused, rot_harmless, .. } = self;
        let Self { answers, commands, trades, .. } = self;
        write!(
            formatter,
            "{lives} openings after {power_cuts} losses of power and {kills} kills; {snapshots} snapshots; \
             {rot_refused} flipped bits refused, {rot_harmless} without harm; \
             {answers} answers to {commands} commands with {trades} trades audited"
        )
    }
}

/// What may keep an exchange from opening.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Excuses {
    /// The wall clock was set back, so that it may be behind the journal.
    pub(crate) is_clock_set_back: bool,
    pub(crate) room: Room,
}

/// How much room there is on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Room {
    /// As much as anyone wants.
    #[default]
    Enough,
    /// As much, but one write will say otherwise.
    OneWriteShort,
    /// There may be too little, or there was in this life.
    Short,
}

/// A world.
pub struct World {
    pub(crate) random: Random,
    pub(crate) sizes: Sizes,
    pub(crate) fault: Option<PlantedFault>,
    pub(crate) traces: bool,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) disk: Disk,
    pub(crate) clients: Vec<Client>,
    pub(crate) to_set_up: VecDeque<Command>,
    pub(crate) witness: Witness,
    /// What was heard in the lives since the last audit.
    pub(crate) heard: Vec<Vec<u8>>,
    pub(crate) excuses: Excuses,
    pub(crate) rules: KeepRules,
    /// Snapshots in which a bit has flipped, as they were.
    pub(crate) spoilt: BTreeMap<String, Vec<u8>>,
    /// A planted fault that is planted once.
    pub(crate) is_planted: bool,
    /// Nothing goes wrong any more.
    pub(crate) is_calm: bool,
    pub(crate) summary: Summary,
    pub(crate) turn: u64,
}

impl World {
    /// A seed's world, before anything happened.
    pub fn new(seed: u64, fault: Option<PlantedFault>, traces: bool) -> Self {
        let mut random = Random::new(seed);
        let sizes = Sizes::draw(&mut random);
        let clients = Sizes::clients(&mut random);
        let rules = keeper::draw(&mut random);
        let disk = Disk::default();
        if fault == Some(PlantedFault::NoSync) {
            disk.forget_syncs();
        }
        Self {
            random,
            sizes,
            fault,
            traces,
            clock: Arc::default(),
            disk,
            clients,
            to_set_up: set_up().into(),
            witness: Witness::default(),
            heard: Vec::new(),
            excuses: Excuses::default(),
            rules,
            spoilt: BTreeMap::new(),
            is_planted: false,
            is_calm: false,
            summary: Summary::default(),
            turn: 0,
        }
    }

    /// Lets everything happen; says what is wrong, if anything is.
    pub fn run(&mut self) -> Result<Summary, String> {
        self.trace(|world| format!("{:?}, {} clients", world.sizes, world.clients.len()));
        let mut life = self.open(None)?;
        while self.turn < self.sizes.turns {
            self.turn += 1;
            let end = self.take_turn(&mut life)?;
            Self::check_halt(&life)?;
            let end = end.or_else(|| self.must_end(&life));
            if let Some(end) = end {
                life = self.end_and_open(life, end)?;
            }
        }
        let life = self.calm_down(life)?;
        let end = self.random.pick(&[End::PowerCut, End::Killed]);
        let life = self.end_and_open(life, end)?;
        self.check_state(&life)?;
        let (answers, commands, trades) = self.witness.counts();
        let hash = self.witness.engine().state_hash();
        let state = hash.0.first_chunk().copied().map_or(0, u64::from_le_bytes);
        Ok(Summary { answers, commands, trades, state, ..self.summary })
    }

    pub(crate) fn trace(&self, say: impl FnOnce(&Self) -> String) {
        if self.traces {
            println!("{:>5}  {}", self.turn, say(self));
        }
    }

    /// One thing happens. Says how the life ends with it, if it does.
    fn take_turn(&mut self, life: &mut Life) -> Result<Option<End>, String> {
        if self.random.once_in(self.sizes.peace) {
            return self.go_wrong(life);
        }
        match self.random.below(100) {
            0..=27 => self.submit(),
            28..=47 => self.step(life, Turn::Sequencer),
            48..=65 => self.step(life, Turn::Core),
            66..=82 => self.step(life, Turn::Egress),
            83..=92 => self.poll()?,
            93..=94 => self.send_again(),
            95 => self.check_live(life)?,
            96 => self.keep(life)?,
            _ => {
                let most = self.random.pick(&[SECOND / 1_000, SECOND, 10 * SECOND]);
                self.clock.pass(self.random.below(most));
            }
        }
        Ok(None)
    }

    fn step(&mut self, life: &Life, turn: Turn) {
        for _ in 0..=self.random.below(3) {
            let worked = life.step(turn);
            self.trace(|_| format!("{turn:?} {}", if worked { "worked" } else { "waits" }));
        }
        self.plant(life);
    }

    fn submit(&mut self) {
        let index = self.random.below(self.clients.len() as u64) as usize;
        let count = self.random.within(1..self.sizes.burst + 1);
        let mut handed_in = 0;
        for _ in 0..count {
            let client = &mut self.clients[index];
            if client.room() == 0 {
                break;
            }
            let command = if index == 0 && !self.to_set_up.is_empty() {
                self.to_set_up.pop_front()
            } else if self.to_set_up.is_empty() || self.random.once_in(20) {
                let (known, now, source) = (self.witness.known, self.clock.utc(), client.source());
                Some(Commands { random: &mut self.random, known, now, source }.draw())
            } else {
                None
            };
            let Some(command) = command else { break };
            client.submit(&command, &mut self.witness);
            handed_in += 1;
        }
        self.trace(|_| format!("client {} hands in {handed_in}", index + 1));
    }

    fn send_again(&mut self) {
        let index = self.random.below(self.clients.len() as u64) as usize;
        let client = &mut self.clients[index];
        match self.random.below(6) {
            0..=2 => client.send(&mut self.witness),
            3 => client.send_again(&mut self.witness),
            4 => client.ask_again(&mut self.witness),
            _ if index > 0 && self.to_set_up.is_empty() && self.random.once_in(4) => {
                let (known, now, source) = (self.witness.known, self.clock.utc(), client.source());
                let command = Commands { random: &mut self.random, known, now, source }.draw();
                client.contradict(&command, &mut self.witness);
            }
            _ => {}
        }
    }

    fn poll(&mut self) -> Found {
        for client in &mut self.clients {
            client.poll(&mut self.witness)?;
        }
        // An operator lets a source go on that was stopped.
        for index in 1..self.clients.len() {
            if std::mem::take(&mut self.clients[index].is_stopped) {
                let source = self.clients[index].source();
                let resume = Command::ResumeSource(ResumeSource { source, reserved: 0 });
                self.clients[0].submit(&resume, &mut self.witness);
            }
        }
        for client in &mut self.clients {
            client.send(&mut self.witness);
        }
        Ok(())
    }

    /// What nobody wishes for.
    fn go_wrong(&mut self, life: &Life) -> Result<Option<End>, String> {
        let storage = self.disk.storage();
        let wrong = self.random.below(24);
        let what = match wrong {
            0..=2 => return Ok(Some(End::PowerCut)),
            3..=4 => return Ok(Some(End::Killed)),
            5..=6 => return self.stop(life).map(Some),
            7..=12 => {
                storage.power_off_after(self.random.below(12));
                "the power goes, or a kill comes, in the middle of a change"
            }
            13..=14 => {
                storage.fail_sync(1 + self.random.below(3));
                "a sync will fail"
            }
            15 => {
                storage.short_next_write(self.random.below(2_000) as usize);
                if self.excuses.room == Room::Enough {
                    self.excuses.room = Room::OneWriteShort;
                }
                "a write will be cut short"
            }
            16..=18 => {
                let room = self.random.pick(&[0, 600, 5_000, 20_000]);
                storage.set_room(Some(self.random.below(room + 1)));
                self.excuses.room = Room::Short;
                "room runs short"
            }
            19 => {
                storage.set_room(None);
                "there is room"
            }
            20..=21 => {
                life.slow_down(self.random.pick(&[0, 2, 30, 100]));
                "the disk changes its pace"
            }
            _ => {
                let steps = [1, SECOND as i64, 9 * SECOND as i64, 11 * SECOND as i64, 3_600 * SECOND as i64];
                let step = self.random.pick(&steps) * if self.random.once_in(2) { 1 } else { -1 };
                self.clock.set_by(step);
                self.excuses.is_clock_set_back |= step < 0;
                "the wall clock is set"
            }
        };
        self.trace(|_| what.to_owned());
        Ok(None)
    }

    /// Whether the life cannot go on, and how it then ends.
    fn must_end(&mut self, life: &Life) -> Option<End> {
        if let Some(reason) = life.aborted() {
            self.trace(|_| format!("the process ends itself: {reason}"));
            return Some(self.random.pick(&[End::PowerCut, End::Killed]));
        }
        if self.disk.has_failed() {
            return Some(self.random.pick(&[End::PowerCut, End::Killed]));
        }
        match life.state() {
            EngineState::Halted(HaltReason::ClockJump { .. }) if self.random.once_in(4) => Some(End::Killed),
            _ => None,
        }
    }

    /// Stops it as an operator does; the power may go meanwhile.
    fn stop(&mut self, life: &Life) -> Result<End, String> {
        self.trace(|_| "it is told to stop".to_owned());
        life.exchange().close();
        for _ in 0..CALM_ROUNDS {
            if let Some(end) = self.must_end(life).filter(|_| life.aborted().is_some()) {
                return Ok(end);
            }
            let turn = self.random.pick(&[Turn::Sequencer, Turn::Core, Turn::Egress]);
            life.step(turn);
            if life.is_finished() {
                let end = if self.disk.has_failed() { End::Killed } else { End::Stopped };
                return Ok(end);
            }
        }
        Err("told to stop, it does not finish".to_owned())
    }

    pub(crate) fn check_state(&self, life: &Life) -> Found {
        life.exchange()
            .with_engine(|engine| self.witness.audit_state(engine))
            .unwrap_or_else(|| Err("there is no state".to_owned()))
    }

    /// A snapshot is made, and what nobody needs goes.
    fn keep(&mut self, life: &mut Life) -> Found {
        let durable = life.exchange().status().durable_sequence();
        if durable.0 == 0 || self.disk.has_failed() {
            return Ok(());
        }
        // What may leave the disk is seen before.
        self.check_live(life)?;
        match life.keep(durable) {
            Ok(kept) => {
                self.summary.snapshots += 1;
                self.trace(|_| kept);
                Ok(())
            }
            Err(_) if self.disk.has_failed() => Ok(()),
            Err(error) if self.excuses.room != Room::Enough && keeper::is_no_room(&error) => Ok(()),
            Err(error) => Err(format!("no snapshot is made: {error:#}")),
        }
    }

    fn check_halt(life: &Life) -> Found {
        match life.state() {
            EngineState::Halted(reason @ HaltReason::BrokenInvariant { .. }) => {
                Err(format!("it has halted: {reason}"))
            }
            _ => Ok(()),
        }
    }

    /// The invariants hold at any time; and when all that was taken is on disk and applied, the state is
    /// what the journal comes to.
    fn check_live(&mut self, life: &Life) -> Found {
        if self.disk.has_failed() || life.aborted().is_some() {
            return Ok(());
        }
        let status = life.exchange().status();
        let (durable, told) = (status.durable_sequence(), life.told());
        self.witness.audit_live(self.disk.storage(), &life.heard(), durable, told)?;
        if told == durable && status.core_sequence() == durable {
            self.check_state(life)?;
        }
        let audited = life.exchange().with_engine(|engine| engine.audit().map_err(|error| error.to_string()));
        audited.unwrap_or(Ok(()))
    }

    /// Plants the fault that is planted in a state.
    fn plant(&mut self, life: &Life) {
        if self.fault != Some(PlantedFault::DroppedRelease) || self.is_planted || !self.random.once_in(40) {
            return;
        }
        let sequence = life.exchange().with_engine(engine_core::Engine::sequence);
        let planted = sequence.and_then(|at| planted::without_last_release(self.disk.storage(), at));
        if let Some(engine) = planted {
            self.trace(|_| "planted: a release is dropped".to_owned());
            self.is_planted = true;
            life.exchange().plant_engine(engine);
        }
    }

    /// Faults end and time goes on: everyone must get an answer, and what is due must end.
    fn calm_down(&mut self, life: Life) -> Result<Life, String> {
        self.is_calm = true;
        self.disk.storage().set_room(None);
        self.excuses.room = Room::Enough;
        let life = self.end_and_open(life, End::Killed)?;
        self.go_on_until(&life, "somebody is never answered", |world, _| {
            world.clients.iter().all(Client::is_idle)
        })?;
        let next_expiry = || life.exchange().with_engine(engine_core::Engine::next_expiry).flatten();
        if let Some(due) = next_expiry() {
            self.clock.pass(due.0.saturating_sub(self.clock.utc().0) + 60 * SECOND);
            self.go_on_until(&life, "what is due does not end", |_, _| next_expiry() != Some(due))?;
        }
        self.go_on_until(&life, "it does not come to rest", |_, life| {
            let status = life.exchange().status();
            status.core_sequence() == status.durable_sequence()
        })?;
        self.check_live(&life)?;
        Ok(life)
    }

    fn go_on_until(&mut self, life: &Life, never: &str, is_done: impl Fn(&Self, &Life) -> bool) -> Found {
        for _ in 0..CALM_ROUNDS {
            if is_done(self, life) {
                return Ok(());
            }
            for turn in [Turn::Sequencer, Turn::Core, Turn::Egress] {
                life.step(turn);
            }
            self.poll()?;
            Self::check_halt(life)?;
            self.clock.pass(SECOND / 1_000);
        }
        Err(format!("{never}, though nothing goes wrong: {:?}", life.state()))
    }
}
