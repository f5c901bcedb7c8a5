/* The last wall of a process that may be taken over by what it reads. */
#ifndef H5_SANDBOX_H
#define H5_SANDBOX_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED /* needs terabytes of addresses, and calls of its own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SANDBOX_SANITIZED
#endif
#endif

/* Local. From here on this process can read what it has open, write to `out`, get memory, and end; any other system
 * call is refused (EPERM). Where the system has no such thing nothing happens: it is the last wall, not the only one.
 */
void sandbox_enter(int out);

#endif
