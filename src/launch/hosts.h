/* Hosts that a command line of mpirun names (--host, --hostfile), outside of any batch system, and those of them that
 * are lost: mpirun would not start with one of these among them. */
#ifndef LAUNCH_HOSTS_H
#define LAUNCH_HOSTS_H

#include "base/text.h"
#include "launch/words.h"

/* Local. Has `true` run on each host, in the way in which mpirun reaches it (plm_rsh_agent, else ssh), all at once, for
 * some seconds. Hosts where that fails are taken out of the command and appended to `lost`, separated by commas; the
 * number of ranks (-np), if it is given, shrinks in proportion to the slots. Returns how many hosts are there; 0:
 * the command names none, or none is there (then they are appended all the same), and nothing was changed. */
size_t hosts_leave_out_lost(struct words *command, struct text *lost);

/* Local, a part of it: the names, with "user@", each host once, in the order of the command; none if it names them in a
 * file and in something else as well. Only the words before `lockstep train` are looked at. */
void hosts_named(const struct words *command, struct words *names);

/* Local, the other part: takes the hosts away that are lost. */
void hosts_remove(struct words *command, const struct words *lost);

#endif
