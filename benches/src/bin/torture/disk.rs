//! A small disk of our own that can be filled: a tmpfs in a mount namespace that goes away with this process.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;

use crate::Failure;

/// Set for the process inside the namespace.
const INSIDE: &str = "MAILWRIGHT_TORTURE_INSIDE";
/// Room for a full-size run. No more, since filling it takes memory.
const SIZE: &str = "size=600m,mode=755";

/// Starts this program again in a mount namespace of its own and gives its exit code; `None` when this process is
/// inside already, or the system makes no such namespace.
pub(crate) fn enter() -> Result<Option<ExitCode>, Failure> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(None);
    }
    // Root needs no other user; the others become root inside.
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let works = |way: &&&[&str]| {
        let tried = Command::new("unshare").args(**way).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(way) = ways.iter().find(works) else { return Ok(None) };
    let mut again = Command::new("unshare");
    again.args(*way).arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(INSIDE, "1");
    let code = again.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(Some(ExitCode::from(code.unwrap_or(1))))
}

/// A disk that can be filled, or a folder that cannot.
pub(crate) struct Disk {
    dir: PathBuf,
    own: bool,
}

impl Disk {
    /// Makes the folder, a disk of its own where that is possible.
    pub(crate) fn at(dir: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(dir)?;
        let own = std::env::var_os(INSIDE).is_some()
            && Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "none"]).arg(dir).status()?.success();
        Ok(Self { dir: dir.to_owned(), own })
    }

    /// True when it can be filled.
    pub(crate) fn is_own(&self) -> bool {
        self.own
    }

    /// Takes all the room but for about this many bytes.
    pub(crate) fn fill(&self, but: u64) -> Result<(), Failure> {
        let ballast = std::fs::File::create(self.ballast())?;
        // What the server wrote between the two calls is not free any more: asked again, until it fits.
        loop {
            let room = statvfs(&self.dir)?;
            let free = (room.f_bavail * room.f_frsize).saturating_sub(but);
            if free == 0 {
                return Ok(());
            }
            match fallocate(&ballast, FallocateFlags::empty(), 0, free) {
                Err(Errno::NOSPC | Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
    }

    /// Gives the room back.
    pub(crate) fn empty(&self) -> Result<(), Failure> {
        match std::fs::remove_file(self.ballast()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn ballast(&self) -> PathBuf {
        self.dir.join("ballast")
    }
}
