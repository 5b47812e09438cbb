//! A machine that follows the log: a ledger that folds it at its own pace, in groups of any size, and may lose what it
//! folded last, or all of it.

use std::path::{Path, PathBuf};

use cvco_ledger::Ledger;
use cvco_log::row::Link;
use cvco_log::{LogStore, MemoryLog, SqliteLog};
use cvco_trial::simulate::Dice;
use tempfile::TempDir;

use crate::daemon::{Trouble, text};
use crate::order::below;

/// Where the log stands, and the ledgers of the machines.
pub(crate) enum Ground {
    Memory(MemoryLog),
    Files(TempDir),
}

impl Ground {
    pub(crate) fn in_memory() -> Self {
        Self::Memory(MemoryLog::default())
    }

    pub(crate) fn in_files() -> Result<Self, Trouble> {
        Ok(Self::Files(tempfile::tempdir().map_err(text)?))
    }

    /// A handle of its own for the log, as each process and each machine has one.
    pub(crate) fn log(&self) -> Result<Box<dyn LogStore>, Trouble> {
        Ok(match self {
            Self::Memory(log) => Box::new(log.clone()),
            Self::Files(folder) => Box::new(open(folder.path())?),
        })
    }

    /// The ledger of a machine: a new one, or what its file holds.
    fn ledger(&self, machine: &str) -> Result<Ledger, Trouble> {
        match self {
            Self::Memory(_) => Ledger::in_memory(),
            Self::Files(folder) => {
                Ledger::open(&folder.path().join(machine), &open(folder.path())?.id().map_err(text)?)
            }
        }
        .map_err(text)
    }
}

fn open(folder: &Path) -> Result<SqliteLog, Trouble> {
    SqliteLog::open_or_create(&folder.join("log.sqlite"), &[]).map_err(text)
}

/// A machine that follows the log.
pub(crate) struct Machine {
    name: &'static str,
    log: Box<dyn LogStore>,
    ledger: Ledger,
    /// What it has read and not applied yet; the log grows meanwhile.
    in_hand: Vec<Link>,
    /// What its disk held at some moment.
    copy: Option<PathBuf>,
}

/// Groups are as large as this at most: a few entries, so that a small world has many.
const LARGEST_GROUP: usize = 6;

impl Machine {
    pub(crate) fn start(ground: &Ground, name: &'static str) -> Result<Self, Trouble> {
        Ok(Self { name, log: ground.log()?, ledger: ground.ledger(name)?, in_hand: Vec::new(), copy: None })
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Reads a group, or applies the one that it read; `false` if it has all of the log.
    fn step(&mut self, dice: &mut Dice) -> Result<bool, Trouble> {
        if self.in_hand.is_empty() {
            let at_most = 1 + below(dice, LARGEST_GROUP);
            self.in_hand = self.log.read(self.ledger.position().seq, at_most).map_err(text)?;
            return Ok(!self.in_hand.is_empty());
        }
        let group = std::mem::take(&mut self.in_hand);
        self.ledger.apply(&group).map_err(text)?;
        Ok(true)
    }

    /// Goes on for a while, or not at all.
    pub(crate) fn stroll(&mut self, dice: &mut Dice) -> Result<(), Trouble> {
        while below(dice, 3) > 0 && self.step(dice)? {}
        Ok(())
    }

    /// Folds all that the log has.
    pub(crate) fn catch_up(&mut self, dice: &mut Dice) -> Result<(), Trouble> {
        while self.step(dice)? {}
        Ok(())
    }

    /// Copies what its disk holds now, where there is one.
    pub(crate) fn copy(&mut self, ground: &Ground) -> Result<(), Trouble> {
        let Ground::Files(folder) = ground else { return Ok(()) };
        let copy = folder.path().join(format!("{}.copy", self.name));
        if copy.exists() {
            std::fs::remove_file(&copy).map_err(text)?;
        }
        let path = copy.to_str().ok_or("a folder that is no text")?;
        self.ledger.connection().execute("VACUUM INTO ?1", [path]).map_err(text)?;
        self.copy = Some(copy);
        Ok(())
    }

    /// Dies and starts again. It may have lost its ledger, or the last groups of it; of the log nothing is lost.
    pub(crate) fn die(&mut self, ground: &Ground, dice: &mut Dice) -> Result<(), Trouble> {
        self.in_hand.clear();
        let folded = self.ledger.position().seq;
        // What has the file open goes before the file.
        self.ledger = Ledger::in_memory().map_err(text)?;
        self.log = ground.log()?;
        match ground {
            Ground::Files(home) => {
                self.lose_of_disk(home.path(), dice)?;
                self.ledger = ground.ledger(self.name)?;
            }
            Ground::Memory(_) => {
                // In memory all is lost; as much as may be left of it is folded again.
                let folded = usize::try_from(folded.get()).map_err(text)?;
                let left = if below(dice, 2) == 0 { folded } else { below(dice, folded + 1) };
                while usize::try_from(self.ledger.position().seq.get()).map_err(text)? < left
                    && self.step(dice)?
                {}
            }
        }
        Ok(())
    }

    /// Of the disk all is left, or nothing, or what was there when it was copied.
    fn lose_of_disk(&mut self, folder: &Path, dice: &mut Dice) -> Result<(), Trouble> {
        let (loses_all, loses_some) = (below(dice, 4) == 0, below(dice, 2) == 0);
        if !loses_all && (!loses_some || self.copy.is_none()) {
            return Ok(());
        }
        for ending in ["", "-wal", "-shm"] {
            let file = folder.join(format!("{}{ending}", self.name));
            if file.exists() {
                std::fs::remove_file(file).map_err(text)?;
            }
        }
        if let Some(copy) = self.copy.take().filter(|_| !loses_all) {
            std::fs::rename(copy, folder.join(self.name)).map_err(text)?;
        }
        Ok(())
    }
}
