#include "run/notice.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "run/environment.h"
#include "run/metrics.h"
#include "run/run_files.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool notice_write(const char *run, const struct notice *notice, struct error *error)
{
    char path[PATH_MAX];
    struct text line;
    run_file_path(run, RUN_END, path);
    text_init(&line);
    text_append(&line, "{\"event\":\"end_time\",\"job\":");
    text_append_json(&line, environment_batch_job());
    text_append(&line, ",\"restart\":%" PRIu64 ",\"grace\":%s,\"end_unix\":", environment_restarts(),
                notice->is_grace ? "true" : "false");
    if (isfinite(notice->end_unix))
        text_append(&line, "%.3f", notice->end_unix); /* with all its digits */
    else
        text_append(&line, "null");
    metrics_number(&line, "warning_s", notice->warning_s);
    text_append(&line, "}\n");
    bool ok = file_replace(path, text_bytes(&line), line.length, error);
    text_release(&line);
    return ok;
}

bool notice_read(const char *run, struct notice *notice)
{
    char path[PATH_MAX], job[64] = "", *line = NULL;
    size_t length;
    double restart = -1;
    struct error error; /* as a rule there is none */
    *notice = (struct notice){.end_unix = NAN, .warning_s = NAN};
    run_file_path(run, RUN_END, path);
    if (!file_read_note(path, &line, &length, &error))
        return false;
    json_text(line, "job", job, sizeof job);
    json_number(line, "restart", &restart);
    json_number(line, "end_unix", &notice->end_unix);
    json_bool(line, "grace", &notice->is_grace);
    json_number(line, "warning_s", &notice->warning_s);
    free(line);
    return strcmp(job, environment_batch_job()) == 0 && restart == (double)environment_restarts() &&
           !(notice->end_unix < 0) && !(notice->warning_s < 0);
}

void notice_remove(const char *run)
{
    char path[PATH_MAX];
    run_file_path(run, RUN_END, path);
    unlink(path);
}
