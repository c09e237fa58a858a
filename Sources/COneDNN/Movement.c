#include "Movement.h"

#include <string.h>

#include "Threads.h"
#include "Windows.h"

#define REAL float
#define FUNCTION(name) name##_float
#include "Kernels/Windows.h"
#undef REAL
#undef FUNCTION
#define REAL double
#define FUNCTION(name) name##_double
#include "Kernels/Windows.h"

void leak_narrow(const double *from, float *to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = (float)from[i];
}

void leak_widen(const float *from, double *to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = from[i];
}

void leak_rows_gather(
    const void *table, const void *row, void *result, int64_t count, int64_t rows, int64_t width,
    int is_double) {
  if (is_double) rows_gather_double(table, row, result, count, rows, width);
  else rows_gather_float(table, row, result, count, rows, width);
}

void leak_rows_scatter(
    const void *source, const void *row, void *result, int64_t count, int64_t rows, int64_t width,
    int is_double) {
  if (is_double) rows_scatter_double(source, row, result, count, rows, width);
  else rows_scatter_float(source, row, result, count, rows, width);
}

struct block_job {
  const leak_block *block;
  const char *from;
  char *to;
};

static void copy_lines(void *context, int thread, int count) {
  const struct block_job *job = context;
  const leak_block *block = job->block;
  const int last = block->rank - 1;
  const size_t size = block->is_double ? sizeof(double) : sizeof(float);
  int64_t lines = 1, first, end;
  for (int axis = 0; axis < last; axis++) lines *= block->extents[axis];
  leak_share(lines, thread, count, &first, &end);
  for (int64_t line = first; line < end; line++) {
    int64_t rest = line, from = 0, to = 0;
    for (int axis = last - 1; axis >= 0; axis--) {
      const int64_t at = rest % block->extents[axis];
      rest /= block->extents[axis];
      from += at * block->from_strides[axis];
      to += at * block->to_strides[axis];
    }
    const void *source = job->from + from * (int64_t)size;
    void *target = job->to + to * (int64_t)size;
    const int64_t width = block->extents[last];
    const int64_t step = block->from_strides[last], pace = block->to_strides[last];
    if (block->is_double) copy_line_double(source, target, width, step, pace);
    else copy_line_float(source, target, width, step, pace);
  }
}

void leak_block_copy(const leak_block *block, const void *from, void *to, int threads) {
  struct block_job job = {block, from, to};
  leak_parallel(threads, copy_lines, &job);
}

// Work that is cut along samples and channels: channels in whole cache lines.
struct plane_job {
  const leak_windows *windows;
  int kind, is_double;
  const char *first, *second;
  char *result;
  int64_t batch, channels, places, count;
};

enum { gather_places = 100, scatter_places = 101 };

static void one_plane(
    const struct plane_job *job, int64_t sample, int64_t first, int64_t last) {
  const size_t size = job->is_double ? sizeof(double) : sizeof(float);
  const int64_t plane = sample * job->places * job->channels;
  const int64_t picks = sample * job->count * job->channels;
  const char *input = job->first, *second = job->second;
  char *result = job->result;
  const int to_plane = job->kind == leak_window_spread || job->kind == scatter_places;
  input += (size_t)(to_plane ? picks : plane) * size;
  result += (size_t)(to_plane ? plane : picks) * size;
  if (second) second += (size_t)picks * size;
#define CALL(type)                                                                 \
  switch (job->kind) {                                                                     \
    case leak_window_sum:                                                                  \
      window_sum_##type(job->windows, (const type *)input, (type *)result, first, last);   \
      break;                                                                               \
    case leak_window_spread:                                                               \
      window_spread_##type(job->windows, (const type *)input, (type *)result, first, last);\
      break;                                                                               \
    case leak_window_argmax:                                                               \
      window_argmax_##type(job->windows, (const type *)input, (type *)result, first, last);\
      break;                                                                               \
    case gather_places:                                                                    \
      places_gather_##type(                                                                \
          (const type *)input, (const type *)second, (type *)result, job->places,          \
          job->count, job->channels, first, last);                                         \
      break;                                                                               \
    default:                                                                               \
      places_scatter_##type(                                                               \
          (const type *)input, (const type *)second, (type *)result, job->places,          \
          job->count, job->channels, first, last);                                         \
  }
  if (job->is_double) {
    CALL(double)
  } else {
    CALL(float)
  }
#undef CALL
}

static void planes(void *context, int thread, int count) {
  const struct plane_job *job = context;
  const int64_t strips = (job->channels + 15) / 16;
  int64_t first, last;
  leak_share(job->batch * strips, thread, count, &first, &last);
  while (first < last) {
    const int64_t sample = first / strips, strip = first % strips;
    int64_t many = strips - strip < last - first ? strips - strip : last - first;
    const int64_t end = (strip + many) * 16;
    one_plane(job, sample, strip * 16, end < job->channels ? end : job->channels);
    first += many;
  }
}

void leak_windows_run(
    const leak_windows *windows, leak_window_kind kind, const void *from, void *to, int threads) {
  struct plane_job job = {
      windows, kind, windows->is_double, from, NULL, to, windows->batch, windows->channels, 1, 1};
  for (int axis = 0; axis < 3; axis++) {
    job.places *= windows->input[axis];
    job.count *= windows->output[axis];
  }
  leak_parallel(threads, planes, &job);
}

void leak_places_gather(
    const void *plane, const void *place, void *picked, int64_t batch, int64_t places,
    int64_t count, int64_t channels, int is_double, int threads) {
  struct plane_job job = {
      NULL, gather_places, is_double, plane, place, picked, batch, channels, places, count};
  leak_parallel(threads, planes, &job);
}

void leak_places_scatter(
    const void *picked, const void *place, void *plane, int64_t batch, int64_t places,
    int64_t count, int64_t channels, int is_double, int threads) {
  struct plane_job job = {
      NULL, scatter_places, is_double, picked, place, plane, batch, channels, places, count};
  leak_parallel(threads, planes, &job);
}
