"""bench.py FILE machine|job|text RANKS [STEPS [TIMELINE]]: whether what `lockstep bench --json` says is whole and fits together."""
import json
import sys

from checks import check, finish

file, kind, ranks = sys.argv[1], sys.argv[2], int(sys.argv[3])
found = json.load(open(file))
machine = found["machine"]


def is_spread(spread):
    return 0 <= spread["least"] <= spread["rank0"] <= spread["most"]


check("the ranks", machine["ranks"] == ranks and machine["nodes"] == 1)
for rate in ("flops_per_s", "memory_bytes_per_s"):
    check(f"{rate} of the ranks", is_spread(machine[rate]) and machine[rate]["least"] > 1e6)
    check(f"{rate} of all", ranks * machine[rate]["least"] * 0.999 <= machine["all_" + rate] <= ranks * machine[rate]["most"] * 1.001)
check("three sizes are exchanged", [exchange["bytes"] for exchange in machine["exchange"]] == [4 << 20, 16 << 20, 64 << 20])
check("or there is no room", all(exchange["s"] is None or exchange["s"] > 0 for exchange in machine["exchange"]))
check("an agreement takes time", machine["agreement_s"] > 0)
if kind == "machine":
    check("and that is all", set(found) == {"program", "machine"})
    finish()

job, steps = found["job"], int(sys.argv[4])
check("steps", job["steps"] == steps and job["steps_counted"] == steps - 2 * (steps // 4))
check("a step", is_spread(job["step_s"]) and job["step_s"]["least"] > 0)
check("the rate", abs(job["samples_per_s"] * job["step_s"]["rank0"] / job["batch"] - 1) < 1e-6)
check("the share of the peak", abs(job["peak_share"] * machine["all_flops_per_s"] * job["step_s"]["rank0"] / job["flops"] - 1) < 1e-6)
phases = {phase["phase"]: phase for phase in job["phases"]}
check("the phases", list(phases) == ["samples", "forward", "loss", "backward", "combine", "agreement", "wait", "sum", "norm", "update",
                                     "distribute", "metrics", "boundary", "rest"])
check("none is negative", all(is_spread(phase["s"]) for phase in phases.values()))
total = sum(phase["s"]["rank0"] for phase in phases.values())
check(f"together they are the step: {total} and {job['step_s']['rank0']}", abs(total / job["step_s"]["rank0"] - 1) < 1e-6)
for phase in ("samples", "forward", "loss", "backward", "sum", "update"):
    check(f"{phase} takes time", phases[phase]["s"]["least"] > 0)

layers = {layer["layer"]: layer for layer in job["layers"]}  # the two ends of a residual connection have one name
for way in ("forward", "backward"):
    total = sum(layer[way]["s"]["rank0"] for layer in job["layers"])
    check(f"the layers' {way} is that of the step: {total}", abs(total / phases[way]["s"]["rank0"] - 1) < 1e-6)
    for layer in job["layers"]:
        name = layer["layer"]
        one, least = layer[way], max(layer[way]["flops"] / machine["flops_per_s"]["rank0"],
                                     layer[way]["bytes"] / machine["memory_bytes_per_s"]["rank0"])
        check(f"{name}, {way}: its roofline", abs(one["roofline_s"] - least) <= 1e-6 * least)
        check(f"{name}, {way}: which of the two it is", one["roofline"] in ("fma", "memory"))
        check(f"{name}, {way}: the share", one["roofline_s"] == 0 or one["s"]["rank0"] == 0 or
              abs(one["roofline_share"] * one["s"]["rank0"] / one["roofline_s"] - 1) < 1e-6)
own = job["leaves"] // ranks * job["microbatch"]  # samples of rank 0
flops = sum(layer[way]["flops"] for layer in job["layers"] for way in ("forward", "backward"))
check("FLOPs of all layers, of all ranks", abs(flops / own * job["batch"] / job["flops"] - 1) < 1e-9)
products = job["products"]
made = sum(2 * p["m"] * p["n"] * p["k"] * p["count"] for p in products if p["kind"] == "product")

if kind == "job":
    check("layers", list(layers) == ["0.dense", "1.relu", "2.dense"])
    check("FLOPs of an MLP", layers["0.dense"]["forward"]["flops"] == own * 2 * 784 * 64 == layers["0.dense"]["backward"]["flops"])
    check("and the way back through", layers["2.dense"]["backward"]["flops"] == own * 4 * 64 * 10)
    check("products do what the layers do", made == flops)
    check("no tokens", job["tokens_per_s"] is None)
    check("no saves", job["saves"] == {"count": 0})
    events = [event for event in json.load(open(sys.argv[5]))["traceEvents"] if event["ph"] == "X"]
    for rank in range(ranks):
        count = sum(event["cat"] == "step" and event["pid"] == rank for event in events)
        check(f"steps in the timeline, three to warm up among them: {count}", count == steps + 3)
else:
    check("attention", any(name.endswith("attend") for name in layers))
    check("tokens", abs(job["tokens_per_s"] / job["samples_per_s"] - 32) < 1e-6)
    check("products do what the layers do, and what no position sees", flops < made < 1.5 * flops)
    check("shapes are listed once", len({json.dumps({**p, "count": 0}) for p in products}) == len(products))
finish()
