"""Problems of the section ``generate``: NN701 to NN799."""

from __future__ import annotations

from nnspec.diagnostics import MISSPELLED, Problem

_HEAD = "nnspec: 1\nname: net\n"
_ENCODER = (
    "networks:\n  encoder:\n    inputs: {tokens: {shape: [S], dtype: int32}}\n    layers:\n"
    "      - Embedding: {input_dim: 9, output_dim: 4, mask_zero: true}\n"
    "      - GRU: {units: 4, return_sequences: true, return_state: true}\n"
    "    outputs: {states: gru.output, final: gru.state}\n"
)
_DECODER = (
    "  decoder:\n    inputs: {tokens: {shape: [T], dtype: int32}, state: [4]}\n    layers:\n"
    "      - Embedding: {input_dim: 7, output_dim: 4}\n        from: tokens\n"
    "      - GRU: {units: 4, return_sequences: true, return_state: true}\n        from: {x: embedding, state: state}\n"
    "      - Dense: {units: 7}\n        from: gru.output\n        name: logits\n"
    "    outputs: {logits: logits, state: gru.state}\n"
)
_ATTENDING = _DECODER.replace("state: [4]}", "memory: [S, 4], state: [4]}").replace(
    "      - Dense: {units: 7}\n        from: gru.output\n",
    "      - Attention:\n        from: {query: gru.output, value: memory}\n      - Dense: {units: 7}\n",
)
_GENERATE = (
    "generate:\n  encode: encoder\n  decode: decoder\n  token: {input: tokens, logits: logits}\n"
    "  begin: {state: final}\n  carry: {state: state}\n  start: 1\n  end: 2\n"
)
_GOOD = _HEAD + _ENCODER + _DECODER + _GENERATE
_USED = (
    "inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}\nlayers:\n"
    "  - encoder:\n    from: source\n  - decoder:\n"
    "    from: {tokens: target, memory: encoder.states, state: encoder.final}\n    name: next\n"
    "outputs: {logits: next.logits}\n"
)
_MODEL = (
    _HEAD + "inputs: {words: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 7, output_dim: 4}\n"
    "  - MultiHeadAttention: {num_heads: 1, key_dim: 4, use_causal_mask: true}\n  - Dense: {units: 7}\n    name: next\n"
    "generate:\n  token: {input: words, logits: next}\n  start: 1\n"
)


class UnknownName(Problem):
    """``generate`` names networks of the document, and their inputs and outputs."""

    code = "NN701"
    fixable = MISSPELLED
    message = "{where} has no {what} `{name}`"
    fails = _GOOD.replace("begin: {state: final}", "begin: {state: finl}")
    passes = _GOOD


class NotFed(Problem):
    """Each decoder input except the tokens must be fed, by ``memory`` or by ``carry``, with initial values from ``begin``."""

    code = "NN702"
    message = "{reason}"
    fails = _GOOD.replace("  begin: {state: final}\n  carry: {state: state}\n", "")
    passes = _GOOD


class TypeMismatch(Problem):
    """An output that feeds an input under ``memory``, ``begin`` or ``carry`` must have its shape and dtype."""

    code = "NN703"
    fixable = "the only output that fits replaces it"
    message = (
        "`{output}` of `{source}` is {given} ({given_dtype}), and `{input}` of `{network}` takes {wanted} ({wanted_dtype})"
    )
    fails = _GOOD.replace("begin: {state: final}", "begin: {state: states}")
    passes = _GOOD


class NotTokens(Problem):
    """Tokens are integers along one free dimension, and logits have one score for each token of the vocabulary."""

    code = "NN704"
    message = "{reason}"
    fails = _GOOD.replace("logits: logits}\n  begin", "logits: state}\n  begin")
    passes = _GOOD


class NoRowForToken(Problem):
    """The decoder reads its predicted token in the next step, so its embedding needs a row for each token."""

    code = "NN705"
    message = "`{logits}` has {vocabulary} tokens, and the embedding of `{input}` has {rows} rows"
    fails = _GOOD.replace("input_dim: 7", "input_dim: 6")
    passes = _GOOD


class UnusedRows(Problem):
    """The embedding has rows for tokens that are never predicted; often its size is that of another vocabulary."""

    code = "NN706"
    severity = "warning"
    message = "`{logits}` has {vocabulary} tokens, and the embedding of `{input}` has {rows} rows"
    fails = _GOOD.replace("input_dim: 7", "input_dim: 9")
    passes = _GOOD


class NotInVocabulary(Problem):
    """``start`` and ``end`` are tokens of the vocabulary: numbers, or texts if the input has a ``tokenize``."""

    code = "NN707"
    message = "{reason}"
    fails = _GOOD.replace("end: 2", "end: 7")
    passes = _GOOD


class NotTokenByToken(Problem):
    """If the decoder carries a state, it reads one token at a time, and layers along time must carry their state too.

    Recurrent layers carry their states with ``carry``, causal attention its keys and values with ``cache: true``. Any other
    layer along time would only see the last token and compute something else than in training.
    """

    code = "NN708"
    message = "`{name}` {reason}"
    fails = _MODEL.replace(", use_causal_mask: true", "") + "  cache: true\n"
    passes = _MODEL + "  cache: true\n"


class NotCausal(Problem):
    """In training, a position reads the token that it predicts, so the network does not learn to predict it."""

    code = "NN709"
    severity = "warning"
    message = "through `{name}`, a position reads later tokens"
    fails = _MODEL.replace(", use_causal_mask: true", "")
    passes = _MODEL


class TooManyPositions(Problem):
    """A layer with a learned vector for each position limits the length of a sequence."""

    code = "NN710"
    message = "`max_length` is {length}, and `{name}` has {positions} positions"
    fails = _MODEL.replace("  - Multi", "  - PositionEmbedding: {max_length: 9}\n  - Multi") + "  max_length: 10\n"
    passes = _MODEL.replace("  - Multi", "  - PositionEmbedding: {max_length: 9}\n  - Multi") + "  max_length: 9\n"


class NotEveryLength(Problem):
    """A decoder without state reads one more token in each step, so it must accept every number of tokens.

    A condition on that number, such as an even length for pooling and upsampling around a skip connection, fails in some steps;
    so does another input of the same length.
    """

    code = "NN713"
    message = "{reason}"
    fails = (
        "nnspec: 1\nname: net\ninputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n"
        "  - Embedding: {input_dim: 9, output_dim: 4}\n    name: e\n  - MaxPooling1D\n  - UpSampling1D:\n    name: u\n"
        "  - Add:\n    from: [e, u]\n  - Dense: {units: 9}\n    name: logits\n"
        "generate: {token: {input: tokens, logits: logits}, start: 1, end: 2, max_length: 5}\n"
    )
    passes = (
        "nnspec: 1\nname: net\ninputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n"
        "  - Embedding: {input_dim: 9, output_dim: 4}\n  - GRU: {units: 4, return_sequences: true}\n"
        "  - Dense: {units: 9}\n    name: logits\n"
        "generate: {token: {input: tokens, logits: logits}, start: 1, end: 2, max_length: 5}\n"
    )


class LostMask(Problem):
    """The output of the encoder has a mask that the decoder does not accept, so padding is read as data.

    A network accepts a mask if some use of it feeds one: use both networks in the main network, as in training.
    """

    code = "NN711"
    severity = "warning"
    message = "the mask of `{output}` is lost: no use of `{network}` feeds `{input}` with a mask"
    fails = _HEAD + _ENCODER + _ATTENDING + _GENERATE.replace("  begin", "  memory: {memory: states}\n  begin")
    passes = fails + _USED


class InitialStateDiffers(Problem):
    """In training, the decoder starts from a state of the encoder; starting with zeros changes its predictions.

    Carried states start with zeros unless ``begin`` sets them.
    """

    code = "NN712"
    severity = "warning"
    message = "`{input}` is fed with `{fed}` in training, and starts with zeros here"
    fails = LostMask.passes.replace("  begin: {state: final}\n", "")
    passes = LostMask.passes


_SAMPLER = (
    _HEAD + "networks:\n  denoise:\n    inputs: {image: [4], noise: [4], i: {shape: [], dtype: int32}}\n    layers:\n"
    "      - Compute: 0.9 * image + noise / (2.0 + cast(expand_dims(i, 1), 'float32'))\n        name: next\n"
    "    outputs: {image: next}\n"
)
_SAMPLE = (
    "generate:\n  network: denoise\n  steps: 5\n  count: i\n  begin: {image: {normal: [4]}}\n  draw: {noise: {normal: [4]}}\n"
    "  result: image\n"
)


class SamplerInput(Problem):
    """Each input of a sampler's network has one source.

    It is drawn (``begin``, ``draw``), counted (``count``), given by the user (``condition``), or fed back from the output of
    the same name. A fed-back input begins with what ``begin`` or ``condition`` states, else with zeros.
    """

    code = "NN714"
    message = "{reason}"
    fails = _SAMPLER + _SAMPLE.replace("  draw: {noise: {normal: [4]}}\n", "")
    passes = _SAMPLER + _SAMPLE


class DrawMismatch(Problem):
    """What is drawn must have the shape and the type of the input."""

    code = "NN715"
    message = "the draw of `{name}` {reason}"
    fails = _SAMPLER + _SAMPLE.replace("image: {normal: [4]}", "image: {normal: [5]}")
    passes = _SAMPLER + _SAMPLE


class FeedbackMismatch(Problem):
    """An output that is fed back must have the shape and the type of the input of the same name."""

    code = "NN716"
    message = (
        "the output `{name}` of `{network}` is {given} ({given_dtype}); the input `{name}`, to which it is fed back, is "
        "{wanted} ({wanted_dtype})"
    )
    fails = (
        _SAMPLER.replace("outputs: {image: next}", "outputs: {image: wide}").replace(
            "        name: next\n", "        name: next\n      - Dense: {units: 5}\n        name: wide\n"
        )
        + _SAMPLE
    )
    passes = _SAMPLER + _SAMPLE


class NothingFedBack(Problem):
    """A sampler of several steps feeds an output back, else all steps but the last one have no effect."""

    code = "NN717"
    message = "`{network}` runs {steps} times, but no output has the name of an input, so nothing is fed back"
    fails = _SAMPLER.replace("outputs: {image: next}", "outputs: {sample: next}") + _SAMPLE.replace(
        "result: image", "result: sample"
    )
    passes = _SAMPLER + _SAMPLE


class UntrainedSampler(Problem):
    """The weights of a sampler come from the training, by their names."""

    code = "NN718"
    message = "`{network}` generates samples with the weight `{weight}`, which is not trained"
    fails = (
        "nnspec: 1\nname: net\nnetworks:\n  encoder:\n    inputs: {image: [8, 8, 1]}\n    layers:\n      - Flatten\n"
        "      - Dense: {units: 4}\n  decoder:\n    inputs: {code: [4]}\n    layers:\n      - Dense: {units: 64}\n"
        "      - Reshape: {target_shape: [8, 8, 1]}\n        name: image\n  other:\n    inputs: {code: [4]}\n    layers:\n"
        "      - Dense: {units: 64}\n      - Reshape: {target_shape: [8, 8, 1]}\n        name: image\n"
        "inputs: {image: [8, 8, 1]}\nlayers:\n  - encoder\n  - decoder\noutputs: {reconstruction: decoder}\n"
        "data: {train: {builtin: digits}, validation: 0.2}\n"
        "train: {objective: {autoencoder: {restores: {reconstruction: image}}}, loss: MeanSquaredError, epochs: 1}\n"
        "generate: {network: other, begin: {code: {normal: [4]}}, result: image}\n"
    )
    passes = fails.replace("network: other", "network: decoder")
