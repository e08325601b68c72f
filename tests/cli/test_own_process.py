"""A command that is forked is what one begun afresh is: streams, exit code, folder and environment of its own."""

import subprocess

import pytest

import own_process


def said(done):
    return done.returncode, done.stdout, done.stderr


def test_a_forked_command_says_what_one_begun_afresh_says(tmp_path):
    known = own_process.environment()
    for line in (("rules", "show", "example_general"), ("rules", "nonsense")):
        forked = own_process.run(*line, env=known, cwd=tmp_path)
        assert said(forked) == said(own_process.run_afresh(*line, env=known, cwd=tmp_path))


def test_folder_and_environment_are_those_that_were_given(lowland, tmp_path):
    for name in ("甲", "乙"):
        (tmp_path / name).mkdir()
        done = lowland("init", ".", "--code", "120113", "--name", "北辰区", folder=tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name / "lowland.toml").is_file()
        state = lowland(
            "db", "status", "--json", folder=tmp_path / name, LOWLAND_STATE=str(tmp_path / "state")
        )
        assert str(tmp_path / "state") in state.stdout
        assert not (tmp_path / "state").exists()


def test_a_command_that_takes_too_long_is_ended():
    with pytest.raises(subprocess.TimeoutExpired):
        own_process.run("rules", "show", env=own_process.environment(), timeout=0)


def test_what_python_reads_when_it_begins_is_read_by_one_that_begins():
    """In GBK the text of help would not be UTF-8."""
    plain = own_process.environment()
    assert own_process.alike(plain | {"LOWLAND_DSN": "host=/nowhere"})
    assert not own_process.alike(plain | {"PYTHONUTF8": "0"})
    assert not own_process.alike(plain | {"LC_ALL": "zh_CN.GBK"})
