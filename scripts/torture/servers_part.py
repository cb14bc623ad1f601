"""The hostile servers and the hostile hub: scripts/torture/servers.py does it, and prints its counts as JSON."""

import json
import subprocess
import sys
from pathlib import Path

from campaign import Campaign

_SCRIPT = Path(__file__).with_name("servers.py")


def run(setting, fixtures):
    campaign = Campaign(setting, "servers")
    if not setting.selects(campaign):
        return []
    if not _SCRIPT.exists():
        campaign.skip(f"there is no {_SCRIPT.name} beside this script")
        return [campaign]
    command = [sys.executable, _SCRIPT, setting.binary, "--jobs", "8"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3 * setting.seconds, check=False)
    except subprocess.TimeoutExpired:
        campaign.fault(0, f"no end within {3 * setting.seconds} s", command)
        return [campaign]
    lines = done.stdout.strip().splitlines()
    try:
        counts = json.loads(lines[-1])
    except (IndexError, ValueError):
        campaign.fault(0, f"its last line is no JSON, exit code {done.returncode}: {done.stderr[-500:]}", command)
        return [campaign]
    numbers = {name: value for name, value in counts.items() if type(value) is int}
    campaign.cases = numbers.get("cases", numbers.get("runs", sum(numbers.values())))
    campaign.count(**numbers)
    if done.returncode != 0:
        (setting.target / "servers.log").write_text(done.stdout + done.stderr)
        campaign.fault(0, f"exit code {done.returncode}: {lines[-1][:500]}; see {setting.target}/servers.log", command)
    return [campaign]
