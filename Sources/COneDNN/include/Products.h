#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "Convolution.h"

/// result[b] = left[b] · right[b], row-major; rows × inner · inner × columns.
///
/// `left_transposed` says that left is stored [inner, rows], `right_transposed` that right is stored
/// [columns, inner]. The strides of the batch are in elements.
typedef struct {
  int64_t batch, rows, inner, columns;
  int64_t left_stride, right_stride, result_stride;
  int32_t left_transposed, right_transposed, is_double;
} leak_product;

/// Bytes of working memory for a run.
size_t leak_product_scratch(const leak_product *product, int threads);

void leak_product_run(
    const leak_product *product, const void *left, const void *right, void *result, int threads,
    void *scratch);

/// A convolution as matrix products over windows; any padding, both precisions. Its kernel is plain.
size_t leak_window_convolution_scratch(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double, int threads);

/// `input`, `kernel` and `output` are the three tensors, of which `kind` says which one is written.
void leak_window_convolution_run(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double, void *input,
    void *kernel, void *output, int threads, void *scratch);

/// The same for one group, one or two axes and no dilation, without a matrix of windows.
size_t leak_direct_convolution_scratch(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double, int threads);

void leak_direct_convolution_run(
    const leak_convolution_shape *shape, leak_convolution_kind kind, int is_double, void *input,
    void *kernel, void *output, int threads, void *scratch);

/// Whether this processor has the vectors that oneDNN's own Winograd transforms are written for.
bool leak_has_avx512(void);
/// Whether this processor has AVX2 and fused multiply-adds, without which the direct form is slow.
bool leak_has_avx2(void);

/// Whether Winograd's transforms compute a convolution: 3 × 3 with stride, dilation and group 1, on
/// two axes, from and to at least 16 channels; any padding.
bool leak_winograd_fits(const leak_convolution_shape *shape);

/// Bytes of working memory for a run by Winograd's transforms.
size_t leak_winograd_scratch(const leak_convolution_shape *shape, leak_convolution_kind kind);

/// A convolution in Float by Winograd's F(4 × 4, 3 × 3) (Lavin & Gray 2016): a quarter of the
/// multiplications, as 36 matrix products. Its kernel is plain; `kind` says which tensor is written.
///
/// Equal inputs give equal bits at an equal number of threads. Rounded three to four times as coarsely
/// as a direct sum.
void leak_winograd_run(
    const leak_convolution_shape *shape, leak_convolution_kind kind, float *input, float *kernel,
    float *output, int threads, void *scratch);
