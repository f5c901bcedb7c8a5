/* Which rank this process is, for words of the last moment, and before MPI can be asked. */
#ifndef BASE_RANK_H
#define BASE_RANK_H

/* Local. Before it is set: 0. */
void rank_set(int rank);
int rank_get(void);

/* Local. The rank that mpirun or srun has told this process; -1: neither has started it. To be asked before MPI_Init,
 * which tells it to a process that nobody has launched, too. */
int rank_told(void);

#endif
