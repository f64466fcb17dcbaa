#!/usr/bin/env bash
# Installs what tests docs/observability.md and docs/grafana/ into the user's cache: ClickHouse, which runs the queries for
# Analytics Engine, and Grafana's own types of a dashboard. Prints the path of the Python that has both.
#
# pandas and pyarrow, on which chdb-core depends, are not installed: they are for queries over Python objects.
exec "$(dirname "$0")/python-tools.sh" observability chdb grafana_foundation_sdk
