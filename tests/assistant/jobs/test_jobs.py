import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from assistant.errors import AssistantError
from assistant.jobs import JobLog, Jobs, read_log

WORKER = """
import json, pathlib, sys, time
from statistics import mean  # the standard library's: nothing of ours may stand before it
import assistant.jobs
folder = pathlib.Path(sys.argv[1])
arguments = json.loads((folder / "job.json").read_text())
def log(**line):
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\\n")
log(event="stage", text="Working")
if arguments.get("end") == "fail":
    log(event="failed", message="No flour. Buy some.")
    sys.exit(1)
if arguments.get("end") == "crash":
    raise RuntimeError("out of luck")
while arguments.get("wait") and not (folder / "stop").exists():
    time.sleep(0.02)
log(event="stopped" if (folder / "stop").exists() else "finished", adapter=None)
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """Jobs that can run the module `baking`; whatever still runs at the end is killed."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "baking.py").write_text(WORKER)
    (modules / "icing.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", str(modules))
    started = Jobs(tmp_path / "jobs")
    yield started
    for job in started.list():
        process = job.folder / "process.json"
        if job.active and process.exists():
            psutil.Process(json.loads(process.read_text())["pid"]).kill()


def wait_for(jobs, key, *statuses, seconds=120.0):
    end = time.monotonic() + seconds
    while (job := jobs.find(key)).status not in statuses:
        assert time.monotonic() < end, f"{job.status} instead of {statuses}"
        time.sleep(0.02)
    return job


def kill(job):
    process = psutil.Process(json.loads((job.folder / "process.json").read_text())["pid"])
    process.kill()
    return process


def test_arguments_are_kept_before_the_process_starts_and_a_job_runs_to_its_end(jobs):
    job = jobs.start("baking", {"loaf": "rye", "wait": False})
    assert job.kind == "baking" and re.fullmatch(r"\d{8}-\d{6}-baking", job.key)
    assert json.loads((job.folder / "job.json").read_text())["loaf"] == "rye"
    finished = wait_for(jobs, job.key, "finished")
    assert not finished.active and finished.message == ""
    assert [event["event"] for event in jobs.events(job.key)] == ["stage", "finished"]


def test_a_second_job_of_a_kind_is_refused_while_one_runs(jobs):
    job = jobs.start("baking", {"wait": True})
    with pytest.raises(AssistantError) as problem:
        jobs.start("baking", {})
    clock = r"\d\d:\d\d"
    expected = rf"A baking is already running \(since {clock}\)\. Wait until it has ended, or stop it first\."
    assert re.fullmatch(expected, str(problem.value))
    other = jobs.start("icing", {})
    wait_for(jobs, other.key, "finished")
    assert jobs.running("baking").key == job.key and jobs.running("icing") is None


def test_a_stop_file_asks_the_job_to_end(jobs):
    job = jobs.start("baking", {"wait": True})
    wait_for(jobs, job.key, "running")
    jobs.stop(job.key)
    assert wait_for(jobs, job.key, "stopped").active is False
    assert jobs.running() is None


def test_a_failed_job_says_why(jobs):
    job = wait_for(jobs, jobs.start("baking", {"end": "fail"}).key, "failed")
    assert job.message == "No flour. Buy some."


def test_a_crashed_job_is_lost_with_its_last_words(jobs):
    job = wait_for(jobs, jobs.start("baking", {"end": "crash"}).key, "lost")
    assert job.message == (
        "The process ended without a last word. It last said: RuntimeError: out of luck "
        "Start it again: it goes on where it was saved."
    )


def test_a_killed_job_is_lost_also_to_another_process_and_can_go_on(jobs, tmp_path):
    job = jobs.start("baking", {"wait": True})
    wait_for(jobs, job.key, "running")
    kill(job)
    assert wait_for(jobs, job.key, "lost").active is False
    later = Jobs(tmp_path / "jobs")
    assert later.find(job.key).status == "lost"
    later.resume(job.key, "baking")
    wait_for(later, job.key, "running")
    later.stop(job.key)
    wait_for(later, job.key, "stopped")
    assert [event["event"] for event in later.events(job.key)] == ["stage", "resumed", "stage", "stopped"]


def test_one_that_waits_for_its_turn_is_not_refused(jobs):
    first = jobs.start("baking", {"wait": True}, waits=True)
    second = jobs.start("baking", {"wait": True}, waits=True)
    assert first.key != second.key and second.active
    JobLog(second.folder).write("waiting", before=1)
    assert jobs.find(second.key).status == "waiting"
    for job in (first, second):
        jobs.stop(job.key)
        wait_for(jobs, job.key, "stopped")
    assert jobs.resume(first.key, "baking").active


@pytest.mark.parametrize(("how", "wanted"), [("keep", "keep"), ("discard", "discard")])
def test_a_job_is_told_whether_to_keep_what_it_has(jobs, how, wanted):
    job = jobs.start("baking", {"wait": True})
    jobs.stop(job.key, how)
    assert JobLog(job.folder).stop_wanted == wanted


def test_a_job_killed_by_the_system_says_what_may_have_happened(jobs):
    job = jobs.start("baking", {"wait": True})
    wait_for(jobs, job.key, "running")
    kill(job)
    assert "as the system does where memory runs out" in wait_for(jobs, job.key, "lost").message


def test_a_job_outlives_the_app_that_started_it(jobs, tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path; from assistant.jobs import Jobs;"
        "print(Jobs(Path(sys.argv[1])).start('baking', {'wait': True}).key, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[3]
    paths = {"PYTHONPATH": f"{root}:{os.environ['PYTHONPATH']}"}
    app = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "jobs")],
        capture_output=True,
        text=True,
        env=os.environ | paths,
    )
    assert app.returncode == -signal.SIGKILL
    job = wait_for(jobs, app.stdout.strip(), "running")
    jobs.stop(job.key)
    wait_for(jobs, job.key, "stopped")


def test_a_stopped_job_can_go_on(jobs):
    job = jobs.start("baking", {"wait": True})
    jobs.stop(job.key)
    wait_for(jobs, job.key, "stopped")
    assert jobs.resume(job.key, "baking").active
    jobs.stop(job.key)
    wait_for(jobs, job.key, "stopped")


def test_what_runs_is_neither_chosen_by_a_jobs_file_nor_by_where_it_was_started(jobs, tmp_path, monkeypatch):
    job = jobs.start("baking", {"wait": True})
    jobs.stop(job.key)
    wait_for(jobs, job.key, "stopped")
    about = json.loads((job.folder / "job.json").read_text())
    (job.folder / "job.json").write_text(json.dumps(about | {"module": "trap", "where": "elsewhere"}))
    for name in ("trap", "baking"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    jobs.resume(job.key, "baking", {"where": "here"})
    wait_for(jobs, job.key, "running")
    jobs.stop(job.key)
    wait_for(jobs, job.key, "stopped")
    assert not (tmp_path / "sprung").exists()
    assert json.loads((job.folder / "job.json").read_text()) == about | {"where": "here"}


def test_a_finished_job_can_not_go_on(jobs):
    job = wait_for(jobs, jobs.start("baking", {}).key, "finished")
    with pytest.raises(AssistantError) as problem:
        jobs.resume(job.key, "baking")
    assert str(problem.value) == (
        f"The baking {job.key} has finished; there is nothing to go on with. Start a new one."
    )


def test_a_running_job_is_found_again_after_a_restart(jobs, tmp_path):
    job = jobs.start("baking", {"wait": True})
    wait_for(jobs, job.key, "running")
    assert Jobs(tmp_path / "jobs").running("baking").key == job.key


def test_another_process_with_the_number_of_a_lost_job_does_not_count(jobs, tmp_path):
    job = jobs.start("baking", {"end": "crash"})
    wait_for(jobs, job.key, "lost")
    (job.folder / "process.json").write_text(json.dumps({"pid": os.getpid()}))
    assert Jobs(tmp_path / "jobs").find(job.key).status == "lost"


def test_a_running_job_is_found_again_though_the_clock_was_set(jobs, tmp_path, monkeypatch):
    job = jobs.start("baking", {"wait": True})
    wait_for(jobs, job.key, "running")
    began = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: began(self) - 3600)
    assert Jobs(tmp_path / "jobs").running("baking").key == job.key


def test_jobs_are_listed_newest_first(jobs):
    first, second = jobs.start("baking", {}), jobs.start("icing", {})
    for job in (first, second):
        wait_for(jobs, job.key, "finished")
    assert {job.key for job in jobs.list()} == {first.key, second.key}
    assert jobs.list()[0].created >= jobs.list()[1].created


@pytest.mark.parametrize("key", ["none", "../jobs", ""])
def test_an_unknown_job_is_refused(jobs, key):
    with pytest.raises(AssistantError) as problem:
        jobs.find(key)
    assert str(problem.value) == f"There is no job {key!r}. Choose one of the list."


def test_a_log_goes_on_after_a_line_that_was_cut_off(tmp_path):
    log = JobLog(tmp_path)
    log.write("step", step=1)
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write(b'{"event": "st')
    assert [event["event"] for event in read_log(tmp_path)] == ["step"]
    log.write("step", step=2)
    assert [event["step"] for event in read_log(tmp_path)] == [1, 2]


def test_a_log_knows_whether_it_was_asked_to_stop(tmp_path):
    assert not JobLog(tmp_path).stop_asked() and JobLog(tmp_path).stop_wanted == ""
    (tmp_path / "stop").touch()
    assert JobLog(tmp_path).stop_asked() and JobLog(tmp_path).stop_wanted == "keep"
