#pragma once
#include <stddef.h>
#include <stdint.h>

/// Element-wise work over an iteration space, tile by tile, so that what one step writes is still
/// in the first-level cache when the next reads it.
///
/// Values are all of one floating-point type: truth is 1 or 0, an index is a whole number.

/// What a step does with its operands a, b and c.
typedef enum {
  // One operand.
  leak_copy, leak_negate, leak_abs, leak_sign, leak_exp, leak_expm1, leak_log, leak_log1p,
  leak_logistic, leak_tanh, leak_sqrt, leak_rsqrt, leak_erf,
  // Two operands; either may be a scalar.
  leak_add, leak_subtract, leak_multiply, leak_divide, leak_maximum, leak_minimum,
  leak_equal, leak_unequal, leak_less, leak_less_equal, leak_greater, leak_greater_equal,
  // Three operands: a ? b : c, where b and c may be scalars; a · b + c, where each may be one.
  leak_select, leak_multiply_add,
  leak_operation_count,
} leak_operation;

/// One operation over a tile: slots by number; bit k of `scalars` says that operand k is one value.
typedef struct {
  int32_t operation, scalars;
  int32_t result, first, second, third;
} leak_step;

/// Where a slot lives.
typedef enum {
  /// In memory, laid out like the iteration space.
  leak_slot_memory,
  /// In the tile's own working memory.
  leak_slot_register,
  /// One value in memory.
  leak_slot_scalar,
} leak_slot_place;

typedef struct {
  int32_t place;
  /// The number of the register, if it is one.
  int32_t index;
  void *base;
} leak_slot;

#define LEAK_RANK 8

/// Fills a register from memory with any strides (in elements, 0 to repeat) over the space.
typedef struct {
  /// NULL to load the offset itself, which is how coordinates are made.
  const void *base;
  int32_t slot, rank;
  /// Whether the tile's content is the same for all tiles, so that it is loaded once.
  int32_t once;
  int64_t extents[LEAK_RANK], strides[LEAK_RANK];
} leak_load;

typedef enum { leak_reduce_all, leak_reduce_rows, leak_reduce_columns } leak_reduction_kind;
typedef enum { leak_fold_sum, leak_fold_maximum, leak_fold_minimum } leak_fold;

/// A reduction of one slot: all to one value, each row to one, or the rows of a group to one row.
typedef struct {
  int32_t kind, fold, slot;
  void *result;
} leak_reduction;

/// A program over groups × rows × columns elements, row-major.
///
/// Tiles are whole rows of one group while a row fits into `tile` elements, else parts of a row.
/// All-reductions are summed tile by tile in double precision; with a fixed number of threads
/// the order is fixed.
typedef struct {
  int64_t groups, rows, columns, tile;
  int32_t is_double;
  int32_t registers, slot_count, load_count, step_count, reduction_count;
  const leak_slot *slots;
  const leak_load *loads;
  const leak_step *steps;
  const leak_reduction *reductions;
} leak_cluster;

/// Bytes of working memory for a run of the clusters.
size_t leak_clusters_scratch(const leak_cluster *const *clusters, int count, int threads);

/// Runs clusters that do not depend on each other as one parallel region.
void leak_clusters_run(
    const leak_cluster *const *clusters, int count, int threads, void *scratch);
