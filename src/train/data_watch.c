#include "train/data_watch.h"

#include "base/clock.h"
#include "base/watchdog.h"
#include "policy/flags.h"

#include <math.h>

#define LOOK_S 1.0 /* the files of a job may lie behind a network */

/* How much of the time may go into reading files again that somebody touches again and again: those that are written
 * (what is put back before it is read again would have been trained with), and those whose rights or names change. */
#define WRITTEN_SHARE 0.5
#define TOUCHED_SHARE 0.05
#define PAUSE_MOST_S  600.0 /* from one such reading to the next */

/* A second reading, if there has to be one, at this many bytes a second. */
#define SLOWEST_RATE 20e6

/* Local. Whether the content is to be read again: it is urgent, or so long ago that the share is kept. */
static bool is_time(const struct data_proof *proof, bool is_urgent, bool is_written)
{
    double pause_s = proof->took_s * (1 / (is_written ? WRITTEN_SHARE : TOUCHED_SHARE) - 1);
    return is_urgent || clock_seconds() - proof->ended_s >= fmin(pause_s, PAUSE_MOST_S);
}

/* Local. Whether this dataset is what it was. Its content is read again if a look leaves that open. */
static bool look(struct data_proof *proof, struct dataset *dataset, bool is_urgent, const char *what,
                 struct error *error)
{
    if (!dataset->class)
        return true;
    watchdog_begin(what, 60 + dataset_bytes(dataset) / SLOWEST_RATE);
    bool ok = !dataset_failed(dataset, error) && dataset_look(dataset, error);
    if (ok && dataset_is_touched(dataset) && is_time(proof, is_urgent, dataset_is_written(dataset))) {
        double begun_s = clock_seconds();
        ok = dataset_prove(dataset, error);
        proof->ended_s = clock_seconds();
        proof->took_s = proof->ended_s - begun_s;
    }
    watchdog_end();
    return ok || error_prefix(error, "%s: ", what);
}

/* Local. The bits of what is wrong. urgent: of what has to be known now. */
static unsigned look_at_all(struct session *session, unsigned urgent)
{
    struct data_watch *watch = &session->data.watch;
    training_data_rest(&session->data);
    watch->looked_s = clock_seconds();
    if (!(watch->wrong & DATA_IS_WRONG) &&
        !look(&watch->train_proof, &session->data.train, urgent & DATA_IS_WRONG, "data.train", &watch->train_error))
        watch->wrong |= DATA_IS_WRONG;
    if (!(watch->wrong & VALIDATION_IS_WRONG) &&
        !look(&watch->validation_proof, &session->data.validation, urgent & VALIDATION_IS_WRONG, "data.validation",
              &watch->validation_error))
        watch->wrong |= VALIDATION_IS_WRONG;
    return watch->wrong;
}

unsigned data_watch_flags(struct session *session)
{
    struct data_watch *watch = &session->data.watch;
    struct error ignored;
    bool due = clock_seconds() - watch->looked_s >= LOOK_S || session->data.has_failed ||
               dataset_failed(&session->data.validation, &ignored);
    return due ? look_at_all(session, 0) : watch->wrong;
}

/* Collective. Whether no rank has found these data wrong; else the first one's words. */
static bool agree(struct session *session, unsigned wrong, const struct error *own, struct error *error)
{
    bool ok = !(session->data.watch.wrong & wrong);
    if (!ok)
        *error = *own;
    ok = world_agree(session->world, ok, error);
    if (!ok)
        session->data.watch.agreed |= wrong;
    return ok;
}

bool data_watch_agree(struct session *session, struct error *error)
{
    look_at_all(session, DATA_IS_WRONG);
    return agree(session, DATA_IS_WRONG, &session->data.watch.train_error, error);
}

unsigned data_watch_validated(struct session *session)
{
    return world_union(session->world, look_at_all(session, VALIDATION_IS_WRONG));
}

bool data_watch_refuse_validation(struct session *session, struct error *error)
{
    return agree(session, VALIDATION_IS_WRONG, &session->data.watch.validation_error, error);
}

void data_watch_explain(const struct session *session, struct error *error)
{
    const struct error found = *error;
    unsigned agreed = session->data.watch.agreed;
    char newest[SESSION_NEWEST];
    session_tell_newest(session, newest);
    if (agreed & DATA_IS_WRONG)
        error_set(error, found.kind,
                  "%s. What was trained since is not saved: %s. Put the file back as it was and start again, or begin "
                  "another run: with the new data",
                  found.text, newest);
    else if (agreed & VALIDATION_IS_WRONG)
        error_set(error, found.kind,
                  "%s. All that was trained is saved: %s. Put the file back as it was and start again; with new "
                  "validation data the search for the best begins anew",
                  found.text, newest);
}
