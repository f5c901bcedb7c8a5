/* A file of which nothing is said: which format it may be of, and, if one is sure, what `lockstep data` tells of it. */
#include "data/formats.h"
#include "data/recognise.h"
#include "fuzz.h"
#include "h5/h5.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    struct candidates candidates;
    struct survey survey;
    struct error error;
    const char *path = fuzz_file(0, data, size);
    if (!is_ready)
        h5_init();
    is_ready = true;
    candidates_all(&candidates);
    if (!candidates_look(&candidates, path, &error))
        return 0;
    const struct dataset_class *class = candidates_one(&candidates, path, &error);
    for (size_t i = 0; i < candidates.count; i++) {
        if (!candidates.classes[i]->survey || (class && class != candidates.classes[i]))
            continue;
        survey_init(&survey);
        bool ok = candidates.classes[i]->survey(&path, 1, &survey, &error);
        (void)ok;
        survey_release(&survey);
    }
    return 0;
}
