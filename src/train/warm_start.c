#include "train/warm_start.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "checkpoint/locate.h"
#include "train/restore.h"
#include "weights/match.h"

#include <inttypes.h>
#include <string.h>

#define PIECE ((size_t)1 << 20) /* floats of a message at most */

/* Rank 0's; all zero elsewhere. */
struct source {
    struct weights_file file;
    struct match match;
    size_t tensors; /* taken so far */
    uint64_t digest;
};

/* Local. Whether the rows of the file's embedding mean what tokens mean here can be told of two texts alone. */
static void tell_vocabulary(const struct session *session, const struct weights *weights)
{
    const struct dataset *data = &session->data.train;
    bool has_text = weights->vocabulary && *weights->vocabulary;
    if (data->about.vocabulary && !has_text)
        log_warn("%s does not tell its vocabulary: its rows are taken for the characters of this job's text, in the "
                 "order of their numbers",
                 session->options->init_from);
    if (!data->about.vocabulary && data->about.form.vocabulary > 0 && has_text)
        log_warn("%s was trained on a text: its rows are taken for the tokens of this job, in the order of their "
                 "numbers",
                 session->options->init_from);
}

static bool tokens_fit(const struct session *session, const struct weights_file *file, struct error *error)
{
    return description_has_same_tokens(&session->data.train.about, file->weights.data, error) ||
           error_prefix(error, "%s: ", file->path);
}

/* Local. The file, which the caller closes. */
static bool open_file(const char *word, struct weights_file *file, struct error *error)
{
    char path[PATH_MAX];
    if (!locate_checkpoint(word, path, error))
        return false;
    if (weights_open(file, path, false, error))
        return true;
    locate_older(word, path, error);
    return false;
}

/* Local, rank 0's work. */
static bool open_source(const struct session *session, struct source *source, struct error *error)
{
    const struct session_options *options = session->options;
    if (open_file(options->init_from, &source->file, error) && tokens_fit(session, &source->file, error) &&
        match_init(&source->match, &source->file, &session->learner.model, session->data.train.about.vocabulary,
                   error) &&
        match_check(&source->match, options->partial, error)) {
        source->match.seed = session->job->seed;
        tell_vocabulary(session, &source->file.weights);
        if (source->file.weights.data && *source->file.weights.data)
            session->restore->weights_data = memory_text(source->file.weights.data);
        return true;
    }
    if (error->kind == ERROR_NOT_FOUND) /* as with a job file that is not there: the request is wrong */
        error->kind = ERROR_USAGE;
    return error_prefix(error, "--init-from: ");
}

static void close_source(struct source *source)
{
    match_release(&source->match);
    weights_close(&source->file);
}

/* Local. A line for each of a list. */
static void log_names(const char *format, const struct text *names)
{
    for (const char *line = text_bytes(names); *line; line += strcspn(line, "\n") + 1)
        log_warn("--init-from: %.*s %s", (int)strcspn(line, "\n"), line, format);
}

/* Local, rank 0's work. The values of a tensor of the model; the caller owns them. NULL after failure. */
static float *load(struct source *source, const struct tensor *tensor, size_t index, struct error *error)
{
    float *values = memory_alloc(tensor->count, sizeof *values, "a tensor", error);
    bool ok = values && match_load(&source->match, index, values, error);
    if (ok) {
        source->tensors++;
        source->digest = digest_chain(source->digest, digest_bytes(tensor->name, strlen(tensor->name)));
        source->digest = digest_chain(source->digest, weights_digest(values, tensor->count));
        return values;
    }
    memory_free(values);
    return NULL;
}

/* Local. Elements [first, first + count) of the arena, as far as they are in this rank's shard. */
static void take_piece(struct session *session, size_t first, size_t count, const float *values)
{
    const struct shard *shard = &session->learner.shard;
    size_t begin = first > shard->first ? first : shard->first;
    size_t end = first + count < shard->first + shard->count ? first + count : shard->first + shard->count;
    if (begin < end)
        memcpy(learner_params(&session->learner) + begin, values + (begin - first), (end - begin) * sizeof *values);
}

/* Collective over world. One tensor from rank 0 to those whose shards it is in. */
static bool take_tensor(struct session *session, struct source *source, size_t index, float *piece, struct error *error)
{
    const struct world *world = session->world;
    const struct tensor *tensor = &session->learner.model.table.tensors[index];
    float *values = NULL;
    bool is_root = world->rank == 0;
    if (!world_share_number(world, is_root && match_has(&source->match, index)))
        return true;
    bool ok = !is_root || (values = load(source, tensor, index, error));
    if (!restore_agree(session->restore, ok, "reading the weights", error)) {
        memory_free(values);
        return false;
    }
    for (size_t done = 0; done < tensor->count; done += PIECE) {
        size_t n = tensor->count - done < PIECE ? tensor->count - done : PIECE;
        float *buffer = is_root ? values + done : piece;
        world_share(world, buffer, n * sizeof *buffer);
        take_piece(session, tensor->offset + done, n, buffer);
    }
    memory_free(values);
    return true;
}

/* Collective over world. Says, and writes down, where the weights come from. */
static void tell(struct session *session, const struct source *source)
{
    struct text origin;
    text_init(&origin);
    uint64_t digest = world_share_number(session->world, source->digest);
    uint64_t tensors = world_share_number(session->world, source->tensors);
    uint64_t step = world_share_number(session->world, source->file.weights.step);
    text_append(&origin, "%s (digest %016" PRIx64, session->options->init_from, digest);
    if (step > 0)
        text_append(&origin, ", of step %" PRIu64, step);
    text_append(&origin, "; %" PRIu64 " of %zu tensors)", tensors, session->learner.model.table.length);
    memory_free(session->record.origin);
    session->record.origin = memory_text(origin.bytes);
    log_info("warm start with the weights of %s", origin.bytes);
    text_release(&origin);
}

bool warm_start(struct session *session, struct error *error)
{
    struct source source = {0};
    bool ok = session->world->rank != 0 || open_source(session, &source, error);
    ok = restore_agree(session->restore, ok, "opening the weights", error);
    if (ok) {
        if (source.match.layout.in_order)
            log_info("--init-from: tensors are taken by the order of the modules, not by their names");
        for (const char *line = text_bytes(&source.match.rows); *line; line += strcspn(line, "\n") + 1)
            log_warn("--init-from: %.*s", (int)strcspn(line, "\n"), line);
        log_names("is not in the file: it begins with its own initial values", &source.match.missing);
        log_names("is in the file, but not in this model: ignored", &source.match.extra);
    }
    float *piece = memory_need(PIECE, sizeof *piece);
    for (size_t t = 0; ok && t < session->learner.model.table.length; t++)
        ok = take_tensor(session, &source, t, piece, error);
    memory_free(piece);
    if (ok) {
        if (session->world->rank == 0)
            weights_tell_lost(&source.file);
        tell(session, &source);
        if (session->learner.used.average)
            memcpy(session->learner.used.average, learner_own_params(&session->learner),
                   session->learner.shard.count * sizeof *session->learner.used.average);
    }
    close_source(&source);
    return ok;
}
