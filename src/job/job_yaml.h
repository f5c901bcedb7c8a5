/* A job file as a tree of YAML nodes, overrides included, in which every node knows where it comes from. */
#ifndef JOB_JOB_YAML_H
#define JOB_JOB_YAML_H

#include "base/error.h"

#include <stddef.h>
#include <yaml.h>

#define JOB_YAML_ROOT 1

/* Nodes are named by libyaml's numbers, which start from the root's; 0 is no node. */
struct job_yaml {
    const char *name;             /* borrowed: of the file */
    const char *const *overrides; /* borrowed */
    yaml_document_t document;
    size_t origin; /* the override that is being applied, from 1 */
    bool loaded;
};

/* Local. Parses the text and applies the overrides in order. name and overrides must outlive the tree. On failure:
 * ERROR_USAGE with the place; nothing to release. */
bool job_yaml_init(struct job_yaml *yaml, const char *name, const char *text, const char *const *overrides,
                   size_t override_count, struct error *error) WARN_UNUSED;

/* Local. Accepts a released tree. */
void job_yaml_release(struct job_yaml *yaml);

/* Local. The node with this number; valid as long as the tree. */
const yaml_node_t *job_yaml_node(struct job_yaml *yaml, int id);

/* Local. The value of a key of a section ("train.batch" leads through two); 0 if there is none. */
int job_yaml_find(struct job_yaml *yaml, int id, const char *path);

/* Local. Puts the place of a node ("job.yaml:12:3: " or "--set a.b=c: ") in front of the error's words. Returns false.
 */
bool job_yaml_blame(struct job_yaml *yaml, int id, struct error *error);

#endif
