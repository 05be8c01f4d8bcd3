"""What a help says to write is followed literally: it mends the document or leads on to another error, never in a circle."""

from __future__ import annotations

import re

import pytest

from nnspec.api import validate
from nnspec.explanations.codes import all_problems
from nnspec.layers import LAYERS
from nnspec.layers.replacements import REPLACEMENTS
from nnspec.training.catalogue.losses import LOSSES
from nnspec.training.catalogue.metrics import METRICS
from tests.diagnostics.advice import edits

WITH_EXAMPLE = {code: problem for code, problem in all_problems().items() if problem.fails}
HEAD = "nnspec: 1\nname: net\n"


@pytest.fixture(scope="module")
def found_in(tmp_path_factory):
    file = tmp_path_factory.mktemp("advice") / "net.nnspec.yaml"

    def found(text):
        file.write_text(text, encoding="utf-8")
        return validate(file)

    return found


def follow(found_in, text, code):
    """The texts that following one help after another leads to, as far as a rule can edit them."""
    texts = [text]
    while len(texts) < 6:
        wanted = next((d for d in found_in(texts[-1]) if d.code == code), None)
        if wanted is None:
            break
        before = {(d.code, d.message) for d in found_in(texts[-1])}
        better = []
        for edited in edits(texts[-1], wanted):
            reported = found_in(edited)
            after = {(d.code, d.message) for d in reported if d.is_error}
            if (wanted.code, wanted.message) not in {(d.code, d.message) for d in reported} and "NN010" not in {
                code for code, _ in after
            }:
                better.append((len(after - before), edited, after))
        if not better:
            break
        _, edited, after = min(better, key=lambda found: found[0])
        texts.append(edited)
        code = min((code for code, _ in after), default=None)
    return texts


@pytest.mark.parametrize("code", WITH_EXAMPLE)
def test_following_the_help_never_leads_back_to_a_text_that_was_left(found_in, code):
    texts = follow(found_in, WITH_EXAMPLE[code].fails, code)
    assert len(set(texts)) == len(texts)


def test_the_help_of_many_codes_can_be_followed_by_rule_and_ends_in_a_good_document(found_in):
    good = 0
    for code, problem in WITH_EXAMPLE.items():
        texts = follow(found_in, problem.fails, code)
        good += len(texts) > 1 and not any(d.is_error for d in found_in(texts[-1]))
    assert good >= 40


def test_every_error_of_the_documents_own_text_and_structure_has_a_help(found_in):
    without = set()
    for code, problem in WITH_EXAMPLE.items():
        if code < "NN400" and code != "NN010":
            without |= {d.code for d in found_in(problem.fails) if d.code == code and not d.help}
    assert without <= {"NN120"}


@pytest.mark.parametrize("word", sorted(REPLACEMENTS))
def test_what_is_reported_of_a_word_of_others_names_layers_and_activations_that_there_are(found_in, word):
    help = REPLACEMENTS[word]
    named = re.findall(r"`([A-Z]\w+)", help)
    assert all(name in LAYERS or name in ("Residual", "Parallel", "NAME") for name in named)
    activation = re.search(r"`Activation: (\w+)`", help)
    if activation:
        assert not found_in(f"{HEAD}inputs: {{x: [4]}}\nlayers:\n  - Activation: {activation[1]}\n")


@pytest.mark.parametrize("family", [LOSSES, METRICS], ids=["losses", "metrics"])
def test_what_is_reported_of_a_word_for_a_loss_or_a_metric_names_those_that_there_are(family):
    for word, help in family.replacements.items():
        assert word not in family
        assert all(name in LOSSES or name in METRICS for name in re.findall(r"`\{?([A-Z]\w+)", help))


LOSS = (
    HEAD
    + "inputs: {{image: [8, 8, 1]}}\nlayers:\n  - Flatten\n  - Dense: {{units: 10, activation: softmax}}\n    name: digit\n"
    "data: {{train: {{builtin: digits}}}}\ntrain: {{epochs: 1, loss: {}}}\n"
)


@pytest.mark.parametrize("word", ["cross_entropy", "crossentropy", "CrossEntropyLoss", "ce", "nll", "softmax"])
def test_a_loss_of_classes_by_another_name_is_answered_with_the_target_that_each_takes(found_in, word):
    [problem] = found_in(LOSS.format(word))
    for name in ("SparseCategoricalCrossentropy", "CategoricalCrossentropy", "BinaryCrossentropy"):
        assert f"`{name}`" in problem.help


@pytest.mark.parametrize(
    ("steps", "help"),
    [
        ("  - Max: {axis: 1}\n", "GlobalMaxPooling1D"),
        ("  - Max: {axis: 1}\n", "`Maximum` with `from: [a, b]`"),
        ("  - Average: {axis: 1}\n", "`Mean: {axis: 1}`"),
        ("  - Sigmoid\n", "`Activation: sigmoid`"),
        ("  - Sequential: []\n", "under `layers`"),
        ("  - mix:\n    from: [x, x]\n", "`from: {left: x, right: x}`"),
        ("  - Conv2d\n", "`Conv2D: {kernel_size: …, filters: …}`"),
    ],
)
def test_what_a_newcomer_writes_is_answered_with_what_to_write(found_in, steps, help):
    blocks = "blocks:\n  mix:\n    inputs: [left, right]\n    layers:\n      - Add:\n        from: [left, right]\n"
    text = HEAD + blocks + "inputs: {x: [5, 4]}\nlayers:\n" + steps
    assert any(help in problem.help for problem in found_in(text))


def test_a_softmax_over_masked_steps_is_answered_with_attention_and_over_the_last_axis_with_an_activation(found_in):
    text = HEAD + (
        "inputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n"
        "  - Softmax: {axis: AXIS}\n"
    )
    [over_time] = [d for d in found_in(text.replace("AXIS", "1")) if d.is_error]
    [over_last] = [d for d in found_in(text.replace("AXIS", "-1")) if d.is_error]
    assert "`Attention`" in over_time.help and "Activation" not in over_time.help
    assert "`Activation: softmax`" in over_last.help
