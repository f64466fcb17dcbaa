use proptest::prelude::*;

use super::*;

const TEXT: &str = "preset=boundary&limit=100&window=10s&burst=50&demand=200&hold=1500ms&seed=7";

/// Any valid setting with at most `most` units per window.
pub(in super::super) fn settings(most: u64) -> impl Strategy<Value = Setting> {
    let numbers = (1..=most, 1000..=60_000_u64, 1..=most, MIN_DEMAND..=MAX_DEMAND);
    (prop::sample::select(Preset::ALL.to_vec()), numbers, 1..=60_000_u64, any::<u32>()).prop_map(
        |(preset, (limit, window, burst, demand), hold, seed)| {
            let (window, hold) = (Millis::new(window), Millis::new(hold.min(window)));
            Setting { preset, limit, window, burst, demand, hold, seed, windows: WINDOWS }
        },
    )
}

fn problem(text: &str) -> String {
    text.parse::<Setting>().unwrap_err().to_string()
}

proptest! {
    #[test]
    fn a_printed_setting_parses_back_to_itself(setting in settings(MAX_REQUESTS / 100)) {
        prop_assert_eq!(setting.to_string().parse(), Ok(setting));
    }

    #[test]
    fn any_text_is_a_setting_or_an_error(text in "(preset|limit|window|[a-z=&0-9%]){0,9}") {
        if let Ok(setting) = text.parse::<Setting>() {
            prop_assert!(setting.requests() <= MAX_REQUESTS);
        }
    }

    #[test]
    fn a_live_setting_is_small_whatever_the_setting(setting in settings(MAX_LIMIT)) {
        let live = setting.scaled_to_live();
        prop_assert!(live.checked().is_ok());
        prop_assert!(live.requests() <= LIVE_WINDOWS * MAX_LIVE_LIMIT * MAX_LIVE_DEMAND / 100);
    }
}

#[test]
fn fields_may_have_any_order() {
    let mut fields: Vec<&str> = TEXT.split('&').collect();
    fields.reverse();
    assert_eq!(fields.join("&").parse::<Setting>().unwrap().to_string(), TEXT);
}

#[test]
fn invalid_settings_name_field_and_problem() {
    for (from, to, expected) in [
        ("&seed=7", "", "seed: is missing"),
        ("&seed=7", "&seed=7&seed=7", "seed: is given twice"),
        ("seed=7", "sed=7", "sed: unknown (fields: preset, limit, window, burst, demand, hold, seed)"),
        ("&seed=7", "&seed=7&", ": unknown (fields: preset, limit, window, burst, demand, hold, seed)"),
        (
            "boundary",
            "Boundary",
            "preset: expected steady, bursty, boundary, herd, patient, impatient, found \"Boundary\"",
        ),
        ("limit=100", "limit=0", "limit: expected 1 to 100000, found 0"),
        ("limit=100", "limit=+100", "limit: expected a whole number, found \"+100\""),
        ("limit=100", "limit=0100", "limit: expected a whole number, found \"0100\""),
        ("limit=100", "limit", "limit: expected a whole number, found \"\""),
        ("burst=50", "burst=100001", "burst: expected 1 to 100000, found 100001"),
        ("window=10s", "window=999ms", "window: expected 1s to 1h, found 999ms"),
        ("window=10s", "window=10", "window: expected a duration like \"10s\" (units: ms, s, m, h, d), found \"10\""),
        ("demand=200", "demand=9", "demand: expected 10 to 1000, found 9"),
        ("hold=1500ms", "hold=11s", "hold: expected 1ms to 10s, found 11s"),
        ("hold=1500ms", "hold=0s", "hold: expected 1ms to 10s, found 0ms"),
        ("seed=7", "seed=4294967296", "seed: expected 0 to 4294967295, found 4294967296"),
        ("limit=100", "limit=100000&demand=201", "demand: is given twice"),
        (
            "limit=100&window=10s&burst=50&demand=200",
            "limit=100000&window=10s&burst=50&demand=201",
            "demand: 201 % of 100000 in 10 windows are 2010000 requests, more than 2000000 (lower the demand or the limit)",
        ),
    ] {
        assert_eq!(problem(&TEXT.replace(from, to)), expected, "{to}");
    }
    assert_eq!(problem(""), ": unknown (fields: preset, limit, window, burst, demand, hold, seed)");
}

#[test]
fn places_use_up_the_limit_and_no_more() {
    let setting: Setting = TEXT.parse().unwrap();
    assert_eq!(setting.places(), 15, "100 requests of 1.5 s in 10 s");
    assert_eq!(Setting { hold: Millis::new(1), ..setting }.places(), 1);
}
