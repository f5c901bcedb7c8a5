/* What saving has to remember from one boundary to the next (save.h). */
#ifndef TRAIN_SAVING_H
#define TRAIN_SAVING_H

#include "checkpoint/copies/copies.h"
#include "checkpoint/saver.h"

/* A save that has been begun. */
struct save {
    bool runs;
    bool late;    /* a rank hangs over it */
    bool is_copy; /* of copies on the nodes, and not of a file */
    uint64_t step;
    unsigned reasons;           /* policy/flags.h; 0: copies, or the job leaves */
    bool has_arrays;            /* those that are in use: they must not change */
    struct retention retention; /* what it leaves of older ones */
    bool replaced;              /* by the last save of the job, of the same step */
    double stall_s;             /* by which it has lengthened training's way so far */
};

struct saving {
    struct saver *saver;
    struct save now;      /* the one that runs */
    uint64_t saved_step;  /* of the newest checkpoint file; UINT64_MAX: there is none */
    uint64_t retry_step;  /* a failed save is tried again when this step is done; 0: none failed */
    uint64_t retry_wait;  /* steps from the last failed save to the next attempt; 0: none failed */
    unsigned put_off;     /* reasons of a save that waits until a step is taken again (policy/flags.h) */
    unsigned owed;        /* SAVE_KEEP: a save that was to stay for ever has failed, and the next takes its place */
    struct copies copies; /* copies on the nodes; closed: there are none */
    bool renew_copies;    /* those on the nodes are as other ranks have left them: new ones are due */
    bool copies_failed;   /* the last time */
    bool no_copies;       /* none are made any more: see copies_save */
};

#endif
