#include "Threads.h"

#include <pthread.h>

// oneDNN as Debian and Ubuntu build it runs on GCC's OpenMP runtime. Entering the same runtime
// keeps one pool per calling thread instead of two that fight over the cores. Swift's clang has
// no <omp.h>, so the four entry points are declared here; their interface is that of GCC's
// outlined parallel regions and has been stable since GCC 4.9.
extern void GOMP_parallel(void (*)(void *), void *, unsigned, unsigned);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern void omp_set_num_threads(int);

extern void openblas_set_num_threads(int);

static pthread_once_t blas_once = PTHREAD_ONCE_INIT;

static void calm_blas(void) { openblas_set_num_threads(1); }

void leak_set_threads(int count) {
  pthread_once(&blas_once, calm_blas);
  omp_set_num_threads(count < 1 ? 1 : count);
}

struct region {
  leak_body body;
  void *context;
};

static void enter(void *data) {
  const struct region *region = data;
  region->body(region->context, omp_get_thread_num(), omp_get_num_threads());
}

void leak_parallel(int count, leak_body body, void *context) {
  if (count <= 1) {
    body(context, 0, 1);
    return;
  }
  struct region region = {body, context};
  GOMP_parallel(enter, &region, (unsigned)count, 0);
}
