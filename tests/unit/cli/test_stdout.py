import os
import subprocess
import sys

import pytest


def test_what_others_write_to_stdout_is_not_in_ours():
    script = (
        "import os\nfrom allmende import cli\n"
        "cli._run = lambda: print('ours') or os.write(1, b'theirs') and 0\n"
        "cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("ours\n", "theirs")


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_reader_who_has_enough_is_no_error(tmp_path, option):
    (tmp_path / "x.txt").write_text("http://a.example/1.jpg\n" * 10)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "allmende", "inspect", str(tmp_path / "x.txt"), *option]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
