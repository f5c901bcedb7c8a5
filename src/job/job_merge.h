/* YAML's merge key (yaml.org/type/merge): `<<: *base`, or a list of such sections, gives a section all keys that it
 * does not have itself; of a list the earlier one counts. */
#ifndef JOB_JOB_MERGE_H
#define JOB_JOB_MERGE_H

#include "base/error.h"

#include <yaml.h>

/* Local. Puts the merged keys, with the places where they stand, in the place of every `<<` of a document. ERROR_USAGE,
 * and *mark: where; the document is whole, but not merged. */
bool job_merge(yaml_document_t *document, yaml_mark_t *mark, struct error *error) WARN_UNUSED;

#endif
