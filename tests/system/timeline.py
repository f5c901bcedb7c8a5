"""timeline.py FILE RANKS STEPS SAVES METRICS: whether a timeline is whole, and says the same as the metrics."""
import collections
import json
import statistics
import sys

from checks import check, finish

file, ranks, steps, saves = sys.argv[1], *map(int, sys.argv[2:5])
told = [json.loads(line) for line in open(sys.argv[5])]
content = json.load(open(file))
events = [event for event in content["traceEvents"] if event["ph"] == "X"]
names = {(event["pid"], event["tid"]): event["args"]["name"] for event in content["traceEvents"] if event["name"] == "thread_name"}
processes = {event["pid"]: event["args"]["name"] for event in content["traceEvents"] if event["name"] == "process_name"}
check("nothing was dropped", content["otherData"]["dropped"] == 0)
check("it says how exact the clocks are", 0 <= content["otherData"]["clock_precision_us"] < 1e5)
check("each rank is a process", sorted(processes) == list(range(ranks)))
check("which has a host", all(name.startswith(f"rank {rank} on ") for rank, name in processes.items()))

tracks = collections.defaultdict(list)
for event in events:
    tracks[event["pid"], event["tid"]].append(event)
check("all threads have names", set(tracks) <= set(names))
for rank in range(ranks):
    check("the trainer and the saver of each rank", {"trainer", "saver"} <= {name for (pid, _), name in names.items() if pid == rank})
check("times begin at 0", min(event["ts"] for event in events) == 0)
check("no time runs backwards", all(event["dur"] >= 0 for event in events))

SLACK = 0.002  # microseconds: what is printed is rounded
inside = collections.defaultdict(set)
for track in tracks.values():
    around = []
    for event in track:
        check("they stand in the order in which they begin", not around or event["ts"] >= around[-1]["ts"])
        while around and event["ts"] >= around[-1]["ts"] + around[-1]["dur"] - SLACK:
            around.pop()
        if around:
            check("an interval is inside another or apart from it",
                  event["ts"] + event["dur"] <= around[-1]["ts"] + around[-1]["dur"] + SLACK)
        inside[event["cat"]].add(around[-1]["cat"] if around else "")
        around.append(event)
for kind, places in {"forward": {"step"}, "backward": {"step"}, "samples": {"step"}, "update": {"step"}, "agreement": {"step"},
                     "step": {""}, "save": {"", "begin_save", "boundary"}, "write": {"save"}, "rename": {"publish"}}.items():
    check(f"{kind} is inside {places}", inside[kind] and inside[kind] <= places)

for rank in range(ranks):
    counts = collections.Counter(event["cat"] for event in events if event["pid"] == rank)
    leaves = 8 * (rank + 1) // ranks - 8 * rank // ranks
    wanted = {"step": steps, "update": steps, "forward": 3 * leaves * steps, "backward": 3 * leaves * steps, "save": saves,
              "digest": saves, "write": saves, "read_back": saves, "metrics": steps}
    for kind, count in wanted.items():
        check(f"{kind}: {counts[kind]} of {count}", counts[kind] == count)
    check("only rank 0 gives a file its name", counts["rename"] == (saves if rank == 0 else 0))
check("layers have names", {event["name"] for event in events if event["cat"] == "backward"} ==
      {"backward 0.dense", "backward 1.relu", "backward 2.dense"})

# Ranks make each step together: it begins and ends about when it does elsewhere; and as long as the metrics say.
own = [[event for event in events if event["pid"] == rank and event["cat"] == "step"] for rank in range(ranks)]
for together in zip(*own):
    begin, end = max(step["ts"] for step in together), min(step["ts"] + step["dur"] for step in together)
    check("steps overlap on all ranks", begin < end)
step_ms = [line["step_ms"] for line in told if "step_ms" in line][-steps:]
found_ms = [event["dur"] / 1e3 for event in own[0]]
median, median_told = statistics.median(found_ms), statistics.median(step_ms)
check(f"steps are as long as the metrics say: {median} and {median_told} ms", abs(median - median_told) <= 0.05 * median + 0.2)
whole, sums = 0, 0
for step in own[0]:
    parts = [event["dur"] for event in tracks[0, 0] if event["cat"] not in ("step", "read") and event["ts"] >= step["ts"] and
             event["ts"] + event["dur"] <= step["ts"] + step["dur"] + SLACK]
    check("its parts are no more than a step", sum(parts) <= step["dur"] + SLACK * len(parts))
    whole, sums = whole + step["dur"], sums + sum(parts)
check("and most of it", sums > 0.3 * whole)
finish()
