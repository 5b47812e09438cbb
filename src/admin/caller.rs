//! Who calls the admin address.

use std::net::{IpAddr, SocketAddr};

use tokio::net::unix::UCred;

/// Who calls, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Somebody over the network: the token says whether it is somebody who may.
    Network {
        /// From where.
        from: IpAddr,
    },
    /// An account of this machine, as the kernel says. It could open the socket, so it is in the group that may.
    Account {
        /// Its number.
        uid: u32,
    },
}

impl From<SocketAddr> for Caller {
    fn from(peer: SocketAddr) -> Self {
        Self::Network { from: peer.ip().to_canonical() }
    }
}

impl From<UCred> for Caller {
    fn from(account: UCred) -> Self {
        Self::Account { uid: account.uid() }
    }
}
