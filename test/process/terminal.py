"""Runs a command in a pseudo-terminal and answers it.

Reads JSON from standard input: {"command": [...], "env": {...}, "cwd": "...", "steps": [[expected, typed], ...]}.
Each step waits for a text to appear after the one before it, then types. Prints JSON: {"status", "output"};
"missing" is the text that never came.
"""

import json
import os
import pty
import select
import sys
import time

PATIENCE_S = 45

task = json.load(sys.stdin)
child, terminal = pty.fork()
if child == 0:
    os.chdir(task["cwd"])
    os.execvpe(task["command"][0], task["command"], task["env"])

output = b""
seen = 0
missing = None


def more(timeout):
    """Whether there may be more to come."""
    global output
    ready, _, _ = select.select([terminal], [], [], timeout)
    if not ready:
        return True
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        return False
    output += chunk
    return chunk != b""


for expected, typed in task["steps"]:
    until = time.monotonic() + PATIENCE_S
    while (at := output.find(expected.encode(), seen)) < 0:
        if time.monotonic() > until or not more(0.2):
            missing = expected
            break
    if missing is not None:
        os.kill(child, 9)
        break
    seen = at + len(expected.encode())
    os.write(terminal, typed.encode())

until = time.monotonic() + PATIENCE_S
while more(0.2):
    if time.monotonic() > until:
        os.kill(child, 9)
        missing = missing or "the end"
        break
_, status = os.waitpid(child, 0)
print(json.dumps({"status": os.waitstatus_to_exitcode(status), "output": output.decode(errors="replace"), "missing": missing}))
