#pragma once
// A planned oneDNN primitive from the inside: what planning fills in and running reads.

#include "Descriptors.h"

struct leak_primitive {
  dnnl_primitive_t primitive;
  /// What brings input and output from channels-last into the layout of the primitive and back, if
  /// it needs another; their blocked copies lie in front of the scratchpad.
  leak_primitive *input_change, *output_change;
  bool writes_input, writes_output;
  dnnl_memory_t memory[3], scratch;
  dnnl_exec_arg_t arguments[5];
  int count;
  const char *name;
  size_t scratch_bytes, input_bytes, output_bytes;
  leak_layout *kernel;
};

/// Working memory is handed in by the caller.
dnnl_status_t leak_primitive_attributes(dnnl_primitive_attr_t *attributes);
dnnl_status_t leak_primitive_memory(dnnl_memory_t *made, leak_descriptor descriptor);
void leak_primitive_argument(leak_primitive *primitive, int name, dnnl_memory_t memory);
/// Creates the primitive, its working memory and the name of its implementation.
dnnl_status_t leak_primitive_finish(
    leak_primitive *made, const_dnnl_primitive_desc_t description);

/// Keeps what lies behind a buffer on a cache line of its own.
static inline size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }
