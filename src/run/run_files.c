#include "run/run_files.h"

#include <stdio.h>

const char *const run_file_names[RUN_FILES] = {
    [RUN_LOCK] = ".lock",
    [RUN_JOB] = "job.yaml",
    [RUN_METRICS] = "metrics.jsonl",
    [RUN_HISTORY] = "history.jsonl",
    [RUN_LINEAGE] = ".lineage",
    [RUN_END] = ".end",
    [RUN_SAVE] = "save",
    [RUN_LOOKS] = ".looks",
    [RUN_SUBMITTED] = "submitted",
};

bool run_file_path(const char *run, enum run_file file, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s", run, run_file_names[file]) < PATH_MAX;
}
