//! temporary
use super::{work::Work};
use crate::{domain::{scope::Scope,event::Event,alert::Alert},error::Result,query::Query,store::{Found,Total}};
impl Work {
    pub(super) fn find_events(&self, _s:&Scope,_q:&Query)->Result<Found<Event>>{ Ok(Found{rows:vec![],total:Total::Unknown,next_cursor:None}) }
    pub(super) fn find_alerts(&self, _s:&Scope,_q:&Query)->Result<Found<Alert>>{ Ok(Found{rows:vec![],total:Total::Unknown,next_cursor:None}) }
}
