//! Figures as people read them: the table of scenarios, and the budgets with what was reached.

use super::{
    machine::median,
    rounds::{Scenario, Shown, Stand},
};

/// One budget, and what was reached.
pub(crate) struct Row {
    /// Its number in the list of budgets.
    number: u8,
    /// What is measured.
    what: String,
    /// What was measured.
    measured: f64,
    /// What it should be.
    budget: Budget,
    /// What it is counted in.
    unit: &'static str,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    /// So much or more.
    AtLeast(f64),
    /// So much or less.
    AtMost(f64),
}

impl Row {
    /// A budget, and what was reached.
    pub(crate) fn new(
        number: u8,
        what: String,
        measured: f64,
        budget: Budget,
        unit: &'static str,
    ) -> Self {
        Self { number, what, measured, budget, unit }
    }

    /// Its place among the rows.
    pub(crate) fn number(&self) -> u8 {
        self.number
    }

    /// The row as a line of a table.
    pub(crate) fn line(&self) -> String {
        let (sign, limit, is_met) = match self.budget {
            Budget::AtLeast(limit) => (">=", limit, self.measured >= limit),
            Budget::AtMost(limit) => ("<=", limit, self.measured <= limit),
        };
        let verdict = if is_met { "met" } else { "MISSED" };
        let Self { number, what, measured, unit, .. } = self;
        format!("{number:>3}  {what:<66} {measured:>8.2}  {sign} {limit:<7.2} {unit:<5} {verdict}")
    }
}

/// The head of the table of scenarios.
pub(crate) const HEAD: &str = "where          alerts  keys      hooks  conns    req/s  /no-op  events/s   p50 us   p99 us  cpu us/req  cpu us/event  send us  batch  KB/event  fsync us";

/// A scenario as a line of a table; `beside` is the no-op of the same body.
pub(crate) fn line(
    stands: &[Stand],
    scenario: Scenario,
    shown: &[Shown],
    beside: Option<&[Shown]>,
) -> String {
    let Scenario { stand, alerts, keys, webhooks, connections } = scenario;
    let middle = |field: fn(&Shown) -> f64| median(&shown.iter().map(field).collect::<Vec<_>>());
    let (rate, cpu) = (middle(|shown| shown.rate), middle(|shown| shown.cpu));
    let keys = if webhooks == 0 { "no-op".to_owned() } else { keys.as_str().to_owned() };
    let ratio = beside.map_or("-".to_owned(), |beside| {
        format!("{:.2}", ratio(shown, beside, |shown| shown.rate))
    });
    let per_event = alerts as f64;
    format!(
        "{:<14} {alerts:>6}  {keys:<8} {webhooks:>6} {connections:>6} {rate:>8.0} {ratio:>7} {:>9.0} {:>8.0} {:>8.0} {cpu:>11.1} {:>13.2} {:>8.1} {:>6.1} {:>9.2} {:>9.0}",
        stands[stand].name,
        rate * per_event,
        middle(|shown| shown.p50),
        middle(|shown| shown.p99),
        cpu / per_event,
        middle(|shown| shown.sending),
        middle(|shown| shown.batch),
        mean(shown) / 1024.0,
        middle(|shown| shown.sync),
    )
}

/// Bytes per event over all rounds, since what one round logs another may fold into the file.
pub(crate) fn mean(shown: &[Shown]) -> f64 {
    let weight: f64 = shown.iter().map(|shown| shown.rate).sum();
    shown.iter().map(|shown| shown.written * shown.rate).sum::<f64>() / weight
}

/// The median over the rounds of how one figure stands to another of the same round.
pub(crate) fn ratio(above: &[Shown], below: &[Shown], field: fn(&Shown) -> f64) -> f64 {
    let ratios: Vec<f64> = above.iter().zip(below).map(|(a, b)| field(a) / field(b)).collect();
    median(&ratios)
}
