//! Starts a worker, feeds it, and notices when it dies. It is the only owner of child processes.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::death::{Cause, Death, Way};
use super::executable::Executable;
use super::protocol::{Reply, Request};
use crate::domain::Numerics;
use crate::engine::Messages;
use crate::message::warn;
use crate::plain::neutralise;
use crate::screen::Volume;
use crate::terminal::volume;

/// How much of a worker's stderr is kept for the error message.
const STDERR_TAIL_BYTES: usize = 64 * 1024;
/// A longer line is told in pieces.
const LONGEST_LINE_BYTES: u64 = 4096;
/// How many of its last lines an error message quotes.
const QUOTED_LINES: usize = 4;
/// How many of them may tell that memory was short: llama.cpp says what follows from it after that.
const READ_LINES: usize = 12;

/// Says which of the engine's messages are told as they come.
const RUST_LOG: &str = "RUST_LOG";

/// How long a worker whose stdout has closed may take to end: 2 seconds.
const LAST_WORDS_POLLS: u32 = 200;
const LAST_WORDS_POLL: Duration = Duration::from_millis(10);

/// A running worker. Dropping it ends the process.
pub struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    replies: Receiver<Reply>,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    readers: Vec<JoinHandle<()>>,
    /// What the worker said of its failure, before it ended.
    failure: Option<String>,
}

/// Why no reply came.
#[derive(Debug, PartialEq, Eq)]
pub enum ReceiveError {
    /// Nothing yet; it may still come.
    TimedOut,
    /// The worker has ended.
    Died(Death),
}

/// How OpenMP's threads wait: they sleep, after some microseconds in which most waits are over.
/// Spinning on is hardly quicker on idle cores and ruinous when something else wants one (docs/performance.md, Threads that
/// wait); sleeping at once halves the speed of a text alone.
const WAITING: [(&str, &str); 2] = [("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "1000")];

impl Worker {
    /// Starts `executable worker`. It ends with the thread that calls this, at the latest (Linux), or with the process.
    ///
    /// # Errors
    /// When the process can't be started.
    pub fn start(executable: &Executable, numerics: Numerics) -> std::io::Result<Self> {
        let mut command = Command::new(executable.path());
        command.arg("worker");
        if let Some(chosen) = executable.chosen() {
            command.args(["--kernels", &chosen.kernels.to_string()]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // An abort need not start a debugger to print its backtrace.
        command.env("GGML_NO_BACKTRACE", "1");
        // Of a worker's last words a few lines are kept: they must say why it ended, not where.
        command.env("RUST_BACKTRACE", "0");
        if numerics == Numerics::Invariant {
            // Read by ggml when it first multiplies: its tiled kernels sum in
            // an order that depends on the batch.
            command.env("GGML_CPU_TILED_MM", "0");
        }
        if WAITING.iter().all(|(name, _)| std::env::var_os(name).is_none()) {
            command.envs(WAITING);
        }
        // Ctrl-C is for us to handle: the terminal must not send it to the worker too.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;

        let (sender, replies) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let read_replies = move || {
            for line in stdout.lines() {
                let Ok(line) = line else { return };
                let reply = serde_json::from_str(&line)
                    .unwrap_or_else(|error| Reply::Failed { reason: format!("not a reply ({error}): {line}") });
                if sender.send(reply).is_err() {
                    return;
                }
            }
        };
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let stderr_pipe = child.stderr.take().expect("stderr is piped");
        let kept = Arc::clone(&stderr);
        let told = volume() == Volume::Verbose || wanted_messages().is_some();
        let read_stderr = move || keep_tail(BufReader::new(stderr_pipe), &kept, told);
        let on_threads = || -> std::io::Result<_> {
            Ok(vec![thread::Builder::new().spawn(read_replies)?, thread::Builder::new().spawn(read_stderr)?])
        };
        let readers = on_threads().inspect_err(|_| {
            // Nobody would hear of it.
            let _ = child.kill().and_then(|()| child.wait());
        })?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, replies, stderr, readers, failure: None })
    }

    /// Sends a request. A worker that can't take it has died, which `receive`
    /// will tell with the reason.
    pub fn send(&mut self, request: &Request) {
        let mut line = serde_json::to_vec(request).expect("a request is plain data");
        line.push(b'\n');
        // It has none once its death was told.
        let Some(stdin) = self.stdin.as_mut() else { return };
        let _ = stdin.write_all(&line).and_then(|()| stdin.flush());
    }

    /// Waits for the next reply; [`Reply::Failed`] is not returned but told as
    /// the worker's death.
    ///
    /// # Errors
    /// [`ReceiveError`] when none came.
    pub fn receive(&mut self, timeout: Duration) -> Result<Reply, ReceiveError> {
        if self.failure.is_some() {
            return Err(ReceiveError::Died(self.last_words()));
        }
        match self.replies.recv_timeout(timeout) {
            Ok(Reply::Failed { reason }) => {
                self.failure = Some(reason);
                Err(ReceiveError::Died(self.last_words()))
            }
            Ok(reply) => Ok(reply),
            Err(RecvTimeoutError::Timeout) => Err(ReceiveError::TimedOut),
            Err(RecvTimeoutError::Disconnected) => Err(ReceiveError::Died(self.last_words())),
        }
    }

    /// A reply that is there already. None, too, once the worker has told its
    /// failure: `receive` returns that next.
    pub(super) fn receive_ready(&mut self) -> Option<Reply> {
        match self.replies.try_recv().ok()? {
            Reply::Failed { reason } => {
                self.failure = Some(reason);
                None
            }
            reply => Some(reply),
        }
    }

    fn last_words(&mut self) -> Death {
        // It is about to end, for its stdout is closed or it told its failure: let it end its own way,
        // to tell an abort from our kill.
        let mut way = Way::Exit(None);
        for _ in 0..LAST_WORDS_POLLS {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(LAST_WORDS_POLL),
                Ok(Some(status)) => {
                    way = Way::of(status);
                    break;
                }
                Err(_) => break,
            }
        }
        let exit = self.end();
        let ended = self.failure.clone().unwrap_or(exit);
        let tail: Vec<u8> = self.stderr.lock().expect("no reader panics").iter().copied().collect();
        let tail = String::from_utf8_lossy(&tail);
        let lines: Vec<_> = tail.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = |n: usize| &lines[lines.len().saturating_sub(n)..];
        let cause = Cause::of(&format!("{ended}\n{}", last(READ_LINES).join("\n")), way.is_kill());
        let way = self.failure.clone().map_or(way, Way::Said);
        let quoted = last(QUOTED_LINES);
        let reason = if quoted.is_empty() { ended } else { format!("{ended}: {}", quoted.join(" | ")) };
        // It can quote strings of a model file, escape sequences included.
        Death { reason: neutralise(&reason).into_owned(), cause, way }
    }

    /// Ends the process, if it still runs, and says how it ended.
    fn end(&mut self) -> String {
        // Before its stdin is closed, at which it would end as if all were well.
        let _ = self.child.kill();
        drop(self.stdin.take());
        let status = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        // Reads as "exit status: 1" or "signal: 6 (SIGABRT)".
        status
            .map_or_else(|error| format!("the worker is lost ({error})"), |status| format!("the worker died, {status}"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// The messages that RUST_LOG asks for, of this process and of its workers.
pub(super) fn wanted_messages() -> Option<Messages> {
    Messages::wanted(&std::env::var(RUST_LOG).ok()?)
}

/// Keeps the end of what a worker says, and tells each line as it comes where that is wanted.
fn keep_tail(mut pipe: impl BufRead, kept: &Mutex<VecDeque<u8>>, told: bool) {
    let mut line = Vec::new();
    while let Ok(1..) = pipe.by_ref().take(LONGEST_LINE_BYTES).read_until(b'\n', &mut line) {
        if told && !line.trim_ascii().is_empty() {
            warn(&format!("engine: {}", String::from_utf8_lossy(&line).trim_end()));
        }
        let mut kept = kept.lock().expect("no reader panics");
        kept.extend(line.drain(..));
        let excess = kept.len().saturating_sub(STDERR_TAIL_BYTES);
        kept.drain(..excess);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_has_died_takes_requests_and_tells_its_death_again() {
        // Ends at once, whatever it is asked.
        let mut worker =
            Worker::start(&Executable::new("/bin/false".into(), None), Numerics::Invariant).expect("it starts");
        let death = worker.receive(Duration::from_secs(10)).expect_err("it dies");
        worker.send(&Request::Devices);
        assert_eq!(worker.receive(Duration::from_secs(10)), Err(death));
    }
}
