"""What can be wrong with the section ``generate``: NN701 to NN799."""

from __future__ import annotations

from nnspec.diagnostics import Problem

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
    """``generate`` names networks of the document, and inputs and outputs of these."""

    code = "NN701"
    message = "{where} has no {what} `{name}`"
    fails = _GOOD.replace("begin: {state: final}", "begin: {state: finl}")
    passes = _GOOD


class NotFed(Problem):
    """Each input of the decoder but the tokens is fed: by ``memory`` at every step, or by ``carry``, which ``begin`` begins."""

    code = "NN702"
    message = "{reason}"
    fails = _GOOD.replace("  begin: {state: final}\n  carry: {state: state}\n", "")
    passes = _GOOD


class TypeMismatch(Problem):
    """What is carried from one network, or one step, to the next has the shape and the element type of what it feeds."""

    code = "NN703"
    message = (
        "`{output}` of `{source}` is {given} of {given_dtype}, and `{input}` of `{network}` takes {wanted} of {wanted_dtype}"
    )
    fails = _GOOD.replace("begin: {state: final}", "begin: {state: states}")
    passes = _GOOD


class NotTokens(Problem):
    """Tokens are whole numbers along one free axis; for each there is a row of logits, one for each token of the vocabulary."""

    code = "NN704"
    message = "{reason}"
    fails = _GOOD.replace("logits: logits}\n  begin", "logits: state}\n  begin")
    passes = _GOOD


class NoRowForToken(Problem):
    """A token that the decoder gives is what it reads at the next step: its table needs a row for each."""

    code = "NN705"
    message = "`{logits}` tells {vocabulary} tokens apart, and the table that `{input}` is looked up in has {rows} rows"
    fails = _GOOD.replace("input_dim: 7", "input_dim: 6")
    passes = _GOOD


class UnusedRows(Problem):
    """The table that tokens are looked up in has rows for tokens that are never given: often another vocabulary's size."""

    code = "NN706"
    severity = "warning"
    message = "`{logits}` tells {vocabulary} tokens apart, and the table that `{input}` is looked up in has {rows} rows"
    fails = _GOOD.replace("input_dim: 7", "input_dim: 9")
    passes = _GOOD


class NotInVocabulary(Problem):
    """``start`` and ``end`` are tokens of the vocabulary: numbers, or texts where the tokens come from a ``tokenize``."""

    code = "NN707"
    message = "{reason}"
    fails = _GOOD.replace("end: 2", "end: 7")
    passes = _GOOD


class NotTokenByToken(Problem):
    """Where something is carried, one token goes in at a time: what looks along time must carry what it has seen.

    Recurrent layers carry their states, by ``carry``; causal attention its keys and values, by ``cache: true``. Anything else
    that looks at other tokens would see the last one alone, and the network would compute something else than in training.
    """

    code = "NN708"
    message = "`{name}` {reason}"
    fails = _MODEL.replace(", use_causal_mask: true", "") + "  cache: true\n"
    passes = _MODEL + "  cache: true\n"


class NotCausal(Problem):
    """In training, a position sees the very token that it is to predict; what it learns then is of no use when it decodes."""

    code = "NN709"
    severity = "warning"
    message = "through `{name}` a token sees those that come after it"
    fails = _MODEL.replace(", use_causal_mask: true", "")
    passes = _MODEL


class TooManyPositions(Problem):
    """A layer that has a learned vector for each position has none for those behind its last."""

    code = "NN710"
    message = "a sequence of {length} tokens is longer than the {positions} positions of `{name}`"
    fails = _MODEL.replace("  - Multi", "  - PositionEmbedding: {max_length: 9}\n  - Multi") + "  max_length: 10\n"
    passes = _MODEL.replace("  - Multi", "  - PositionEmbedding: {max_length: 9}\n  - Multi") + "  max_length: 9\n"


class NotEveryLength(Problem):
    """A decoder reads one token more at each step, so that it must take every number of tokens.

    A condition on that number (a pooling and an upsampling around a skip ask for an even one), or a size that must equal it,
    holds at some steps and not at others.
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
    """What the encoder gives carries a mask, and the decoder has no port for it: padding is then read as if it were data.

    A network has a port for a mask where some use of it feeds one: use both in the document's own layers, as in training.
    """

    code = "NN711"
    severity = "warning"
    message = "the mask of `{output}` is lost: `{input}` of `{network}` is nowhere fed with one"
    fails = _HEAD + _ENCODER + _ATTENDING + _GENERATE.replace("  begin", "  memory: {memory: states}\n  begin")
    passes = fails + _USED


class InitialStateDiffers(Problem):
    """In training, the decoder began with what the encoder gave; begun with zeros it says something else.

    What is carried from step to step begins with zeros, where ``begin`` does not say with what.
    """

    code = "NN712"
    severity = "warning"
    message = "`{input}` is fed with `{fed}` in training, and begins with zeros here"
    fails = LostMask.passes.replace("  begin: {state: final}\n", "")
    passes = LostMask.passes
