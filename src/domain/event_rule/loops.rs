//! Rules that would send an event round in circles, found before they are saved.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{domain::project::Project, id::Id};

/// Where the rules of each project send events.
pub type Moves = BTreeMap<Id<Project>, BTreeSet<Id<Project>>>;

/// The shortest way from `to` back to `from`, both included, once rules of `from` send events to `to`; `None` where there
/// is none, so that the new rule closes no circle.
pub fn way_back(moves: &Moves, from: &Id<Project>, to: &Id<Project>) -> Option<Vec<Id<Project>>> {
    let mut came: BTreeMap<&Id<Project>, Option<&Id<Project>>> = BTreeMap::from([(to, None)]);
    let mut waiting = VecDeque::from([to]);
    while let Some(at) = waiting.pop_front() {
        if at == from {
            let mut way = vec![at.clone()];
            let mut step = at;
            while let Some(Some(before)) = came.get(step) {
                way.push((*before).clone());
                step = before;
            }
            way.reverse();
            return Some(way);
        }
        for next in moves.get(at).into_iter().flatten() {
            if !came.contains_key(next) {
                came.insert(next, Some(at));
                waiting.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(pairs: &[(&str, &str)]) -> Moves {
        let mut moves = Moves::new();
        for (from, to) in pairs {
            moves.entry((*from).into()).or_default().insert((*to).into());
        }
        moves
    }

    #[test]
    fn the_way_back_is_told_by_its_steps() {
        let known = moves(&[("b", "c"), ("c", "d"), ("b", "d"), ("d", "a"), ("c", "c")]);
        let way = way_back(&known, &"a".into(), &"b".into()).unwrap();
        assert_eq!(way, ["b", "d", "a"].map(Id::from));
        assert_eq!(way_back(&known, &"a".into(), &"a".into()).unwrap(), ["a"].map(Id::from));
        assert_eq!(way_back(&known, &"x".into(), &"b".into()), None);
    }
}
