#include <pthread.h>

#include "CLAPACK.h"
#include "Declarations.h"

// Calls on one thread share the lock. A call on several has it alone, because the number of
// threads is the whole process's.
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void calm(void) { openblas_set_num_threads(1); }

void leak_blas_begin(int threads) {
  pthread_once(&once, calm);
  if (threads > 1) {
    pthread_rwlock_wrlock(&lock);
    openblas_set_num_threads(threads);
  } else {
    pthread_rwlock_rdlock(&lock);
  }
}

void leak_blas_end(int threads) {
  if (threads > 1) openblas_set_num_threads(1);
  pthread_rwlock_unlock(&lock);
}

int leak_blas_processors(void) {
  const int count = openblas_get_num_procs();
  return count < 1 ? 1 : count;
}

// BLAS counts in 32 bits, so long vectors go in parts.
enum { part = 1 << 30 };

double leak_blas_dot(int64_t count, const double *x, const double *y) {
  leak_blas_begin(1);
  double sum = 0;
  for (int64_t at = 0; at < count; at += part) {
    sum += cblas_ddot((int)(count - at < part ? count - at : part), x + at, 1, y + at, 1);
  }
  leak_blas_end(1);
  return sum;
}

void leak_blas_add(int64_t count, double factor, const double *x, double *y) {
  leak_blas_begin(1);
  for (int64_t at = 0; at < count; at += part) {
    cblas_daxpy((int)(count - at < part ? count - at : part), factor, x + at, 1, y + at, 1);
  }
  leak_blas_end(1);
}

// A pitch must not be zero, even where there is nothing.
static int pitch(int rows) { return rows < 1 ? 1 : rows; }

void leak_blas_vector(
    bool transposed, int rows, int columns, const double *a, const double *x, double *y,
    int threads) {
  const int count = transposed ? columns : rows;
  for (int i = 0; i < count; i++) y[i] = 0;
  if (rows == 0 || columns == 0) return;
  leak_blas_begin(threads);
  cblas_dgemv(
      COLUMN_MAJOR, transposed ? TRANSPOSED : PLAIN, rows, columns, 1, a, rows, x, 1, 0, y, 1);
  leak_blas_end(threads);
}

void leak_blas_product(
    bool a_transposed, bool b_transposed, int rows, int columns, int inner, const double *a,
    const double *b, double *c, int threads) {
  if (rows == 0 || columns == 0) return;
  leak_blas_begin(threads);
  cblas_dgemm(
      COLUMN_MAJOR, a_transposed ? TRANSPOSED : PLAIN, b_transposed ? TRANSPOSED : PLAIN, rows,
      columns, inner, 1, a, pitch(a_transposed ? inner : rows), b,
      pitch(b_transposed ? columns : inner), 0, c, rows);
  leak_blas_end(threads);
}

void leak_blas_gram(int rows, int columns, const double *a, double *c, int threads) {
  if (columns == 0) return;
  leak_blas_begin(threads);
  cblas_dsyrk(COLUMN_MAJOR, LOWER, TRANSPOSED, columns, rows, 1, a, pitch(rows), 0, c, columns);
  leak_blas_end(threads);
  for (int64_t j = 0; j < columns; j++) {
    for (int64_t i = 0; i < j; i++) c[i + j * columns] = c[j + i * columns];
  }
}

void leak_blas_triangular(
    bool upper, bool transposed, int size, int columns, const double *t, int pitch, double *b,
    int threads) {
  if (size == 0 || columns == 0) return;
  leak_blas_begin(threads);
  cblas_dtrsm(
      COLUMN_MAJOR, ON_LEFT, upper ? UPPER : LOWER, transposed ? TRANSPOSED : PLAIN,
      GENERAL_DIAGONAL, size, columns, 1, t, pitch, b, size);
  leak_blas_end(threads);
}
