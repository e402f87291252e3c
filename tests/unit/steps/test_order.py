import subprocess
import sys

import pytest

from allmende import recipe_file
from allmende.steps import order
from allmende.steps.step import Step

STEPS = [value for value in vars(order).values() if isinstance(value, Step)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.module)
def test_a_steps_module_has_a_plan_and_a_worker(step):
    assert callable(step.plan)
    assert callable(step.worker.run)
    assert step.tasks({}, 2) == []


def loaded(script):
    """Modules that a process has which only runs this."""
    script = f"import sys; from allmende import building, recipe_file; from allmende.steps import order\n{script}\nprint(*sys.modules)"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_a_build_of_images_loads_nothing_of_text_and_no_engine():
    modules = loaded(
        'recipe = recipe_file.loads(\'[dataset]\\nname = "x"\\n[select]\\nurls = ["a.parquet"]\')\n'
        "for step in order.steps(recipe): step.worker"
    )
    assert "allmende.steps.samples" in modules
    assert not {"daft", "allmende.steps.texts"} & set(modules)


def test_workers_on_archives_start_before_what_reads_them_is_loaded():
    modules = loaded("order.CANDIDATES.worker")
    assert "allmende.steps.candidates" in modules
    assert [m for m in modules if m.startswith("allmende.extract.")] == []


def test_text_and_images_have_steps_of_their_own():
    names = {
        kind: [
            s.name
            for s in order.steps(
                recipe_file.loads(f'[dataset]\nname = "x"\nkind = "{kind}"\n[select]\narchives = ["a"]')
            )
        ]
        for kind in ("images", "text")
    }
    assert names == {
        "images": ["candidates", "unique", "frequent", "samples", "release/shards"],
        "text": ["documents", "unique", "near", "release/shards"],
    }
