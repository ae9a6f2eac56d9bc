# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The schemas of what verbs print with --json. Reasons and risks are those that the program lists."""
import json
import pathlib
import subprocess

DIRECTORY = pathlib.Path(__file__).resolve().parent


def listed(hook, kind):
    return subprocess.run([hook, "--list", kind], check=True, capture_output=True, text=True).stdout.split()


def definitions(hook):
    """What a schema refers to as #/$defs/reason, #/$defs/risk and #/$defs/denials."""
    reasons = listed(hook, "reasons")
    return {
        "reason": {"enum": reasons},
        "risk": {"enum": listed(hook, "risks")},
        "denials": {
            "type": "object",
            "additionalProperties": False,
            "required": reasons,
            "properties": {reason: {"type": "integer", "minimum": 0} for reason in reasons},
        },
    }


def load(name, hook):
    """The schema of verb `name`, ready to validate with."""
    schema = json.loads((DIRECTORY / f"{name}.json").read_text())
    schema["$defs"] = schema.get("$defs", {}) | definitions(hook)
    return schema
