#pragma once
// The functions that exist once per instruction set and floating-point type.

#include "Direct.h"
#include "Tiles.h"
#include "Windows.h"
#include "Winograd.h"

typedef struct leak_kernels {
  /// Runs the units [first, last) of a cluster; `memory` is the thread's own.
  void (*run)(const leak_cluster *cluster, int64_t first, int64_t last, void *memory);
  /// Folds the threads' partial results of one cluster; `stride` is between threads, in bytes.
  void (*finish)(const leak_cluster *cluster, int threads, const void *memory, size_t stride);
  /// Bytes of a thread's working memory.
  size_t (*memory)(const leak_cluster *cluster);
  /// partial[columns] = Σ over rows [first, last) of x[row] · w[row, :]
  void (*vector_matrix)(
      const void *x, const void *w, int64_t first, int64_t last, int64_t rows, int64_t columns,
      void *partial);
  /// y[row] = ⟨w[row, :], z⟩ for rows [first, last)
  void (*matrix_vector)(
      const void *w, const void *z, int64_t first, int64_t last, int64_t columns, void *y);
  /// y = Σ over parts of parts[part, :]
  void (*fold)(const void *parts, int64_t count, int64_t columns, int64_t stride, void *y);
  void (*patches)(
      const leak_patches *patches, const void *image, int64_t first, int64_t last, void *matrix);
  void (*unpatches)(
      const leak_patches *patches, const void *matrix, int64_t first, int64_t last,
      int64_t row, int64_t rows, void *image);
  /// result[row, :] = Σ over taps of source[starts[row] + tap] · kernel[tap, :]
  void (*correlate)(
      const leak_correlation *correlation, const void *source, const int64_t *starts, int64_t rows,
      const void *kernel, void *result);
  /// result[tap, :] = Σ over pixels of source[starts[pixel] + tap] · cotangent[pixel, :] for the taps
  /// [0, rows) of one run; `adds` adds to what is there
  void (*outer)(
      const leak_correlation *correlation, const void *source, const int64_t *starts,
      int64_t pixels, const void *cotangent, int64_t rows, int adds, void *result);
  /// A kernel in the order in which the gradient in the input reads it: by taps of the output, last
  /// first, then outputs; columns are the pixels between two strides and their channels.
  void (*turn)(const leak_turn *turn, const void *kernel, void *turned);
  /// The pixels that line `y` of windows yields, from rows of them to where they lie in the image.
  void (*spread)(const leak_turn *turn, const void *rows, int64_t y, void *image);
  /// Float only; NULL in double precision.
  const leak_winograd_transforms *winograd;
} leak_kernels;

/// The best kernels that this processor runs.
const leak_kernels *leak_kernels_for(int is_double);




/// How the tiles of a cluster are handed out: a unit is what one thread does on its own, and no
/// two units write the same result.
typedef enum {
  /// A unit is a tile of whole rows.
  leak_order_rows,
  /// A unit is a strip of tiles, one below the other: columns are folded in place.
  leak_order_strips,
  /// A unit is a row of tiles: rows are folded in place.
  leak_order_lines,
  /// A unit is a part of a row.
  leak_order_parts,
} leak_order;

typedef struct {
  leak_order order;
  /// Units per group, tiles per unit, tiles per row.
  int64_t across, parts, width;
} leak_schedule;

static inline leak_schedule leak_schedule_of(const leak_cluster *cluster) {
  const int64_t tile = cluster->tile, width = (cluster->columns + tile - 1) / tile;
  if (cluster->columns <= tile) {
    const int64_t high = tile / (cluster->columns ? cluster->columns : 1);
    return (leak_schedule){leak_order_rows, (cluster->rows + high - 1) / high, 1, 1};
  }
  for (int i = 0; i < cluster->reduction_count; i++) {
    switch (cluster->reductions[i].kind) {
      case leak_reduce_columns:
        return (leak_schedule){leak_order_strips, width, cluster->rows, width};
      case leak_reduce_rows:
        return (leak_schedule){leak_order_lines, cluster->rows, width, width};
      default: break;
    }
  }
  return (leak_schedule){leak_order_parts, cluster->rows * width, 1, width};
}
