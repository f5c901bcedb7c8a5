#include "run/lineage.h"

#include "base/file.h"
#include "checkpoint/reader.h"
#include "run/run_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool lineage_write(const char *run, uint64_t lineage, struct error *error)
{
    char path[PATH_MAX], text[24];
    run_file_path(run, RUN_LINEAGE, path);
    int length = snprintf(text, sizeof text, "%016" PRIx64 "\n", lineage);
    return file_replace(path, text, (size_t)length, error);
}

bool lineage_find(const char *run, const struct store *store, const uint64_t *steps, size_t count, uint64_t *lineage)
{
    char path[PATH_MAX], *text, *end;
    struct error error;
    size_t bytes;
    run_file_path(run, RUN_LINEAGE, path);
    if (file_read_own(path, FILE_NOTE_MOST, &text, &bytes, &error)) {
        *lineage = strtoull(text, &end, 16);
        bool whole = end - text == 16 && *end == '\n';
        free(text);
        if (whole)
            return true;
    }
    for (size_t i = 0; i < count; i++) {
        struct reader reader;
        store_path(store, steps[i], path);
        if (!reader_open(&reader, path, &error))
            continue;
        *lineage = reader.record.lineage;
        reader_close(&reader);
        return true;
    }
    return false;
}
