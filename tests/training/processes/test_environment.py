from __future__ import annotations

import pytest

from nnspec.diagnostics import NnspecError
from nnspec.training.processes.environment import place_in

WHOLE = {"JAX_COORDINATOR_ADDRESS": "node-0:1234", "JAX_NUM_PROCESSES": "4", "JAX_PROCESS_ID": "2"}


def test_one_process_trains_alone():
    assert place_in({**WHOLE, "JAX_NUM_PROCESSES": "1", "JAX_PROCESS_ID": "0"}) is None


def test_a_process_of_open_mpi_finds_its_place():
    place = place_in({"OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "1"})
    assert place is not None
    assert (place.count, place.index) == (3, 1)


def test_a_batch_job_of_slurm_with_one_task_trains_alone():
    assert place_in({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}) is None


@pytest.mark.parametrize("missing", ["JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"])
def test_a_missing_variable_is_named(missing):
    given = {name: value for name, value in WHOLE.items() if name != missing}
    with pytest.raises(NnspecError, match=missing):
        place_in(given)


@pytest.mark.parametrize("wrong", ["four", "-1", "", "1e3", "٣", "9999999"])
def test_a_variable_that_is_no_number_is_named(wrong):
    with pytest.raises(NnspecError, match=r"JAX_NUM_PROCESSES is .*not a number"):
        place_in({**WHOLE, "JAX_NUM_PROCESSES": wrong})


def test_an_index_that_is_too_large_is_refused():
    with pytest.raises(NnspecError, match="numbered from 0 to 3"):
        place_in({**WHOLE, "JAX_PROCESS_ID": "4"})
