"""The compiled parts; everything else is in pyproject.toml. Where there is no C compiler, all works without them, slower."""

from setuptools import Extension, setup

ROOM = "src/allmende/extract"

setup(
    ext_modules=[
        Extension(
            "allmende.extract.wat_record",
            [f"{ROOM}/wat_record.pyx"],
            depends=[f"{ROOM}/wat_scan.pxi", f"{ROOM}/wat_image.pxi", f"{ROOM}/wat_links.pxi"],
            optional=True,
        ),
        Extension(
            "allmende.extract.row_names", [f"{ROOM}/row_names.pyx"], depends=[f"{ROOM}/blake2b.h"], optional=True
        ),
    ]
)
