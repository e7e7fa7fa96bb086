"""Which cameras see an alert, when their pictures are taken, who shares one, and what counts as a picture."""

import gzip
from typing import Any, cast

import pytest
from camera_making import JPEG, camera, picture

from firetower.alerts.cameras import taking
from firetower.alerts.cameras.picture import kind_of
from firetower.alerts.cameras.sight import MOST_ELSEWHERE, Place, Sight, cameras_of
from firetower.alerts.cameras.taking import AFTER, Asked, Moment, Rounds, Wish
from firetower.alerts.cameras.trouble import Trouble, Why
from firetower.alerts.model import Alert, Hold, State
from firetower.core.clock import MINUTE, SECOND
from firetower.core.errors import ConfigError
from firetower.devices.city import read_city
from firetower.devices.events import AlertClass

HERE = Place("u1", "a/f1/z1", 113.0, 22.0)
NOW = 1_763_800_000 * SECOND
FIRE_AND_PREALARM = frozenset({AlertClass.FIRE, AlertClass.PREALARM})


class Alarm:
    """What of an alert is looked at."""

    def __init__(self, **more: Any) -> None:
        fields = {"id": 1, "alert_class": AlertClass.FIRE, "state": State.UNACKNOWLEDGED, "hold": Hold.NONE}
        self.__dict__ |= fields | {"alarmed_at": NOW} | more


def alarm(**more: Any) -> Alert:
    return cast("Alert", Alarm(**more))


def test_cameras_come_by_how_near_to_the_place_they_look_and_a_neighbours_zone_is_no_sight_of_it() -> None:
    """A prefix that ends inside a code (f1 of f10) is another floor; outdoors 100 m is the end."""
    known = [
        camera("elsewhere", "b/f1/z1"), camera("same-floor", "a/f1/z2"), camera("like-it", "a/f1/z10"),
        camera("other-floor", "a/f10"), camera("out-far", unit=None, lon=113.001, lat=22.0),
        camera("out-near", unit=None, lon=113.0005, lat=22.0), camera("lobby", "b", "a"), camera("floor", "a/f1"),
        camera("stranger", "a/f1/z1", unit="u2"), camera("zone", "a/f1", "a/f1/z1"),
    ]  # fmt: skip
    seen = cameras_of(HERE, known)
    assert [(each.camera.code, each.sight) for each in seen if each.sees_it] == [
        ("zone", Sight.ZONE), ("floor", Sight.FLOOR), ("lobby", Sight.BUILDING), ("out-near", Sight.OUTDOOR),
    ]  # fmt: skip
    assert [each.camera.code for each in seen if not each.sees_it] == [
        "like-it",
        "same-floor",
        "other-floor",
        "elsewhere",
    ]
    crowd = [camera(f"c{n:03d}", f"b/f{n}") for n in range(40)]
    assert len(cameras_of(HERE, crowd)) == MOST_ELSEWHERE
    nowhere = cameras_of(Place("u1", None, None, None), known)
    assert not any(each.sees_it for each in nowhere)
    assert cameras_of(Place(None, None, None, None), known) == []


def test_an_alarm_is_pictured_once_and_again_when_it_is_said_again_but_never_without_end() -> None:
    raised = Rounds(1, NOW)

    def pictured(rounds: Rounds | None = None, now: int = NOW, **more: Any) -> bool:
        return taking.is_pictured(alarm(**more), FIRE_AND_PREALARM, rounds, now)

    assert pictured()
    assert not pictured(raised)
    assert pictured(raised, alarmed_at=NOW + MINUTE)
    assert not pictured(raised, alarmed_at=NOW + MINUTE - 1)
    assert not pictured(Rounds(taking.MOST_ROUNDS, NOW), alarmed_at=NOW + 9 * MINUTE)
    assert not pictured(now=NOW + 11 * MINUTE)  # of a desk that was away: it would not show how it began
    for more in ({"state": State.CLOSED}, {"hold": Hold.SUPPRESSED}, {"alert_class": AlertClass.FAULT}):
        assert not pictured(**more)


def test_two_hundred_points_of_one_room_want_two_pictures_of_its_camera() -> None:
    room = [camera("room", "a/f1/z1", number=7), camera("blind", "a/f1/z1", number=8, snapshot=None)]
    seen = cameras_of(HERE, [*room, camera("next", "a/f1/z2", number=9)])
    wanted: list[Wish] = []
    for number in range(200):
        wanted += taking.wishes(alarm(id=number), seen, NOW + number * SECOND // 50)
    found = taking.shared(wanted, [])
    assert {(wish.alert_id, wish.moment) for wish, _ in found} == {
        (n, m) for n in range(200) for m in ("raised", "after")
    }
    assert sorted({(picture.camera_id, picture.due) for _, picture in found}) == [(7, NOW), (7, NOW + AFTER)]


def test_a_picture_is_shared_within_five_seconds_and_of_its_own_camera_only() -> None:
    def wish(camera_id: int, due: int) -> Wish:
        return Wish(1, camera_id, Moment.RAISED, due, NOW)

    asked = [Asked(71, 7, NOW)]
    found = taking.shared([wish(7, NOW + 5 * SECOND - 1), wish(7, NOW + 5 * SECOND), wish(8, NOW)], asked)
    assert [picture.id for _, picture in found] == [71, None, None]
    many = [camera(f"c{n}", "a", number=n + 1) for n in range(20)]
    assert len(taking.wishes(alarm(), cameras_of(HERE, many), NOW)) == 2 * taking.MOST_CAMERAS


def test_a_camera_is_asked_three_times_but_never_again_where_that_could_lock_us_out() -> None:
    waits = [taking.next_try(tries, NOW, permanent=False) for tries in (1, 2, 3)]
    assert waits == [NOW + SECOND, NOW + 3 * SECOND, None]
    assert Trouble(Why.REFUSED, 401).permanent
    assert Trouble(Why.REDIRECT, 302).permanent
    assert not Trouble(Why.STATUS, 503).permanent
    for why in Why:
        for language in ("zh", "en"):
            assert Trouble(why, 503).words(language)  # type: ignore[arg-type]


def test_a_recorder_that_hangs_keeps_no_other_host_waiting() -> None:
    waiting = [(n, "dead") for n in range(50)] + [(100, "well"), (101, "fine")]
    assert taking.begun(waiting, {}, at_once=8, of_one=3) == [0, 1, 2, 100, 101]
    assert taking.begun(waiting, {0: "dead", 1: "dead", 2: "dead"}, at_once=4, of_one=3) == [100]


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (JPEG, "image/jpeg"),
        (picture("PNG"), "image/png"),
        (picture("WEBP"), "image/webp"),
        (b"<html>sign in</html>", None),
        (b"", None),
        (gzip.compress(JPEG), None),
        (b"GIF89a" + b"\0" * 40, None),
        (b"\xff\xd8\xff", None),
        (b"\xff\xd8\xff" + b"\xff" * 5000, None),
        (b"\xff\xd8\xff\xe0\x00\x00" * 2000, None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\x7f\xff\xff\xff" * 2 + b"\0" * 20, None),  # 2 thousand million wide
    ],
)
def test_a_picture_is_known_by_its_first_bytes_and_its_size(body: bytes, media: str | None) -> None:
    found = kind_of(body)
    assert (None if found is None else found.media) == media
    if found is not None:
        assert (found.width, found.height) == (32, 18)


def test_an_answer_of_nothing_but_padding_is_given_up_soon() -> None:
    """Looking through 4 MiB byte by byte would hold the event loop, and the alarms on it, for a second."""
    size = b"\xff\xc0\x00\x11\x08\x00\x12\x00\x20" + bytes(12)
    for padding, fits in ((b"\xff", 100), (b"\xff\xe0\x00\x02", 300)):
        found = kind_of(b"\xff\xd8\xff\xe0\x00\x02" + padding * fits + size)
        assert found is not None
        assert (found.width, found.height) == (32, 18)
        assert kind_of(b"\xff\xd8\xff\xe0\x00\x02" + padding * 5000 + size) is None


def test_classes_that_nobody_knows_are_refused_with_those_there_are() -> None:
    assert taking.classes_named("fire, prealarm") == FIRE_AND_PREALARM
    assert taking.classes_named("") == frozenset()
    with pytest.raises(ConfigError, match=r"'fires'.*prealarm"):
        taking.classes_named("fires")


def test_a_registry_file_says_of_each_wrong_camera_what_is_wrong() -> None:
    """No password may stand in the file, and no address that is none of the web."""
    good = {"code": "c1", "unit": "u1", "sees": ["a"], "link": "https://nvr/1"}
    wrong = [
        ({"link": "javascript:alert(1)"}, "https://host/path"), ({"snapshot": "file:///etc/passwd"}, "https://host/path"),
        ({"snapshot": "http://admin:pw@10.0.0.9/x"}, "camera_secrets"), ({"link": None}, "link, snapshot"),
        ({"sees": []}, "lon and lat"), ({"unit": None}, "unit"), ({"lon": 113.0}, "belong together"),
        ({"sees": ["a", "a"]}, "twice"), ({"sees": ["a/b/c/d"]}, "sees"),
    ]  # fmt: skip
    rows = [good] + [good | {"code": f"w{n}"} | change for n, (change, _) in enumerate(wrong)]
    city, errors = read_city({"format": "firetower-registry/1", "cameras": rows})
    assert [each.code for each in city.cameras] == ["c1"]
    assert [error.where for error in errors] == [f"/cameras/{n}" for n in range(1, len(rows))]
    for error, (_, told) in zip(errors, wrong, strict=True):
        assert told in error.message, error
