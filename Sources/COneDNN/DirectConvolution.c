#include <string.h>

#include "Kernels.h"
#include "Products.h"
#include "Threads.h"

// A convolution reads windows of one padded image. So does its gradient in the input, with the output's
// cotangent as the image: the pixels between two strides become channels of one pixel, all of which see
// the same cotangents.

struct job {
  leak_convolution_kind kind;
  const leak_kernels *kernels;
  int64_t size, batch;
  /// The image that is read, with `low` elements of padding in front, or fewer than none.
  int64_t source[2], low[2], channels;
  /// The windows along each axis, how far apart they are, and the lines of them that are done at once.
  int64_t windows[2], stride[2], height;
  leak_correlation correlation;
  /// Of the gradient in the input.
  leak_turn turn;
  const char *read, *kernel, *cotangent;
  char *written, *scratch;
};

static int64_t rounded(int64_t bytes) { return (bytes + 63) & ~(int64_t)63; }

// A quarter of a second-level cache of padded lines.
static int64_t height_of(const struct job *job) {
  const int64_t height = (256 << 10) / (job->correlation.line * job->stride[0] * job->size);
  return height < 1 ? 1 : height > job->windows[0] ? job->windows[0] : height;
}

static struct job prepare(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double) {
  struct job job = {
      .kind = kind, .kernels = leak_kernels_for(is_double), .batch = shape->batch,
      .size = is_double ? sizeof(double) : sizeof(float),
      .turn = {.inputs = shape->inputs, .outputs = shape->outputs}};
  const int turned = kind == leak_input_gradient;
  leak_turn *turn = &job.turn;
  for (int axis = 0; axis < 2; axis++) {
    const int from = axis - (2 - shape->axes);
    const int64_t kernel = from < 0 ? 1 : shape->kernel[from];
    const int64_t stride = from < 0 ? 1 : shape->stride[from];
    const int64_t low = from < 0 ? 0 : shape->low[from];
    const int64_t input = from < 0 ? 1 : shape->input[from];
    const int64_t output = from < 0 ? 1 : shape->output[from];
    turn->kernel[axis] = kernel, turn->stride[axis] = stride;
    turn->taps[axis] = turned ? (kernel + stride - 1) / stride : kernel;
    turn->image[axis] = input, turn->margin[axis] = low % stride;
    job.stride[axis] = turned ? 1 : stride;
    job.source[axis] = turned ? output : input;
    job.windows[axis] = turned ? (low + input - 1) / stride - low / stride + 1 : output;
    job.low[axis] = turned ? turn->taps[axis] - 1 - low / stride : low;
  }
  turn->windows = job.windows[1];
  job.channels = turned ? shape->outputs : shape->inputs;
  job.correlation = (leak_correlation){
      .tap_rows = turn->taps[0], .run = turn->taps[1] * job.channels,
      .line = ((job.windows[1] - 1) * job.stride[1] + turn->taps[1]) * job.channels,
      .columns = turned ? turn->stride[0] * turn->stride[1] * shape->inputs : shape->outputs};
  job.height = height_of(&job);
  return job;
}

// Parts of a thread's working memory, in bytes.
struct parts {
  int64_t starts, image, kernel, result, all;
};

static struct parts parts_of(const struct job *job) {
  const leak_correlation *c = &job->correlation;
  const int64_t windows = job->height * job->windows[1];
  const int64_t lines = (job->height - 1) * job->stride[0] + c->tap_rows;
  struct parts parts = {
      .starts = rounded(windows * (int64_t)sizeof(int64_t)),
      .image = rounded(lines * c->line * job->size)};
  if (job->kind == leak_input_gradient) {
    parts.kernel = rounded(c->tap_rows * c->run * c->columns * job->size);
    parts.result = rounded(windows * c->columns * job->size);
  }
  parts.all = parts.starts + parts.image + parts.kernel + parts.result + 64;
  return parts;
}

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

// The padded lines that the windows of lines [first, first + many) read, and where each begins in them.
static void pad(
    const struct job *job, int64_t sample, int64_t first, int64_t many, char *padded,
    int64_t *starts) {
  const int64_t pixel = job->channels * job->size, line = job->correlation.line * job->size;
  const int64_t width = line / pixel, left = clamp(job->low[1], 0, width);
  const int64_t skipped = left - job->low[1];
  const int64_t kept = clamp(job->source[1] - skipped, 0, width - left);
  const char *image = job->read + sample * job->source[0] * job->source[1] * pixel;
  const int64_t lines = (many - 1) * job->stride[0] + job->correlation.tap_rows;
  for (int64_t y = 0; y < lines; y++, padded += line) {
    const int64_t from = first * job->stride[0] + y - job->low[0];
    if (from < 0 || from >= job->source[0] || kept == 0) {
      memset(padded, 0, (size_t)line);
      continue;
    }
    memset(padded, 0, (size_t)(left * pixel));
    memcpy(
        padded + left * pixel, image + (from * job->source[1] + skipped) * pixel,
        (size_t)(kept * pixel));
    memset(padded + (left + kept) * pixel, 0, (size_t)(line - (left + kept) * pixel));
  }
  for (int64_t y = 0; y < many; y++) {
    int64_t at = y * job->stride[0] * job->correlation.line;
    for (int64_t x = 0; x < job->windows[1]; x++, at += job->stride[1] * job->channels) {
      *starts++ = at;
    }
  }
}

// Threads share the lines of windows.
static void correlate(void *context, int thread, int count) {
  const struct job *job = context;
  const struct parts parts = parts_of(job);
  const leak_correlation *c = &job->correlation;
  const leak_turn *turn = &job->turn;
  char *scratch = job->scratch + parts.all * thread;
  int64_t *starts = (int64_t *)scratch;
  char *padded = scratch + parts.starts, *result = padded + parts.image + parts.kernel;
  const int64_t image = turn->image[0] * turn->image[1] * turn->inputs * job->size;
  const int64_t line = job->windows[1] * c->columns * job->size;
  const int turned = job->kind == leak_input_gradient;
  const int in_place = !turned || (turn->stride[0] == 1 && turn->stride[1] == 1);
  const char *kernel = job->kernel;
  int64_t begin, end;
  leak_share(job->windows[0] * job->batch, thread, count, &begin, &end);
  if (begin >= end) return;
  if (turned) {
    kernel = padded + parts.image;
    job->kernels->turn(turn, job->kernel, padded + parts.image);
  }
  while (begin < end) {
    const int64_t sample = begin / job->windows[0], first = begin % job->windows[0];
    int64_t many = clamp(end - begin, 1, job->height);
    many = clamp(many, 1, job->windows[0] - first);
    pad(job, sample, first, many, padded, starts);
    job->kernels->correlate(
        c, padded, starts, many * job->windows[1], kernel,
        in_place ? job->written + begin * line : result);
    for (int64_t y = 0; y < many && !in_place; y++) {
      job->kernels->spread(turn, result + y * line, first + y, job->written + sample * image);
    }
    begin += many;
  }
}

// Threads share the rows of the kernel.
static void outer(void *context, int thread, int count) {
  const struct job *job = context;
  const struct parts parts = parts_of(job);
  const leak_correlation *c = &job->correlation;
  char *scratch = job->scratch + parts.all * thread;
  int64_t *starts = (int64_t *)scratch;
  char *padded = scratch + parts.starts;
  int64_t begin, end;
  leak_share(c->tap_rows * c->run, thread, count, &begin, &end);
  if (begin >= end) return;
  int adds = 0;
  for (int64_t line = 0; line < job->batch * job->windows[0]; adds = 1) {
    const int64_t first = line % job->windows[0];
    const int64_t many = clamp(job->height, 1, job->windows[0] - first);
    pad(job, line / job->windows[0], first, many, padded, starts);
    const char *cotangent = job->cotangent + line * job->windows[1] * c->columns * job->size;
    for (int64_t row = begin; row < end;) {
      const int64_t tap = row % c->run, taps = clamp(end - row, 1, c->run - tap);
      job->kernels->outer(
          c, padded + (row / c->run * c->line + tap) * job->size, starts, many * job->windows[1],
          cotangent, taps, adds, job->written + row * c->columns * job->size);
      row += taps;
    }
    line += many;
  }
}

size_t leak_direct_convolution_scratch(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double, int threads) {
  struct job job = prepare(shape, kind, is_double);
  return (size_t)(parts_of(&job).all * threads);
}

void leak_direct_convolution_run(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double, void *input,
    void *kernel, void *output, int threads, void *scratch) {
  struct job job = prepare(shape, kind, is_double);
  job.kernel = kernel;
  job.cotangent = output;
  job.scratch = scratch;
  switch (kind) {
    case leak_input_gradient: job.read = output, job.written = input; break;
    case leak_kernel_gradient: job.read = input, job.written = kernel; break;
    default: job.read = input, job.written = output;
  }
  leak_parallel(threads, kind == leak_kernel_gradient ? outer : correlate, &job);
}
