"""
Where ours spends the time of the event loop's thread, by stage and function.

    python bench/stages.py [--seconds 12]
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from parts.load import as_fast_as_it_goes
from parts.processes import receiver, service
from parts.table import machine

CASES = {0: ("off", 0), 3: ("on", 2), 10: ("on", 9)}
LEAST = 0.004


def main():
    parser = argparse.ArgumentParser(description="Where it is spent.")
    parser.add_argument("--seconds", type=float, default=12, help="in all, about")
    each = parser.parse_args().seconds / len(CASES) / 1.3
    with ExitStack() as stack:
        url = f"http://127.0.0.1:{stack.enter_context(receiver()).port}"
        ours = stack.enter_context(service("ours", f"{url}/ours"))
        print(machine())
        for lines, (access, of_handler) in CASES.items():
            ours.tell(f"access {access}")
            as_fast_as_it_goes(ours.port, f"/orders/{of_handler}", each / 4)
            ours.tell("profile on")
            as_fast_as_it_goes(ours.port, f"/orders/{of_handler}", each)
            counts = ours.tell("profile off")
            total = sum(counts.values())
            print(f"{lines} lines, {total} samples")
            for stage, number in sorted(counts.items(), key=lambda item: -item[1]):
                if number >= total * LEAST:
                    print(f"  {number / total:6.1%}  {stage}")


if __name__ == "__main__":
    main()
