//! Which alert an event belongs to, told as stories.

use serde_json::json;

use crate::{
    harness::House,
    story::{alert, firing, recovery, shown, story},
};

#[actix_web::test]
async fn repeats_join_and_recovery_resolves() {
    story()
        .at("00:00")
        .post(firing("k"))
        .became(&[("opened", "new_key")])
        .expect(alert("k").triggered().events(1).number(1))
        .at("00:05")
        .post(firing("k"))
        .became(&[("joined", "same_key")])
        .expect(alert("k").triggered().events(2))
        .at("00:09")
        .post(recovery("k"))
        .became(&[("resolved", "recovers")])
        .expect(alert("k").of(1).resolved().events(3).because("recovery event-"))
        .tell()
        .await;
}

#[actix_web::test]
async fn fire_eleven_minutes_recover_ends_resolved() {
    story()
        .at("00:00")
        .post(firing("k").occurred("00:00"))
        .at("00:11")
        .post(recovery("k").occurred("00:11"))
        .expect(alert("k").of(1).resolved().events(2).with("resolved_at", shown("00:11")))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_repeat_joins_whatever_its_age() {
    story()
        .at("00:00")
        .post(firing("k"))
        .at("23:59")
        .post(firing("k"))
        .expect(alert("k").of(1).triggered().events(2))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_refire_opens_a_new_alert() {
    story()
        .post(firing("k").occurred("00:00"))
        .at("00:02")
        .post(recovery("k").occurred("00:02"))
        .at("00:03")
        .post(firing("k").occurred("00:03"))
        .became(&[("opened", "opens_again")])
        .expect(alert("k").of(2).triggered().events(1).number(2))
        .tell()
        .await;
}

#[actix_web::test]
async fn what_occurred_when_it_recovered_opens_again() {
    story()
        .post(firing("k").occurred("00:00"))
        .at("00:02")
        .post(recovery("k").occurred("00:02"))
        .post(firing("k").occurred("00:02"))
        .became(&[("opened", "opens_again")])
        .post(recovery("k").occurred("00:02"))
        .post(firing("k"))
        .became(&[("opened", "opens_again")])
        .expect(alert("k").of(3).triggered())
        .tell()
        .await;
}

#[actix_web::test]
async fn a_late_event_does_not_reopen() {
    story()
        .at("00:05")
        .post(firing("k").occurred("00:00"))
        .at("00:06")
        .post(recovery("k").occurred("00:04"))
        .at("00:07")
        .post(firing("k").occurred("00:03"))
        .became(&[("kept", "late")])
        .expect(alert("k").of(1).resolved().events(2))
        .stored("k", 3)
        .tell()
        .await;
}

#[actix_web::test]
async fn after_a_resolve_by_hand_an_old_repeat_opens() {
    story()
        .at("00:00")
        .post(firing("k").occurred("00:00"))
        .at("00:01")
        .by_hand("k", "RESOLVED")
        .expect(alert("k").resolved().because("resolved by token:"))
        .at("00:02")
        .post(firing("k").occurred("00:00"))
        .became(&[("opened", "opens_again")])
        .expect(alert("k").of(2).triggered())
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_that_overtakes_its_firing_ends_it_at_once() {
    story()
        .at("00:10")
        .post(recovery("k").occurred("00:05"))
        .became(&[("kept", "nothing_to_recover")])
        .expect(alert("k").of(0))
        .at("00:20")
        .post(firing("k").occurred("00:04"))
        .became(&[("opened", "already_recovered")])
        .expect(alert("k").of(1).resolved().events(2).because("had arrived before its firing"))
        .stored("k", 2)
        .tell()
        .await;
}

#[actix_web::test]
async fn of_two_recoveries_that_overtook_the_later_one_ends_the_firing() {
    story()
        .at("00:10")
        .post(recovery("k").occurred("00:07"))
        .post(recovery("k").occurred("00:03"))
        .at("00:11")
        .post(firing("k").occurred("00:06"))
        .became(&[("opened", "already_recovered")])
        .expect(alert("k").of(1).resolved())
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_that_came_too_early_ends_nothing() {
    story()
        .at("00:10")
        .post(recovery("k").occurred("00:05"))
        .at("00:21")
        .post(firing("k").occurred("00:04"))
        .became(&[("opened", "new_key")])
        .expect(alert("k").of(1).triggered().events(1))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_does_not_end_what_fired_after_it() {
    story()
        .at("00:10")
        .post(recovery("k").occurred("00:05"))
        .post(firing("k").occurred("00:06"))
        .became(&[("opened", "new_key")])
        .expect(alert("k").triggered())
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_that_matches_nothing_is_stored_with_its_reason() {
    story()
        .post(recovery("k"))
        .became(&[("kept", "nothing_to_recover")])
        .stored("k", 1)
        .expect(alert("k").of(0))
        .tell()
        .await;
}

#[actix_web::test]
async fn severity_and_urgency_only_rise() {
    story()
        .post(firing("k").severity("INFO"))
        .expect(alert("k").with("severity", "INFO").with("urgency", "LOW"))
        .post(firing("k").severity("CRITICAL"))
        .became(&[("joined", "worse")])
        .expect(alert("k").with("severity", "CRITICAL").with("urgency", "HIGH"))
        .post(firing("k").severity("WARNING"))
        .became(&[("joined", "same_key")])
        .expect(alert("k").with("severity", "CRITICAL").with("urgency", "HIGH"))
        .post(recovery("k").severity("NONE"))
        .expect(alert("k").resolved().with("severity", "CRITICAL").with("urgency", "HIGH"))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_recovery_only_joins_where_people_resolve() {
    story()
        .manual()
        .post(firing("k"))
        .post(recovery("k").description("it works"))
        .became(&[("joined", "manual_recovery")])
        .expect(alert("k").of(1).triggered().events(2).with("description", "it works"))
        .by_hand("k", "RESOLVED")
        .expect(alert("k").of(1).resolved())
        .tell()
        .await;
}

#[actix_web::test]
async fn an_acknowledged_alert_takes_repeats_and_is_resolved_by_recovery() {
    story()
        .post(firing("k"))
        .by_hand("k", "ACKNOWLEDGED")
        .post(firing("k"))
        .expect(alert("k").acknowledged().events(2))
        .post(recovery("k"))
        .expect(alert("k").of(1).resolved().events(3))
        .tell()
        .await;
}

#[actix_web::test]
async fn the_description_is_the_newest_that_there_is() {
    story()
        .post(firing("k").description("91 %"))
        .post(firing("k").description("95 %"))
        .expect(alert("k").with("description", "95 %"))
        .post(firing("k"))
        .expect(alert("k").with("description", "95 %"))
        .post(recovery("k").description("50 %"))
        .expect(alert("k").with("description", "50 %").with("title", "Disk full"))
        .tell()
        .await;
}

#[actix_web::test]
async fn first_and_last_are_when_events_arrived() {
    story()
        .at("00:01")
        .post(firing("k").occurred("00:00"))
        .at("00:03")
        .post(firing("k").occurred("00:00"))
        .expect(
            alert("k").with("first_event_at", shown("00:01")).with("last_event_at", shown("00:03")),
        )
        .expect(alert("k").with("created_at", shown("00:01")).with("updated_at", shown("00:03")))
        .tell()
        .await;
}

#[actix_web::test]
async fn the_events_of_one_delivery_are_taken_in_order() {
    story()
        .batch([firing("a"), firing("b"), recovery("a"), firing("a").description("again")])
        .became(&[
            ("opened", "new_key"),
            ("opened", "new_key"),
            ("resolved", "recovers"),
            ("opened", "opens_again"),
        ])
        .expect(alert("a").of(2).triggered().number(3).with("description", "again"))
        .expect(alert("b").of(1).triggered().number(2))
        .tell()
        .await;
}

#[actix_web::test]
async fn a_firing_and_its_recovery_in_one_delivery_end_resolved() {
    story()
        .batch([recovery("k").occurred("00:00"), firing("k").occurred("00:00")])
        .became(&[("kept", "nothing_to_recover"), ("opened", "already_recovered")])
        .expect(alert("k").of(1).resolved().events(2))
        .tell()
        .await;
}

#[actix_web::test]
async fn alert_numbers_have_no_gaps_even_where_something_was_refused() {
    let mut house = House::new().await;
    let hook = house.webhook("api-direct").await;
    for number in 1..=3_u64 {
        let key = format!("k{number}");
        let raised = json!({ "title": "", "project_id": "default" });
        let refused = house.post("/monitoring/v1/alert/create", raised).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        let nowhere = json!({ "title": "by hand", "project_id": "project-0" });
        assert_eq!(house.post("/monitoring/v1/alert/create", nowhere).await.status, 404);
        house.understood(&hook, &firing(&key).0).await;
        let replayed = hook.delivery(firing(&key).0.to_string().as_bytes(), &[]);
        assert_eq!(house.send(replayed).await.status, 200);
        house.reopen().await;
    }
    let raised = json!({ "title": "by hand", "project_id": "default" });
    house.done("/monitoring/v1/alert/create", raised).await;
    let numbers: Vec<_> = house.alerts(json!({})).await;
    let numbers: Vec<_> = numbers.iter().map(|alert| alert["alert_number"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4)]);
}

#[actix_web::test]
async fn a_resolved_alert_is_not_reopened_by_hand_beside_an_open_one() {
    let house = House::new().await;
    let hook = house.webhook("api-direct").await;
    house.understood(&hook, &json!([firing("k").0, recovery("k").0, firing("k").0])).await;
    let alerts = house.alerts(json!({ "event_key": "k" })).await;
    let reopen = json!({ "alert_id": alerts[0]["alert_id"], "state": "TRIGGERED" });
    let refused = house.post("/monitoring/v1/alert/update", reopen).await;
    assert_eq!((refused.status, refused.code()), (409, "ERROR_NOT_UNIQUE"));
    assert_eq!(house.alerts(json!({ "event_key": "k" })).await, alerts);
}
