//! Catches signals on Unix, and is the only place that knows `signal_hook`. What a command does then is `signals`' to
//! decide.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use nix::libc;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit_code::ExitCode;

/// Those that ask for an end: Ctrl-C, what service managers and batch systems send, a terminal that is closed.
const ENDING: [c_int; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Calls `hear` at each signal that asks for an end, on a thread of its own.
///
/// # Errors
/// When the system lets no signal be caught, or has no room for a thread.
pub fn on_signal(hear: impl Fn() + Send + 'static) -> io::Result<()> {
    // Whoever started us has seen to it that these do not end us: to catch one would undo that.
    let mut signals = Signals::new(ENDING.into_iter().filter(|&signal| !is_ignored(signal)))?;
    thread::Builder::new().spawn(move || signals.forever().for_each(|_| hear())).map(drop)
}

/// For a worker, which its parent ends: signals that are sent to every process of a job or a service must not
/// take it from a parent that ends cleanly.
///
/// # Errors
/// When the system lets no signal be caught.
pub fn leave_to_parent() -> io::Result<()> {
    let nobody_asks = Arc::new(AtomicBool::new(false));
    ENDING.into_iter().try_for_each(|signal| signal_hook::flag::register(signal, Arc::clone(&nobody_asks)).map(drop))
}

/// Has the system end this process with the thread that started it. That a parent was gone before is not
/// noticed here: its end of our stdin is closed then.
///
/// # Errors
/// When the system refuses.
pub fn bind_to_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    Ok(())
}

/// Lets children be waited for, even where our own parent ignores its children's ends (`trap '' CHLD`):
/// inherited, that has the system forget how a child ended.
pub fn make_children_known() {
    if is_ignored(SIGCHLD) {
        // SAFETY: sets the default disposition, of which no handler is a part.
        unsafe { libc::signal(SIGCHLD, libc::SIG_DFL) };
    }
}

/// Ends the process without a look at its other threads, whatever they wait for.
pub fn end_process(code: ExitCode) -> ! {
    signal_hook::low_level::exit(code as c_int)
}

fn is_ignored(signal: c_int) -> bool {
    let mut found = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action this only fills in the present one; all zeros is one too, the default.
    unsafe {
        libc::sigaction(signal, ptr::null(), found.as_mut_ptr());
        found.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
