"""The order of a commit, from what strace saw: commit_order.py SAVES TRACE...

TRACE are files of `strace -ff -ttt -T -y`, named PREFIX.RANK.THREAD. Prints a line for each rule that is broken, and exits 1 if
there is one, or if the trace does not hold SAVES commits. Then spoils the order on purpose in every way it knows, and exits 1
if a rule does not see it: a check that cannot fail shows nothing.
"""

import re
import sys
from dataclasses import dataclass, replace

LINE = re.compile(r"^(?P<begin>\d+\.\d+) (?P<call>\w+)\((?P<args>.*)\)\s+= (?P<result>-?\d+).* <(?P<took>\d+\.\d+)>$")
PARTIAL = re.compile(r".*/\.step-0*(?P<step>\d+)\.h5\.[0-9a-f]+\.partial$")
FINAL = re.compile(r".*/step-\d+\.h5$")
KINDS = {
    "write": "write", "writev": "write", "pwrite64": "write", "pwritev": "write", "pwritev2": "write", "ftruncate": "write",
    "fallocate": "reserve", "fsync": "sync", "fdatasync": "sync", "unlink": "unlink", "unlinkat": "unlink",
    "rename": "rename", "renameat": "rename", "renameat2": "rename",
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    begin: float
    end: float
    rank: int
    kind: str
    path: str
    to: str = ""
    text: str = ""


def name(path):
    return path.rsplit("/", 1)[-1]


def read_events(files):
    """All calls of all ranks that succeeded and change something, in the order in which they began."""
    events = []
    for file in files:
        rank = int(file.split(".")[-2])
        for line in open(file, errors="replace"):
            match = LINE.match(line.rstrip("\n"))
            if not match or match["call"] not in KINDS or int(match["result"]) < 0:
                continue
            kind, args = KINDS[match["call"]], match["args"]
            quoted = re.findall(r'"((?:[^"\\]|\\.)*)"', args)
            by_descriptor = re.match(r"\d+<([^>]*)>", args)
            if kind in ("rename", "unlink"):
                path, to = quoted[0], quoted[1] if kind == "rename" else ""
            elif by_descriptor:
                path, to = by_descriptor[1], ""
            else:
                continue
            begin = float(match["begin"])
            text = quoted[0].replace('\\"', '"') if kind == "write" and quoted else ""
            superblock = match["call"] == "pwrite64" and text.startswith("\\211HDF")  # behind the user block
            text = "superblock" if superblock else text
            events.append(Event(begin, begin + float(match["took"]), rank, kind, path, to, text))
    return sorted(events, key=lambda event: event.begin)


def check_commit(events, publish):
    """The rules of one commit; `publish` is its rename."""
    broken = []
    step = PARTIAL.match(publish.path)["step"]
    partial = [e for e in events if name(e.path) == name(publish.path)]
    writes = [e for e in partial if e.kind == "write"]
    syncs = [e for e in partial if e.kind == "sync"]
    reserves = [e for e in partial if e.kind == "reserve"]
    directory = [e for e in events if e.kind == "sync" and e.rank == publish.rank and name(e.path) == "checkpoints"]

    def rule(holds, words):
        if not holds:
            broken.append(f"step {step}: {words}")

    rule(writes, "nothing was written to the partial file")
    rule(reserves, "the space was not reserved")
    ranks = {e.rank for e in events}
    for rank in ranks:
        # HDF5 writes the superblock once more at each close, with the same bytes.
        data = [e for e in writes if e.rank == rank and (rank == publish.rank or e.text != "superblock")]
        rule(data, f"rank {rank} has written nothing")
        rule(
            data and any(s.rank == rank and s.begin >= data[-1].end and s.end <= publish.begin for s in syncs),
            f"rank {rank}: no fsync of the partial file between its last write and the rename",
        )
        shard = [e for e in data if rank != publish.rank]
        rule(
            not shard or any(r.end <= shard[0].begin for r in reserves),
            f"rank {rank} has written before the space was reserved",
        )
    last_write = max((e.end for e in writes), default=publish.end)
    rule(
        any(s.begin >= last_write and s.end <= publish.begin for s in syncs),
        "no fsync of the partial file between the last write of all and the rename",
    )
    rule(
        not any(e.kind == "write" and e.end > publish.begin and name(e.path) == name(publish.to) for e in events),
        "written to after the rename",
    )
    lines = [e for e in events if e.kind == "write" and e.text.startswith(f'{{"step":{step},')]
    rule(
        lines
        and any(
            e.kind == "sync" and name(e.path) == "metrics.jsonl" and lines[-1].end <= e.begin and e.end <= publish.begin
            for e in events
        ),
        "metrics.jsonl is not synced between the step's line and the rename",
    )
    rule(any(e.begin >= publish.end for e in directory), "no fsync of the directory after the rename")
    return broken


def check_prune(events):
    """The rules of taking checkpoints away: there is always a newer one, durably, and no file loses its final name to `unlink`."""
    broken = []
    directory = [e for e in events if e.kind == "sync" and name(e.path) == "checkpoints"]

    def synced_between(begin, end):
        return any(e.begin >= begin and e.end <= end for e in directory)

    for hide in (e for e in events if e.kind == "rename" and FINAL.match(e.path)):
        newer = [p for p in publishes(events) if name(p.to) > name(hide.path)]
        if not any(synced_between(p.end, hide.begin) for p in newer):
            broken.append(f"{name(hide.path)} is taken away before a newer one is safe")
        for delete in (e for e in events if e.kind == "unlink" and name(e.path) == name(hide.to)):
            if not synced_between(hide.end, delete.begin):
                broken.append(f"{name(hide.path)} is deleted before its new name is safe")
    for delete in (e for e in events if e.kind == "unlink" and FINAL.match(e.path)):
        broken.append(f"{name(delete.path)} is deleted under its final name")
    return broken


def publishes(events):
    return [e for e in events if e.kind == "rename" and PARTIAL.match(e.path) and FINAL.match(e.to)]


def check(events, saves):
    commits = publishes(events)
    broken = [] if len(commits) == saves else [f"{len(commits)} commits, {saves} were to be seen"]
    for publish in commits:
        broken += check_commit(events, publish)
    return broken + check_prune(events)


# ---- wrong orders ----


def without(events, unwanted):
    return [e for e in events if not unwanted(e)]


def moved(events, which, by):
    """These events that much later (or earlier)."""
    return sorted(
        (replace(e, begin=e.begin + by, end=e.end + by) if which(e) else e for e in events), key=lambda e: e.begin
    )


def wrong_orders(events):
    """Pairs of words and events, each with one thing wrong in the last commit."""
    last = publishes(events)[-1]

    def of_last(event, kind):
        return event.kind == kind and name(event.path) == name(last.path)

    def directory_after(event):
        return event.kind == "sync" and name(event.path) == "checkpoints" and event.begin >= last.end

    last_sync = [e for e in events if of_last(e, "sync")][-1]
    hide = [e for e in events if e.kind == "rename" and FINAL.match(e.path) and e.begin >= last.end][0]
    second_directory = [e for e in events if directory_after(e)][1]
    yield "no fsync of the partial file", without(events, lambda e: of_last(e, "sync"))
    yield "without its last fsync", without(events, lambda e: e == last_sync)
    yield "fsync after the rename", moved(events, lambda e: e == last_sync, last.end - last_sync.begin + 1e-6)
    for rank in sorted({e.rank for e in events}):
        yield f"no fsync by rank {rank}", without(events, lambda e, r=rank: of_last(e, "sync") and e.rank == r)
    yield "no fsync of the directory", without(events, directory_after)
    yield "directory only synced once", without(events, lambda e: e == second_directory)
    yield "pruned first", moved(events, lambda e: e == hide, last.begin - hide.begin)
    yield "not reserved", without(events, lambda e: of_last(e, "reserve"))
    yield "metrics not synced", without(events, lambda e: e.kind == "sync" and name(e.path) == "metrics.jsonl")
    yield "not renamed", without(events, lambda e: e == last)
    late = replace(last, kind="write", path=last.to, to="", begin=last.end + 1e-6, end=last.end + 2e-6)
    yield "written to under its final name", sorted([*events, late], key=lambda e: e.begin)
    gone = replace(last, kind="unlink", path=last.to, to="", begin=last.end + 1, end=last.end + 1)
    yield "deleted under its final name", [*events, gone]


def main():
    saves, events = int(sys.argv[1]), read_events(sys.argv[2:])
    broken = check(events, saves)
    for line in broken:
        print(f"FAIL  {line}")
    if broken:
        sys.exit(1)
    print(f"ok    {saves} commits of {len({e.rank for e in events})} ranks, {len(events)} calls: the order holds")
    blind = False
    for words, spoilt in wrong_orders(events):
        seen = check(spoilt, saves)
        blind |= not seen
        print(f"ok    is seen: {words}: {seen[0]}" if seen else f"FAIL  is not seen: {words}")
    sys.exit(blind)


main()
