"""Runs queries in ClickHouse on the rows of a data set of Analytics Engine.

Reads {"rows": […], "queries": […]} and writes the list of their results, each a list of objects.
"""

import json
import sys

import chdb

given = json.load(sys.stdin)
# The columns that Analytics Engine has (Cloudflare documentation, "SQL API", table structure).
texts = ["dataset", "index1", *(f"blob{number}" for number in range(1, 21))]
columns = ["timestamp DateTime('UTC')", "_sample_interval UInt32", *(f"{name} String" for name in texts)]
columns += [f"double{number} Float64" for number in range(1, 21)]
connection = chdb.connect(":memory:")
connection.query(f"CREATE TABLE sluicegate ({', '.join(columns)}) ENGINE = Memory")
rows = "\n".join(json.dumps(row) for row in given["rows"])
connection.query(f"INSERT INTO sluicegate FORMAT JSONEachRow {rows}")
results = []
for query in given["queries"]:
    result = connection.query(query, "JSONEachRow")
    results.append([json.loads(line) for line in str(result).splitlines()])
json.dump(results, sys.stdout)
