/* The limits that a process is given (ulimit, a batch system): what fails because of one says which one it was. */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

#define LIMIT_WORDS 120

/* Local. After a call has failed with this errno: " (the limit of a file's size is 6.1 MB: ulimit -f)", if there is
 * such a limit that can be the reason; else "". */
void limit_words(int number, char words[LIMIT_WORDS]);

/* Local. No file of this process may be larger; INFINITY: there is no such limit. */
double limit_file_bytes(void);

#endif
