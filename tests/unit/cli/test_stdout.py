import subprocess
import sys


def test_what_others_write_to_stdout_is_not_in_ours():
    script = (
        "import os\nfrom allmende import cli\n"
        "cli._run = lambda: print('ours') or os.write(1, b'theirs') and 0\n"
        "cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("ours\n", "theirs")
