"""Suggestions for misspelt names."""

from __future__ import annotations

import pytest

from nnspec.types import closest


@pytest.mark.parametrize(
    ("word", "names", "meant"),
    [
        ("Acc", ["AUC", "Accuracy", "BinaryAccuracy"], "Accuracy"),
        ("CatAcc", ["Accuracy", "CategoricalAccuracy", "CosineSimilarity"], "CategoricalAccuracy"),
        ("Prec", ["Precision", "PrecisionAtRecall", "Recall"], "Precision"),
        ("BatchNorm", ["BatchNormalization", "Normalization"], "BatchNormalization"),
        ("filter", ["filters", "kernel_size"], "filters"),
        ("val_los", ["loss", "val_loss"], "val_loss"),
        ("unit", ["units", "use_bias"], "units"),
    ],
)
def test_a_name_that_a_word_abbreviates_is_nearer_than_one_with_the_same_letters(word, names, meant):
    assert closest(word, names) == meant
