"""Damages copies of a checkpoint: flips one bit, cuts the end off, appends bytes. The places depend on a fixed seed.

    every_byte.py verify LOCKSTEP FILE FLIPS CUTS   every damage is noticed by `lockstep verify`, in one line
    every_byte.py damage FILE NUMBER                damages the file itself, and prints how

Half of the bits lie outside the arrays in bytes that are not zero, where there is something to break: alignment leaves
long runs of zeros. A quarter lies in the arrays, a quarter anywhere. A tenth as many files as are cut get longer.
"""
import os
import random
import subprocess
import sys

from seal import ranges

BATCH = 20  # files for one process
PATIENCE_S = 20


class Damages:
    def __init__(self, whole):
        self.whole = whole
        arrays = ranges(whole)
        ends = [0] + [end for _, end in arrays]
        outside = zip(ends, [first for first, _ in arrays] + [len(whole)])
        self.filled = [i for first, end in outside for i in range(first, end) if whole[i]]
        self.arrays = arrays

    def flip(self, number):
        place = random.choice(self.filled) if number % 2 else random.randrange(len(self.whole)) if number % 4 else \
            random.randrange(*random.choice(self.arrays))
        bit = random.randrange(8)
        return f"byte {place} of {len(self.whole)}, bit {bit}", place, bytes([self.whole[place] ^ 1 << bit]), None

    def cut(self, number):
        # Now and then at a place where something ends; a cut inside the seal is rare otherwise.
        length = random.choice([0, 1, 15, 16, 511, 512, len(self.whole) - 1]) if number % 20 == 0 else \
            random.randrange(len(self.whole))
        return f"cut to {length} of {len(self.whole)} bytes", length, b"", length

    def extend(self, number):
        more = random.randbytes(random.choice([1, 8, 512, 4096])) if number % 2 else bytes(random.choice([1, 4096]))
        return f"{len(more)} bytes more", len(self.whole), more, None

    def apply(self, damage, file):
        _, place, data, length = damage
        with open(file, "r+b") as target:
            target.seek(place)
            target.write(data)
            if length is not None:
                target.truncate(length)

    def repair(self, damage, file):
        _, place, data, length = damage
        with open(file, "r+b") as target:
            target.seek(place)
            target.write(self.whole[place:] if length is not None else self.whole[place:place + len(data)])
            target.truncate(len(self.whole))


def verdict(lockstep, files):
    """What is wrong with the answer about files that are all damaged; None: nothing."""
    try:
        answer = subprocess.run([lockstep, "verify", *files], capture_output=True, text=True, errors="replace",
                                timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"no answer within {PATIENCE_S} s"
    lines = answer.stderr.splitlines()
    expected = [f"lockstep: {file}: " for file in files]
    if answer.returncode == 1 and answer.stdout == "".join(f"{file}: not valid\n" for file in files) and len(lines) == len(files) and \
            all(line.startswith(words) and len(line) > len(words) for line, words in zip(lines, expected)):
        return None
    return f"exit code {answer.returncode}, {answer.stdout[:200]!r}, {answer.stderr[:2000]!r}"


def verify(lockstep, original, flips, cuts):
    whole = open(original, "rb").read()
    damages = Damages(whole)
    files = [f"copy-{i}.h5" for i in range(BATCH)]
    for file in files:
        open(file, "wb").write(whole)
    todo = [damages.flip(i) for i in range(flips)] + [damages.cut(i) for i in range(cuts)] + \
        [damages.extend(i) for i in range(cuts // 10)]
    failures = 0
    for first in range(0, len(todo), BATCH):
        batch = list(zip(todo[first:first + BATCH], files))
        for damage, file in batch:
            damages.apply(damage, file)
        if verdict(lockstep, [file for _, file in batch]):
            wrong = [(damage[0], verdict(lockstep, [file])) for damage, file in batch]
            wrong = [(what, words) for what, words in wrong if words] or [("together", "not noticed, alone they are")]
            for what, words in wrong:
                print(f"      {what}: {words}")
            failures += len(wrong)
        for damage, file in batch:
            damages.repair(damage, file)
    for file in files:
        failures += open(file, "rb").read() != whole  # else the test itself is wrong
        os.remove(file)
    print(f"      {flips} flipped bits, {cuts} cuts, {cuts // 10} longer files of {len(whole)} bytes: {failures} not noticed")
    return failures


if __name__ == "__main__":
    if sys.argv[1] == "verify":
        random.seed(5)
        sys.exit(verify(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])) > 0)
    number = int(sys.argv[3])
    random.seed(1000 + number)
    here = Damages(open(sys.argv[2], "rb").read())
    kind = here.cut if number % 5 == 4 else here.extend if number % 10 == 3 else here.flip
    chosen = kind(number)
    here.apply(chosen, sys.argv[2])
    print(chosen[0])
