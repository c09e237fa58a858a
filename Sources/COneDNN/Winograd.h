#pragma once
// The transforms of Winograd's F(4 × 4, 3 × 3) in Float, once per instruction set.
//
// A tile of 4 × 4 outputs reads 6 × 6 inputs. In the transformed domain it has 36 points, and a
// convolution is a matrix product over channels at each of them. Points lie in planes
// [point, tile, channel] that are `pitch` elements apart.

#include <stdint.h>

enum { leak_winograd_points = 36, leak_winograd_outputs = 4, leak_winograd_lanes = 16 };

/// Where a tile lies in a map [rows, columns, channels] and in planes of points.
typedef struct {
  int64_t rows, columns, channels;
  int64_t row, column;
  int64_t pitch;
} leak_winograd_tile;

/// There are at least `leak_winograd_lanes` channels; ranges of weights are at least as long.
typedef struct leak_winograd_transforms {
  /// planes = Bᵀ d B for the 6 × 6 inputs d from (row, column) on, zero outside the map
  void (*input)(const leak_winograd_tile *tile, const float *map, float *planes);
  /// map = Aᵀ m A at the 4 × 4 outputs from (row, column) on; what lies outside is dropped
  void (*output)(const leak_winograd_tile *tile, const float *planes, float *map);
  /// planes = A y Aᵀ for the 4 × 4 outputs y from (row, column) on, zero outside the map
  void (*cotangent)(const leak_winograd_tile *tile, const float *map, float *planes);
  /// planes = G g Gᵀ for weights [first, last) of `count` per tap; `flipped` turns g by 180°
  void (*kernel)(
      const float *kernel, int64_t count, int64_t first, int64_t last, int flipped,
      float *planes, int64_t pitch);
  /// kernel = Gᵀ u G
  void (*kernel_gradient)(
      const float *planes, int64_t pitch, int64_t count, int64_t first, int64_t last,
      float *kernel);
} leak_winograd_transforms;
