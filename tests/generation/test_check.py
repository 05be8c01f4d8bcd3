from __future__ import annotations

import pytest

from nnspec.api import validate
from nnspec.diagnostics import NnspecError
from nnspec.generation.problems import _DECODER, _GOOD, _HEAD, _MODEL
from nnspec.generation.vocabulary import token_number
from tests.conftest import CORPUS


@pytest.fixture
def reported(write):
    """The codes and messages of what is reported of a document."""
    return lambda text: [(d.code, d.message, d.help) for d in validate(write(text))]


def test_the_section_of_the_corpus_is_good():
    assert validate(CORPUS / "seq2seq.nnspec.yaml") == []


def test_a_misspelt_key_is_all_that_is_reported_of_it(reported):
    [(code, _, help)] = reported(_GOOD.replace("  carry:", "  cary:"))
    assert (code, help) == ("NN103", "did you mean `carry`?")


def test_beam_and_sample_exclude_each_other(reported):
    [(code, message, _)] = reported(_GOOD + "  beam: 4\n  sample: {temperature: 0.8}\n")
    assert (code, message) == ("NN105", "only one of `beam` and `sample` can be given")


def test_keys_of_other_libraries_are_answered_with_ours(reported):
    [(_, _, help)] = reported(_GOOD + "  temperature: 0.8\n")
    assert help == "it is a key of `sample`: write `sample: {temperature: …}`"


def test_a_network_that_is_not_there_is_answered_with_the_one_that_was_meant(reported):
    [(code, message, help)] = reported(_GOOD.replace("encode: encoder", "encode: encodr"))
    assert (code, message, help) == ("NN701", "the document has no network `encodr`", "did you mean `encoder`?")


def test_a_carried_state_of_another_size_is_refused(reported):
    text = _GOOD.replace(
        "    outputs: {states: gru.output, final: gru.state}",
        "      - Dense: {units: 5}\n        from: gru.state\n    outputs: {states: gru.output, final: dense}",
    )
    [(code, message, _)] = reported(text)
    assert code == "NN703"
    assert message == "`final` of `encoder` is (5,) (float32), and `state` of `decoder` takes (4,) (float32)"


def test_a_start_of_a_state_that_nothing_carries_is_refused(reported):
    assert reported(_GOOD.replace("  carry: {state: state}\n", ""))[0][:2] == (
        "NN702",
        "`state` is only fed at the first step",
    )


def test_text_for_a_token_needs_a_tokenizer(reported):
    [(code, message, help)] = reported(_GOOD.replace("start: 1", 'start: "<SOS>"'))
    assert (code, help) == ("NN707", "write its number, such as 1")
    assert "no `tokenize`" in message


@pytest.mark.parametrize(("token", "codes"), [("<SOS>", []), ("b", []), ("z", ["NN707"])])
def test_text_for_a_token_is_looked_up_in_a_vocabulary_that_is_written_out(reported, token, codes):
    data = (
        "data:\n  inputs:\n    words: {column: text, transform: [{tokenize: {by: character, vocabulary: [a, b, c]}}]}\n"
        "  train: {text: mail}\n"
    )
    found = reported(_MODEL.replace("start: 1", f'start: "{token}"') + data)
    assert [code for code, *_ in found if code.startswith("NN7")] == codes


def test_a_recurrent_layer_whose_state_is_not_carried_would_begin_anew(reported):
    two = _DECODER.replace(
        "      - Dense: {units: 7}\n        from: gru.output\n",
        "      - GRU: {units: 4, return_sequences: true}\n        from: gru.output\n      - Dense: {units: 7}\n",
    )
    [(code, message, help)] = reported(_GOOD.replace(_DECODER, two))
    assert (code, message) == ("NN708", "`gru_1` restarts at each token: its `state` is not carried")
    assert "`carry`" in help


def test_attention_beside_a_carried_state_wants_a_cache(reported):
    attending = _DECODER.replace(
        "      - Dense: {units: 7}\n        from: gru.output\n",
        "      - Attention: {use_causal_mask: true}\n        from: gru.output\n      - Dense: {units: 7}\n",
    )
    text = _GOOD.replace(_DECODER, attending)
    [(code, message, help)] = reported(text)
    assert (code, help) == ("NN708", "write `cache: true`")
    assert message == "`attention` attends only to the last token: its keys and values are not cached"
    assert reported(text + "  cache: true\n") == []


def test_a_convolution_cannot_be_cached(reported):
    text = _MODEL.replace("  - Multi", "  - Conv1D: {filters: 4, kernel_size: 3, padding: causal}\n  - Multi")
    assert reported(text) == []
    [(code, message, _)] = reported(text + "  cache: true\n")
    assert (code, message) == ("NN708", "`conv1d` depends on other tokens")


def test_tokens_of_a_fixed_length_are_refused(reported):
    [(code, message, help)] = reported(_MODEL.replace("[T]", "[9]"))
    assert (code, help) == ("NN704", "declare it as `words: {shape: [T], dtype: int32}`")
    assert "free dimension" in message


def test_a_model_of_one_logit_row_may_give_the_last_alone(reported):
    text = (
        _HEAD + "inputs: {words: {shape: [T], dtype: int32}}\nlayers:\n"
        "  - Embedding: {input_dim: 7, output_dim: 4, mask_zero: true}\n  - LSTM: {units: 4}\n  - Dense: {units: 7}\n    name: next\n"
        "generate: {token: {input: words, logits: next}, start: 1}\n"
    )
    assert reported(text) == []


def test_a_text_that_every_vocabulary_has_needs_no_training():
    assert token_number("<EOS>", None, "end") == 2
    assert token_number("b", ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a", "b"], "end") == 5
    with pytest.raises(NnspecError, match="did you mean `<EOS>`"):
        token_number("<EOS", None, "end")
