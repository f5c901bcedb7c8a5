"""Flips one bit of a stopped rank's memory: where it has, of an array, what a checkpoint of the same step holds.

    flips.py find PID FILE ARRAY RANKS RANK              addresses at which the rank's part of the array begins, one a line
    flips.py flip PID ADDRESS FLOATS SEED                one bit of so many floats there
"""
import random, sys

import h5py

BLOCK = 4096  # floats


def shard(count, ranks, rank):
    blocks = -(-count // BLOCK)
    return blocks * rank // ranks * BLOCK, min(blocks * (rank + 1) // ranks * BLOCK, count)


def find(pid, path, array, ranks, rank):
    with h5py.File(path, "r") as file:
        values = file["state"][array][()]
    first, end = shard(len(values), int(ranks), int(rank))
    wanted = values[first:end].tobytes()
    print(end - first)
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            begin, stop = (int(word, 16) for word in place.split("-"))
            if rights[:2] != "rw" or stop - begin > 1 << 28:
                continue
            try:
                memory.seek(begin)
                found = memory.read(stop - begin)
            except OSError:
                continue
            at = found.find(wanted)
            while at >= 0:
                print(begin + at)
                at = found.find(wanted, at + 4)


def flip(pid, address, floats, seed):
    bit = random.Random(int(seed)).randrange(32 * int(floats))
    with open(f"/proc/{pid}/mem", "r+b", 0) as memory:
        memory.seek(int(address) + bit // 8)
        byte = memory.read(1)[0] ^ 1 << bit % 8
        memory.seek(int(address) + bit // 8)
        memory.write(bytes([byte]))


{"find": find, "flip": flip}[sys.argv[1]](*sys.argv[2:])
