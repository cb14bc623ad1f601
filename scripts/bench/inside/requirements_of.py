"""Prints what an installed package requires here, a line each, without the packages that are named. Run by a peer's own
Python: requirements_of.py PACKAGE [LEFT_OUT …]"""

import sys
from importlib.metadata import requires

from pip._vendor.packaging.requirements import Requirement


def main():
    package, *left_out = sys.argv[1:]
    for line in requires(package):
        requirement = Requirement(line)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in left_out:
            requirement.marker = None
            print(requirement)


if __name__ == "__main__":
    main()
