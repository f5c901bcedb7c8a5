/* CHECK(condition, "why"): a bug detector that is always compiled in. Names rank, file and line, and aborts the
 * process, with which the launcher ends the job. Never for anything that was read: input has errors, not bugs. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

_Noreturn void check_failed(const char *condition, const char *why, const char *file, int line);

#define CHECK(condition, why) ((condition) ? (void)0 : check_failed(#condition, why, __FILE__, __LINE__))

#endif
