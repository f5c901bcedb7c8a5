/* Which rank this process is, for words of the last moment. */
#ifndef BASE_RANK_H
#define BASE_RANK_H

/* Local. Before it is set: 0. */
void rank_set(int rank);
int rank_get(void);

#endif
