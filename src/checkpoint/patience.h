/* How long the phases of a save or a restore may take before who is not done is taken for lost: derived from how long
 * they have taken. Generous: it is there so that no wait is for ever, not to judge a disk. */
#ifndef CHECKPOINT_PATIENCE_H
#define CHECKPOINT_PATIENCE_H

#include <stddef.h>

enum patience_phase {
    PATIENCE_DIGEST,  /* of a rank's shard */
    PATIENCE_LAYOUT,  /* rank 0: the file, at its full size */
    PATIENCE_DATA,    /* each rank: its shard, written and synced */
    PATIENCE_PROOF,   /* each rank: its shard, read back */
    PATIENCE_PUBLISH, /* rank 0: commit record, sync, rename */
    PATIENCE_RESTORE, /* each rank: its shard, read; measured: what earlier starts took as a whole */
    PATIENCE_COPIES,  /* each rank: its pieces of the second tier, written and sent */
    PATIENCE_PHASES
};

struct patience {
    double fixed_s;    /* for every phase; 0: derived */
    double bytes;      /* of a rank's share of the file, */
    double file_bytes; /* and of all of it */
    double longest_s[PATIENCE_PHASES];
};

/* Local. 60 s and 20 times the longest so far, or 60 s and what the rank's share (of the layout: the file) takes at
 * 5 MB/s if that is more. */
double patience_of(const struct patience *patience, enum patience_phase phase);

/* No rank is in a phase for more than this many times its limit: as late as it may come, it waits for others as long as
 * they may, and for their answer. */
#define PATIENCE_ALL 3

/* Local. A phase has taken this rank, with the ranks that it waited for, this long. More than any phase can take means
 * that the process was stopped meanwhile, and is not counted. */
void patience_note(struct patience *patience, enum patience_phase phase, double seconds);

/* Local. A phase will take this long, as is known from elsewhere. */
void patience_expect(struct patience *patience, enum patience_phase phase, double seconds);

#endif
