//! How long answers take as the store grows, and what taking in costs meanwhile.
//!
//! `cargo bench --bench asking -- [--events 10000,1000000,10000000] [--dir DIR] [--quick]` builds the stores itself and
//! keeps them in DIR, so that another run asks the same ones. Read the ratios: absolute figures are the machine's.
#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![expect(clippy::cast_precision_loss, reason = "no figure here has more digits than a float")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

mod counts;
mod house;
#[expect(dead_code, reason = "the other benches need more of it")]
#[path = "../ingest/machine.rs"]
mod machine;
mod questions;

use std::{io, path::PathBuf};

use alertmill::{clock::Stopwatch, error::Error};

use self::{
    counts::counts,
    house::House,
    machine::usage,
    questions::{Took, an_alert, questions},
};

/// What the command line asks for.
struct Effort {
    events: Vec<u64>,
    directory: PathBuf,
    times: usize,
    /// How many events are taken in to measure what that costs.
    taken_in: u64,
}

fn effort() -> Effort {
    let mut effort = Effort {
        events: vec![10_000, 1_000_000, 10_000_000],
        directory: PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
        times: 300,
        taken_in: 100_000,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--events" => {
                let list = arguments.next().unwrap_or_default();
                effort.events = list.split(',').filter_map(|part| part.parse().ok()).collect();
            }
            "--dir" => effort.directory = arguments.next().unwrap_or_default().into(),
            "--quick" => (effort.times, effort.taken_in) = (50, 20_000),
            _ => {}
        }
    }
    effort
}

fn main() -> io::Result<()> {
    let effort = effort();
    std::fs::create_dir_all(&effort.directory)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&effort)).map_err(io::Error::other)
}

async fn run(effort: &Effort) -> Result<(), Error> {
    let mut columns: Vec<Vec<(String, Took)>> = Vec::new();
    for events in &effort.events {
        let house = House::open(&effort.directory, *events).await.map_err(Error::internal)?;
        let alert = an_alert(&house).await?;
        let mut column = Vec::new();
        for question in questions(&alert).into_iter().chain(counts()) {
            let took = question.measure(&house, effort.times).await?;
            println!(
                "{events:>9}  {:<45} {:>9.3} ms  p99 {:>9.3} ms  {} rows",
                question.name, took.median, took.p99, took.rows
            );
            column.push((question.name, took));
        }
        columns.push(column);
        if Some(events) == effort.events.last() {
            explain(&house, &alert).await?;
        }
        house.store.close();
    }
    table(&effort.events, &columns);
    for events in &effort.events {
        taking_in(effort, *events).await?;
    }
    Ok(())
}

/// How each question is answered, and from which index.
async fn explain(house: &House, alert: &str) -> Result<(), Error> {
    println!();
    for question in questions(alert).into_iter().chain(counts()) {
        let told = question.explained(house).await?;
        println!("{}: {}", question.name, told.steps.join("; "));
        told.plan.iter().for_each(|line| println!("    {line}"));
    }
    Ok(())
}

fn table(sizes: &[u64], columns: &[Vec<(String, Took)>]) {
    print!("\n{:<45}", "median / p99 in ms");
    for size in sizes {
        print!("{size:>22}");
    }
    println!("   last / first");
    for line in 0..columns.first().map_or(0, Vec::len) {
        print!("{:<45}", columns[0][line].0);
        for column in columns {
            let took = column[line].1;
            print!("  {:>9.3} /{:>9.3}", took.median, took.p99);
        }
        let (first, last) = (columns[0][line].1, columns[columns.len() - 1][line].1);
        let rows = if first.rows == last.rows {
            String::new()
        } else {
            format!("  ({} / {} rows)", first.rows, last.rows)
        };
        println!("   {:>6.2}{rows}", last.median / first.median);
    }
}

/// What taking in costs in a copy of a store, and how long a page takes meanwhile.
async fn taking_in(effort: &Effort, events: u64) -> Result<(), Error> {
    let directory = tempfile::tempdir_in(&effort.directory).map_err(Error::internal)?;
    let name = format!("asking-{events}.db");
    for name in [name.clone(), format!("asking-{events}.ready")] {
        std::fs::copy(effort.directory.join(&name), directory.path().join(&name))
            .map_err(Error::internal)?;
    }
    let house = House::open(directory.path(), events).await.map_err(Error::internal)?;
    house.take_in(events, effort.taken_in / 5).await?;
    let own = std::process::id();
    let (before, watch) = (usage(own).map_err(Error::internal)?, Stopwatch::start());
    house.take_in(events + effort.taken_in, effort.taken_in).await?;
    let (took, after) = (watch.elapsed(), usage(own).map_err(Error::internal)?);
    let count = effort.taken_in as f64;
    println!(
        "{events:>9} events there: takes in {:>7.0} events/s, {:.1} us of CPU and {:.1} KB written an event",
        count / took.as_secs_f64(),
        (after.cpu - before.cpu) * 1e6 / count,
        (after.written - before.written) as f64 / 1024.0 / count
    );
    let asked = &questions("none")[4];
    let (page, taken) = tokio::join!(
        asked.measure(&house, 100_000),
        house.take_in(events + 2 * effort.taken_in, effort.taken_in)
    );
    taken?;
    let page = page?;
    println!("{:>9} meanwhile a page takes {:.3} ms, p99 {:.3} ms", "", page.median, page.p99);
    house.store.close();
    Ok(())
}
