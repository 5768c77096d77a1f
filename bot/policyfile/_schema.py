"""The JSON schema of the policy file, for editors: made of the model, so that it can't say anything else."""

import json

from bot.policyfile._model import File


def policy_schema() -> dict[str, object]:
    """Make the JSON schema of the policy file, for editors."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", **File.model_json_schema(), "title": "policy.toml"}


def schema_text() -> str:
    """Give ``docs/policy.schema.json`` as it must be; print it there when the model has changed."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"
