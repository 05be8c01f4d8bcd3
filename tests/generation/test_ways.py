"""Greedy, beam search and sampling, on decoders whose every sequence can be gone through."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.generation.section import Beam, Sample
from nnspec.runtime.decoding.beam import beam_search, penalty
from nnspec.runtime.decoding.one_by_one import drawn, greedy
from nnspec.runtime.decoding.procedure import Procedure
from nnspec.runtime.decoding.stepper import Stepper, log_probabilities

END, MOST = 1, 4


def machine(seed: int, size: int = 4, *, probabilities: bool = False) -> Stepper:
    """A decoder whose logits depend on all tokens so far: a table for each, from a seed."""
    procedure = Procedure(
        "tokens", "int64", "logits", {}, {}, {}, {}, {}, None, True, probabilities, size, 0, END, MOST, {}, None
    )  # fmt: skip

    def decode(inputs):
        logits = np.stack([np.random.default_rng([seed, *row]).normal(0, 2, size) for row in inputs["tokens"]])
        return {"logits": np.exp(logits) / np.exp(logits).sum(-1, keepdims=True) if probabilities else logits}

    return Stepper(procedure, None, decode)


def nothing(rows: int) -> np.ndarray:
    return np.full((rows, 1), -1)


def worth(stepper: Stepper, sequence: tuple[int, ...], way: Beam) -> float:
    """What a sequence is worth, token by token."""
    state, total, token = stepper.begin({}, 1), 0.0, np.array([0])
    for following in sequence:
        logits, state = stepper.step(state, token)
        total += log_probabilities(logits, stepper.procedure)[0, following]
        token = np.array([following])
    return total / penalty(len(sequence), way)


def every_sequence(size: int):
    others = [token for token in range(size) if token != END]
    for length in range(MOST):
        for tokens in itertools.product(others, repeat=length):
            yield (*tokens, END)
    yield from itertools.product(others, repeat=MOST)


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.6, 1.0]))
def test_a_beam_as_wide_as_everything_finds_the_best_sequence(seed, length_penalty):
    stepper, way = machine(seed, size=3), Beam(width=60, length_penalty=length_penalty)
    tokens, lengths, scores = beam_search(stepper, stepper.begin({}, 1), nothing(1), MOST, way)
    best = max(every_sequence(3), key=lambda sequence: worth(stepper, sequence, way))
    assert scores[0] == pytest.approx(worth(stepper, best, way))
    assert tuple(tokens[0, : lengths[0]]) == tuple(token for token in best if token != END)


@given(st.integers(0, 1000))
def test_a_beam_of_one_is_greedy(seed):
    stepper = machine(seed)
    one = greedy(stepper, stepper.begin({}, 2), nothing(2), MOST)
    tokens, lengths, _ = beam_search(stepper, stepper.begin({}, 2), nothing(2), MOST, Beam(width=1))
    assert lengths.tolist() == one[1].tolist()
    assert tokens[0, : lengths[0]].tolist() == one[0][0, : lengths[0]].tolist()


@given(st.integers(0, 1000), st.integers(2, 5))
def test_what_a_beam_finds_is_worth_what_it_says(seed, width):
    stepper, way = machine(seed), Beam(width=width)
    tokens, lengths, scores = beam_search(stepper, stepper.begin({}, 1), nothing(1), MOST, way)
    own = tuple(tokens[0, : lengths[0]])
    sequence = (*own, END) if len(own) < MOST else own
    assert scores[0] == pytest.approx(worth(stepper, sequence, way))


def test_logits_and_their_probabilities_are_searched_alike():
    found = [
        beam_search(stepper, stepper.begin({}, 1), nothing(1), MOST, Beam(width=3))[0].tolist()
        for stepper in (machine(5), machine(5, probabilities=True))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("way", [None, Beam(width=3), Sample()])
def test_a_sequence_begins_with_its_prompt(way):
    stepper = machine(3)
    prompt = np.array([[2, 3], [3, -1]])
    state = stepper.begin({}, 2)
    if way is None:
        tokens, _ = greedy(stepper, state, prompt, MOST)
    elif isinstance(way, Beam):
        tokens, *_ = beam_search(stepper, state, prompt, MOST, way)
    else:
        tokens, _ = drawn(stepper, state, prompt, MOST, way)
    assert tokens[0, :2].tolist() == [2, 3]
    assert tokens[1, 0] == 3


@given(st.integers(0, 1000))
def test_drawing_from_the_likeliest_token_alone_is_greedy(seed):
    stepper = machine(seed)
    wanted = greedy(stepper, stepper.begin({}, 2), nothing(2), MOST)[0].tolist()
    for way in (Sample(top_k=1), Sample(top_p=1e-9), Sample(temperature=1e-4)):
        assert drawn(stepper, stepper.begin({}, 2), nothing(2), MOST, way)[0].tolist() == wanted


def test_what_is_drawn_depends_on_the_seed_and_the_row_alone():
    stepper = machine(1)
    many = drawn(stepper, stepper.begin({}, 5), nothing(5), MOST, Sample(seed=7))[0]
    again = drawn(stepper, stepper.begin({}, 2), nothing(2), MOST, Sample(seed=7), first_row=3)[0]
    other = drawn(stepper, stepper.begin({}, 5), nothing(5), MOST, Sample(seed=8))[0]
    assert many[3:, : again.shape[1]].tolist() == again.tolist()
    assert many.tolist() != other.tolist()


def test_tokens_are_drawn_as_often_as_the_model_says():
    stepper, rows = machine(2), 4000
    tokens, _ = drawn(stepper, stepper.begin({}, rows), nothing(rows), 1, Sample(temperature=1.5))
    logits, _ = stepper.step(stepper.begin({}, 1), np.array([0]))
    shares = np.exp(logits[0] / 1.5) / np.exp(logits[0] / 1.5).sum()
    counts = np.bincount(tokens[:, 0], minlength=4) / rows
    assert np.abs(counts - shares).max() < 4 * np.sqrt(0.25 / rows)


def test_a_share_of_the_probability_keeps_the_token_that_reaches_it():
    procedure = machine(0).procedure
    logits = np.log(np.array([[0.5, 0.1, 0.3, 0.1]]))
    stepper = Stepper(procedure, None, lambda inputs: {"logits": np.repeat(logits, len(inputs["tokens"]), 0)})
    for share, known in ((0.5, {0}), (0.6, {0, 2}), (0.85, {0, 1, 2})):
        tokens, _ = drawn(stepper, stepper.begin({}, 300), nothing(300), 1, Sample(top_p=share))
        assert set(tokens[:, 0].tolist()) == known
