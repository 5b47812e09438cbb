//! How many connections there may be, by the descriptors that the system gives.

use super::crowd::Room;

/// For files of log and ledger, for calls to the outside, and for farewells.
const OTHERS: usize = 64;

/// More than any flood of slow senders should need to hold, and little enough to be held.
const PUBLIC: usize = 4096;

/// The shop, a few people and a monitor.
const ADMIN: usize = 32;

/// Of one address, as long as they say nothing.
const SILENT: usize = 512;

/// The room of each listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rooms {
    /// For notifications.
    pub public: Room,
    /// For each of the admin address and the admin socket.
    pub admin: Room,
}

impl Rooms {
    /// As many as this process can hold.
    #[must_use]
    pub fn of_this_process() -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let line = limits.lines().find(|line| line.starts_with("Max open files"));
        let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
        Self::of(soft.unwrap_or(usize::MAX))
    }

    fn of(descriptors: usize) -> Self {
        let free = descriptors.saturating_sub(OTHERS);
        // Two doors, and never more than half of what there is for both.
        let admin = (free / 4).clamp(4, ADMIN);
        let public = free.saturating_sub(admin.saturating_mul(2)).clamp(8, PUBLIC);
        Self { public: Self::bounded(public), admin: Self::bounded(admin) }
    }

    fn bounded(connections: usize) -> Room {
        Room { connections, silent_per_address: SILENT.min(connections / 2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listener_has_its_room_within_what_the_system_gives() {
        let connections = |descriptors| {
            let rooms = Rooms::of(descriptors);
            [rooms.public.connections, rooms.admin.connections]
        };
        assert_eq!(connections(usize::MAX), [4096, 32]);
        assert_eq!(connections(1024), [896, 32]);
        assert_eq!(connections(256), [128, 32]);
        assert_eq!(connections(128), [32, 16]);
        assert_eq!(connections(64), [8, 4], "so few that some calls fail; it starts all the same");
    }
}
