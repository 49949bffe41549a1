//! `tenure-bench`: the same work for Tenure, SQLite and a raw append loop, in one run on one disk.
//!
//! It prints a table and writes JSON. Each row says what must be reached and whether it was. See `README.md` beside it.

mod bench;
mod contender;
mod figure;
mod job;
mod machine;
mod markdown;
mod meter;
mod raw;
mod results;
mod rows;
mod service;
mod sqlite;
mod tenure;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bench::{Bench, Sizes};
use contender::{Answer, Failure};
use figure::{Line, Verdict};
use machine::Machine;
use results::Results;
use rows::{ROWS, Row};

const USAGE: &str = "\
usage: tenure-bench [--rows NAME,NAME...] [--quick] [--dir PATH] [--out FILE] [--program PATH]
       tenure-bench --markdown FILE [--into README]
       tenure-bench --list

  --rows     only these rows (see --list)
  --quick    small sizes: shows that the rows run, not how fast anything is; writes no file unless --out is given
  --dir      where the stores are made: the disk that is measured (default: beside the program)
  --out      where the JSON goes (default: results.json in the bench folder)
  --program  the tenure program, for the row that starts it (default: the one that was built in release mode)
  --markdown prints the results in FILE as a Markdown table, or puts it where README has a place for it
  --list     names the rows";

struct Asked {
    rows: Vec<&'static Row>,
    quick: bool,
    dir: PathBuf,
    out: Option<PathBuf>,
    program: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [job, spec] if job == job::SUBCOMMAND => job::serve(spec).map(|()| true),
        [list] if list == "--list" => {
            for row in ROWS {
                println!("{:<24} {}", row.name, row.work);
            }
            Ok(true)
        }
        [help] if matches!(help.as_str(), "--help" | "-h") => {
            println!("{USAGE}");
            Ok(true)
        }
        [markdown, file] if markdown == "--markdown" => {
            Results::read(file.as_ref()).map(|results| print!("{}", markdown::table(&results))).map(|()| true)
        }
        [markdown, file, into, readme] if markdown == "--markdown" && into == "--into" => {
            place(file.as_ref(), readme.as_ref()).map(|()| true)
        }
        _ => match asked(&arguments) {
            Ok(asked) => run(&asked),
            Err(why) => {
                eprintln!("tenure-bench: {why}\n{USAGE}");
                return ExitCode::from(2);
            }
        },
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("tenure-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn place(results: &Path, readme: &Path) -> Answer<()> {
    let table = markdown::table(&Results::read(results)?);
    let text = markdown::placed(&std::fs::read_to_string(readme)?, &table)?;
    Ok(std::fs::write(readme, text)?)
}

fn asked(arguments: &[String]) -> Answer<Asked> {
    let home = bench_folder();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| home.join("../target"), PathBuf::from);
    let mut asked = Asked {
        rows: ROWS.iter().collect(),
        quick: false,
        dir: std::env::current_exe()?.with_file_name("bench-stores"),
        out: Some(home.join("results.json")),
        program: Some(target.join("release/tenure")).filter(|program| program.exists()),
    };
    let mut out = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| Failure::Broken(format!("{word} needs a value")));
        match word.as_str() {
            "--quick" => asked.quick = true,
            "--rows" => asked.rows = value()?.split(',').map(row).collect::<Answer<_>>()?,
            "--dir" => asked.dir = PathBuf::from(value()?).join("tenure-bench-stores"),
            "--out" => out = Some(PathBuf::from(value()?)),
            "--program" => asked.program = Some(value()?.into()),
            other => return Err(Failure::Broken(format!("{other} is not an option"))),
        }
    }
    if out.is_some() || asked.quick {
        asked.out = out;
    }
    Ok(asked)
}

fn row(name: &str) -> Answer<&'static Row> {
    ROWS.iter()
        .find(|row| row.name == name)
        .ok_or_else(|| Failure::Broken(format!("there is no row {name}; see --list")))
}

fn bench_folder() -> PathBuf {
    let here = Path::new("bench");
    if here.join("Cargo.toml").exists() { here.into() } else { PathBuf::from(".") }
}

/// Whether nothing was missed.
fn run(asked: &Asked) -> Answer<bool> {
    let sizes = if asked.quick { Sizes::QUICK } else { Sizes::FULL };
    let bench = Bench::new(asked.dir.clone(), sizes, asked.program.clone())?;
    let machine = Machine::describe(&asked.dir);
    if machine::is_memory(&machine.file_system) {
        std::fs::remove_dir(&asked.dir)?;
        let place = asked.dir.display();
        return Err(Failure::Broken(format!("{place} lies in memory; name a directory on a disk with --dir")));
    }
    let mut results = Results { machine, load: machine::load(), sizes, quick: asked.quick, rows: Vec::new() };
    println!("{}{}", results.machine, if asked.quick { "; small sizes, the figures mean nothing" } else { "" });
    if let Some(warning) = results.warning() {
        println!("{warning}");
    }
    println!();
    let mut good = true;
    for row in &asked.rows {
        let findings = match (row.run)(&bench) {
            Ok(findings) => findings,
            Err(failure) => {
                good = false;
                figure::Findings { notes: vec![format!("FAILED: {failure}")], ..figure::Findings::default() }
            }
        };
        good &= findings.checks.iter().all(|check| check.verdict != Verdict::Miss);
        let line = Line { name: row.name.into(), work: row.work.into(), findings };
        println!("{line}");
        results.rows.push(line);
    }
    if let Some(out) = &asked.out {
        results.write(out)?;
        println!("written to {}", out.display());
    }
    // Empty unless another run goes on in it.
    let _ = std::fs::remove_dir(&asked.dir);
    Ok(good)
}
