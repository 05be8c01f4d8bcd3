"""The benchmark of fixes: no fault is repaired to another meaning, and most of those with one certain remedy are repaired."""

from __future__ import annotations

from collections import Counter

from benchmarks.fixes import SEVERAL_REMEDIES, outcomes


def test_certain_faults_are_repaired_and_no_other_document_is_changed_to_another_meaning():
    found = [*outcomes(most=10, per_kind=1)]
    assert not [outcome.text for outcome in found if outcome.measure == "wrong"]
    assert all(outcome.measure == "left" for outcome in found if outcome.kind in SEVERAL_REMEDIES)
    certain = Counter(outcome.measure for outcome in found if outcome.is_certain)
    assert certain["repaired"] >= 0.9 * certain.total()
