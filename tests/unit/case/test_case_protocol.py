"""Protocol text: what is understood, what is refused and with which advice, and where the steps lead."""

from __future__ import annotations

import pytest

from solver.case.protocol import ProtocolStep, percent, plan_protocol
from solver.case.protocol_text import parse_entry, parse_protocol, parse_step


@pytest.mark.parametrize(
    ("text", "kind", "c_rate", "duration", "until_soc"),
    [
        ("Charge at 1C until 70 % SoC", "charge", 1.0, None, 0.7),
        ("charge 1C until 70%", "charge", 1.0, None, 0.7),
        ("Charge at 1 C to 80 % SoC", "charge", 1.0, None, 0.8),
        ("  Charge   at 2.5C until 0.7 SoC. ", "charge", 2.5, None, 0.7),
        ("Charging with C/3 until SoC = 70 %", "charge", 1 / 3, None, 0.7),
        ("Charge at 1C until 70 % state of charge", "charge", 1.0, None, 0.7),
        ("Discharge at C / 20 until 10 % SoC", "discharge", 0.05, None, 0.1),
        ("DISCHARGE AT 0.5c FOR 20 min", "discharge", 0.5, 1200.0, None),
        ("Charge at .5C for 1.5 h", "charge", 0.5, 5400.0, None),
        ("Rest for 10 min", "rest", 0.0, 600.0, None),
        ("rest 90 s", "rest", 0.0, 90.0, None),
        ("Rest for 1 hour", "rest", 0.0, 3600.0, None),
    ],
)
def test_step_is_read(text, kind, c_rate, duration, until_soc):
    step = parse_step(text)
    assert (step.kind, step.duration) == (kind, duration)
    assert step.c_rate == pytest.approx(c_rate)
    assert step.until_soc == (None if until_soc is None else pytest.approx(until_soc))
    assert step.text == " ".join(text.split()).rstrip(".")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Charge at 4.3 V for 1 h", 'write "Hold at 4.3 V until C/20"'),
        ("CV at 4.3 V", 'write "Hold at 4.3 V until C/20"'),
        ("Hold at 1C until 4.3 V", "does not say which voltage"),
        ("Hold at 4.3 V", "does not say when it ends"),
        ("Hold at 4.3 V until 4.2 V", "a held voltage does not change"),
        ("Hold at 4.3 V until 80 % SoC", "ends at a current or after a time"),
        ("Charge at 1C until 43 V", "outside 1 V to 6 V"),
        ("Charge at 1C until C/20", "only a held voltage ends at a current"),
        ("Charge at 1C for 1 h or for 2 h", "two times"),
        ("Charge at 1C until 4.2 V or until 4.3 V", "two ends of the same kind"),
        ("Repeat 10 times", 'write "Repeat 10 times: Charge at 2C for 1 min; Rest for 30 s"'),
        ("Charge at 5 mA until 80 %", "current is given as a C-rate"),
        ("Charge at fast until 80 %", '"fast" is not a C-rate'),
        ("Charge until 80 % SoC", 'write "Charge at 1C until 80 % SoC"'),
        ("Charge at 1C", "does not say when it ends"),
        ("Charge", 'write "Charge at 1C until 70 % SoC"'),
        ("Charge at 0C for 1 h", 'write "Rest for 10 min"'),
        ("Charge at C/0 for 1 h", "outside 0.0001C to 100C"),
        ("Charge at 1000C for 1 s", "outside 0.0001C to 100C"),
        ("Charge at 1C until 80", 'write "until 80 % SoC"'),
        ("Charge at 1C until 0.8", 'write "until 0.8 SoC"'),
        ("Charge at 1C until 80 SoC", "write 80 %"),
        ("Charge at 1C until 120 % SoC", "0 % to 100 % SoC"),
        ("Charge at 1C until 20 min", 'write "for 20 min"'),
        ("Charge at 1C until x = 0.3", "SoC = 1 − x"),
        ("Charge at 1C for 20 min and until 80 % SoC", 'join the ends of a step with "or"'),
        ("Charge at 1C for 1 parsec", "is not a time"),
        ("Charge at 1C for 2000 h", "outside 1 ms to 1000 h"),
        ("Rest", 'write "Rest for 10 min"'),
        ("Rest until 80 % SoC", "a rest ends after a time"),
        ("charger at 1C", "start with Charge, Discharge, Hold, Rest or Follow"),
        ("", "start with Charge, Discharge, Hold, Rest or Follow"),
        ("Charge at 1C until " + "9" * 500 + " % SoC", "too long"),
    ],
)
def test_what_cannot_be_done_is_refused_with_advice(text, advice):
    with pytest.raises(ValueError, match=advice):
        parse_step(text)


def test_plan_connects_the_steps():
    steps = [
        parse_step(text) for text in ("Charge at 2C until 75 % SoC", "Rest for 10 min", "Discharge at 1C for 6 min")
    ]
    charge, rest, discharge = plan_protocol(steps, initial_stoichiometry=0.95, capacity_ratio=0.8)
    assert (charge.start_soc, charge.end_soc) == pytest.approx((0.05, 0.75))
    assert charge.duration == pytest.approx(0.70 * 3600 / (2 * 0.8))
    assert (rest.start_soc, rest.end_soc, rest.duration) == pytest.approx((0.75, 0.75, 600.0))
    assert discharge.end_soc == pytest.approx(0.75 - 0.8 * 0.1)


@pytest.mark.parametrize(
    "text", ["Charge at 1C until 5 % SoC", "Charge at 1C until 3 % SoC", "Discharge at 1C until 9 %"]
)
def test_a_step_that_would_run_backwards_is_refused(text):
    with pytest.raises(ValueError, match="starts at 5 % SoC"):
        plan_protocol([parse_step(text)], 0.95, 1.0)


def test_percent_hides_rounding():
    assert percent(0.1 + 0.2) == "30 %"
    assert percent(1 - 0.95) == "5 %"


def test_direction_is_the_sign_of_the_change_of_soc():
    assert [ProtocolStep(kind, 0.0, 1.0, (), "").direction for kind in ("charge", "discharge", "rest")] == [1, -1, 0]


@pytest.mark.parametrize(
    ("text", "duration", "ends"),
    [
        ("Charge at 1C until 4.3 V", None, [("voltage", 4.3)]),
        ("Charge at 1 C to 4.3V", None, [("voltage", 4.3)]),
        ("Discharge at C/2 until 2800 mV", None, [("voltage", 2.8)]),
        ("Charge at 1C for 2 h or until 4.3 V", 7200.0, [("voltage", 4.3)]),
        ("Charge at 1C until 4.3 V or 80 % SoC", None, [("voltage", 4.3), ("soc", 0.8)]),
        ("Hold at 4.3 V until C/20", None, [("current", 0.05)]),
        ("Hold at 4.3V until 0.05C or for 1 h", 3600.0, [("current", 0.05)]),
        ("Hold at 4.3 V for 30 min", 1800.0, []),
    ],
)
def test_ends_of_a_step(text, duration, ends):
    step = parse_step(text)
    assert step.duration == duration
    assert [(end.kind, pytest.approx(end.value)) for end in step.ends] == ends
    assert step.voltage == (4.3 if step.kind == "hold" else None)


def test_repeats_are_written_out():
    steps = parse_protocol(["Repeat 3 times: Charge at 2C for 1 min; Rest for 30 s", "Rest for 1 h"])
    assert [step.kind for step in steps] == ["charge", "rest"] * 3 + ["rest"]
    with pytest.raises(ValueError, match="write 1 to 1000 times"):
        parse_entry("Repeat 0 times: Rest for 1 h")


def test_plan_estimates_what_ends_at_a_voltage():
    def stoichiometry_at(voltage):
        return 4.5 - voltage

    texts = ("Charge at 1C until 4.2 V", "Hold at 4.2 V until C/20", "Discharge at 1C until 20 % SoC")
    charge, hold, discharge = plan_protocol(map(parse_step, texts), 0.95, 1.0, stoichiometry_at)
    assert charge.end_soc == pytest.approx(0.7)
    assert charge.duration == pytest.approx(0.65 * 3600)
    assert charge.longest > 3600  # it may take the whole way
    assert [step.is_exact for step in (charge, hold, discharge)] == [False, False, False]
    assert (hold.end_soc, discharge.end_soc) == pytest.approx((0.7, 0.2))
    # From an estimated start nobody can say that it runs backwards; the run will end it at once.
    [again] = plan_protocol([parse_step("Charge at 1C until 10 % SoC")], 0.6, 1.0, is_exact=False)
    assert again.duration == 0.0
