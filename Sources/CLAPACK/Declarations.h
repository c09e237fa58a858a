#pragma once
// The routines of OpenBLAS that are called, with 32-bit integers. A Fortran compiler passes the
// lengths of character arguments last; callees that read one character never look at them.

#include <stddef.h>

enum { ROW_MAJOR = 101, COLUMN_MAJOR = 102, PLAIN = 111, TRANSPOSED = 112, UPPER = 121 };
enum { LOWER = 122, GENERAL_DIAGONAL = 131, ON_LEFT = 141 };

extern int openblas_get_num_procs(void);
extern void openblas_set_num_threads(int);

extern double cblas_ddot(int, const double *, int, const double *, int);
extern void cblas_daxpy(int, double, const double *, int, double *, int);
extern void cblas_dgemv(
    int, int, int, int, double, const double *, int, const double *, int, double, double *, int);
extern void cblas_dgemm(
    int, int, int, int, int, int, double, const double *, int, const double *, int, double,
    double *, int);
extern void cblas_dsyrk(
    int, int, int, int, int, double, const double *, int, double, double *, int);
extern void cblas_dtrsm(
    int, int, int, int, int, int, int, double, const double *, int, double *, int);

extern void dgeqrf_(
    const int *, const int *, double *, const int *, double *, double *, const int *, int *);
extern void dgeqp3_(
    const int *, const int *, double *, const int *, int *, double *, double *, const int *,
    int *);
extern void dormqr_(
    const char *, const char *, const int *, const int *, const int *, const double *, const int *,
    const double *, double *, const int *, double *, const int *, int *, size_t, size_t);
extern void dgesdd_(
    const char *, const int *, const int *, double *, const int *, double *, double *, const int *,
    double *, const int *, double *, const int *, int *, int *, size_t);
extern void dgesvd_(
    const char *, const char *, const int *, const int *, double *, const int *, double *,
    double *, const int *, double *, const int *, double *, const int *, int *, size_t, size_t);
extern void dsyevd_(
    const char *, const char *, const int *, double *, const int *, double *, double *,
    const int *, int *, const int *, int *, size_t, size_t);
extern void dpotrf_(const char *, const int *, double *, const int *, int *, size_t);
extern void dpotri_(const char *, const int *, double *, const int *, int *, size_t);

/// Opens a region in which OpenBLAS runs on `threads` threads; `leak_blas_end` closes it.
void leak_blas_begin(int threads);
void leak_blas_end(int threads);
