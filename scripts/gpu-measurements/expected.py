"""What must be so whatever the machine is: for the reduced run, which is the test of the measurement."""

from compare import partings
from report import wide_share
from tasks import Cell


def broken(results):
    """A sentence for each thing that is not as it must be."""
    cells = [result for result in results if isinstance(result.task, Cell) and result.load]
    said = []
    for result in cells:
        said += (f"{result.task.name}: {wrong}" for wrong in placement(result))
    for parting in partings(results):
        if parting.what == "1 together, made twice" and parting.n_parted:
            said.append(f"{parting.model}, {parting.arm}: {parting.n_parted} texts made alone twice are not the same")
    return said


def placement(result):
    """Where experts are, and who computes with them; nothing where there is no device."""
    takeover = result.load.get("footprint", {}).get("takeover")
    if takeover is None:
        return
    if result.tokens_per_s is None:
        yield "no speed was measured"
    on_host = sum(place["expert_bytes"] for place in result.load["footprint"]["places"] if place["kind"] == "cpu")
    elsewhere = sum(place["expert_bytes"] for place in result.load["footprint"]["places"] if place["kind"] != "cpu")
    if (result.task.offload == "none") != (on_host == 0) or (result.task.offload == "all") != (elsewhere == 0):
        yield f"{on_host} bytes of experts are on the host, {elsewhere} elsewhere"
    share, least = wide_share(result), takeover["from"] if isinstance(takeover, dict) else None
    if not result.task.op_offload and (least is not None or share):
        yield "op_offload is off, and a device takes experts over"
    if result.task.op_offload and least is None:
        yield "op_offload is on, and no device takes experts over"
    if least is not None and (share > 0) != (result.task.width >= least):
        yield f"{share:.0%} of its tokens were in steps of {least} or more"
