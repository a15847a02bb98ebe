"""A field that does not fit is named with its spec and what would do."""

from dataclasses import dataclass

import pytest

from recurrent_rl.memory.checks import require_between, require_divisor, require_one_of, require_whole


@dataclass(frozen=True)
class Spec:
    size: object = 6
    heads: object = 3
    share: object = 0.5
    kind: object = "one"


def check(spec: Spec) -> None:
    require_divisor(spec, "heads", "size")
    require_between(spec, "share", 0.0, 1.0)
    require_one_of(spec, "kind", ("one", "two"))
    require_whole(spec, "size", least=2)


def test_what_fits_passes():
    check(Spec())
    check(Spec(share=1, heads=6))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 0}, r"Spec\(size=0.*: size must be a whole number of at least 1, not 0"),
        ({"size": 1, "heads": 1}, "size must be a whole number of at least 2, not 1"),
        ({"size": 6.0}, "size must be a whole number"),
        ({"size": True}, "size must be a whole number"),
        ({"heads": 4}, "heads must divide size, 6, not 4"),
        ({"heads": "3"}, "heads must be a whole number"),
        ({"share": 1.5}, "share must be a number from 0.0 to 1.0, not 1.5"),
        ({"share": float("nan")}, "share must be a number"),
        ({"share": None}, "share must be a number"),
        ({"kind": "three"}, "kind must be one of 'one', 'two', not 'three'"),
    ],
)
def test_what_does_not_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        check(Spec(**fields))
