//! Writes what a trace shows of its texts to the files that carry it to the parent.

use std::collections::BTreeMap;
use std::io;

use ::llama::Done;
use ::llama::trace::{Recorder, Routed};

use super::telling::effort;
use crate::engine::trace::{LogitsWriter, Record, RoutingWriter, ScratchError};
use crate::engine::{Observer, Ticket, TraceWork};

/// The files of the texts that are being followed.
pub struct Files<'w> {
    work: &'w TraceWork,
    observer: &'w mut dyn Observer,
    open: BTreeMap<Ticket, Writer>,
}

enum Writer {
    Logits(LogitsWriter),
    Routing(RoutingWriter),
}

impl<'w> Files<'w> {
    pub fn new(work: &'w TraceWork, observer: &'w mut dyn Observer) -> Self {
        Self { work, observer, open: BTreeMap::new() }
    }

    fn write(&mut self, ticket: Ticket, logits: &[f32], layers: &[Routed]) -> Result<(), ScratchError> {
        let directory = &self.work.directory;
        let writer = match self.open.remove(&ticket) {
            Some(writer) => Some(writer),
            None => match self.work.record {
                Record::Nothing => None,
                Record::Logits => Some(Writer::Logits(LogitsWriter::create(directory, ticket)?)),
                Record::Routing => Some(Writer::Routing(RoutingWriter::create(directory, ticket)?)),
            },
        };
        let Some(mut writer) = writer else { return Ok(()) };
        match &mut writer {
            Writer::Logits(file) => file.write(logits)?,
            Writer::Routing(file) => {
                layers.iter().try_for_each(|layer| file.write(&layer.experts, &layer.probabilities))?;
            }
        }
        self.open.insert(ticket, writer);
        Ok(())
    }
}

impl Recorder for Files<'_> {
    fn position(&mut self, ticket: Ticket, logits: &[f32], layers: &[Routed]) -> io::Result<()> {
        self.write(ticket, logits, layers).map_err(io::Error::other)
    }

    fn ended(&mut self, ticket: Ticket) -> io::Result<()> {
        match self.open.remove(&ticket) {
            None => Ok(()),
            Some(Writer::Logits(file)) => file.finish(),
            Some(Writer::Routing(file)) => file.finish(),
        }
        .map_err(io::Error::other)
    }

    fn worked(&mut self, done: Done<'_>) -> io::Result<()> {
        self.observer.worked(effort(done, None))
    }
}
