//! Who is on call, held against dates and clocks that were reckoned by hand.

use chrono::DateTime;

use super::*;

fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn schedule(zone: &str, handoff: &str, turn_days: u32) -> OnCall {
    OnCall {
        on_call_id: "oncall-1".into(),
        name: "primary".to_owned(),
        place: Place::Workspace("d".into(), "w".into()),
        time_zone: zone.parse().unwrap(),
        rotation: Rotation {
            users: ["amy", "bob", "cai"].map(str::to_owned).to_vec(),
            // A Monday.
            starts_on: NaiveDate::from_ymd_opt(2026, 1, 5).unwrap(),
            handoff: handoff.parse().unwrap(),
            turn_days,
        },
        overrides: Vec::new(),
        tags: BTreeMap::new(),
        created_at: at("2026-01-01T00:00:00Z"),
    }
}

fn who<'a>(schedule: &'a OnCall, time: &str) -> &'a str {
    schedule.at(at(time)).map_or("-", |duty| duty.user_id)
}

fn stand_in(user: &str, from: &str, until: &str) -> Override {
    Override {
        user_id: user.to_owned(),
        from: at(from),
        until: at(until),
        reason: "holiday".to_owned(),
    }
}

#[test]
fn turns_change_on_the_hour_of_their_zone() {
    let seoul = schedule("Asia/Seoul", "09:00:00", 7);
    // 09:00 in Seoul is midnight in UTC.
    for (time, user) in [
        ("2026-01-04T23:59:59.999Z", "-"),
        ("2026-01-05T00:00:00Z", "amy"),
        ("2026-01-11T23:59:59.999Z", "amy"),
        ("2026-01-12T00:00:00Z", "bob"),
        ("2026-01-19T00:00:00Z", "cai"),
        ("2026-01-26T00:00:00Z", "amy"),
        ("2027-01-04T00:00:00Z", "bob"),
    ] {
        assert_eq!(who(&seoul, time), user, "{time}");
    }
}

#[test]
fn turns_keep_their_hour_when_clocks_move() {
    let berlin = schedule("Europe/Berlin", "09:00:00", 7);
    // Winter: 08:00 UTC; from the 29th of March on, summer: 07:00 UTC.
    for (time, user) in [
        ("2026-03-23T07:59:59Z", "bob"),
        ("2026-03-23T08:00:00Z", "cai"),
        ("2026-03-30T06:59:59Z", "cai"),
        ("2026-03-30T07:00:00Z", "amy"),
        ("2026-10-26T07:59:59Z", "cai"),
        ("2026-10-26T08:00:00Z", "amy"),
    ] {
        assert_eq!(who(&berlin, time), user, "{time}");
    }
}

#[test]
fn an_hour_that_a_zone_leaves_out_or_has_twice_changes_turns_once() {
    // In New York 02:30 is missing on the 8th of March, and 01:30 comes twice on the 1st of November.
    let mut daily = schedule("America/New_York", "02:30:00", 1);
    let before = who(&daily, "2026-03-08T07:29:59Z").to_owned();
    let after = who(&daily, "2026-03-08T07:30:00Z").to_owned();
    assert_ne!(before, after);
    assert_eq!(who(&daily, "2026-03-09T06:29:59Z"), after);
    daily.rotation.handoff = "01:30:00".parse().unwrap();
    let before = who(&daily, "2026-11-01T05:29:59Z").to_owned();
    let after = who(&daily, "2026-11-01T05:30:00Z").to_owned();
    assert_ne!(before, after);
    assert_eq!(who(&daily, "2026-11-01T06:45:00Z"), after);
}

#[test]
fn someone_is_on_call_at_each_instant_once_it_began() {
    for zone in ["Asia/Seoul", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"] {
        let daily = schedule(zone, "02:10:00", 1);
        let mut time = at("2026-01-07T00:00:00Z");
        let mut changes = 0;
        let mut before = daily.at(time).unwrap().user_id.to_owned();
        for _ in 0..(365 * 48) {
            time += TimeDelta::minutes(30);
            let now = daily.at(time).unwrap().user_id.to_owned();
            changes += u32::from(now != before);
            before = now;
        }
        assert_eq!(changes, 365, "{zone}");
    }
}

#[test]
fn an_override_wins_for_its_time_and_a_later_one_wins_over_it() {
    let mut primary = schedule("UTC", "09:00:00", 7);
    primary.overrides = vec![
        stand_in("dee", "2026-01-06T00:00:00Z", "2026-01-08T00:00:00Z"),
        stand_in("eve", "2026-01-07T00:00:00Z", "2026-01-07T12:00:00Z"),
    ];
    for (time, user) in [
        ("2026-01-05T23:59:59Z", "amy"),
        ("2026-01-06T00:00:00Z", "dee"),
        ("2026-01-07T00:00:00Z", "eve"),
        ("2026-01-07T12:00:00Z", "dee"),
        ("2026-01-08T00:00:00Z", "amy"),
    ] {
        assert_eq!(who(&primary, time), user, "{time}");
    }
}

#[test]
fn shifts_follow_each_other_without_a_gap() {
    let mut primary = schedule("UTC", "09:00:00", 7);
    primary.overrides = vec![stand_in("dee", "2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z")];
    let until = at("2026-01-19T09:00:00Z");
    let shifts = primary.shifts(at("2026-01-05T00:00:00Z"), until, 100);
    let users: Vec<&str> = shifts.iter().map(|it| it.user_id.as_deref().unwrap_or("-")).collect();
    assert_eq!(users, ["-", "amy", "dee", "amy", "bob"]);
    assert!(shifts.windows(2).all(|pair| pair[0].until == pair[1].from));
    assert_eq!(shifts.last().unwrap().until, until);
    assert_eq!(primary.shifts(at("2026-01-05T00:00:00Z"), until, 2).len(), 2);
}

#[test]
fn whoever_is_on_call_is_reached_by_their_own_methods() {
    let contact = |user: &str, channel: &str, urgency| Contact {
        contact_id: "contact-1".into(),
        user_id: user.to_owned(),
        channel_id: channel.into(),
        urgency,
        place: Place::Workspace("d".into(), "w".into()),
        created_at: at("2026-01-01T00:00:00Z"),
    };
    let amys = vec![
        contact("amy", "mail", NotificationUrgency::All),
        contact("amy", "phone", NotificationUrgency::HighOnly),
    ];
    let primary = Arc::new(schedule("UTC", "09:00:00", 7));
    let people = People {
        contacts: BTreeMap::from([("amy".to_owned(), amys)]),
        on_calls: BTreeMap::from([("oncall-1".into(), primary)]),
    };
    let target = Target::OnCall("oncall-1".into());
    let turn_of_amy = at("2026-01-05T10:00:00Z");
    let high = people.reached(&target, Urgency::High, turn_of_amy);
    assert_eq!(high.channels, ["mail".into(), "phone".into()]);
    assert_eq!(high.why, "a contact method of user `amy`: their turn in `primary`");
    let low = people.reached(&target, Urgency::Low, turn_of_amy);
    assert_eq!(low.channels, ["mail".into()]);
    let bob = people.reached(&target, Urgency::High, at("2026-01-12T10:00:00Z"));
    assert_eq!((bob.user_id.as_deref(), bob.channels.len()), (Some("bob"), 0));
    assert_eq!(bob.why, "user `bob` (their turn in `primary`) has no contact method");
    let early = people.reached(&target, Urgency::High, at("2026-01-01T00:00:00Z"));
    assert_eq!(early.why, "nobody is on call in `primary` at this time");
}

#[test]
fn who_was_given_an_alert_is_told_for_that() {
    let reached = People::default().assignee("amy", Urgency::High);
    assert_eq!(reached.why, "user `amy` (the alert was assigned to them) has no contact method");
}
