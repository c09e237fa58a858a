#include <stdlib.h>

#include "CLAPACK.h"
#include "Declarations.h"

// Every routine is called twice: for the size of its working memory, and to work. `CALL` is the
// call in terms of `work`, `count` and `info`.
#define WITH_WORK(threads, CALL)                             \
  int info = 0, count = -1;                                  \
  double size = 0, *work = &size;                            \
  CALL;                                                      \
  if (info) return info;                                     \
  count = size < 1 ? 1 : (int)size;                          \
  work = malloc(sizeof(double) * (size_t)count);             \
  if (!work) return LEAK_LAPACK_MEMORY;                      \
  leak_blas_begin(threads);                                  \
  CALL;                                                      \
  leak_blas_end(threads);                                    \
  free(work);

int leak_lapack_qr(int rows, int columns, double *a, double *tau, int threads) {
  if (rows == 0 || columns == 0) return 0;
  WITH_WORK(threads, dgeqrf_(&rows, &columns, a, &rows, tau, work, &count, &info))
  return info;
}

int leak_lapack_qr_pivoted(
    int rows, int columns, double *a, int *pivot, double *tau, int threads) {
  for (int j = 0; j < columns; j++) pivot[j] = 0;
  if (rows == 0 || columns == 0) {
    for (int j = 0; j < columns; j++) pivot[j] = j + 1;
    return 0;
  }
  WITH_WORK(threads, dgeqp3_(&rows, &columns, a, &rows, pivot, tau, work, &count, &info))
  return info;
}

int leak_lapack_reflect(
    bool transposed, int rows, int columns, int reflectors, const double *a, const double *tau,
    double *c, int threads) {
  if (rows == 0 || columns == 0 || reflectors == 0) return 0;
  WITH_WORK(
      threads,
      dormqr_(
          "L", transposed ? "T" : "N", &rows, &columns, &reflectors, a, &rows, tau, c, &rows, work,
          &count, &info, 1, 1))
  return info;
}

int leak_lapack_svd(
    bool iterates, int rows, int columns, double *a, double *values, double *left, double *right,
    int threads) {
  const int rank = rows < columns ? rows : columns;
  if (rank == 0) return 0;
  if (iterates) {
    WITH_WORK(
        threads,
        dgesvd_(
            "S", "S", &rows, &columns, a, &rows, values, left, &rows, right, &rank, work, &count,
            &info, 1, 1))
    return info;
  }
  int info = 0, count = -1;
  double size = 0;
  dgesdd_(
      "S", &rows, &columns, a, &rows, values, left, &rows, right, &rank, &size, &count, NULL,
      &info, 1);
  if (info) return info;
  count = (int)size;
  double *work = malloc(sizeof(double) * (size_t)count);
  int *integers = malloc(sizeof(int) * 8 * (size_t)rank);
  info = LEAK_LAPACK_MEMORY;
  if (work && integers) {
    leak_blas_begin(threads);
    dgesdd_(
        "S", &rows, &columns, a, &rows, values, left, &rows, right, &rank, work, &count, integers,
        &info, 1);
    leak_blas_end(threads);
  }
  free(work);
  free(integers);
  return info;
}

int leak_lapack_symmetric(int size, double *a, double *values, int threads) {
  if (size == 0) return 0;
  int info = 0, count = -1, integer_count = -1, integer_size = 0;
  double work_size = 0;
  dsyevd_(
      "V", "L", &size, a, &size, values, &work_size, &count, &integer_size, &integer_count, &info,
      1, 1);
  if (info) return info;
  count = (int)work_size;
  integer_count = integer_size;
  double *work = malloc(sizeof(double) * (size_t)count);
  int *integers = malloc(sizeof(int) * (size_t)integer_count);
  info = LEAK_LAPACK_MEMORY;
  if (work && integers) {
    leak_blas_begin(threads);
    dsyevd_(
        "V", "L", &size, a, &size, values, work, &count, integers, &integer_count, &info, 1, 1);
    leak_blas_end(threads);
  }
  free(work);
  free(integers);
  return info;
}

int leak_lapack_cholesky(int size, double *a, int threads) {
  if (size == 0) return 0;
  int info = 0;
  leak_blas_begin(threads);
  dpotrf_("L", &size, a, &size, &info, 1);
  leak_blas_end(threads);
  for (int64_t j = 1; j < size; j++) {
    for (int64_t i = 0; i < j; i++) a[i + j * size] = 0;
  }
  return info;
}

int leak_lapack_cholesky_inverse(int size, double *a, int threads) {
  if (size == 0) return 0;
  int info = 0;
  leak_blas_begin(threads);
  dpotri_("L", &size, a, &size, &info, 1);
  leak_blas_end(threads);
  for (int64_t j = 1; j < size; j++) {
    for (int64_t i = 0; i < j; i++) a[i + j * size] = a[j + i * size];
  }
  return info;
}
