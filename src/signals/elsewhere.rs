//! Stands in for `unix` where there are no signals in its sense: Ctrl-C ends the process, as the system has it.

use std::io;

use crate::exit_code::ExitCode;

pub fn on_signal(_: impl Fn() + Send + 'static) -> io::Result<()> {
    Ok(())
}

pub fn leave_to_parent() -> io::Result<()> {
    Ok(())
}

pub fn bind_to_parent() -> io::Result<()> {
    Ok(())
}

pub fn make_children_known() {}

pub fn end_process(code: ExitCode) -> ! {
    std::process::exit(code as i32)
}
