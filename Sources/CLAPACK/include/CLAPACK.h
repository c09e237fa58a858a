#pragma once
// Dense linear algebra in double precision: what is needed of BLAS and LAPACK, as OpenBLAS has it.
// Matrices are column-major without gaps between columns. No function aborts.
//
// OpenBLAS has one number of threads for the whole process. At rest it is 1, as COneDNN needs it;
// a call with `threads` above 1 raises it, alone among the calls of this file, and puts it back.
// While such a call runs, products that COneDNN makes on other threads may use more threads too.
// Equal arguments and equal `threads` give equal bits.

#include <stdbool.h>
#include <stdint.h>

/// The processors that this process may run on.
int leak_blas_processors(void);

double leak_blas_dot(int64_t count, const double *x, const double *y);
/// y += factor · x
void leak_blas_add(int64_t count, double factor, const double *x, double *y);

/// y = op(A) x for A of rows × columns.
void leak_blas_vector(
    bool transposed, int rows, int columns, const double *a, const double *x, double *y,
    int threads);
/// C = op(A) op(B) of rows × columns, with `inner` between them.
void leak_blas_product(
    bool a_transposed, bool b_transposed, int rows, int columns, int inner, const double *a,
    const double *b, double *c, int threads);
/// C = Aᵀ A, both triangles.
void leak_blas_gram(int rows, int columns, const double *a, double *c, int threads);
/// B = op(T)⁻¹ B for the upper or lower triangle of a matrix whose columns are `pitch` apart.
void leak_blas_triangular(
    bool upper, bool transposed, int size, int columns, const double *t, int pitch, double *b,
    int threads);

// Each returns LAPACK's `info`, or `LEAK_LAPACK_MEMORY`. A positive `info` is a matter of the
// numbers, a negative one of the caller.
enum { LEAK_LAPACK_MEMORY = -1000 };

/// A = Q R: R above the diagonal, reflectors below it and in `tau` (dgeqrf).
int leak_lapack_qr(int rows, int columns, double *a, double *tau, int threads);
/// The same with columns in the order of decreasing remainder; `pivot` counts from 1 (dgeqp3).
int leak_lapack_qr_pivoted(
    int rows, int columns, double *a, int *pivot, double *tau, int threads);
/// C = op(Q) C for the `reflectors` of a QR decomposition (dormqr).
int leak_lapack_reflect(
    bool transposed, int rows, int columns, int reflectors, const double *a, const double *tau,
    double *c, int threads);
/// A = U S Vᵀ, thin; A is lost. By divide and conquer (dgesdd), or by QR iteration (dgesvd).
int leak_lapack_svd(
    bool iterates, int rows, int columns, double *a, double *values, double *left, double *right,
    int threads);
/// Eigenvalues in ascending order, the vectors in place of A (dsyevd).
int leak_lapack_symmetric(int size, double *a, double *values, int threads);
/// The lower factor in place of A, whose upper triangle becomes zero (dpotrf).
int leak_lapack_cholesky(int size, double *a, int threads);
/// A⁻¹ from the lower factor, in place of it, both triangles (dpotri).
int leak_lapack_cholesky_inverse(int size, double *a, int threads);
