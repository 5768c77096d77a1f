"""``python -m benchmarks.safeguards.probe``: plays sessions until a promise is broken; run in a changed copy of the code."""

import json
import sys

from benchmarks.simulation.apart import Apart, SimulationError
from benchmarks.simulation.plan import session

# A session that can't be played at all shows what is missing as well as a broken promise does.
BROKEN_DOWN = "the bot doesn't work at all"


def main(seed: int, sessions: int) -> int:
    """Print, as JSON, how many sessions it took and what broke; nothing where nothing did."""
    for index in range(sessions):
        try:
            findings = Apart(session(seed, index)).result().findings
        except SimulationError as error:
            found = {BROKEN_DOWN: str(error)[-300:]}
        else:
            found = {str(finding.what): " | ".join(finding.lines[:2]) for finding in findings}
        if found:
            sys.stdout.write(json.dumps({"sessions": index + 1, "found": found}) + "\n")
            return 0
    sys.stdout.write(json.dumps({"sessions": sessions, "found": {}}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
