"""Flips one bit of a checkpoint at a time, anywhere, and asks lockstep.

    flip_bits.py LOCKSTEP FILE COUNT

Either `verify` fails with words, or the bit lies where nothing is stored and `diff` finds the same state. Half of the bits
are in the tensors' bytes, half in all that is around them. The places depend on a fixed seed.
"""
import os
import random
import subprocess
import sys

import h5py

lockstep, original, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
flipped = "flipped.h5"

with h5py.File(original, "r") as file:
    data = [(d.id.get_offset(), d.id.get_storage_size()) for d in file["state"].values()]
    data += [(d.id.get_offset(), d.id.get_storage_size()) for d in file["digest"].values()]
whole = open(original, "rb").read()
inside = [i for first, size in data for i in range(first, first + size)]
used = set(inside)
# Alignment leaves long runs of zeros, in which nothing can go wrong; look where there is something.
around = [i for i in range(len(whole)) if i not in used and any(whole[max(0, i - 8):i + 8])]


def ask(*words):
    answer = subprocess.run([lockstep, *words], capture_output=True, text=True, timeout=60, errors="replace")
    return answer.returncode, answer.stderr.strip()


random.seed(5)
failures = noticed = harmless = 0
for number in range(count):
    place = random.choice(inside if number % 2 else around)
    bit = random.randrange(8)
    damaged = bytearray(whole)
    damaged[place] ^= 1 << bit
    with open(flipped, "wb") as file:
        file.write(damaged)
    where = f"byte {place} of {len(whole)}, bit {bit}"
    code, words = ask("verify", flipped)
    if code == 1 and words.startswith("lockstep: ") and "\n" not in words:
        noticed += 1
    elif code != 0:
        print(f"      {where}: verify ends with {code}: {words}")
        failures += 1
    elif place in used:
        print(f"      {where}: verify does not notice a change of the state")
        failures += 1
    else:
        code, words = ask("diff", original, flipped)
        harmless += 1
        if code != 0:
            print(f"      {where}: verify says valid, but diff ends with {code}: {words}")
            failures += 1
os.remove(flipped)
print(f"      {count} flipped bits: {noticed} noticed, {harmless} harmless, {failures} wrong")
sys.exit(failures > 0)
