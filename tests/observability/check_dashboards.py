"""Holds Grafana dashboards to Grafana's own types (grafana-foundation-sdk): check_dashboards.py FILE...

Grafana ignores a field that it does not know. So each file is decoded into the types and encoded again: a field that does not
come back is misspelled or misplaced. Then each value must be of the type that its field has. Prints each mistake, with its path.
"""

import enum
import json
import sys
import types
import typing

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(given, encoded, path):
    """Yields what the types have dropped or changed."""
    if isinstance(given, dict) and isinstance(encoded, dict):
        for key, value in given.items():
            if key in encoded:
                yield from lost(value, encoded[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}: Grafana has no such field"
    elif isinstance(given, list) and isinstance(encoded, list) and len(given) == len(encoded):
        for index, (value, other) in enumerate(zip(given, encoded)):
            yield from lost(value, other, f"{path}/{index}")
    elif given != encoded:
        yield f"{path}: {given!r} became {encoded!r}"


def mistyped(value, hint, path):
    """Yields the values that do not have the type of their field."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return
        attempts = [list(mistyped(value, argument, path)) for argument in arguments if argument is not type(None)]
        yield from min(attempts, key=len)
    elif hasattr(value, "__dict__") and not isinstance(value, enum.Enum):
        if isinstance(hint, type) and not isinstance(value, hint):
            yield f"{path}: expected {hint.__name__}, found {type(value).__name__}"
        yield from mistyped_fields(value, path)
    elif hint in (typing.Any, object):
        return
    elif origin is list:
        if not isinstance(value, list):
            yield f"{path}: expected a list, found {value!r}"
            return
        for index, item in enumerate(value):
            yield from mistyped(item, arguments[0], f"{path}/{index}")
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{path}: expected an object, found {value!r}"
            return
        for key, item in value.items():
            yield from mistyped(item, arguments[1], f"{path}/{key}")
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{path}: expected one of {arguments}, found {value!r}"
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        if value not in [member.value for member in hint]:
            yield f"{path}: expected one of {[member.value for member in hint]}, found {value!r}"
    elif hint is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{path}: expected a number, found {value!r}"
    elif hint in (str, bool, int):
        if not isinstance(value, hint) or hint is int and isinstance(value, bool):
            yield f"{path}: expected {hint.__name__}, found {value!r}"
    else:
        yield f"{path}: expected {getattr(hint, '__name__', hint)}, found {value!r}"


def mistyped_fields(model, path):
    """Yields the mistakes in the fields of a decoded object."""
    module = vars(sys.modules[type(model).__module__])
    hints = typing.get_type_hints(type(model), module)
    for name, value in vars(model).items():
        yield from mistyped(value, hints.get(name, typing.Any), f"{path}/{name}")


plugins.register_default_plugins()
mistakes = []
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as text:
        given = json.load(text)
    dashboard = Dashboard.from_json(given)
    mistakes += lost(given, json.loads(json.dumps(dashboard, cls=JSONEncoder)), file)
    mistakes += mistyped_fields(dashboard, file)
print("\n".join(mistakes))
sys.exit(bool(mistakes))
