#include <string.h>

#include "Kernels.h"
#include "Products.h"
#include "Threads.h"

#define TABLES(variant) \
  extern const leak_kernels leak_kernels_##variant##_float, leak_kernels_##variant##_double;
TABLES(portable)
#if defined(__x86_64__)
TABLES(avx2)
TABLES(avx512)
#endif

bool leak_has_avx512(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
#else
  return false;
#endif
}

bool leak_has_avx2(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

const leak_kernels *leak_kernels_for(int is_double) {
#if defined(__x86_64__)
  if (leak_has_avx512()) {
    return is_double ? &leak_kernels_avx512_double : &leak_kernels_avx512_float;
  }
  if (leak_has_avx2()) {
    return is_double ? &leak_kernels_avx2_double : &leak_kernels_avx2_float;
  }
#endif
  return is_double ? &leak_kernels_portable_double : &leak_kernels_portable_float;
}

// A thread's part begins on a cache line of its own and is followed by an unused one.
static size_t stride(const leak_cluster *cluster) {
  return ((leak_kernels_for(cluster->is_double)->memory(cluster) + 63) & ~(size_t)63) + 64;
}

size_t leak_clusters_scratch(const leak_cluster *const *clusters, int count, int threads) {
  size_t total = 0;
  for (int i = 0; i < count; i++) total += stride(clusters[i]) * (size_t)threads;
  return total;
}

struct team {
  const leak_cluster *const *clusters;
  int count;
  int64_t units;
  char *scratch;
};

static int64_t units(const leak_cluster *cluster) {
  return cluster->groups * leak_schedule_of(cluster).across;
}

// The units of all clusters form one sequence, of which each thread takes a connected share.
static void work(void *context, int thread, int count) {
  const struct team *team = context;
  int64_t first, last, before = 0;
  leak_share(team->units, thread, count, &first, &last);
  char *scratch = team->scratch;
  for (int i = 0; i < team->count; i++) {
    const leak_cluster *cluster = team->clusters[i];
    const int64_t here = units(cluster);
    int64_t from = first - before, to = last - before;
    from = from < 0 ? 0 : from > here ? here : from;
    to = to < 0 ? 0 : to > here ? here : to;
    const size_t part = stride(cluster);
    if (from < to || cluster->reduction_count) {
      leak_kernels_for(cluster->is_double)->run(cluster, from, to, scratch + part * (size_t)thread);
    }
    scratch += part * (size_t)count;
    before += here;
  }
}

void leak_clusters_run(
    const leak_cluster *const *clusters, int count, int threads, void *scratch) {
  struct team team = {clusters, count, 0, scratch};
  for (int i = 0; i < count; i++) team.units += units(clusters[i]);
  leak_parallel(threads, work, &team);
  char *part = scratch;
  for (int i = 0; i < count; i++) {
    const size_t bytes = stride(clusters[i]);
    if (clusters[i]->reduction_count) {
      leak_kernels_for(clusters[i]->is_double)->finish(clusters[i], threads, part, bytes);
    }
    part += bytes * (size_t)threads;
  }
}
