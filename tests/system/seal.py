"""The seal of a checkpoint (src/checkpoint/seal.h), written a second time, from its contract.

    seal.py check FILE...   whether the seals are right
    seal.py renew FILE...   seals files again that were changed on purpose, so that what lies behind the seal is looked at
"""
import ctypes
import struct
import sys

xxhash = ctypes.CDLL("libxxhash.so.0")
xxhash.XXH3_64bits.restype = ctypes.c_uint64
xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def ranges(whole):
    """Of a sealed file's bytes: the [first, end) of its arrays."""
    assert whole[:16] == b"lockstep seal 1\n"
    count, = struct.unpack_from("<Q", whole, 136)
    places = [struct.unpack_from("<QQ", whole, 144 + 16 * i) for i in range(count)]
    return [(first, first + size) for first, size in places]


def digest(whole):
    outside, first = [], 0
    blank = whole[:504] + bytes(8) + whole[512:]
    for begin, end in ranges(whole) + [(len(whole), None)]:
        outside.append(blank[first:begin])
        first = end
    outside = b"".join(outside)
    return xxhash.XXH3_64bits(outside, len(outside))


def is_right(whole):
    return struct.unpack_from("<Q", whole, 128) == (len(whole),) and struct.unpack_from("<Q", whole, 504) == (digest(whole),)


def renew(whole):
    whole = whole[:128] + struct.pack("<Q", len(whole)) + whole[136:]
    return whole[:504] + struct.pack("<Q", digest(whole)) + whole[512:]


if __name__ == "__main__":
    wrong = 0
    for name in sys.argv[2:]:
        data = open(name, "rb").read()
        if sys.argv[1] == "renew":
            open(name, "wb").write(renew(data))
        elif not is_right(data):
            print(f"      {name}: the seal is wrong")
            wrong += 1
    sys.exit(wrong > 0)
