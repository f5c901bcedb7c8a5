/* The command line of the subcommands that take a job file. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "base/error.h"
#include "run/submission.h"
#include "train/session.h"

#include <stddef.h>

struct request {
    const char *file;
    const char **overrides; /* [override_count]: borrowed texts behind --set */
    size_t override_count;
    const char **allowed;           /* [options.allowed.count]: borrowed texts behind --allow-change */
    struct session_options options; /* train */
    int ranks;                      /* summary; 0: not given */
    const char *submitted; /* train: the kept job (submission.h) that counts instead, as supervise passes it on;
                            * NULL: none */
    bool reread;           /* train: the file counts at each start */
};

/* Local. Words are those behind the subcommand's name. `is_train`: --fresh, --overwrite, --ranks-per-node,
 * --stop-after, --allow-change, --init-from, --branch, --partial, --reread, --trace and --submitted are understood;
 * else --ranks. ERROR_USAGE. Release the request after failure, too. */
bool request_parse(struct request *request, bool is_train, int count, char **words, struct error *error) WARN_UNUSED;
void request_release(struct request *request);

/* Local. What it asks for, as it may be kept. Borrowed. */
struct submission_request request_submission(const struct request *request);

#endif
