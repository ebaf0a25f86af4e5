#!/usr/bin/env python3
"""Writes recurrences.json: when windows in several time zones begin and end, by python-dateutil and zoneinfo.

dateutil follows a rule on the wall clock, zoneinfo knows the zones (dateutil's own zones err at the end of summer in
Dublin). `resolve_imaginary` moves what falls into a skipped hour, and `fold=0` is the first of two times that look the
same; both are what RFC 5545 says. Run once; what it wrote is committed:

    python3 tests/data/recurrences.py > tests/data/recurrences.json
"""

import json
import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil import rrule, tz

ZONES = [
    "America/New_York",  # forward in March, back in November, at 02:00
    "Europe/Berlin",
    "Europe/Dublin",  # summer is its standard time
    "Australia/Lord_Howe",  # by half an hour
    "America/Santiago",  # at midnight
    "Africa/Casablanca",  # back for Ramadan
    "Pacific/Apia",  # one whole day was skipped
    "Asia/Kolkata",  # never
]

# Around each of these the clock of some zone is changed.
STARTS = [
    "2011-12-24T10:30",
    "2021-03-10T02:30",
    "2021-10-27T01:30",
    "2022-03-20T22:00",
    "2022-09-05T00:15",
    "2023-03-01T23:45",
    "2024-02-29T02:00",
    "2024-04-01T01:45",
]

LENGTHS = [20, 30, 60, 90, 480, 600, 1440, 3000]

RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=DAILY;BYMONTH=3,10,11;BYHOUR=1,2,3;BYMINUTE=0,30",
    "FREQ=DAILY;COUNT=40",
    "FREQ=WEEKLY;BYDAY=SA,SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;WKST=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=MO",
    "FREQ=WEEKLY",
    "FREQ=MONTHLY;BYDAY=2SU",
    "FREQ=MONTHLY;BYDAY=-1SU",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYMONTHDAY=-1;INTERVAL=2",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=MONTHLY;BYDAY=TU;BYMONTHDAY=8,9,10,11,12,13,14",
    "FREQ=MONTHLY;INTERVAL=18;BYMONTHDAY=10,15",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYMONTH=3,11;BYDAY=SU",
    "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;BYHOUR=2",
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
    "FREQ=YEARLY;BYYEARDAY=1,100,-1",
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=1;BYDAY=SU;BYHOUR=8,9;BYMINUTE=30",
]


def random_rule(dice):
    freq = dice.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={freq}"]
    if dice.random() < 0.5:
        parts.append(f"INTERVAL={dice.randint(1, 5)}")
    days = dice.sample(["MO", "TU", "WE", "TH", "FR", "SA", "SU"], dice.randint(1, 3))
    if dice.random() < 0.4:
        parts.append("BYMONTH=" + ",".join(str(m) for m in sorted(dice.sample(range(1, 13), 6))))
    if freq in ("DAILY", "WEEKLY") and dice.random() < 0.7:
        parts.append("BYDAY=" + ",".join(days))
    elif freq == "MONTHLY":
        if dice.random() < 0.5:
            parts.append("BYDAY=" + ",".join(f"{dice.choice([1, 2, 3, -1, -2])}{d}" for d in days))
        else:
            parts.append("BYMONTHDAY=" + ",".join(str(d) for d in dice.sample(range(1, 32), 3)))
    elif freq == "YEARLY" and dice.random() < 0.5:
        parts.append("BYDAY=" + ",".join(days))
        if dice.random() < 0.5:
            parts.append("BYSETPOS=" + dice.choice(["1", "-1", "2", "1,3"]))
    if dice.random() < 0.4:
        parts.append("BYHOUR=" + ",".join(str(h) for h in sorted(dice.sample(range(24), 2))))
    if dice.random() < 0.2:
        parts.append(f"COUNT={dice.randint(1, 30)}")
    return ";".join(parts)


def instant(wall, zone):
    return tz.resolve_imaginary(wall.replace(tzinfo=zone)).astimezone(timezone.utc)


def text(time):
    return time.strftime("%Y-%m-%dT%H:%MZ")


def case(name, start, minutes, rule):
    zone = ZoneInfo(name)
    wall = datetime.fromisoformat(start)
    if not tz.datetime_exists(wall, zone):
        return None
    first = instant(wall, zone)
    length = timedelta(minutes=minutes)
    if instant(wall + length, zone) <= first or instant(wall + length, zone) - first != length:
        return None  # the first span itself is over a change: it is not given as a plain length
    found = rrule.rrulestr(rule, dtstart=wall)
    spans = set()
    horizon = wall + timedelta(days=365 * 9)
    for at in found:
        if at > horizon or len(spans) == 24:
            break
        begin, end = instant(at, zone), instant(at + length, zone)
        spans.add((begin, end if end > begin else begin + length))
    if not spans:
        return None
    return {
        "zone": name,
        "start": text(first),
        "end": text(first + length),
        "rrule": rule,
        "spans": [f"{text(a)}/{text(b)}" for a, b in sorted(spans)[:12]],
    }


def main():
    dice = random.Random(5545)
    cases = []
    for name in ZONES:
        for rule in RULES:
            cases.append(case(name, dice.choice(STARTS), dice.choice(LENGTHS), rule))
        for _ in range(30):
            cases.append(case(name, dice.choice(STARTS), dice.choice(LENGTHS), random_rule(dice)))
    lines = [json.dumps(case, separators=(",", ":")) for case in cases if case]
    print("[\n" + ",\n".join(lines) + "\n]")


main()
