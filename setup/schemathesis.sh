#!/usr/bin/env bash
# Installs schemathesis, which tests the admin API against its own description, into the user's cache.
# Prints the path of the Python that can run it: PYTHON -m schemathesis.cli.
exec "$(dirname "$0")/python-tools.sh" schemathesis schemathesis
