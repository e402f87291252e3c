"""A build that is killed again and again ends as one that nobody disturbed. `tools/kill_build.py --kills 50` shows more."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "kill_build.py"


@pytest.mark.slow
def test_killed_builds_end_like_undisturbed_ones():
    command = [sys.executable, TOOL, "--kills", "4", "--each", "4", "--urls", "400", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kills, no difference" in done.stdout
