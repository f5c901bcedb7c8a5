/* What a job may not say, and the words for it. */
#include "base/clock.h"
#include "job/job_support.h"

#define KEYS                                                                                                                      \
    "run, seed, data, model, loss, label_smoothing, class_weights, huber_delta, compute, train, optimizer, schedule, clip_norm, " \
    "skip_step, ema_decay, ema_warmup, validate, early_stopping, checkpoint, log, heartbeat"
#define OPTIMIZER_LIST "sgd, adam, adamw, lamb, lars"
#define LOSSES         "softmax_cross_entropy, mean_squared_error, l1, huber, binary_cross_entropy"
#define LAYER_LIST                                                                                                                      \
    "dense, conv1d, conv2d, conv3d, max_pool, avg_pool, global_avg_pool, upsample, flatten, relu, gelu, tanh, sigmoid, silu, dropout, " \
    "layer_norm, rms_norm, group_norm, batch_norm, residual, concat, repeat, embedding, position_embedding, attention, "                \
    "transformer, lm_head"

static void test_bad_values(void)
{
    static const struct refusal refusals[] = {
        {NULL, "train.batch=many", "train.batch: 'many' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=1.5", "train.batch: '1.5' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=1_000", "train.batch: '1_000' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=0x10", "train.batch: '0x10' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=010", "train.batch: '010' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=", "train.batch: '' is not a whole number; allowed: 1 to 10000000"},
        {NULL, "train.batch=-1", "train.batch: '-1' is out of range; allowed: 1 to 10000000"},
        {NULL, "train.batch=0", "train.batch: '0' is out of range; allowed: 1 to 10000000"},
        {NULL, "seed=18446744073709551616", "seed: '18446744073709551616' is out of range; allowed: 0 or more"},
        {NULL, "model.0.units=1000001", "model.0.units: '1000001' is out of range; allowed: 1 to 1000000"},
        {NULL, "log.every=0", "log.every: '0' is out of range; allowed: 1 or more"},
        {NULL, "checkpoint.keep=0", "checkpoint.keep: '0' is out of range; allowed: 1 or more"},
        {NULL, "optimizer.learning_rate=0", "optimizer.learning_rate: '0' is out of range; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=fast", "optimizer.learning_rate: 'fast' is not a number; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=.inf", "optimizer.learning_rate: '.inf' is not a number; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=nan", "optimizer.learning_rate: 'nan' is not a number; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=0x1p3",
         "optimizer.learning_rate: '0x1p3' is not a number; allowed: more than 0"},
        {NULL, "optimizer.learning_rate=1e999",
         "optimizer.learning_rate: '1e999' is out of range; allowed: more than 0"},
        {NULL, "optimizer.weight_decay=-1", "optimizer.weight_decay: '-1' is out of range; allowed: 0 or more"},
        {NULL, "optimizer.beta1=1", "optimizer.beta1: '1' is out of range; allowed: 0 to less than 1"},
        {NULL, "schedule.floor=1.1", "schedule.floor: '1.1' is out of range; allowed: 0 to 1"},
        {NULL, "data.train.mean=grey", "data.train.mean: 'grey' is not a number; allowed: any finite number"},
        {NULL, "data.train.std=0", "data.train.std: '0' is out of range; allowed: more than 0"},
        {NULL, "clip_norm=0", "clip_norm: '0' is out of range; allowed: more than 0"},
        {NULL, "optimizer.name=adm", "optimizer.name: 'adm' is not known; allowed: " OPTIMIZER_LIST},
        {NULL, "loss=mse", "loss: 'mse' is not known; allowed: " LOSSES},
        {NULL, "loss=[huber]", "loss: a single value is expected; allowed: " LOSSES},
        {NULL, "loss={name: mse}", "loss.name: 'mse' is not known; allowed: " LOSSES},
        {NULL, "loss={name: huber, delta: 2}", "loss.delta: unknown key for loss: huber; allowed here: name"},
        {NULL, "loss={name: null, name: huber}", "loss.name: this key stands here twice"},
        {NULL, "schedule={name: null, name: cosine}", "schedule.name: this key stands here twice"},
        {NULL, "optimizer={name: sgd, learning_rate: 1, nesterov: maybe}",
         "optimizer.nesterov: 'maybe' is neither true nor false; allowed: true, false, yes, no, on, off"},
        {NULL, "run=", "run: '' is empty; allowed: a text"},
        {NULL, "run=\"a\\0b\"", "run: a NUL byte cannot be part of it; allowed: a text"},
        {NULL, "run=[a]", "run: a single value is expected; allowed: a text"},
        {NULL, "train.batch={a: 1}", "train.batch: a single value is expected; allowed: 1 to 10000000"},
        {NULL, "model.0.layer=dens", "model.0.layer: 'dens' is not known; allowed: " LAYER_LIST},
        {NULL, "model.0={layer: conv2d, filters: 1, kernel: 1, padding: full}",
         "model.0.padding: 'full' is not a whole number; allowed: valid, same, 0 to 1000"},
        {NULL, "model.0={layer: conv2d, filters: 1, kernel: 1, padding: 1001}",
         "model.0.padding: '1001' is out of range; allowed: valid, same, 0 to 1000"},
        {NULL, "model.0={layer: dropout, rate: 1}", "model.0.rate: '1' is out of range; allowed: 0 to less than 1"},
        {NULL, "model.0={layer: batch_norm, momentum: 0}",
         "model.0.momentum: '0' is out of range; allowed: more than 0 to 1"},
        {NULL, "model.0={layer: gelu, form: erf}", "model.0.form: 'erf' is not known; allowed: exact, tanh"},
        {NULL, "model.0={layer: repeat, times: 0}", "model.0.times: '0' is out of range; allowed: 1 to 1000"},
        {NULL, "model.0={layer: residual, layers: []}",
         "model.0.layers: the list is empty; at least one item is needed"},
        {NULL, "model.0={layer: residual, layers: {layer: relu}}", "model.0.layers: a list is expected"},
        {NULL, "data.train={format: text, path: a, context: 0}",
         "data.train.context: '0' is out of range; allowed: 1 to 1000000"},
        {NULL, "data.train={format: text, path: a, context: 1, part: 0.5}",
         "data.train.part: two numbers are expected, as in [a, b]; allowed: 0 to 1"},
        {NULL, "data.train={format: text, path: a, context: 1, part: [0, 0.5, 1]}",
         "data.train.part: two numbers are expected, as in [a, b]; allowed: 0 to 1"},
        {NULL, "data.train={format: text, path: a, context: 1, part: [0, [1]]}",
         "data.train.part: a single value is expected; allowed: 0 to 1"},
        {NULL, "data.train={format: text, path: a, context: 1, part: [0, 1.5]}",
         "data.train.part: '1.5' is out of range; allowed: 0 to 1"},
        {NULL, "checkpoint.every=often",
         "checkpoint.every: 'often' is not a whole number; allowed: auto, 0 to 1000000000000"},
        {NULL, "data.train={format: csv, path: a}", "data.train.targets: missing; allowed: texts"},
        {NULL, "data.train={format: csv, path: a, targets: y}",
         "data.train.targets: a list of texts is expected, as in [a, b]; allowed: texts"},
        {NULL, "data.train={format: csv, path: a, targets: [[y]]}",
         "data.train.targets: a single value is expected; allowed: texts"},
        {NULL, "data.train={format: csv, path: a, targets: [y, \"\"]}",
         "data.train.targets: '' is empty; allowed: texts"},
        {NULL, "data.train={format: csv, path: a, targets: [\"y\\0\"]}",
         "data.train.targets: a NUL byte cannot be part of it; allowed: texts"},
        {NULL, "data.train={format: csv, path: a, targets: []}",
         "data.train.targets: the list is empty; at least one column is to be predicted"},
        {NULL, "data.train={format: csv, path: a, targets: [y], separator: ab}",
         "data.train.separator: 'ab' cannot be one: a single character is needed that is in no number, name or quote, "
         "as , ; | or \\t for a tab"},
        {NULL, "data.train={format: csv, path: a, targets: [y], missing: nan}",
         "data.train.missing: 'nan' is not a number; allowed: -3.40282e+38 to 3.40282e+38"},
        {NULL, "data.train={format: csv, path: a, targets: [y], part: [0.5, 0.5]}",
         "data.train.part: begins at 0.5, which is not before its end, 0.5"},
        {NULL, "checkpoint.at=10",
         "checkpoint.at: a list of numbers is expected, as in [10, 20]; allowed: 1 to "
         "1000000000000"},
        {NULL, "checkpoint.at=[10, 0]", "checkpoint.at: '0' is out of range; allowed: 1 to 1000000000000"},
        {NULL, "checkpoint.at=[10, [20]]", "checkpoint.at: a single value is expected; allowed: 1 to 1000000000000"},
        {NULL, "checkpoint.overhead=0", "checkpoint.overhead: '0' is out of range; allowed: more than 0 to 1"},
        {NULL, "label_smoothing=1", "label_smoothing: '1' is out of range; allowed: 0 to less than 1"},
        {NULL, "huber_delta=0", "huber_delta: '0' is out of range; allowed: more than 0"},
        {NULL, "ema_decay=1", "ema_decay: '1' is out of range; allowed: more than 0 to less than 1"},
        {NULL, "ema_decay=0", "ema_decay: '0' is out of range; allowed: more than 0 to less than 1"},
        {NULL, "skip_step.outlier=0", "skip_step.outlier: '0' is out of range; allowed: more than 0"},
        {NULL, "skip_step.window=7", "skip_step.window: '7' is out of range; allowed: 8 to 100000"},
        {NULL, "skip_step.limit=0", "skip_step.limit: '0' is out of range; allowed: 1 or more"},
        {NULL, "validate.metric=f2",
         "validate.metric: 'f2' is not known; allowed: loss, accuracy, top5, f1, mae, rmse, r2, perplexity"},
        {NULL, "schedule={unit: days}", "schedule.unit: 'days' is not known; allowed: steps, epochs"},
        {NULL, "train.epochs=0", "train.epochs: '0' is out of range; allowed: more than 0"},
        {NULL, "schedule={name: cosine, horizon: 0}", "schedule.horizon: '0' is out of range; allowed: more than 0"},
        {NULL, "schedule={name: step, every: 0}", "schedule.every: '0' is out of range; allowed: more than 0"},
        {NULL, "optimizer.groups=[]", "optimizer.groups: the list is empty; at least one item is needed"},
        {NULL, "optimizer.groups=[{match: a, weight_decay: -1}]",
         "optimizer.groups.0.weight_decay: '-1' is out of range; allowed: 0 or more"},
        {NULL, "train=3", "train: keys with values are expected, as in {steps: ...}"},
        {NULL, "model=dense", "model: a list is expected"},
        {NULL, "model=[]", "model: the list is empty; at least one item is needed"},
        {NULL, "model.1=relu", "model.1: keys with values are expected, as in {layer: ...}"},
    };
    char message[1024];
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct refusal refusal = refusals[i];
        snprintf(message, sizeof message, "--set %s: %s", refusal.override, refusal.message);
        refusal.message = message;
        check_refusals(&refusal, 1);
    }
}

static void test_bad_keys(void)
{
    static const struct refusal refusals[] = {
        {"run: a\nseed: 2\ntrain:\n  steps: 5\n  btach: 3\n", NULL,
         "job.yaml:5:3: train.btach: unknown key; allowed here: steps, epochs, batch, microbatch"},
        {"run: a\noptimzer: {}\n", NULL, "job.yaml:2:1: optimzer: unknown key; allowed here: " KEYS},
        {"run: a\n\"x\\ny\": 1\n", NULL, "job.yaml:2:1: x\\ny: unknown key; allowed here: " KEYS},
        {"train: {[a]: 1}\n", NULL,
         "job.yaml:1:9: train.(not a word): unknown key; allowed here: steps, epochs, batch, microbatch"},
        {"run: a\nseed: 1\nrun: b\n", NULL, "job.yaml:3:1: run: this key stands here twice"},
        {"optimizer: {name: sgd, name: sgd}\n", NULL, "job.yaml:1:24: optimizer.name: this key stands here twice"},
        {"optimizer: {learning_rate: 1}\n", NULL, "job.yaml:1:12: optimizer.name: missing; allowed: " OPTIMIZER_LIST},
        {"optimizer: {name: adamw}\n", NULL, "job.yaml:1:12: optimizer.learning_rate: missing; allowed: more than 0"},
        {"seed: 1\n", NULL, "job.yaml:1:1: run: missing; allowed: a text"},
        {"run: a\n", NULL,
         "job.yaml:1:1: data.train.format: missing; allowed: idx, digits, text, tokens, csv, npy, npz, hdf5, folder"},
        {"run: a\ndata:\n  train: {format: idx}\n", NULL, "job.yaml:3:10: data.train.labels: missing; allowed: a text"},
        {"run: a\ndata:\n  train: {format: idx, labels: a}\n", NULL,
         "job.yaml:3:10: data.train.images: missing; allowed: a text (inputs is another name of this key)"},
        {"run: a\ndata:\n  train: {format: idx, labels: a, inputs: b, images: b}\n", NULL,
         "job.yaml:3:43: data.train.inputs: images stands here, too, which is the same key: leave one of them out"},
        {"run: a\ndata: {train: {format: digits}}\n", NULL, "job.yaml:1:1: model: missing; a list is expected"},
        {"run: a\ndata: {train: {format: digits}}\nmodel: [{layer: dense}]\n", NULL,
         "job.yaml:3:9: model.0.units: missing; allowed: 1 to 1000000"},
        {"run: a\ndata: {train: {format: digits, images: x}}\n", NULL,
         "job.yaml:2:32: data.train.images: unknown key for format: digits; allowed here: format, seed, first, count, "
         "mean, std"},
        {NULL, "optimizer={name: sgd, beta1: 0.9}",
         "--set optimizer={name: sgd, beta1: 0.9}: optimizer.beta1: unknown key for name: sgd; allowed here: name, "
         "learning_rate, weight_decay, momentum, nesterov, groups"},
        {NULL, "schedule.name=constant",
         "job.yaml:13:38: schedule.floor: unknown key for name: constant; allowed here: name, unit, warmup"},
        {NULL, "model.1.units=3",
         "--set model.1.units=3: model.1.units: unknown key for layer: relu; allowed here: layer, name"},
        {NULL, "schedule={name: one_cycle, warmup: 1}",
         "--set schedule={name: one_cycle, warmup: 1}: schedule.warmup: unknown key for name: one_cycle; allowed here: "
         "name, unit, horizon, pct_start, div_factor, final_div_factor"},
        {NULL, "schedule={name: cosine_restarts, t_0: 1, t_mult: 0}",
         "--set schedule={name: cosine_restarts, t_0: 1, t_mult: 0}: schedule.t_mult: '0' is out of range; allowed: 1 to "
         "1000"},
        {NULL, "schedule={name: wsd}", "--set schedule={name: wsd}: schedule.decay: missing; allowed: more than 0"},
        {NULL, "schedule={name: step}", "--set schedule={name: step}: schedule.every: missing; allowed: more than 0"},
        {NULL, "model.0={layer: max_pool}",
         "--set model.0={layer: max_pool}: model.0.size: missing; allowed: 1 to 1000"},
        {NULL, "model.0={layer: residual}",
         "--set model.0={layer: residual}: model.0.layers: missing; a list is expected"},
        {NULL, "model.0={layer: attention, heads: 1, rate: 0}",
         "--set model.0={layer: attention, heads: 1, rate: 0}: model.0.rate: unknown key for layer: attention; allowed "
         "here: layer, name, heads, causal, dropout, bias, init"},
        {NULL, "model.0={layer: max_pool, size: 2, stride: 1, stride: 2}",
         "--set model.0={layer: max_pool, size: 2, stride: 1, stride: 2}: model.0.stride: this key stands here twice"},
        {NULL, "optimizer.groups=[{rate_factor: 1}]",
         "--set optimizer.groups=[{rate_factor: 1}]: optimizer.groups.0.match: missing; allowed: a text"},
        {"run: a\ndata:\n  train: {format: text, path: b, first: 1}\n", NULL,
         "job.yaml:3:34: data.train.first: unknown key for format: text; allowed here: format, path, context, tokenizer, part"},
        {NULL, "trian.steps=3", "--set trian.steps=3: trian: unknown key; allowed here: " KEYS},
    };
    CHECK_REFUSALS(refusals);
}

static void test_bad_pairs(void)
{
    static const struct refusal refusals[] = {
        {NULL, "train.batch=100", "job.yaml:11:46: train.microbatch: 16 does not divide train.batch, which is 100"},
        {NULL, "train.microbatch=3",
         "--set train.microbatch=3: train.microbatch: 3 does not divide train.batch, which is 128"},
        {NULL, "train.steps=49", "job.yaml:13:34: schedule.warmup: 50 is more than train.steps, which is 49"},
        {NULL, "schedule.horizon=49", "job.yaml:13:34: schedule.warmup: 50 is more than schedule.horizon, which is 49"},
        {NULL, "train.epochs=2",
         "--set train.epochs=2: train.epochs: train.steps says how long the job is, too: take one of the two away, as "
         "with --set train.steps=null"},
        {NULL, "train={batch: 8}", "--set train={batch: 8}: train: steps, or epochs, is missing: how long the job is"},
        {SMALLEST, "compute={gemm: openblas, precision: bf16}",
         "--set compute={gemm: openblas, precision: bf16}: compute.precision: bf16 is not for compute.gemm: openblas, "
         "whose sums are others on each CPU: take one of the two away"},
        {NULL, "compute.precision=float16",
         "--set compute.precision=float16: compute.precision: 'float16' is not known; allowed: float32, bf16"},
        {SMALLEST, "heartbeat=0.5",
         "--set heartbeat=0.5: heartbeat: 0.5 s is too short: at least 1, or 0 to have nobody watch"},
        {SMALLEST, "optimizer.nesterov=true",
         "--set optimizer.nesterov=true: optimizer.nesterov: needs an optimizer.momentum of more than 0"},
        {NULL, "schedule.warmup=1000.5",
         "--set schedule.warmup=1000.5: schedule.warmup: 1000.5 is more than train.steps, which is 1000"},
        {SMALLEST, "data.train={format: text, path: a, context: 1, part: [0.9, 0.5]}",
         "--set data.train={format: text, path: a, context: 1, part: [0.9, 0.5]}: data.train.part: begins at 0.9, which "
         "is not before its end, 0.5"},
        {SMALLEST, "data.validation={format: text, path: a, context: 1, part: [0.5, 0.5]}",
         "--set data.validation={format: text, path: a, context: 1, part: [0.5, 0.5]}: data.validation.part: begins at "
         "0.5, which is not before its end, 0.5"},
        {SMALLEST "label_smoothing: 0.1\n", "loss=l1",
         "job.yaml:6:18: label_smoothing: has no meaning for loss: l1, only for softmax_cross_entropy and "
         "binary_cross_entropy"},
        {SMALLEST, "data.augment={flip: sideways}",
         "--set data.augment={flip: sideways}: data.augment.flip: 'sideways' is not known; allowed: none, horizontal, "
         "vertical, both"},
        {SMALLEST, "data.augment={zoom: 2}",
         "--set data.augment={zoom: 2}: data.augment.zoom: unknown key; allowed here: flip, shift, crop, rotate, noise, "
         "cutout"},
        {SMALLEST, "data.augment={rotate: 181}",
         "--set data.augment={rotate: 181}: data.augment.rotate: '181' is out of range; allowed: 0 to 180"},
        {SMALLEST, "data.augment={noise: -1}",
         "--set data.augment={noise: -1}: data.augment.noise: '-1' is out of range; allowed: 0 or more"},
        {SMALLEST, "data.augment=flip",
         "--set data.augment=flip: data.augment: keys with values are expected, as in {flip: ...}"},
        {SMALLEST "class_weights: balanced\n", "loss=l1",
         "job.yaml:6:16: class_weights: has no meaning for loss: l1, only for softmax_cross_entropy and "
         "binary_cross_entropy"},
        {SMALLEST, "class_weights=[0, 0]",
         "--set class_weights=[0, 0]: class_weights: all are 0: nothing would be learned"},
        {SMALLEST, "class_weights=[1, -1]",
         "--set class_weights=[1, -1]: class_weights: '-1' is out of range; allowed: balanced, 0 to 1e+09"},
        {SMALLEST, "class_weights=[1, balanced]",
         "--set class_weights=[1, balanced]: class_weights: 'balanced' is not a number; allowed: balanced, 0 to 1e+09"},
        {SMALLEST, "class_weights=[1.8446744073709552e19]",
         "--set class_weights=[1.8446744073709552e19]: class_weights: '1.8446744073709552e19' is out of range; allowed: "
         "balanced, 0 to 1e+09"},
        {SMALLEST, "class_weights=2",
         "--set class_weights=2: class_weights: a list of numbers is expected, as in [10, 20]; allowed: balanced, 0 to "
         "1e+09"},
        {SMALLEST, "class_weights=fair",
         "--set class_weights=fair: class_weights: a list of numbers is expected, as in [10, 20]; allowed: balanced, 0 to "
         "1e+09"},
        {SMALLEST "validate: {metric: accuracy}\n", "loss=mean_squared_error",
         "job.yaml:6:20: validate.metric: there is no accuracy with loss: mean_squared_error; allowed: loss, mae, "
         "rmse, r2"},
        {SMALLEST, "validate.metric=mae",
         "--set validate.metric=mae: validate.metric: there is no mae with loss: softmax_cross_entropy; allowed: loss, "
         "accuracy, top5, f1, perplexity"},
        {SMALLEST "early_stopping: {patience: 3}\n", "validate.every=1",
         "job.yaml:6:28: early_stopping.patience: needs data.validation, or data.split, and a validate.every of more than 0"},
        {SMALLEST "early_stopping: {patience: 3}\n", "data.validation={format: digits}",
         "job.yaml:6:28: early_stopping.patience: needs data.validation, or data.split, and a validate.every of more than 0"},
        {SMALLEST "schedule: {name: plateau}\n", "data.validation={format: digits}",
         "job.yaml:6:18: schedule.name: plateau needs data.validation, or data.split, and a validate.every of more than 0"},
        {SMALLEST "checkpoint: {best: true}\n", NULL,
         "job.yaml:6:20: checkpoint.best: needs data.validation, or data.split, and a validate.every of more than 0"},
        {SMALLEST, "checkpoint.best=101",
         "--set checkpoint.best=101: checkpoint.best: '101' is out of range; allowed: auto, false, true, no, yes, off, on, 0 "
         "to 100"},
        {SMALLEST "checkpoint: {on_validation: true}\n", "data.validation={format: digits}",
         "job.yaml:6:29: checkpoint.on_validation: needs data.validation, or data.split, and a validate.every of more than 0"},
        {NULL, "validate.ema=true", "--set validate.ema=true: validate.ema: needs an ema_decay"},
        {NULL, "ema_warmup=true", "--set ema_warmup=true: ema_warmup: needs an ema_decay"},
        {SMALLEST "checkpoint: {local: ~/copies, local_every: 5}\n", NULL,
         "job.yaml:6:21: checkpoint.local: a leading ~ is not expanded here; write the path out"},
        {SMALLEST "compute: {gemm: openblas, threads: 4}\n", NULL,
         "job.yaml:6:36: compute.threads: OpenBLAS has one thread in a rank: take this away, or compute.gemm, as with --set "
         "compute.gemm=lockstep"},
        {NULL, "compute.threads=0",
         "--set compute.threads=0: compute.threads: '0' is out of range; allowed: affinity, 1 to 1024"},
        {NULL, "checkpoint.local_every=5",
         "--set checkpoint.local_every=5: checkpoint.local_every: needs a checkpoint.local, the place for the copies"},
        {NULL, "checkpoint.stripe_size=1000000",
         "--set checkpoint.stripe_size=1000000: checkpoint.stripe_size: 1000000 is not a multiple of 65536 bytes"},
        {NULL, "run=$SCRATCH/run1",
         "--set run=$SCRATCH/run1: run: $SCRATCH is not expanded here, where its value may be another one on the next "
         "node or at the next start; write the path out, or let the shell do it, with --set"},
        {SMALLEST "checkpoint: {local: \"/tmp/${USER}x\", local_every: 5}\n", NULL,
         "job.yaml:6:21: checkpoint.local: ${USER} is not expanded here, where its value may be another one on the next "
         "node or at the next start; write the path out, or let the shell do it, with --set"},
        {NULL, "data.train.images=$D",
         "--set data.train.images=$D: data.train.images: $D is not expanded here, where "
         "its value may be another one on the next node or at the next start; write the path out, or let the shell do "
         "it, with --set"},
        {"run: |\n  a\n", NULL, "job.yaml:1:6: run: a control character cannot be part of a path (U+000A at byte 2)"},
        {NULL, "run=\"a\\x9b\"",
         "--set run=\"a\\x9b\": run: a control character cannot be part of a path (U+009B at byte 2)"},
        {NULL, "data.train.labels=~/x",
         "--set data.train.labels=~/x: data.train.labels: a leading ~ is not expanded here; "
         "write the path out"},
        {NULL, "run=a$(date)",
         "--set run=a$(date): run: "
         "nothing is expanded here, and '$' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=a$$",
         "--set run=a$$: run: "
         "nothing is expanded here, and '$' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=a$",
         "--set run=a$: run: "
         "nothing is expanded here, and '$' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=$[x]",
         "--set run=$[x]: run: "
         "nothing is expanded here, and '$' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=$'x'",
         "--set run=$'x': run: "
         "nothing is expanded here, and '$' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=a*b",
         "--set run=a*b: run: "
         "nothing is expanded here, and '*' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=a?",
         "--set run=a?: run: "
         "nothing is expanded here, and '?' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=a`date`",
         "--set run=a`date`: run: "
         "nothing is expanded here, and '`' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=\"{x}\"",
         "--set run=\"{x}\": run: "
         "nothing is expanded here, and '{' cannot be part of the name of what is made; write the path out, or let "
         "the shell do it, with --set"},
        {NULL, "run=\" a\"", "--set run=\" a\": run: ' a' begins or ends with a blank, which a path seldom means"},
        {NULL, "run=\"a \"", "--set run=\"a \": run: 'a ' begins or ends with a blank, which a path seldom means"},
        {NULL, "run=runs/%j",
         "--set run=runs/%j: run: %j is not replaced here as in the names of Slurm's outputs; write the path out, "
         "or let the shell do it, as with --set run=runs/$SLURM_JOB_ID"},
        {NULL, "run=runs/%A",
         "--set run=runs/%A: run: %A is not replaced here as in the names of Slurm's outputs; write the path out, "
         "or let the shell do it, as with --set run=runs/$SLURM_JOB_ID"},
        {NULL, "run=runs/%a",
         "--set run=runs/%a: run: %a is not replaced here as in the names of Slurm's outputs; write the path out, "
         "or let the shell do it, as with --set run=runs/$SLURM_JOB_ID"},
        {NULL, "run=runs/%x",
         "--set run=runs/%x: run: %x is not replaced here as in the names of Slurm's outputs; write the path out, "
         "or let the shell do it, as with --set run=runs/$SLURM_JOB_ID"},
        {NULL, "run=runs/%n",
         "--set run=runs/%n: run: %n is not replaced here as in the names of Slurm's outputs; write the path out, or "
         "let the shell do it, as with --set run=runs/$SLURM_JOB_ID (%n is for checkpoint.local)"},
        {SMALLEST "checkpoint: {local: /tmp/%j, local_every: 5}\n", NULL,
         "job.yaml:6:21: checkpoint.local: %j is not replaced here as in the names of Slurm's outputs; write the path "
         "out, or let the shell do it, as with --set run=runs/$SLURM_JOB_ID"},
        {NULL, "run=~/out", "--set run=~/out: run: a leading ~ is not expanded here; write the path out"},
    };
    CHECK_REFUSALS(refusals);
}

static void test_bad_yaml(void)
{
    static const struct refusal refusals[] = {
        {"", NULL, "job.yaml:1:1: the file is empty"},
        {"# nothing\n\n", NULL, "job.yaml:1:1: the file is empty"},
        {"\n- run\n", NULL, "job.yaml:2:1: keys with values are expected"},
        {"mnist\n", "run=x", "job.yaml:1:1: keys with values are expected"},
        {"run: a\n\tseed: 1\n", NULL,
         "job.yaml:2:1: not YAML: found a tab character that violates indentation, while scanning a plain scalar"},
        {"run: [a\nseed: 1\n", NULL,
         "job.yaml:2:5: not YAML: did not find expected ',' or ']', while parsing a flow sequence"},
        {"run: a\nseed: *b\n", NULL, "job.yaml:2:7: not YAML: found undefined alias"},
        {"run: a\nseed: \xff\n", NULL, "job.yaml:2:7: not YAML: invalid leading UTF-8 octet"},
        {"run: a\n---\nrun: b\n", NULL, "job.yaml:2:1: a second YAML document begins here; allowed: one"},
        {"run: &a [*a]\n", NULL, "job.yaml:1:6: run: a single value is expected; allowed: a text"},
        {"model: &a [*a]\nrun: b\n", NULL, "job.yaml:1:8: model.0: keys with values are expected, as in {layer: ...}"},
        {"data: &a {train: *a}\n", NULL,
         "job.yaml:1:7: data.train.format: missing, and no format has just these keys; allowed: idx, "
         "digits, text, tokens, csv, npy, npz, hdf5, folder"},
    };
    CHECK_REFUSALS(refusals);
}

/* What libyaml would take seconds for. */
static void test_deep_brackets(void)
{
    struct text yaml = {0};
    text_append(&yaml, "run: ");
    for (int i = 0; i < 60000; i++)
        text_append(&yaml, "[");
    double start = clock_seconds();
    check_refusals(
        &(struct refusal){text_bytes(&yaml), NULL, "job.yaml:1:105: nested too deep here; allowed: 100 levels"}, 1);
    text_release(&yaml);
    for (int i = 0; i < 60000; i++)
        text_append(&yaml, "- ");
    check_refusals(
        &(struct refusal){text_bytes(&yaml), NULL, "job.yaml:1:201: nested too deep here; allowed: 100 levels"}, 1);
    text_release(&yaml);
    text_append(&yaml, "run: [");
    for (int i = 0; i < 30000; i++)
        text_append(&yaml, "&a%d 1, ", i);
    check_refusals(&(struct refusal){text_bytes(&yaml), NULL, "job.yaml:1:2147: more anchors (&) than 250"}, 1);
    CU_ASSERT(clock_seconds() - start < 1);
    text_release(&yaml);
}

static void test_bad_overrides(void)
{
    static const struct refusal refusals[] = {
        {NULL, "seed", "--set seed: not of the form key.path=value"},
        {NULL, "=1", "--set =1: not of the form key.path=value"},
        {NULL, "train..steps=1", "--set train..steps=1: not of the form key.path=value"},
        {NULL, "train.=1", "--set train.=1: not of the form key.path=value"},
        {NULL, "train.\xff=1", "--set train.\\xff=1: not of the form key.path=value"},
        {NULL, "model.3.units=1", "--set model.3.units=1: model: a list of 3, counted from 0"},
        {NULL, "model.last.units=1", "--set model.last.units=1: model: a list of 3, counted from 0"},
        {NULL, "model.99999999999999999999.units=1",
         "--set model.99999999999999999999.units=1: model: a list of 3, counted from 0"},
        {NULL, "model.0.layers.0.units=1",
         "--set model.0.layers.0.units=1: model.0.layers: unknown key for layer: dense; allowed here: layer, name, units, bias, "
         "init"},
        {NULL, "seed.x=1", "--set seed.x=1: seed: a single value, which has no keys"},
        {NULL, "train.batch.x.y=1", "--set train.batch.x.y=1: train.batch: a single value, which has no keys"},
        {NULL, "model=[1", "--set model=[1: not YAML: did not find expected ',' or ']', while parsing a flow sequence"},
        {NULL, "seed=1\n---\n2", "--set seed=1\\n---\\n2: a second YAML document begins here; allowed: one"},
        {NULL, "data.validation=&a {format: *a}",
         "--set data.validation=&a {format: *a}: data.validation.format: a single value is expected; allowed: idx, digits, text, tokens, csv, npy, npz, hdf5, folder"},
        {NULL, "run=runs/a #1",
         "--set run=runs/a #1: what stands behind ' #' is a comment for YAML: put the value in quotes, or take the "
         "comment away"},
    };
    CHECK_REFUSALS(refusals);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a value of the wrong type or range is refused with what is allowed", test_bad_values},
        {"an unknown, repeated or missing key is refused with its place", test_bad_keys},
        {"two keys that do not go together are refused", test_bad_pairs},
        {"a file that is not one YAML mapping is refused with its place", test_bad_yaml},
        {"a file of nothing but brackets is refused", test_deep_brackets},
        {"an override that leads nowhere is refused", test_bad_overrides},
        {NULL, NULL},
    };
    return test_run("job/job_refusals", cases);
}
