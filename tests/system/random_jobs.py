"""Random jobs, in peace and interrupted; see random_jobs. Prints a line a job; exit code 1 if one differs."""
import array, json, os, random, re, shutil, signal, struct, subprocess, sys, time

program, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PATIENCE_S = 120
HELP_S = 10
children = set()


# ---- what is trained on ----

def write_idx(name, shape, floats):
    values = array.array("f", floats)
    values.byteswap()
    with open(name, "wb") as file:
        file.write(struct.pack(">HBB", 0, 0x0D, len(shape)) + struct.pack(">%dI" % len(shape), *shape) + values.tobytes())


def write_data():
    source = random.Random(7)
    rows = [[source.uniform(-1, 1) for _ in range(5)] for _ in range(600)]
    write_idx("x.idx", (600, 5), [value for row in rows for value in row])
    write_idx("y.idx", (600, 2), [value for a, b, c, d, e in rows for value in (a * b + c, d - e * e)])
    write_idx("p.idx", (600, 2), [float(value > 0) for a, b, c, d, e in rows for value in (a * b + c, d - e * e)])
    volumes = [source.uniform(-1, 1) for _ in range(500 * 2 * 4 * 4)]
    write_idx("volumes.idx", (500, 1, 2, 4, 4), volumes)
    with open("voxels.idx", "wb") as file:  # a class of each; 255: none
        file.write(struct.pack(">HBB4I", 0, 0x08, 4, 500, 2, 4, 4))
        file.write(bytes(255 if source.random() < 0.1 else (value > -0.3) + (value > 0.4) for value in volumes))
    with open("text.txt", "w") as file:
        file.write(" ".join(str(i * i) for i in range(300)))


# ---- what a job is made of ----

def activation(r):
    name = r.choice(["relu", "gelu", "tanh", "sigmoid", "silu"])
    return {"layer": name, "form": r.choice(["exact", "tanh"])} if name == "gelu" else {"layer": name}


def dropout(r):
    return [{"layer": "dropout", "rate": round(r.uniform(0.05, 0.5), 2)}] if r.random() < 0.5 else []


def dense(r, units):
    return {"layer": "dense", "units": units, "bias": r.random() < 0.8, "init": r.choice(["default", "xavier_uniform"])}


def perceptron(r, norms, units):
    layers, width = [], 0
    for _ in range(r.randint(0, 2)):
        width = r.randint(3, 90)
        layers.append(dense(r, width))
        norm = r.choice(norms + [None])
        layers += [{"layer": norm}] if norm else []
        layers += [activation(r)] + dropout(r)
        if r.random() < 0.3:
            layers.append({"layer": "residual", "layers": [dense(r, width), activation(r)] + dropout(r)})
    return layers + [dense(r, units)]


def convolutions(r, norms):
    layers = []
    for i in range(r.randint(1, 2)):
        groups = r.randint(1, 3)
        layers.append({"layer": "conv2d", "filters": groups * r.randint(1, 3), "kernel": r.choice([1, 3, 5]), "stride": r.randint(1, 2),
                       "padding": r.choice(["same", "valid", 1]), "bias": r.random() < 0.5})
        norm = r.choice(norms + ["group_norm", None])
        layers += [{"layer": norm, "groups": groups} if norm == "group_norm" else {"layer": norm}] if norm in ("batch_norm", "group_norm") else []
        layers += [activation(r)]
        if i == 0:
            layers.append({"layer": r.choice(["max_pool", "avg_pool"]), "size": r.randint(2, 3)})
    layers.append({"layer": r.choice(["flatten", "global_avg_pool"])})
    return layers + dropout(r) + [dense(r, 10)]


def volumes(r, norms):
    """A class of each voxel: sides stay as long as they are, or are halved and doubled again."""
    norm, up, filters = r.choice(norms + [None]), r.choice(["nearest", "linear"]), r.randint(1, 4)
    layers = [{"layer": "conv3d", "filters": filters, "kernel": r.choice([1, 2, 3]), "padding": "same", "bias": r.random() < 0.5}]
    layers += [{"layer": norm}] if norm else []
    layers.append(dict(activation(r), name="fine"))
    if r.random() < 0.6:
        layers += [{"layer": r.choice(["max_pool", "avg_pool"]), "size": 2}] + dropout(r)
        layers += [{"layer": "conv3d", "filters": r.randint(1, 4), "kernel": 3, "padding": 1}, activation(r)]
        layers += [{"layer": "upsample", "mode": up}, {"layer": "concat", "with": "fine"}]
    return layers + [{"layer": "conv3d", "filters": 3, "kernel": r.choice([1, 3]), "padding": "same"}]


def language(r):
    heads = r.randint(1, 3)
    width = heads * r.choice([2, 4, 8])
    rate = r.choice([0, 0.1, 0.3])
    layers = [{"layer": "embedding", "width": width}, {"layer": "position_embedding"}] + dropout(r)
    if r.random() < 0.5:
        layers.append({"layer": "transformer", "blocks": r.randint(1, 2), "heads": heads, "ratio": r.choice([1, 2.5, 4]), "dropout": rate})
    else:
        layers.append({"layer": "residual", "layers": [{"layer": r.choice(["layer_norm", "rms_norm"])},
                                                       {"layer": "attention", "heads": heads, "dropout": rate}]})
        layers.append({"layer": "repeat", "times": 2, "layers": [
            {"layer": "residual", "layers": [{"layer": "layer_norm"}, dense(r, width), activation(r)] + dropout(r)}]})
    return layers + [{"layer": "layer_norm"}, {"layer": "lm_head", "tied": r.random() < 0.5}]


def optimizer(r):
    name = r.choice(["sgd", "adam", "adamw", "lamb", "lars"])
    rates = {"sgd": (-2.5, -1), "lars": (-1, 0.3)}.get(name, (-3.5, -2))
    options = {"name": name, "learning_rate": float("%.3g" % 10 ** r.uniform(*rates))}
    if name == "sgd" and r.random() < 0.7:
        options.update(momentum=0.9, nesterov=r.random() < 0.5)
    if r.random() < 0.3:
        options["weight_decay"] = 0.05
    if r.random() < 0.3:
        options["groups"] = [{"match": "*weight", "rate_factor": 0.5, "weight_decay": 0}]
    return options


def schedule(r, steps, epochs):
    name = r.choice(["constant", "linear", "cosine", "polynomial", "step", "wsd", "one_cycle", "cosine_restarts"])
    unit, most = r.choice([("steps", steps), ("epochs", epochs)])
    part = lambda low, high: float("%.3g" % (most * r.uniform(low, high)))
    options = {"name": name, "unit": unit}
    if name != "one_cycle":
        options["warmup"] = r.choice([0, part(0.02, 0.3)])
    if name in ("linear", "cosine", "polynomial", "wsd", "one_cycle") and r.random() < 0.3:
        options["horizon"] = part(0.6, 1.5)
    if name in ("linear", "cosine", "polynomial", "wsd", "cosine_restarts"):
        options["floor"] = r.choice([0, 0.1])
    options.update({"polynomial": {"power": r.choice([0.5, 2])}, "step": {"every": part(0.1, 0.5), "gamma": 0.5},
                    "wsd": {"decay": part(0.1, 0.3)}, "cosine_restarts": {"t_0": part(0.1, 0.5), "t_mult": r.randint(1, 2)}}.get(name, {}))
    return options


def make_job(r):
    kind = r.choice(["digits", "digits", "images", "text", "regression", "voxels"])
    microbatch, leaves = r.randint(1, 5), r.choice([1, 2, 3, 4, 5, 6, 7, 8, 11])
    batch = microbatch * leaves
    norms = ["layer_norm", "rms_norm"] + (["batch_norm", "batch_norm"] if microbatch > 1 else [])
    samples, held = batch + r.randint(0, 250), r.randint(1, 60)
    job = {"seed": r.randint(0, 2 ** 40)}
    if kind in ("digits", "images"):
        job["data"] = {"train": {"format": "digits", "count": samples, "seed": r.randint(0, 9)},
                       "validation": {"format": "digits", "first": 1000, "count": held}}
        job["model"] = perceptron(r, norms, 10) if kind == "digits" else convolutions(r, norms)
        job["label_smoothing"] = r.choice([0, 0.1])
    elif kind == "voxels":
        files = {"format": "idx", "images": "volumes.idx", "labels": "voxels.idx", "ignore_label": 255}
        job["data"] = {"train": dict(files, count=samples), "validation": dict(files, first=400, count=held)}
        job["model"] = volumes(r, norms)
    elif kind == "regression":
        job["loss"] = r.choice(["mean_squared_error", "l1", "huber", "binary_cross_entropy"])
        files = {"format": "idx", "images": "x.idx", "labels": "p.idx" if job["loss"] == "binary_cross_entropy" else "y.idx"}
        job["data"] = {"train": dict(files, count=samples), "validation": dict(files, first=500, count=held)}
        job["model"] = perceptron(r, norms, 2)
    else:
        files = {"format": "text", "path": "text.txt", "context": r.randint(2, 17)}
        job["data"] = {"train": dict(files, part=[0, 0.9]), "validation": dict(files, part=[0.9, 1])}
        job["model"], samples = language(r), 1300
    steps = r.randint(150, 500)
    epochs = float("%.3g" % (steps * batch / samples))
    job["train"] = dict({"epochs": epochs} if r.random() < 0.4 else {"steps": steps}, batch=batch, microbatch=microbatch)
    job["optimizer"], job["schedule"] = optimizer(r), schedule(r, steps, epochs)
    if r.random() < 0.4:
        job["clip_norm"] = r.choice([0.1, 1.0])
    if r.random() < 0.4:
        job["skip_step"] = {"nonfinite": True, "outlier": r.choice([0.5, 1, 2]), "window": r.randint(8, 20), "limit": 30}
    if r.random() < 0.5:
        job["ema_decay"] = r.choice([0.5, 0.9, 0.99])
        job["ema_warmup"] = job["ema_decay"] > 0.9
    add_saves(r, job, steps)
    if kind != "text" and r.random() < 0.5:
        job["data"]["augment"] = {"noise": r.choice([0.01, 0.3])}
        if kind == "images":
            job["data"]["augment"].update(r.sample([("flip", r.choice(["horizontal", "vertical", "both"])), ("shift", 2), ("crop", r.randint(1, 27)),
                                                    ("rotate", 20.5), ("cutout", r.randint(1, 28))], r.randint(0, 5)))
    if kind in ("digits", "images") and r.random() < 0.4:
        job["class_weights"] = r.choice(["balanced", [round(r.uniform(0, 3), 2) for _ in range(10)]])
    return job


METRICS = ("loss", "accuracy", "top5", "f1", "mae", "rmse", "r2", "perplexity")


def metrics_of(job):
    loss, is_text = job.get("loss", "softmax_cross_entropy"), job["data"]["train"]["format"] == "text"
    if "cross_entropy" not in loss:
        return ["loss", "mae", "rmse", "r2"]
    return ["loss", "accuracy"] + (["perplexity"] if is_text else ["f1"])


def add_saves(r, job, steps):
    job["checkpoint"] = saves = {"every": r.choice([0, 0, r.randint(20, 150)]), "keep": r.randint(1, 4), "background": r.random() < 0.7,
                                 "busy": r.choice(["wait", "skip"])}
    if r.random() < 0.75:
        job["validate"] = {"every": r.randint(20, 90), "ema": "ema_decay" in job and r.random() < 0.5}
        saves.update(best=r.choice([0, 1, 2, 3]), on_validation=r.random() < 0.3)
        if r.random() < 0.3:
            job["early_stopping"] = {"patience": r.randint(2, 6), "min_delta": r.choice([0, 0.001])}
        job["validate"]["metric"] = r.choice(metrics_of(job))
    if r.random() < 0.3:
        saves["keep_every"] = r.randint(40, 150)
    if r.random() < 0.3:
        saves["at"] = sorted(r.sample(range(1, steps), 2))
    if r.random() < 0.3:
        saves.update(local=os.path.abspath("nodes/%n"), local_every=r.randint(1, 40))
    job["log"] = {"every": 1 if r.random() < 0.8 else 3}


# ---- starts, and how they end ----

def members(session):
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == session:
                with open("/proc/%s/stat" % entry) as file:
                    name, _, rest = file.read().partition("(")[2].rpartition(")")
                if rest.split()[0] != "Z":
                    yield int(entry), name
        except OSError:
            pass


def end_session(session):
    for pid, _ in members(session):
        os.kill(pid, signal.SIGKILL)


def start(name, ranks, *options):
    command = ["mpirun", "-np", str(ranks), program, "train", "job.yaml", "--set", "run=" + name, *options]
    with open(name + ".out", "w") as out, open(name + ".log", "w") as log:
        child = subprocess.Popen(command, stdout=out, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    children.add(child.pid)
    return child


def finish(child):
    """Its exit code; None: it hangs. An mpirun whose ranks are all gone and that waits for itself (Open MPI 4.1, in one of some tens of
    kills while a job starts) is helped out."""
    began = alone = time.monotonic()
    code = None
    while code is None:
        try:
            code = child.wait(0.25)
            code = 128 - code if code < 0 else code
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            if any(pid != child.pid for pid, _ in members(child.pid)):
                alone = now
            if now - alone > HELP_S:
                end_session(child.pid)
                child.wait()
                code = 137
            elif now - began > PATIENCE_S:
                break
    while any(True for _ in members(child.pid)):
        if code is None or time.monotonic() - began > PATIENCE_S:
            end_session(child.pid)
        time.sleep(0.005)
    if code is None:
        child.wait()
    children.discard(child.pid)
    return code


def last_step(name):
    try:
        with open(name + "/metrics.jsonl") as file:
            steps = re.findall(r'^\{"step":(\d+),', file.read(), re.M)
    except OSError:
        steps = []
    return int(steps[-1]) if steps else 0


def strike(child, r, how):
    """Sends the signal to a rank, or a kill to one or all."""
    ranks = [pid for pid, name in members(child.pid) if name == os.path.basename(program)[:15]]
    chosen = ranks if how == "KILL all" else ranks and [r.choice(ranks)]
    for pid in chosen or []:
        try:
            os.kill(pid, getattr(signal, "SIG" + how.split()[0]))
        except ProcessLookupError:
            pass


def interrupt(r, name, ranks, steps, options):
    """One start that may not come to its end. Returns what was done, and how it ended."""
    how = r.choice(["TERM", "USR1", "USR2", "KILL one", "KILL all"])
    before, target, delay_s = last_step(name), r.random(), r.uniform(0, 0.02)
    child = start(name, ranks, *options)
    if r.random() < 0.15:  # while it starts
        time.sleep(r.uniform(0.05, 0.6))
    else:
        aim = before + 1 + int(target * 0.6 * max(1, steps - before))
        size = -1
        while child.poll() is None:
            try:
                grown = os.stat(name + "/metrics.jsonl").st_size
            except OSError:
                grown = -1
            if grown != size and last_step(name) >= aim:
                break
            size = grown
            time.sleep(0.001)
        time.sleep(delay_s)
    strike(child, r, how)
    return how, finish(child)


# ---- what has become of it ----

def told(name):
    """The metrics, without what depends on time and ranks."""
    lines = []
    with open(name + "/metrics.jsonl") as file:
        for line in file:
            values = json.loads(line)
            if values.get("event", "validation") not in ("validation", "skipped"):
                continue
            lines.append({key: value for key, value in values.items() if key in
                          ("event", "step", "epoch", "lr", "grad_norm", "best", "best_rank") + METRICS})
    return lines


def last_line(path, start):
    with open(path) as file:
        return ([line.strip() for line in file if line.startswith(start)] or [""])[-1]


def keeps_best(job):
    return job["checkpoint"].get("best", 0) > 0 or "early_stopping" in job


def listed(name, job):
    """What ls says: fingerprints by step, those kept for ever, and the best."""
    text = subprocess.run([program, "ls", name], capture_output=True, text=True).stdout
    rows = re.findall(r"^ *(\d+) .* (yes|no) +([0-9a-f]{16})? .*$", text, re.M)
    kept = {int(line.split()[0]) for line in text.splitlines() if re.match(r" *\d+ ", line) and "kept" in line}
    best = [line if keeps_best(job) else line.split(" (")[0] for line in text.splitlines() if line.startswith("best")]
    return {int(step): print_ for step, _, print_ in rows}, kept, best, [row for row in rows if row[1] == "no"]


def differences(job, peace_code, code):
    if code != peace_code:
        yield "exit code %s in place of %s: %s" % (code, peace_code, last_line("parts.log", "lockstep:"))
        return
    if code != 0:
        if last_line("parts.log", "lockstep:") != last_line("whole.log", "lockstep:"):
            yield "other words: " + last_line("parts.log", "lockstep:")
        return
    if last_line("parts.out", "finished") != last_line("whole.out", "finished"):
        yield "%s in place of %s" % (last_line("parts.out", "finished"), last_line("whole.out", "finished"))
    whole, parts = told("whole"), told("parts")
    for mine, right in zip(parts + [None], whole + [None]):
        if mine != right:
            yield "metrics: %s in place of %s" % (mine, right)
            break
    whole, kept, best, _ = listed("whole", job)
    parts, parts_kept, parts_best, bad = listed("parts", job)
    if bad:
        yield "not valid: %s" % bad
    for step in whole.keys() & parts.keys():
        if whole[step] != parts[step]:
            yield "step %d: fingerprint %s in place of %s" % (step, parts[step], whole[step])
    if max(whole) != max(parts):
        yield "the last file is of step %d in place of %d" % (max(parts), max(whole))
    if best != parts_best:
        yield "best: %s in place of %s" % (parts_best, best)
    if kept != parts_kept:
        yield "kept for ever: %s in place of %s" % (sorted(parts_kept), sorted(kept))
    bests = {int(re.search(r"step (\d+)", line).group(1)) for line in best} if keeps_best(job) else set()
    # A save at a skipped step takes nothing away.
    if "skip_step" not in job and len(parts.keys() - parts_kept - bests) > job["checkpoint"]["keep"]:
        yield "too many files: %s" % sorted(parts)


def try_job(number):
    """One line for a job. The job depends on seed and number only; the moments of its interruptions also on the machine."""
    r = random.Random("%d.%d" % (seed, number))
    job = make_job(r)
    with open("job.yaml", "w") as file:
        file.write("run: run\n" + "".join("%s: %s\n" % (key, json.dumps(value)) for key, value in job.items()))
    for name in ("whole", "parts", "nodes"):
        shutil.rmtree(name, ignore_errors=True)
    began = time.monotonic()
    peace_code = finish(start("whole", 1, "--set", "checkpoint.local_every=0") if "local" in job["checkpoint"] else start("whole", 1))
    steps = last_step("whole") if os.path.isdir("whole") else 0
    most = min(4, job["train"]["batch"] // job["train"]["microbatch"])
    nodes = ["--ranks-per-node", str(r.randint(1, 2))] if "local" in job["checkpoint"] or r.random() < 0.2 else []
    history, wrong = [], []
    if peace_code not in (0, 1):
        wrong.append("in peace: exit code %s: %s" % (peace_code, last_line("whole.log", "lockstep:")))
    for _ in range(0 if wrong else r.randint(1, 3)):
        ranks = r.randint(1, most)
        how, code = interrupt(r, "parts", ranks, steps, nodes)
        history.append("%s on %d: %s at %d" % (how, ranks, code, last_step("parts") if os.path.isdir("parts") else 0))
        if code not in ((0, peace_code, 75) if "KILL" not in how else (0, peace_code, 137, 141, 143)):
            if not (how in ("TERM", "USR1", "USR2") and code in (138, 140, 143)):  # it was not there yet
                wrong.append("after %s: exit code %s: %s" % (how, code, last_line("parts.log", "lockstep:")))
    if not wrong:
        ranks = r.randint(1, most)
        code = finish(start("parts", ranks, *nodes))
        history.append("to the end on %d" % ranks)
        wrong += differences(job, peace_code, code)
    layers = "+".join(layer["layer"] for layer in job["model"])
    print("%-5s job %d of seed %d: %s, %s, %d steps%s; %s" % (
        "FAIL" if wrong else "ok", number, seed, layers, job["optimizer"]["name"], steps, "" if peace_code == 0 else " (fails)",
        ", ".join(history)), flush=True)
    for words in wrong:
        print("      " + words, flush=True)
    if wrong and os.environ.get("RANDOM_JOBS_KEEP"):
        place = os.path.join(os.environ["RANDOM_JOBS_KEEP"], "%d.%d" % (seed, number))
        shutil.copytree(".", place, dirs_exist_ok=True)
    elif wrong:
        with open("job.yaml") as file:
            print("      | " + file.read().replace("\n", "\n      | "), flush=True)
    return not wrong


def leave(*_):
    for session in list(children):
        end_session(session)
    os._exit(130)


signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGINT, leave)
write_data()
good = [try_job(number) for number in range(count)]
print("%d of %d random jobs are the same in peace and interrupted" % (sum(good), count))
sys.exit(0 if all(good) else 1)
