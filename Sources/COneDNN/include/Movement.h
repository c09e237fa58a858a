#pragma once
#include <stddef.h>
#include <stdint.h>

#include "Tiles.h"

/// A block of elements with strides on both sides, in elements.
typedef struct {
  int32_t rank, is_double;
  int64_t extents[LEAK_RANK], from_strides[LEAK_RANK], to_strides[LEAK_RANK];
} leak_block;

/// Copies the block; no element is written twice.
void leak_block_copy(const leak_block *block, const void *from, void *to, int threads);

/// result[i, :] = table[row[i], :]; rows out of range give zeros.
void leak_rows_gather(
    const void *table, const void *row, void *result, int64_t count, int64_t rows, int64_t width,
    int is_double);

/// result = 0, then result[row[i], :] += source[i, :] in the order of i.
void leak_rows_scatter(
    const void *source, const void *row, void *result, int64_t count, int64_t rows, int64_t width,
    int is_double);

/// Rounds to or from double precision.
void leak_narrow(const double *from, float *to, int64_t count);
void leak_widen(const float *from, double *to, int64_t count);
