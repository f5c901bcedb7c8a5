"""What a power cut can leave, from a record of everything that a job did to its disk (see power_loss.c).

  power_loss.py RECORD RUN LOCKSTEP WHOLE [--light]

RUN is the recorded run directory, WHOLE that of an uninterrupted run of the same job.yaml, which is trained on.

A cut comes between two calls. What was synced before it stays: of a file the bytes, of a directory the names. Of the rest anything
may be there or not: of a write each page of 4 KB, of a file its size, of the names in a directory the first few changes, in order.
At each cut everything is there, or nothing but what was synced, or a random part of the rest. Then:

- every checkpoint with a final name is valid, and the newest is no older than the newest that was committed before the cut: whose
  directory had been synced after its rename;
- job.yaml is whole or not there;
- a sample of the directories is trained to the end: by a resume from that checkpoint, with the fingerprint and the metrics of
  the run in peace.

Then the same with syncs that are left out of the record on purpose: that has to be noticed, or all of the above shows nothing.
"""

import hashlib
import os
import random
import re
import shutil
import subprocess
import sys

PAGE = 4096
FINAL = re.compile(r"step-(\d+)\.h5$")


class File:
    """A file without its names: what was done to it, in order, and what of it is safe from which moment on."""

    def __init__(self):
        self.changes = []  # (moment, kind, offset or length, bytes)
        self.syncs = []  # (covers changes before this moment, safe from this moment on)

    def content(self, cut, keep_page, keep_size):
        safe = max((begin for begin, end in self.syncs if end < cut), default=-1)
        bytes_ = bytearray()

        def grow(length):
            if len(bytes_) < length:
                bytes_.extend(bytes(length - len(bytes_)))

        for moment, kind, place, data in self.changes:
            if moment >= cut:
                break
            certain = moment < safe
            if kind == "write":
                for start in range(0, len(data), PAGE):
                    piece = data[start : start + PAGE]
                    if certain or keep_page():
                        grow(place + start + len(piece))
                        bytes_[place + start : place + start + len(piece)] = piece
            elif certain or keep_size():
                grow(place)
                if kind == "truncate":
                    del bytes_[place:]
        return bytes(bytes_)


class Directory:
    def __init__(self):
        self.changes = []  # (moment, kind, name, other name or file)
        self.syncs = []

    def names(self, cut, how_many):
        """`how_many` of the changes that are not safe are there."""
        safe = max((begin for begin, end in self.syncs if end < cut), default=-1)
        known = [change for change in self.changes if change[0] < cut]
        certain = sum(1 for change in known if change[0] < safe)
        names = {}
        for _, kind, name, other in known[: certain + how_many(len(known) - certain)]:
            if kind == "create":
                names[name] = other
            elif kind == "unlink":
                names.pop(name, None)
            elif name in names:
                names[other] = names.pop(name)
        return names


class Record:
    """The whole record. `forget` says of which paths the syncs are left out."""

    def __init__(self, path, run, forget=lambda path: False):
        self.directories = {}
        self.commits = []  # (step, the moment from which it is committed)
        self.sync_ends = []
        inodes, begun, published = {}, {}, []
        moment = 0
        with open(path, "rb") as record:
            while line := record.readline():
                kind, *fields = line.decode().rstrip("\n").split("\t")
                if kind == "write":
                    inode, offset, count = (int(field) for field in fields)
                    inodes[inode].changes.append((moment, kind, offset, record.read(count)))
                elif kind in ("truncate", "reserve"):
                    inodes[int(fields[0])].changes.append((moment, kind, int(fields[1]), b""))
                elif kind == "create":
                    inodes[int(fields[0])] = file = File()
                    where, name = os.path.split(os.path.relpath(fields[1], run))
                    self.directory(where).changes.append((moment, kind, name, file))
                elif kind in ("rename", "unlink"):
                    where, name = os.path.split(os.path.relpath(fields[0], run))
                    other = os.path.basename(fields[1]) if kind == "rename" else None
                    self.directory(where).changes.append((moment, kind, name, other))
                    if kind == "rename" and FINAL.match(other):
                        published.append((int(FINAL.match(other)[1]), moment))
                elif kind == "sync-begin":
                    begun[fields[0]] = moment
                elif kind == "sync-end":
                    begin, relative = begun[fields[0]], os.path.relpath(fields[2], run)
                    self.sync_ends.append(moment)
                    if relative == "checkpoints":
                        self.commits += [(step, moment) for step, done in published if done < begin]
                        published = [(step, done) for step, done in published if done >= begin]
                    if forget(relative):
                        pass
                    elif int(fields[1]) in inodes and relative not in ("", ".", "checkpoints"):
                        inodes[int(fields[1])].syncs.append((begin, moment))
                    else:
                        self.directory("" if relative == "." else relative).syncs.append((begin, moment))
                moment += 1
        self.end = moment

    def directory(self, relative):
        return self.directories.setdefault(relative, Directory())

    def committed(self, cut):
        return max((step for step, moment in self.commits if moment < cut), default=0)

    def after_cut(self, cut, part, chance):
        """{path: content} after a cut; `part` is "all", "synced", or "some" of what was not synced."""
        if part == "some":
            share = chance.choice((0.1, 0.5, 0.9))

            def keep():
                return chance.random() < share

            def how_many(changes):
                return chance.randint(0, changes)
        else:

            def keep():
                return part == "all"

            def how_many(changes):
                return changes if part == "all" else 0

        return {
            os.path.join(where, name): file.content(cut, keep, keep)
            for where, directory in self.directories.items()
            for name, file in directory.names(cut, how_many).items()
        }


class Trial:
    def __init__(self, run, lockstep, whole):
        self.lockstep, self.verdicts = lockstep, {}
        self.job_file = open(f"{run}/job.yaml", "rb").read()
        self.whole_fingerprint = fingerprint_of(open(f"{whole}.out").read())
        self.whole_steps = steps_of(whole)

    def is_valid(self, content):
        key = hashlib.blake2b(content).digest()
        if key not in self.verdicts:
            with open("candidate.h5", "wb") as file:
                file.write(content)
            done = subprocess.run([self.lockstep, "verify", "candidate.h5"], capture_output=True, timeout=60)
            self.verdicts[key] = done.returncode == 0
        return self.verdicts[key]

    def look(self, files, committed):
        """What is wrong with such a directory, in words; None: nothing."""
        newest = 0
        if files.get("job.yaml", self.job_file) != self.job_file:
            return "job.yaml is not whole"
        for path, content in files.items():
            match = FINAL.match(os.path.basename(path))
            if match and not self.is_valid(content):
                return f"{path} is not valid"
            if match:
                newest = max(newest, int(match[1]))
        if newest < committed:
            return f"the newest is of step {newest}, but {committed} was committed"
        return None

    def train(self, files, committed, ranks):
        """The same for training on from there."""
        shutil.rmtree("after", ignore_errors=True)
        os.makedirs("after/checkpoints")
        for path, content in files.items():
            with open(f"after/{path}", "wb") as file:
                file.write(content)
        command = ["mpirun", "-np", str(ranks), self.lockstep, "train", "job.yaml", "--set", "run=after", "--set", "train.steps=40"]
        command += ["--set", "checkpoint.every=10"]
        job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            out, log = job.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, 9)
            return "it hangs"
        if job.returncode != 0:
            return f"exit code {job.returncode}: " + " ".join(re.findall("^lockstep: .*", log, re.M))
        resumed = re.search(r"^\S+Z resumed from .*step-0*(\d+)\.h5", log, re.M)
        if (int(resumed[1]) if resumed else 0) < committed:
            return f"does not go on from {committed}"
        if fingerprint_of(out) != self.whole_fingerprint:
            return "another fingerprint"
        if steps_of("after") != self.whole_steps:
            return "other metrics"
        return None


def fingerprint_of(out):
    found = re.search(r"^finished .*fingerprint=([0-9a-f]+)", out, re.M)
    return found and found[1]


def steps_of(run):
    """The training lines without their times."""
    return re.findall(r'^(\{"step":.*),"samples_per_s"', open(f"{run}/metrics.jsonl").read(), re.M)


def cuts(record, chance, light):
    """(cut, part): around each sync, and random ones."""
    for end in record.sync_ends:
        for cut in (end, end + 1):
            for part in ("all", "synced") if light else ("all", "synced", "some", "some"):
                yield cut, part
    for _ in range(30 if light else 100):
        yield chance.randint(0, record.end), "some"
    yield record.end, "synced"


def main():
    path, run, lockstep, whole = sys.argv[1:5]
    light = "--light" in sys.argv
    chance = random.Random(2024)
    trial = Trial(run, lockstep, whole)
    absolute = os.path.abspath(run)
    record = Record(path, absolute)
    failures, seen, states = 0, set(), []
    for cut, part in cuts(record, chance, light):
        files, committed = record.after_cut(cut, part, chance), record.committed(cut)
        wrong = trial.look(files, committed)
        if wrong:
            failures += 1
            print(f"FAIL  cut at {cut} of {record.end}, {part}: {wrong}")
        key = hashlib.blake2b(repr(sorted((p, hashlib.blake2b(c).hexdigest()) for p, c in files.items())).encode()).digest()
        if key not in seen:
            seen.add(key)
            states.append((cut, part, files, committed))
    steps = [step for step, _ in record.commits]
    print(f"ok    {record.end} calls, {len(record.sync_ends)} syncs, steps {steps} committed; {len(states)} different directories after a cut")
    if len(steps) < 3:
        failures += 1
        print("FAIL  less than 3 commits: nothing is shown")

    sample = chance.sample(states, min(len(states), 10 if light else 24))
    for number, (cut, part, files, committed) in enumerate(sample):
        wrong = trial.train(files, committed, 1 + number % 3)
        failures += bool(wrong)
        print(f"{'FAIL ' if wrong else 'ok   '} trained on, cut at {cut}, {part}, {committed} committed" + (f": {wrong}" if wrong else ""))

    for words, forget in (
        ("the data before the rename", lambda path: path.endswith(".partial") and path.startswith("checkpoints/")),
        ("the directory after the rename", lambda path: path == "checkpoints"),
    ):
        spoilt = Record(path, absolute, forget)
        noticed = [trial.look(spoilt.after_cut(*cut, chance), record.committed(cut[0])) for cut in cuts(record, chance, True)]
        noticed = [wrong for wrong in noticed if wrong]
        failures += not noticed
        print(f"{'ok   ' if noticed else 'FAIL '} would lockstep not sync {words}, it would be noticed: {noticed[:1]}, {len(noticed)} times")
    sys.exit(failures > 0)


main()
