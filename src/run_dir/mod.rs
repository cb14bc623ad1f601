//! Owns a run's folder: no other code knows what lies in it, what each file is called, and how it is read and replaced.
//!
//! That is the names, whether a folder is one of ours, the order in which files are written, and putting shards'
//! folders together. Must not know what is computed from the texts, nor what an output says.

use std::fs;
use std::path::{Path, PathBuf};

use crate::journal::{self, Contents, Hold, Journal};
use crate::manifest::Manifest;
use crate::plan::Design;
use crate::regular_file;
use crate::seal::{Seal, Trust};

mod error;
mod found;
mod kept;
mod listed;
mod merge;
mod names;
mod ours;
mod replace;

pub use error::RunDirError;
pub use found::{RESULTS, found, found_page, runs_in};
pub use kept::Kept;
pub use listed::{Kind, Listed, State, Trials, listed};
pub use merge::{Machines, MergeError, Merged, merge};
pub use names::{
    CONFIRMATION, DIAGNOSIS, EXPERIMENT, GATE, JOURNAL, MANIFEST, Output, PAPER, PLAN, PLOTS, SCRATCH, SCRATCH_LOCK,
    STUDY,
};
pub use replace::{write_named, write_new, write_whole};

/// A run's folder, which need not exist yet.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn journal_path(&self) -> PathBuf {
        self.path.join(names::JOURNAL)
    }

    /// Says whether a sweep has begun here.
    pub fn has_journal(&self) -> bool {
        self.journal_path().exists()
    }

    /// Keeps runs away, as long as what it returns lives, without changing anything.
    pub fn hold(&self) -> Hold {
        journal::hold(&self.journal_path())
    }

    /// Returns where the output is, or is going to be.
    pub fn output(&self, output: Output) -> PathBuf {
        self.path.join(output.file_name())
    }

    /// Returns where the figure's picture is, or is going to be.
    pub fn plot(&self, figure: &str) -> PathBuf {
        self.drawn(figure, "png")
    }

    /// Not by `with_extension`, for the name of a figure may hold a model's, and that a dot.
    fn drawn(&self, figure: &str, ending: &str) -> PathBuf {
        self.path.join(names::PLOTS).join(format!("{figure}.{ending}"))
    }

    /// Refuses a folder that is not one of ours, or of another kind of experiment. `experiment` is the text of the
    /// file that is to be run.
    ///
    /// # Errors
    /// When it holds files that a study would replace.
    pub fn must_suit_study(&self, experiment: &str) -> Result<(), RunDirError> {
        if self.has_journal() {
            return Err(RunDirError::HoldsSweep { directory: self.path.clone() });
        }
        ours::refuse_foreign(&self.path, experiment.as_bytes())
    }

    /// Creates the folder for a sweep and opens its journal, which is the first thing written. `experiment` is the text
    /// of the file that is to be run.
    ///
    /// # Errors
    /// When the folder is somebody else's, or can't be used, or another run is at work in it.
    pub fn open(&self, experiment: &str, trust: Trust) -> Result<(Journal, Contents), RunDirError> {
        ours::refuse_foreign(&self.path, experiment.as_bytes())?;
        fs::create_dir_all(&self.path).map_err(|error| RunDirError::Create { directory: self.path.clone(), error })?;
        Ok(Journal::open(&self.journal_path(), trust)?)
    }

    /// Writes the manifest, the experiment file and the plan, so that even a run that dies tells what it was. The
    /// manifest comes first: it tells that the folder is ours. It keeps what earlier runs said in it, and is returned.
    ///
    /// # Errors
    /// When they can't be written, or an earlier manifest can't be read.
    pub fn begin(
        &self,
        experiment: &str,
        design: &Design,
        mut manifest: Manifest,
        trust: Trust,
    ) -> Result<Manifest, RunDirError> {
        replace::clear_left_overs(&self.path);
        if let Some((earlier, seal)) = self.manifest(trust)? {
            (manifest.runs, manifest.n_trials, manifest.trusted) = (earlier.runs, earlier.n_trials, earlier.trusted);
            let note =
                format!("{} was changed after it was written, and a later run took it on trust", names::MANIFEST);
            if seal == Seal::Broken && !manifest.trusted.contains(&note) {
                manifest.trusted.push(note);
            }
        }
        self.write_manifest(&manifest)?;
        write_whole(&self.path.join(names::EXPERIMENT), experiment.as_bytes())?;
        write_whole(&self.path.join(names::PLAN), &design.to_json())?;
        Ok(manifest)
    }

    /// Replaces the manifest.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), RunDirError> {
        write_whole(&self.path.join(names::MANIFEST), &manifest.to_json())
    }

    /// Removes what killed processes left of files that they were writing.
    pub fn clear_left_overs(&self) {
        replace::clear_left_overs(&self.path);
    }

    /// Replaces an output.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, output: Output, contents: &[u8]) -> Result<(), RunDirError> {
        write_whole(&self.output(output), contents)
    }

    /// Writes a figure twice: as a drawing and as a picture.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_plot(&self, figure: &str, svg: &str, png: &[u8]) -> Result<(), RunDirError> {
        write_whole(&self.drawn(figure, "svg"), svg.as_bytes())?;
        write_whole(&self.plot(figure), png)
    }

    /// Returns where the figures for a paper are, or are going to be.
    pub fn paper(&self) -> PathBuf {
        self.path.join(names::PAPER)
    }

    /// Writes a figure for a paper.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_paper(&self, figure: &str, ending: &str, contents: &[u8]) -> Result<(), RunDirError> {
        write_whole(&self.paper().join(format!("{figure}.{ending}")), contents)
    }

    /// Writes a table of a study.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_table(&self, name: &str, csv: &[u8]) -> Result<(), RunDirError> {
        write_whole(&self.path.join(name), csv)
    }

    /// Writes what stands beside a study's tables: its file, where its numbers come from, and its page.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn write_study(&self, experiment: &str, provenance: &[u8], page: &str) -> Result<(), RunDirError> {
        write_whole(&self.path.join(names::EXPERIMENT), experiment.as_bytes())?;
        write_whole(&self.path.join(names::STUDY), provenance)?;
        self.write(Output::Report, page.as_bytes())
    }

    /// Reads what an output holds; None where it can't be read.
    pub fn read_output(&self, output: Output) -> Option<Vec<u8>> {
        regular_file::read(&self.output(output)).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn figures_whose_names_differ_after_a_dot_are_different_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = RunDir::new(folder.path());
        for figure in ["strip-noise-0.1", "strip-noise-0.2"] {
            run.write_plot(figure, figure, figure.as_bytes()).expect("it can be written");
        }
        for file in ["strip-noise-0.1.svg", "strip-noise-0.1.png", "strip-noise-0.2.svg", "strip-noise-0.2.png"] {
            let held = fs::read_to_string(folder.path().join("plots").join(file)).expect("it is there");
            assert_eq!(held, file[..file.len() - 4]);
        }
    }
}
