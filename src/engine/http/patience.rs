//! Limits how long a read may wait, where that changes while an answer comes.
//!
//! ureq sets a time for all of a request, or for each read of it. Neither ends an answer that drips: how
//! long more may be waited for depends on what the bytes said so far, and of that ureq knows nothing.
//! Stands below TLS, so that no byte passes it by. Knows nothing of what is read.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, TcpConnector,
    Transport, time,
};
use ureq::{Agent, Error, Timeout};

/// The moment up to which an agent's reads may wait. It is one for all of its requests, so an agent
/// with one makes a request at a time.
#[derive(Clone, Debug, Default)]
pub struct Patience(Arc<Mutex<Option<Instant>>>);

impl Patience {
    /// Sets the moment; None: the request's own times are all that counts.
    pub fn set(&self, until: Option<Instant>) {
        *self.0.lock().expect("no thread panics") = until;
    }

    /// An agent whose reads heed it.
    pub fn agent(&self, config: Config) -> Agent {
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(Heeding(self.clone()))
                .chain(RustlsConnector::default());
        Agent::with_parts(config, connector, DefaultResolver::default())
    }

    fn capped(&self, mut timeout: NextTimeout) -> NextTimeout {
        let until = *self.0.lock().expect("no thread panics");
        let left = until.map(|until| time::Duration::from(until.saturating_duration_since(Instant::now())));
        if let Some(left) = left.filter(|left| *left < timeout.after) {
            timeout.after = left;
            timeout.reason = Timeout::PerRead;
        }
        timeout
    }
}

/// Makes transports that heed it.
#[derive(Debug)]
struct Heeding(Patience);

impl<In: Transport> Connector<In> for Heeding {
    type Out = Heedful<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, below: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(below.map(|below| Heedful { below, patience: self.0.clone() }))
    }
}

#[derive(Debug)]
struct Heedful<T> {
    below: T,
    patience: Patience,
}

impl<T: Transport> Transport for Heedful<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.below.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.below.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.below.await_input(self.patience.capped(timeout))
    }

    fn is_open(&mut self) -> bool {
        self.below.is_open()
    }

    fn is_tls(&self) -> bool {
        self.below.is_tls()
    }
}
