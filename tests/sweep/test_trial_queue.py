"""Each trial of a sweep counts once, whatever happens to its workers."""

from __future__ import annotations

import threading

import pytest

from nnspec.diagnostics import NnspecError
from nnspec.sweeping import owner, trial_queue
from nnspec.sweeping.section import SweepSection
from nnspec.sweeping.settings import Search
from nnspec.sweeping.storage import close, storage_of
from nnspec.sweeping.trial_queue import MOST_KILLS, TrialQueue
from nnspec.training.plan import Monitor

pytest.importorskip("optuna")

OVER = {"params.width": {"int": [2, 64]}, "train.rate": {"float": [1e-4, 1e-1], "log": True}, "params.kind": ["relu", [1, 2]]}


def search(trials=3, **changes):
    over = {name: value if isinstance(value, dict) else {"choice": value} for name, value in OVER.items()}
    section = SweepSection.model_validate({"over": {**over, "params.kind": {"choice": ["relu", "tanh"]}}, "trials": trials})
    return Search(section, Monitor("val_loss", "min"), {"name": "net", **changes})


@pytest.fixture(params=["journal", "sqlite"])
def storage(request, tmp_path):
    where = f"journal:{tmp_path / 'j.log'}" if request.param == "journal" else f"sqlite:///{tmp_path / 's.db'}"
    return storage_of(where)


@pytest.fixture
def opened(storage):
    """Opens queues, each like a worker of its own, and closes them."""
    queues = []

    def open_queue(trials=3, study="net", **changes):
        queues.append(TrialQueue(storage, study, search(trials, **changes)))
        return queues[-1]

    yield open_queue
    for queue in queues:
        queue.close()


def finished(queue, claim, value=1.0):
    queue.report(claim, 1, value)
    queue.end(claim, "finished", value)


def states(queue):
    return [(trial.number, trial.state, trial.attempts) for trial in queue.trials()]


def test_workers_take_different_trials_and_no_more_than_are_wanted(opened):
    first, second = opened(), opened()
    claims = [first.claim(), second.claim(), first.claim()]
    assert [claim.number for claim in claims] == [1, 2, 3]
    assert first.claim() is None
    assert second.claim() is None


def test_many_workers_at_the_same_moment_run_each_trial_once(opened):
    wanted, taken = 24, []
    queues = [opened(wanted) for _ in range(4)]

    def work(queue):
        while (claim := queue.claim()) is not None:
            taken.append(claim.number)
            finished(queue, claim)

    threads = [threading.Thread(target=work, args=(queue,)) for queue in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, wanted + 1))
    assert states(queues[0]) == [(number, "finished", 1) for number in range(1, wanted + 1)]


def test_a_killed_workers_trial_is_tried_again_with_the_same_values_and_in_its_folder(opened):
    killed, other = opened(1), opened(1)
    claim = killed.claim()
    killed.note(claim, folder="/runs/trial-001")
    assert other.claim() is None
    assert list(other.running()) == [1]
    owner.ended(killed._owner)
    assert list(other.running()) == []
    again = other.claim()
    assert (again.number, again.values, again.folder) == (claim.number, claim.values, "/runs/trial-001")
    finished(other, again)
    assert states(other) == [(1, "finished", 2)]


def test_workers_that_find_a_lost_trial_at_the_same_moment_try_it_again_once(opened):
    killed, *others = (opened(1) for _ in range(4))
    killed.claim()
    owner.ended(killed._owner)
    taken = []
    threads = [threading.Thread(target=lambda queue=queue: taken.append(queue.claim())) for queue in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [claim.number for claim in taken if claim is not None] == [1]


def test_the_result_of_a_worker_that_was_taken_for_gone_does_not_count(opened):
    frozen, other = opened(1), opened(1)
    claim = frozen.claim()
    owner.ended(frozen._owner)
    again = other.claim()
    frozen.report(claim, 1, 0.1)
    assert claim.taken
    frozen.end(claim, "finished", 0.1)
    finished(other, again, 0.5)
    frozen.end(claim, "failed", reason="late")
    assert [(trial.value, trial.attempts) for trial in other.trials()] == [(0.5, 2)]


def test_a_worker_on_another_machine_is_gone_when_its_reports_end(opened, monkeypatch):
    remote, here = opened(1), opened(1)
    remote._owner = {**remote._owner, "place": "another machine"}
    claim = remote.claim()
    now = [0.0]
    monkeypatch.setattr(trial_queue.time, "monotonic", lambda: now[0])
    for beat in range(4):
        assert here.claim() is None
        remote.note(claim, beat=beat)
        now[0] += trial_queue.SILENT_SECONDS - 1
    assert here.claim() is None
    now[0] += trial_queue.SILENT_SECONDS + 1
    again = here.claim()
    assert again.number == 1


def test_a_running_trial_reports_regularly(opened, monkeypatch):
    monkeypatch.setattr(trial_queue, "BEAT_SECONDS", 0.02)
    queue = opened(1)
    claim = queue.claim()
    reported = threading.Event()
    note = queue.note
    monkeypatch.setattr(queue, "note", lambda *of, **what: (note(*of, **what), reported.set()))
    with queue.heartbeat(claim):
        assert reported.wait(20)
    assert queue._attempts()[1][0].user_attrs["beat"] >= 1


def test_a_trial_that_ends_each_worker_fails_with_the_reason(opened):
    for _ in range(MOST_KILLS):
        queue = opened(2)
        queue.claim()
        owner.ended(queue._owner)
    last = opened(2)
    claim = last.claim()
    assert claim.number == 2
    [failed] = last.trials()
    assert (failed.number, failed.state) == (1, "failed")
    assert f"killed {MOST_KILLS} times" in failed.reason
    assert failed.values


def test_an_interruption_is_no_kill(opened):
    queue = opened(1)
    for _ in range(MOST_KILLS + 1):
        queue.release(queue.claim())
    finished(queue, queue.claim())
    assert states(queue) == [(1, "finished", MOST_KILLS + 2)]


def test_a_trial_that_is_worse_than_the_median_is_pruned_unless_the_section_says_no(opened, storage):
    queue = opened(9)
    for _ in range(5):
        finished(queue, queue.claim(), 0.5)
    good, poor = queue.claim(), queue.claim()
    queue.report(good, 1, 0.4)
    queue.report(poor, 1, 0.6)
    assert not queue.should_prune(good)
    assert queue.should_prune(poor)
    queue.end(poor, "pruned", 0.6)
    assert [(trial.number, trial.state, trial.value) for trial in queue.trials()][-1] == (7, "pruned", 0.6)
    asked = search(9)
    lenient = TrialQueue(
        storage, "net", Search(asked.section.model_copy(update={"prune": False}), asked.monitor, asked.document)
    )
    last = lenient.claim()
    lenient.report(last, 1, 0.9)
    assert not lenient.should_prune(last)
    lenient.close()


def test_a_failed_trial_is_not_tried_again(opened):
    queue = opened(1)
    queue.end(queue.claim(), "failed", reason="the loss is not finite")
    assert queue.claim() is None
    assert [(trial.state, trial.reason) for trial in queue.trials()] == [("failed", "the loss is not finite")]


def test_more_trials_can_be_wanted_later_and_by_another_worker(opened):
    few = opened(1)
    finished(few, few.claim())
    assert few.claim() is None
    many = opened(3)
    assert [many.claim().number, many.claim().number] == [2, 3]
    assert few.claim() is None


def test_the_first_values_depend_on_the_number_of_the_trial_not_on_the_worker(opened, tmp_path):
    first, second = opened(4), opened(4)
    shared = [queue.claim().values for queue in (first, second, second, first)]
    alone = TrialQueue(storage_of(f"journal:{tmp_path / 'other.log'}"), "net", search(4))
    assert [alone.claim().values for _ in range(4)] == shared
    alone.close()


def test_a_study_of_another_spec_is_refused_with_the_difference(opened):
    opened(width=3)
    with pytest.raises(NnspecError, match=r"of another spec or other ranges:\n  spec\.width: 3 → 4\n  = help: use another"):
        opened(width=4)
    opened(study="other", width=4)


def test_a_study_of_another_program_is_refused(storage):
    import optuna

    store = storage.open()
    optuna.create_study(study_name="net", storage=store).add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(NnspecError, match="is not of this spec and these ranges"):
        TrialQueue(storage, "net", search())
    close(store)


def test_data_of_ended_trials_are_known_by_machine(opened):
    queue = opened(2)
    claim = queue.claim()
    queue.note(claim, data={"names": "a", "contents": "b"})
    assert queue.data() == {}
    finished(queue, claim)
    assert list(queue.data().values()) == [{"names": "a", "contents": "b"}]


def test_a_process_is_known_by_its_start_and_not_only_by_its_number():
    mine = owner.new_owner()
    assert owner.runs(mine)
    assert owner.runs({**mine, "place": "elsewhere"}) is None
    assert not owner.runs({**mine, "pid": 2**22 + 1})
    assert not owner.runs({**mine, "pid": 1, "started": "long before"})
    owner.ended(mine)
    assert not owner.runs(mine)
