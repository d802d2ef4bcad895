"""Build the sdist and the wheel with the locked backend, into the folder that is named."""

import sys

from hatchling.build import build_sdist, build_wheel

for build in (build_sdist, build_wheel):
    print(build(sys.argv[1]))
