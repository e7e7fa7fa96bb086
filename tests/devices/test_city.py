"""The registry file is read item by item: one bad row is one error and hides no other."""

from firetower.devices.city import FORMAT, read_city


def _file(**parts: object) -> dict[str, object]:
    return {"format": "firetower-registry/1", **parts}


def test_good_items_are_kept_beside_bad_ones_each_named_by_its_place_in_the_file() -> None:
    city, errors = read_city(
        _file(
            units=[{"code": "mall-01", "name": "万象城"}, {"code": "with space"}],
            devices=[
                {"unit": "mall-01", "device": "smk-1", "kind": "smoke"},
                {"unit": "mall-01", "device": "smk-2", "kind": "smok"},
                {"unit": "mall-01", "device": "smk-3", "kind": "smoke", "lon": 190},
                "not an object",
            ],
        )
    )
    assert [unit.code for unit in city.units] == ["mall-01"]
    assert [device.device for device in city.devices] == ["smk-1"]
    assert [error.where for error in errors] == ["/units/1", "/devices/1", "/devices/2", "/devices/3"]
    assert errors[1].item == "mall-01/smk-2"
    assert "hydrant" in errors[1].message, "the accepted kinds are named"
    assert "190" in errors[2].message


def test_a_code_that_stands_twice_is_an_error() -> None:
    _, errors = read_city(_file(units=[{"code": "a"}, {"code": "a"}]))
    assert [(error.where, error.item) for error in errors] == [("/units/1", "a")]


def test_the_same_device_code_in_two_units_is_two_devices() -> None:
    city, errors = read_city(
        _file(devices=[{"unit": unit, "device": "d", "kind": "smoke"} for unit in ("a", "b")]),
    )
    assert not errors
    assert len(city.devices) == 2


def test_a_misspelt_field_or_part_and_a_missing_format_are_errors() -> None:
    _, errors = read_city({"unit": [], "units": [{"code": "a", "adress": "x"}]})
    assert {error.where for error in errors} == {"/format", "/unit", "/units/0"}


def test_anything_that_is_no_object_is_one_error() -> None:
    for raw in ([], "text", None, 3):
        _, errors = read_city(raw)
        assert len(errors) == 1


def test_infinite_numbers_are_refused() -> None:
    _, errors = read_city(
        _file(devices=[{"unit": "a", "device": "d", "kind": "water_level", "attributes": {"level_low": float("inf")}}])
    )
    assert errors[0].where == "/devices/0"


def test_the_unit_of_firetowers_own_probes_cannot_be_registered() -> None:
    """Everything its devices sent would be refused, so it is refused while somebody is looking."""
    city, errors = read_city({"format": FORMAT, "units": [{"code": "_firetower"}, {"code": "mall"}]})
    assert [unit.code for unit in city.units] == ["mall"]
    assert "reserved" in errors[0].message
