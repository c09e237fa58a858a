#include <cblas.h>
#include <string.h>

#include "Kernels.h"
#include "Products.h"
#include "Threads.h"

struct job {
  const leak_convolution_shape *shape;
  leak_convolution_kind kind;
  int is_double;
  size_t size;
  const leak_kernels *kernels;
  leak_patches patches;
  int64_t image, windows, taps, per_input, per_output, height, group_kernel;
  char *input, *kernel, *output, *scratch;
  size_t scratch_stride;
};

// The rows of windows that are multiplied at once: half a second-level cache of them.
static int64_t height_of(int64_t taps, size_t size) {
  int64_t rows = (int64_t)((512 << 10) / ((size_t)taps * size));
  return rows < 16 ? 16 : rows;
}

static struct job prepare(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double) {
  struct job job = {.shape = shape, .kind = kind, .is_double = is_double};
  job.size = is_double ? sizeof(double) : sizeof(float);
  job.kernels = leak_kernels_for(is_double);
  leak_patches *p = &job.patches;
  job.image = job.windows = job.taps = 1;
  for (int axis = 0; axis < 3; axis++) {
    const int from = axis - (3 - shape->axes);
    p->input[axis] = from < 0 ? 1 : shape->input[from];
    p->output[axis] = from < 0 ? 1 : shape->output[from];
    p->kernel[axis] = from < 0 ? 1 : shape->kernel[from];
    p->stride[axis] = from < 0 ? 1 : shape->stride[from];
    p->dilation[axis] = from < 0 ? 1 : shape->dilation[from];
    p->low[axis] = from < 0 ? 0 : shape->low[from];
    job.image *= p->input[axis];
    job.windows *= p->output[axis];
    job.taps *= p->kernel[axis];
  }
  job.per_input = shape->inputs / shape->groups;
  job.per_output = shape->outputs / shape->groups;
  p->channels = job.per_input;
  p->pitch = shape->inputs;
  job.taps *= job.per_input;
  job.height = height_of(job.taps, job.size);
  return job;
}

static void multiply(
    const struct job *job, int left_transposed, int right_transposed, int64_t rows,
    int64_t columns, int64_t inner, const void *left, int64_t left_pitch, const void *right,
    int64_t right_pitch, int adds, void *result, int64_t result_pitch) {
  const CBLAS_TRANSPOSE a = left_transposed ? CblasTrans : CblasNoTrans;
  const CBLAS_TRANSPOSE b = right_transposed ? CblasTrans : CblasNoTrans;
  if (job->is_double) {
    cblas_dgemm(
        CblasRowMajor, a, b, (int)rows, (int)columns, (int)inner, 1, left, (int)left_pitch, right,
        (int)right_pitch, adds, result, (int)result_pitch);
  } else {
    cblas_sgemm(
        CblasRowMajor, a, b, (int)rows, (int)columns, (int)inner, 1, left, (int)left_pitch, right,
        (int)right_pitch, (float)adds, result, (int)result_pitch);
  }
}

// Threads share the windows: every output pixel is computed by one of them.
static void forward(void *context, int thread, int count) {
  const struct job *job = context;
  const leak_convolution_shape *shape = job->shape;
  char *matrix = job->scratch + job->scratch_stride * (size_t)thread;
  int64_t first, last;
  leak_share(job->windows * shape->batch, thread, count, &first, &last);
  while (first < last) {
    const int64_t sample = first / job->windows, window = first % job->windows;
    int64_t rows = job->height;
    if (rows > last - first) rows = last - first;
    if (rows > job->windows - window) rows = job->windows - window;
    for (int64_t group = 0; group < shape->groups; group++) {
      const int64_t from = sample * job->image * shape->inputs + group * job->per_input;
      const int64_t to = (sample * job->windows + window) * shape->outputs + group * job->per_output;
      job->kernels->patches(
          &job->patches, job->input + (size_t)from * job->size, window, window + rows, matrix);
      multiply(
          job, 0, 0, rows, job->per_output, job->taps, matrix, job->taps,
          job->kernel + (size_t)(group * job->per_output) * job->size, shape->outputs,
          0, job->output + (size_t)to * job->size, shape->outputs);
    }
    first += rows;
  }
}

// The windows that touch lines [line0, line1) of the image lie in this range of output lines.
static void touching(
    const leak_patches *p, int64_t line0, int64_t line1, int64_t *first, int64_t *last) {
  const int axis = p->input[0] > 1 ? 0 : 1;
  if (axis == 0) line0 /= p->input[1], line1 = (line1 + p->input[1] - 1) / p->input[1];
  const int64_t reach = (p->kernel[axis] - 1) * p->dilation[axis];
  int64_t low = line0 + p->low[axis] - reach, high = line1 - 1 + p->low[axis];
  low = low <= 0 ? 0 : (low + p->stride[axis] - 1) / p->stride[axis];
  high = high < 0 ? 0 : high / p->stride[axis] + 1;
  if (high > p->output[axis]) high = p->output[axis];
  if (low > high) low = high;
  const int64_t line = axis == 0 ? p->output[1] * p->output[2] : p->output[2];
  *first = low * line, *last = high * line;
}

// Threads share the lines of the image; windows across a border are multiplied by both sides.
static void input_gradient(void *context, int thread, int count) {
  const struct job *job = context;
  const leak_convolution_shape *shape = job->shape;
  const leak_patches *p = &job->patches;
  char *matrix = job->scratch + job->scratch_stride * (size_t)thread;
  const int64_t lines = p->input[0] * p->input[1], line_size = p->input[2] * shape->inputs;
  int64_t begin, end;
  leak_share(lines * shape->batch, thread, count, &begin, &end);
  while (begin < end) {
    const int64_t sample = begin / lines, line = begin % lines;
    const int64_t many = lines - line < end - begin ? lines - line : end - begin;
    char *image = job->input + (size_t)(sample * lines * line_size) * job->size;
    memset(image + (size_t)(line * line_size) * job->size, 0, (size_t)(many * line_size) * job->size);
    int64_t first, last;
    touching(p, line, line + many, &first, &last);
    for (int64_t window = first; window < last; window += job->height) {
      const int64_t rows = last - window < job->height ? last - window : job->height;
      for (int64_t group = 0; group < shape->groups; group++) {
        const int64_t from =
            (sample * job->windows + window) * shape->outputs + group * job->per_output;
        multiply(
            job, 0, 1, rows, job->taps, job->per_output, job->output + (size_t)from * job->size,
            shape->outputs, job->kernel + (size_t)(group * job->per_output) * job->size,
            shape->outputs, 0, matrix, job->taps);
        job->kernels->unpatches(
            p, matrix, window, window + rows, line, many,
            image + (size_t)(group * job->per_input) * job->size);
      }
    }
    begin += many;
  }
}

// Threads share the output channels of each group, so that no sum crosses a thread.
static void kernel_gradient(void *context, int thread, int count) {
  const struct job *job = context;
  const leak_convolution_shape *shape = job->shape;
  char *matrix = job->scratch + job->scratch_stride * (size_t)thread;
  int64_t column0 = 0, column1 = job->per_output, group0 = 0, group1 = shape->groups;
  if (shape->groups >= count) leak_share(shape->groups, thread, count, &group0, &group1);
  else leak_share(job->per_output, thread, count, &column0, &column1);
  if (column0 >= column1) return;
  for (int64_t group = group0; group < group1; group++) {
    char *to = job->kernel + (size_t)(group * job->per_output + column0) * job->size;
    int adds = 0;
    for (int64_t sample = 0; sample < shape->batch; sample++) {
      const int64_t image = sample * job->image * shape->inputs + group * job->per_input;
      for (int64_t window = 0; window < job->windows; window += job->height) {
        const int64_t rest = job->windows - window, rows = rest < job->height ? rest : job->height;
        const int64_t from = (sample * job->windows + window) * shape->outputs +
            group * job->per_output + column0;
        job->kernels->patches(
            &job->patches, job->input + (size_t)image * job->size, window, window + rows, matrix);
        multiply(
            job, 1, 0, job->taps, column1 - column0, rows, matrix, job->taps,
            job->output + (size_t)from * job->size, shape->outputs, adds, to, shape->outputs);
        adds = 1;
      }
    }
  }
}

static size_t stride_of(const struct job *job) {
  size_t bytes = (size_t)(job->height * job->taps) * job->size;
  return ((bytes + 63) & ~(size_t)63) + 64;
}

size_t leak_window_convolution_scratch(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double, int threads) {
  struct job job = prepare(shape, kind, is_double);
  return stride_of(&job) * (size_t)threads;
}

void leak_window_convolution_run(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double, void *input,
    void *kernel, void *output, int threads, void *scratch) {
  struct job job = prepare(shape, kind, is_double);
  job.input = input;
  job.kernel = kernel;
  job.output = output;
  job.scratch = scratch;
  job.scratch_stride = stride_of(&job);
  switch (kind) {
    case leak_input_gradient: leak_parallel(threads, input_gradient, &job); break;
    case leak_kernel_gradient: leak_parallel(threads, kernel_gradient, &job); break;
    default: leak_parallel(threads, forward, &job);
  }
}
