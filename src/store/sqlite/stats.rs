//! Statistics: from tallies where counts of rows that agree are enough, else from the rows.

use std::ops::ControlFlow;

use serde_json::Value;

use super::{
    sql,
    tally::{Asked, By, Kind, Level},
    work::Work,
};
use crate::{
    clock::{from_millis, rfc3339},
    domain::scope::Scope,
    error::Result,
    query::{Coarse, Flow, Grain, Running, Stat},
    store::Scan,
};

impl Work {
    /// The rows of a statistic.
    pub(super) fn stat(&self, kind: Kind, scope: &Scope, stat: &Stat) -> Result<Vec<Value>> {
        let mut running = stat.start();
        let asked = Asked { kind, scope, filter: &stat.filter };
        let coarse = stat.coarse();
        if let Some(coarse) = coarse
            && self.stat_of_tallies(&asked, (stat, coarse), &mut running)?
        {
            return running.finish();
        }
        let table = match kind {
            Kind::Event => &sql::EVENTS,
            Kind::Alert => &sql::ALERTS,
        };
        let fields = stat.fields();
        let scan = Scan { filter: &stat.filter, fields: &fields, sort: &[] };
        self.visit(table, scope, &scan, &mut |record| Ok(goes_on(running.take(record, 1)?)))?;
        running.finish()
    }

    /// Gives the statistic what tallies say; whether they can.
    fn stat_of_tallies(
        &self,
        asked: &Asked<'_>,
        (stat, coarse): (&Stat, Coarse),
        running: &mut Running,
    ) -> Result<bool> {
        let step = coarse.time.map(|grain| match grain {
            Grain::Quarter => Level::Quarter,
            Grain::Hour => Level::Hour,
            Grain::Day => Level::Day,
        });
        let fields = stat.fields().into_iter();
        let fields: Vec<_> = fields.filter(|it| step.is_none() || *it != "created_at").collect();
        self.tallied(asked, By { fields: &fields, step }, &mut |sum| {
            self.goes_on()?;
            let mut record = sum.fields.clone();
            if let Some(begins) = sum.begins {
                let begins = rfc3339(from_millis(begins));
                record.insert("created_at".to_owned(), Value::from(begins));
            }
            Ok(goes_on(running.take(Value::Object(record), sum.rows)?))
        })
    }
}

fn goes_on(flow: Flow) -> ControlFlow<()> {
    match flow {
        Flow::More => ControlFlow::Continue(()),
        Flow::Enough => ControlFlow::Break(()),
    }
}
