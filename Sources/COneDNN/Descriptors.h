#pragma once
// The differences between the C API of oneDNN 2 and 3, kept in one place.

#if !__has_include(<oneapi/dnnl/dnnl.h>)
#error "oneDNN is missing. Debian and Ubuntu: apt-get install libdnnl-dev libopenblas-dev"
#endif
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_version.h>

#include "Convolution.h"

#if DNNL_VERSION_MAJOR < 2
#error "oneDNN 2 or newer is needed (Debian, Ubuntu: libdnnl-dev)"
#endif

typedef dnnl_memory_desc_t leak_descriptor;
#if DNNL_VERSION_MAJOR >= 3
#define LEAK_DESCRIPTOR(value) (value)
#else
#define LEAK_DESCRIPTOR(value) (&(value))
#endif

struct leak_layout {
  leak_descriptor descriptor;
  int64_t elements;
};

static inline leak_status leak_make_status(dnnl_status_t code, const char *place) {
  return (leak_status){(int)code, place};
}

#define LEAK_TRY(call)                                               \
  do {                                                               \
    dnnl_status_t leak_code = (call);                                \
    if (leak_code != dnnl_success) {                                 \
      status = leak_make_status(leak_code, #call);                   \
      goto done;                                                     \
    }                                                                \
  } while (0)

dnnl_engine_t leak_engine(void);
dnnl_stream_t leak_stream(void);

/// A descriptor from strides, or with a layout of oneDNN's choice if `strides` is NULL.
dnnl_status_t leak_descriptor_make(
    leak_descriptor *descriptor, int rank, const int64_t *extents, const int64_t *strides);
dnnl_status_t leak_descriptor_copy(leak_descriptor *copy, leak_descriptor original);
void leak_descriptor_free(leak_descriptor descriptor);
/// A copy of a descriptor that a primitive descriptor owns.
dnnl_status_t leak_descriptor_query(
    leak_descriptor *descriptor, const_dnnl_primitive_desc_t primitive, dnnl_query_t what);

static inline bool leak_descriptor_equal(leak_descriptor one, leak_descriptor other) {
  return dnnl_memory_desc_equal(LEAK_DESCRIPTOR(one), LEAK_DESCRIPTOR(other));
}
