"""A file from outside is refused with a reason, in bounded time and memory, and nothing in it is ever run or followed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.diagnostics import SpecError
from nnspec.keras_import import import_file

from .files import DENSE, GOOD, functional, keras_file, layer, tensor, weights_of


def refused(file) -> str:
    with pytest.raises(SpecError) as raised:
        import_file(file)
    return "\n".join(f"{d.code} {d.message} {d.help}" for d in raised.value.diagnostics)


def test_a_good_file_is_read_without_keras(tmp_path):
    program = """
import sys
from nnspec.keras_import import import_file
imported = import_file(sys.argv[1])
assert sorted(imported.weights) == ["dense/bias", "dense/kernel"] and imported.parameters == 15
assert not {"keras", "tensorflow"} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(keras_file(tmp_path))], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n" + b"\0" * 100, b"not a zip" * 50])
def test_what_is_no_archive_is_refused(content, tmp_path):
    file = tmp_path / "model.keras"
    file.write_bytes(content)
    assert "NN601 it is not a complete .keras file" in refused(file)


def test_a_file_that_is_not_there_a_directory_and_a_device_are_refused(tmp_path):
    assert "the file does not exist" in refused(tmp_path / "none.keras")
    assert "it is a directory" in refused(tmp_path)
    assert "not a regular file" in refused("/dev/null")


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path):
    file = keras_file(tmp_path)
    whole = file.read_bytes()
    for end in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        file.write_bytes(whole[:end])
        assert "NN60" in refused(file)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_file_with_a_changed_byte_is_read_or_refused(at, byte, tmp_path):
    file = keras_file(tmp_path)
    data = bytearray(file.read_bytes())
    data[at % len(data)] = byte
    file.write_bytes(bytes(data))
    try:
        import_file(file)
    except SpecError as error:
        assert error.diagnostics


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * 50_000_000)
    assert "unpacks to" in refused(file)


def test_a_member_that_leaves_its_folder_and_one_that_is_there_twice_are_refused(tmp_path):
    assert "a path outside the archive" in refused(keras_file(tmp_path, members={"../evil.py": b"x"}))
    assert "a path outside the archive" in refused(keras_file(tmp_path, members={"/etc/evil": b"x"}))
    file = keras_file(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("config.json", "{}")
    assert "`config.json` twice" in refused(file)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (b"{", "not JSON"),
        (b"[" * 5000 + b"]" * 5000, "nested|not JSON"),
        (b"\xff\xfe", "not JSON"),
        ([], "NN604"),
        ({"class_name": "Mine", "config": {}}, "of the custom class `Mine`"),
        ({"class_name": "Sequential", "config": {"name": "s", "layers": []}}, "has no layers"),
        ({"class_name": "Sequential", "config": {"name": "s", "layers": [DENSE]}}, "add `keras.Input"),
        (functional(DENSE, output="other"), "does not exist"),
        (functional({**DENSE, "inbound_nodes": [{"args": [tensor("dense", (None, 3))]}]}), "depends on its own output"),
        (functional({**DENSE, "inbound_nodes": 7}), "NN604"),
        (functional({**DENSE, "config": "no"}), "NN604"),
        (functional({**DENSE, "config": {"name": "dense", "units": -1}}), "`units`"),
        (functional({**DENSE, "config": {"name": "dense", "units": "three"}}), "`units`"),
    ],
)
def test_a_config_that_is_none_is_refused(config, reason, tmp_path):
    reported = refused(keras_file(tmp_path, config))
    assert any(part in reported for part in reason.split("|")), reported


def test_everything_that_has_no_equal_is_listed_in_one_pass(tmp_path):
    x = tensor("x", (None, 4))
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
    config = functional(
        layer("Lambda", "evil", x, config={"function": code}),
        layer("Mine", "own", tensor("evil", (None, 4)), module="mine.layers", registered_name="mine>Mine"),
        layer("Dense", "fake", tensor("own", (None, 4)), config={"units": 2}, module="mine", registered_name="mine>Dense"),
        layer("Hashing", "hashing", tensor("fake", (None, 2)), config={"num_bins": 3}),
        layer("Cumprod", "sum", tensor("hashing", (None, 2)), module="keras.src.ops.numpy"),
        layer("Dense", "last", tensor("sum", (None, 2)), config={"units": 2, "activation": {"class_name": "function"}}),
    )
    reported = refused(keras_file(tmp_path, config))
    assert [line.split(" has no")[0].split(":")[0] for line in reported.splitlines()] == [
        "NN602 `evil` (Lambda)",
        "NN602 `own` (mine>Mine)",
        "NN602 `fake` (mine>Dense)",
        "NN602 `hashing` (Hashing)",
        "NN602 `sum` (keras.ops, Cumprod)",
        "NN603 `last` (Dense)",
    ]
    assert "is code, which is never run" in reported


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({}, "the weights of `dense` are missing"),
        ({**GOOD, "layers/dense/vars/0": np.ones((3, 4), "float32")}, "(3, 4) in the file, but (4, 3) in the config"),
        ({**GOOD, "layers/dense/vars/1": np.array([b"a", b"b", b"c"])}, "not a numeric array"),
    ],
)
def test_weights_of_another_model_are_refused(arrays, reason, tmp_path):
    assert f"NN607 {'`' if reason.startswith('`') else ''}" in refused(keras_file(tmp_path, weights=weights_of(arrays)))
    assert reason in refused(keras_file(tmp_path, weights=weights_of(arrays)))


def test_weights_that_are_no_hdf5_are_refused(tmp_path):
    assert "NN607 the weights are not an HDF5 file" in refused(keras_file(tmp_path, weights=b"nothing"))


def _h5(write) -> bytes:
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        file["layers/dense/vars/1"] = GOOD["layers/dense/vars/1"]
        write(file)
    return held.getvalue()


def test_links_and_external_or_virtual_arrays_are_not_followed(tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["kernel"] = np.ones((4, 3), "float32")
    (tmp_path / "raw").write_bytes(b"\0" * 48)
    place = "layers/dense/vars/0"

    def external_link(file):
        file[place] = h5py.ExternalLink(str(secret), "kernel")

    def soft_link(file):
        file[place] = h5py.SoftLink("/layers/dense/vars/1")

    def external_data(file):
        file.create_dataset(place, (4, 3), "float32", external=[(str(tmp_path / "raw"), 0, 48)])

    def virtual(file):
        layout = h5py.VirtualLayout((4, 3), "float32")
        layout[...] = h5py.VirtualSource(str(secret), "kernel", (4, 3))
        file.create_virtual_dataset(place, layout)

    for write in (external_link, soft_link):
        assert "not a hard link" in refused(keras_file(tmp_path, weights=_h5(write)))
    for write in (external_data, virtual):
        assert "stored in another file" in refused(keras_file(tmp_path, weights=_h5(write)))


def test_an_array_that_stores_nothing_of_its_size_is_refused(tmp_path):
    def bomb(file):
        file.create_dataset("layers/dense/vars/0", (4, 50_000_000), "float32", chunks=(4, 1000), compression="gzip")

    wide = layer("Dense", "dense", tensor("x", (None, 4)), config={"units": 50_000_000, "use_bias": False})
    assert "but stores" in refused(keras_file(tmp_path, functional(wide), weights=_h5(bomb)))


def test_weights_that_say_they_are_another_layers_are_refused(tmp_path):
    def named(file):
        file["layers/dense/vars/0"] = GOOD["layers/dense/vars/0"]
        file["layers/dense/vars"].attrs["name"] = "other"

    assert "belong to `other`" in refused(keras_file(tmp_path, weights=_h5(named)))


def test_a_config_alone_is_read_without_weights(tmp_path):
    file = tmp_path / "model.json"
    file.write_text(json.dumps(functional(DENSE)), encoding="utf-8")
    imported = import_file(file)
    assert not imported.weights and imported.text().endswith("layers:\n  - Dense: 3\n")


def test_a_config_as_keras_2_wrote_it_is_read(tmp_path):
    first = {
        "class_name": "InputLayer",
        "name": "x",
        "config": {"name": "x", "batch_input_shape": [None, 4]},
        "inbound_nodes": [],
    }
    dense = {"class_name": "Dense", "name": "a", "config": {"name": "a", "units": 4}, "inbound_nodes": [[["x", 0, 0, {}]]]}
    add = {"class_name": "Add", "name": "b", "config": {"name": "b"}, "inbound_nodes": [[["x", 0, 0, {}], ["a", 0, 0, {}]]]}
    config = {"name": "old", "layers": [first, dense, add], "input_layers": [["x", 0, 0]], "output_layers": [["b", 0, 0]]}
    file = tmp_path / "model.json"
    file.write_text(json.dumps({"class_name": "Functional", "config": config}), encoding="utf-8")
    steps = "  - Dense: 4\n    name: a\n  - Add:\n    name: b\n    from: [x, a]\n"
    assert import_file(file).text() == f"nnspec: 1\nname: old\ninputs:\n  x: [4]\nlayers:\n{steps}"


def test_a_config_of_more_values_than_memory_bears_is_refused_before_it_is_parsed(tmp_path):
    file = tmp_path / "model.json"
    file.write_bytes(b"[" + b"[]," * 2_100_000 + b"[]]")
    assert "values; the limit is 2,000,000" in refused(file)


def _doubled(times: int) -> dict:
    """A model in a model, each of which applies the next twice."""
    model = functional(layer("Dense", "dense", tensor("x", (None, 4)), config={"units": 4}))
    for _ in range(times):
        calls = [{"args": [tensor("x", (None, 4))]}, {"args": [tensor("inner", (None, 4))]}]
        model = functional({**model, "name": "inner", "inbound_nodes": calls})
        model["config"]["output_layers"] = [["inner", 2, 0]]
    return model


def test_models_in_models_that_double_are_refused_before_they_are_unfolded(tmp_path):
    assert "it has 3,145,726 layer calls" in refused(keras_file(tmp_path, _doubled(20)))


def test_weights_that_are_missing_are_reported_once_however_often_they_are_used(tmp_path):
    assert refused(keras_file(tmp_path, _doubled(5))).count("are missing") == 1
