"""What the scripts that read files say: each thing that is not so, and in the end whether all was."""
import sys

failures = 0


def check(words, ok):
    global failures
    if not ok:
        print(f"      not so: {words}")
        failures += 1


def finish():
    sys.exit(failures > 0)
