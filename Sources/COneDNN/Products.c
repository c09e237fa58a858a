#include "Products.h"

#if !__has_include(<cblas.h>)
#error "OpenBLAS is missing. Debian and Ubuntu: apt-get install libdnnl-dev libopenblas-dev"
#endif
#include <cblas.h>
#include <string.h>

#include "Kernels.h"
#include "Threads.h"

// OpenBLAS stays on the calling thread; the blocks that the threads take are cut here, so that the
// cut, and with it the order of summation, depends on nothing but the shape and the thread count.

static void block(
    const leak_product *p, int64_t rows, int64_t columns, const char *left, int64_t left_pitch,
    const char *right, int64_t right_pitch, char *result) {
  const CBLAS_TRANSPOSE a = p->left_transposed ? CblasTrans : CblasNoTrans;
  const CBLAS_TRANSPOSE b = p->right_transposed ? CblasTrans : CblasNoTrans;
  if (p->is_double) {
    cblas_dgemm(
        CblasRowMajor, a, b, (int)rows, (int)columns, (int)p->inner, 1, (const double *)left,
        (int)left_pitch, (const double *)right, (int)right_pitch, 0, (double *)result,
        (int)p->columns);
  } else {
    cblas_sgemm(
        CblasRowMajor, a, b, (int)rows, (int)columns, (int)p->inner, 1, (const float *)left,
        (int)left_pitch, (const float *)right, (int)right_pitch, 0, (float *)result,
        (int)p->columns);
  }
}

struct job {
  const leak_product *product;
  const char *left, *right;
  char *result, *scratch;
};

static void products(void *context, int thread, int count) {
  const struct job *job = context;
  const leak_product *p = job->product;
  const size_t size = p->is_double ? sizeof(double) : sizeof(float);
  const int64_t left_pitch = p->left_transposed ? p->rows : p->inner;
  const int64_t right_pitch = p->right_transposed ? p->inner : p->columns;
  int64_t first, last, row0 = 0, row1 = p->rows, column0 = 0, column1 = p->columns;
  if (p->batch >= count) {
    leak_share(p->batch, thread, count, &first, &last);
  } else {
    first = 0, last = p->batch;
    // In whole vectors, so that only one thread has a ragged edge.
    if (p->rows >= p->columns) {
      leak_share((p->rows + 15) / 16, thread, count, &row0, &row1);
      row0 *= 16, row1 = row1 * 16 < p->rows ? row1 * 16 : p->rows;
    } else {
      leak_share((p->columns + 15) / 16, thread, count, &column0, &column1);
      column0 *= 16, column1 = column1 * 16 < p->columns ? column1 * 16 : p->columns;
    }
  }
  if (row0 >= row1 || column0 >= column1) return;
  for (int64_t b = first; b < last; b++) {
    const int64_t left = b * p->left_stride + (p->left_transposed ? row0 : row0 * left_pitch);
    const int64_t right =
        b * p->right_stride + (p->right_transposed ? column0 * right_pitch : column0);
    const int64_t result = b * p->result_stride + row0 * p->columns + column0;
    block(
        p, row1 - row0, column1 - column0, job->left + (size_t)left * size, left_pitch,
        job->right + (size_t)right * size, right_pitch, job->result + (size_t)result * size);
  }
}

// A product of a vector and a matrix as it is stored: over its rows, or along them.
typedef enum { no_vector, along_rows, over_rows } vector_kind;

static vector_kind vector_of(const leak_product *p, int64_t *rows, int64_t *columns) {
  if (p->batch != 1 || (p->rows > 1 && p->columns > 1) || p->inner == 1) return no_vector;
  const int transposed = p->rows == 1 ? p->right_transposed : !p->left_transposed;
  const int64_t outer = p->rows == 1 ? p->columns : p->rows;
  *rows = transposed ? outer : p->inner;
  *columns = transposed ? p->inner : outer;
  return transposed ? along_rows : over_rows;
}

struct vector_job {
  const leak_kernels *kernels;
  vector_kind kind;
  const char *matrix, *vector;
  char *result, *parts;
  int64_t rows, columns, stride;
  size_t size;
};

static void vectors(void *context, int thread, int count) {
  const struct vector_job *job = context;
  int64_t first, last;
  leak_share(job->rows, thread, count, &first, &last);
  if (job->kind == along_rows) {
    job->kernels->matrix_vector(job->matrix, job->vector, first, last, job->columns, job->result);
  } else {
    char *part = count == 1 ? job->result : job->parts + (size_t)(thread * job->stride) * job->size;
    job->kernels->vector_matrix(
        job->vector, job->matrix, first, last, job->rows, job->columns, part);
  }
}

// Under so many multiply-adds waking the other threads costs more than they save.
enum { small_product = 16384 };

static int team(const leak_product *p, int threads) {
  return p->batch * p->rows * p->columns * p->inner < small_product ? 1 : threads;
}

size_t leak_product_scratch(const leak_product *p, int threads) {
  int64_t rows, columns;
  if (vector_of(p, &rows, &columns) != over_rows) return 0;
  return (size_t)((columns + 32) * threads) * (p->is_double ? sizeof(double) : sizeof(float));
}

void leak_product_run(
    const leak_product *p, const void *left, const void *right, void *result, int threads,
    void *scratch) {
  threads = team(p, threads);
  struct vector_job job = {0};
  job.kind = vector_of(p, &job.rows, &job.columns);
  if (job.kind == no_vector) {
    struct job whole = {p, left, right, result, scratch};
    leak_parallel(threads, products, &whole);
    return;
  }
  job.kernels = leak_kernels_for(p->is_double);
  job.size = p->is_double ? sizeof(double) : sizeof(float);
  job.matrix = p->rows == 1 ? right : left;
  job.vector = p->rows == 1 ? left : right;
  job.result = result;
  job.parts = scratch;
  job.stride = (job.columns + 31) & ~(int64_t)15;
  leak_parallel(threads, vectors, &job);
  if (job.kind == over_rows && threads > 1) {
    job.kernels->fold(scratch, threads, job.columns, job.stride, result);
  }
}
