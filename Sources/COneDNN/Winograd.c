#include "Winograd.h"

#include <cblas.h>
#include <stdbool.h>

#include "Kernels.h"
#include "Products.h"
#include "Threads.h"

// Threads share the tiles of a block, then the points: 36 matrix products, then the tiles again. No
// sum crosses a thread, and blocks follow from the shape alone.

struct job {
  const leak_winograd_transforms *transforms;
  leak_convolution_kind kind;
  int64_t batch, inputs, outputs, weights;
  /// Extents of what is read and of what the 4 × 4 outputs of tiles cover.
  int64_t input[2], output[2], low[2], tiles[2];
  int64_t tile_count, block;
  int64_t kernel_pitch, input_pitch, output_pitch;
  const float *read;
  float *written, *kernel;
  float *kernel_planes, *input_planes, *output_planes;
  /// Tiles [first, last) are transformed, then multiplied; the outputs of [done, first) follow.
  int64_t done, first, last;
};

// Tiles whose planes are in memory at once: enough that a product is worth the reading of its kernel.
static int64_t block_of(int64_t weights, int64_t tiles) {
  int64_t most = weights / 256;
  most = most < 128 ? 128 : most > 256 ? 256 : most;
  const int64_t blocks = (tiles + most - 1) / most;
  return blocks ? (tiles + blocks - 1) / blocks : 0;
}

// Whole cache lines, and an odd number of them apart: at powers of two, all points of a tile would
// fall into one set of the cache.
static int64_t pitch_of(int64_t elements) { return ((elements + 15) / 16 | 1) * 16; }

// The gradient in the input is a convolution of the output's cotangent by the kernel turned by 180°.
static struct job prepare(const leak_convolution_shape *shape, leak_convolution_kind kind) {
  const bool turned = kind == leak_input_gradient;
  struct job job = {
      .kind = kind, .batch = shape->batch, .weights = shape->inputs * shape->outputs,
      .inputs = turned ? shape->outputs : shape->inputs,
      .outputs = turned ? shape->inputs : shape->outputs, .tile_count = shape->batch};
  for (int axis = 0; axis < 2; axis++) {
    job.input[axis] = turned ? shape->output[axis] : shape->input[axis];
    job.output[axis] = turned ? shape->input[axis] : shape->output[axis];
    job.low[axis] = turned ? 2 - shape->low[axis] : shape->low[axis];
    job.tiles[axis] = (job.output[axis] + leak_winograd_outputs - 1) / leak_winograd_outputs;
    job.tile_count *= job.tiles[axis];
  }
  job.block = block_of(job.weights, job.tile_count);
  job.kernel_pitch = pitch_of(job.weights);
  job.input_pitch = pitch_of(job.block * job.inputs);
  job.output_pitch = pitch_of(job.block * job.outputs);
  return job;
}

// Tile `number` in the maps of what is read, or of what the tiles cover.
static leak_winograd_tile tile_of(
    const struct job *job, int64_t number, bool covers, int64_t *sample) {
  const int64_t plane = job->tiles[0] * job->tiles[1], place = number % plane;
  const int64_t *extents = covers ? job->output : job->input;
  *sample = number / plane * extents[0] * extents[1] * (covers ? job->outputs : job->inputs);
  const int64_t row = place / job->tiles[1] * leak_winograd_outputs;
  const int64_t column = place % job->tiles[1] * leak_winograd_outputs;
  return (leak_winograd_tile){
      extents[0], extents[1], covers ? job->outputs : job->inputs,
      covers ? row : row - job->low[0], covers ? column : column - job->low[1],
      covers ? job->output_pitch : job->input_pitch};
}

static void write_outputs(const struct job *job, int thread, int count) {
  int64_t from, to, sample;
  leak_share(job->first - job->done, thread, count, &from, &to);
  for (int64_t place = from; place < to; place++) {
    const leak_winograd_tile tile = tile_of(job, job->done + place, true, &sample);
    job->transforms->output(
        &tile, job->output_planes + place * job->outputs, job->written + sample);
  }
}

static void read_inputs(const struct job *job, int thread, int count) {
  int64_t from, to, sample;
  leak_share(job->last - job->first, thread, count, &from, &to);
  for (int64_t place = from; place < to; place++) {
    leak_winograd_tile tile = tile_of(job, job->first + place, false, &sample);
    job->transforms->input(&tile, job->read + sample, job->input_planes + place * job->inputs);
    if (job->kind != leak_kernel_gradient) continue;
    tile = tile_of(job, job->first + place, true, &sample);
    job->transforms->cotangent(
        &tile, job->written + sample, job->output_planes + place * job->outputs);
  }
}

// Shares are whole groups of vectors, the last one with what remains.
static void transform_kernel(const struct job *job, int thread, int count) {
  int64_t from, to;
  const int64_t groups = job->weights / leak_winograd_lanes;
  leak_share(groups, thread, count, &from, &to);
  if (from == to) return;
  const int64_t first = from * leak_winograd_lanes;
  const int64_t last = to == groups ? job->weights : to * leak_winograd_lanes;
  if (job->kind == leak_kernel_gradient) {
    job->transforms->kernel_gradient(
        job->kernel_planes, job->kernel_pitch, job->weights, first, last, job->kernel);
  } else {
    job->transforms->kernel(
        job->kernel, job->weights, first, last, job->kind == leak_input_gradient,
        job->kernel_planes, job->kernel_pitch);
  }
}

// What lies between two blocks of products: the outputs of the one, the inputs of the other.
static void transform(void *context, int thread, int count) {
  const struct job *job = context;
  const bool is_first = job->first == 0, is_last = job->first == job->last;
  const bool is_gradient = job->kind == leak_kernel_gradient;
  if (is_gradient ? is_last : is_first) transform_kernel(job, thread, count);
  if (!is_gradient) write_outputs(job, thread, count);
  read_inputs(job, thread, count);
}

// The product at one point, columns [from, to).
static void multiply_point(const struct job *job, int64_t point, int64_t from, int64_t to) {
  const int tiles = (int)(job->last - job->first), columns = (int)(to - from);
  const int inputs = (int)job->inputs, outputs = (int)job->outputs;
  const float *input = job->input_planes + point * job->input_pitch;
  float *output = job->output_planes + point * job->output_pitch + from;
  float *kernel = job->kernel_planes + point * job->kernel_pitch;
  switch (job->kind) {
    case leak_kernel_gradient:
      cblas_sgemm(
          CblasRowMajor, CblasTrans, CblasNoTrans, inputs, columns, tiles, 1, input, inputs,
          output, outputs, job->first > 0, kernel + from, outputs);
      break;
    case leak_input_gradient:
      // The kernel lies as [outputs, inputs] of this product.
      cblas_sgemm(
          CblasRowMajor, CblasNoTrans, CblasTrans, tiles, columns, inputs, 1, input, inputs,
          kernel + from * inputs, inputs, 0, output, outputs);
      break;
    default:
      cblas_sgemm(
          CblasRowMajor, CblasNoTrans, CblasNoTrans, tiles, columns, inputs, 1, input, inputs,
          kernel + from, outputs, 0, output, outputs);
  }
}

// Threads share the points; many threads share the columns of each point too.
static void multiply(void *context, int thread, int count) {
  const struct job *job = context;
  const int64_t vectors = (job->outputs + leak_winograd_lanes - 1) / leak_winograd_lanes;
  int64_t parts = (count + 3) / 4, first, last;
  if (parts > vectors) parts = vectors;
  leak_share(leak_winograd_points * parts, thread, count, &first, &last);
  for (int64_t unit = first; unit < last; unit++) {
    int64_t from, to;
    leak_share(vectors, (int)(unit % parts), (int)parts, &from, &to);
    from *= leak_winograd_lanes, to *= leak_winograd_lanes;
    multiply_point(job, unit / parts, from, to < job->outputs ? to : job->outputs);
  }
}

bool leak_winograd_fits(const leak_convolution_shape *shape) {
  if (shape->axes != 2 || shape->groups != 1) return false;
  for (int axis = 0; axis < 2; axis++) {
    if (shape->kernel[axis] != 3 || shape->stride[axis] != 1 || shape->dilation[axis] != 1) {
      return false;
    }
  }
  return shape->inputs >= leak_winograd_lanes && shape->outputs >= leak_winograd_lanes;
}

size_t leak_winograd_scratch(const leak_convolution_shape *shape, leak_convolution_kind kind) {
  const struct job job = prepare(shape, kind);
  const int64_t planes = job.kernel_pitch + job.input_pitch + job.output_pitch;
  return (size_t)(planes * leak_winograd_points) * sizeof(float);
}

void leak_winograd_run(
    const leak_convolution_shape *shape, leak_convolution_kind kind, float *input, float *kernel,
    float *output, int threads, void *scratch) {
  struct job job = prepare(shape, kind);
  job.transforms = leak_kernels_for(false)->winograd;
  job.read = kind == leak_input_gradient ? output : input;
  job.written = kind == leak_input_gradient ? input : output;
  job.kernel = kernel;
  job.kernel_planes = scratch;
  job.input_planes = job.kernel_planes + leak_winograd_points * job.kernel_pitch;
  job.output_planes = job.input_planes + leak_winograd_points * job.input_pitch;
  while (job.first < job.tile_count) {
    job.last = job.first + job.block;
    if (job.last > job.tile_count) job.last = job.tile_count;
    leak_parallel(threads, transform, &job);
    leak_parallel(threads, multiply, &job);
    job.done = job.first;
    job.first = job.last;
  }
  leak_parallel(threads, transform, &job);
}
