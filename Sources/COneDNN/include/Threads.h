#pragma once
#include <stdint.h>

/// The work of one member of a team of `count` threads.
typedef void (*leak_body)(void *context, int thread, int count);

/// Fixes how many threads the calling thread's parallel regions use, oneDNN's included.
///
/// The setting belongs to the calling thread, so programs on different threads do not disturb
/// each other. OpenBLAS is told once to stay on the thread that calls it.
void leak_set_threads(int count);

/// Runs `body` on `count` threads of the pool that oneDNN uses, the caller being thread 0.
///
/// Returns after all have finished. With `count` 1 no other thread is involved.
void leak_parallel(int count, leak_body body, void *context);

/// The share [first, last) of thread `thread` in `total` units, fixed by the three numbers.
static inline void leak_share(
    int64_t total, int thread, int count, int64_t *first, int64_t *last) {
  *first = total * thread / count;
  *last = total * (thread + 1) / count;
}
