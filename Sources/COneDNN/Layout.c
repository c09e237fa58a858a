#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "Descriptors.h"

static pthread_once_t engine_once = PTHREAD_ONCE_INIT;
static dnnl_engine_t engine;
static _Thread_local dnnl_stream_t stream;

static void make_engine(void) {
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL;
}

dnnl_engine_t leak_engine(void) {
  pthread_once(&engine_once, make_engine);
  return engine;
}

// One stream per thread: a stream of the CPU engine is a token, and programs run side by side.
dnnl_stream_t leak_stream(void) {
  if (!stream && dnnl_stream_create(&stream, leak_engine(), dnnl_stream_default_flags)) {
    stream = NULL;
  }
  return stream;
}

const char *leak_status_text(leak_status status) {
  switch ((dnnl_status_t)status.code) {
    case dnnl_success: return "success";
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "not implemented";
    case dnnl_runtime_error: return "a run-time error";
    default: return "an unexpected status";
  }
}

int leak_onednn_version(void) {
  const dnnl_version_t *version = dnnl_version();
  return 10000 * version->major + 100 * version->minor + version->patch;
}

dnnl_status_t leak_descriptor_make(
    leak_descriptor *descriptor, int rank, const int64_t *extents, const int64_t *strides) {
#if DNNL_VERSION_MAJOR >= 3
  if (strides) {
    return dnnl_memory_desc_create_with_strides(descriptor, rank, extents, dnnl_f32, strides);
  }
  return dnnl_memory_desc_create_with_tag(
      descriptor, rank, extents, dnnl_f32, dnnl_format_tag_any);
#else
  if (strides) {
    return dnnl_memory_desc_init_by_strides(descriptor, rank, extents, dnnl_f32, strides);
  }
  return dnnl_memory_desc_init_by_tag(
      descriptor, rank, extents, dnnl_f32, dnnl_format_tag_any);
#endif
}

dnnl_status_t leak_descriptor_copy(leak_descriptor *copy, leak_descriptor original) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_clone(copy, original);
#else
  *copy = original;
  return dnnl_success;
#endif
}

void leak_descriptor_free(leak_descriptor descriptor) {
#if DNNL_VERSION_MAJOR >= 3
  if (descriptor) dnnl_memory_desc_destroy(descriptor);
#else
  (void)descriptor;
#endif
}

dnnl_status_t leak_descriptor_query(
    leak_descriptor *descriptor, const_dnnl_primitive_desc_t primitive, dnnl_query_t what) {
#if DNNL_VERSION_MAJOR >= 3
  const_dnnl_memory_desc_t found = dnnl_primitive_desc_query_md(primitive, what, 0);
  if (!found) return dnnl_runtime_error;
  return dnnl_memory_desc_clone(descriptor, found);
#else
  const dnnl_memory_desc_t *found = dnnl_primitive_desc_query_md(primitive, what, 0);
  if (!found) return dnnl_runtime_error;
  *descriptor = *found;
  return dnnl_success;
#endif
}

leak_status leak_layout_plain(const leak_convolution_shape *shape, leak_layout **layout) {
  // oneDNN's order of extents is ([groups], outputs, inputs, K…); the strides make it HWIO.
  int64_t extents[6], strides[6], elements = shape->inputs / shape->groups * shape->outputs;
  int rank = 0;
  if (shape->groups > 1) {
    extents[rank] = shape->groups;
    strides[rank++] = shape->outputs / shape->groups;
  }
  extents[rank] = shape->outputs / shape->groups;
  strides[rank++] = 1;
  extents[rank] = shape->inputs / shape->groups;
  strides[rank++] = shape->outputs;
  int64_t stride = elements;
  for (int axis = shape->axes - 1; axis >= 0; axis--) {
    extents[rank + axis] = shape->kernel[axis];
    strides[rank + axis] = stride;
    stride *= shape->kernel[axis];
  }
  leak_status status = leak_make_status(dnnl_success, "");
  leak_layout *made = calloc(1, sizeof *made);
  if (!made) return leak_make_status(dnnl_out_of_memory, "calloc");
  made->elements = stride;
  LEAK_TRY(leak_descriptor_make(&made->descriptor, rank + shape->axes, extents, strides));
  *layout = made;
  return status;
done:
  free(made);
  return status;
}

leak_status leak_layout_copy(const leak_layout *layout, leak_layout **copy) {
  leak_status status = leak_make_status(dnnl_success, "");
  leak_layout *made = calloc(1, sizeof *made);
  if (!made) return leak_make_status(dnnl_out_of_memory, "calloc");
  made->elements = layout->elements;
  LEAK_TRY(leak_descriptor_copy(&made->descriptor, layout->descriptor));
  *copy = made;
  return status;
done:
  free(made);
  return status;
}

void leak_layout_free(leak_layout *layout) {
  if (!layout) return;
  leak_descriptor_free(layout->descriptor);
  free(layout);
}

size_t leak_layout_bytes(const leak_layout *layout) {
  return dnnl_memory_desc_get_size(LEAK_DESCRIPTOR(layout->descriptor));
}

bool leak_layout_equal(const leak_layout *one, const leak_layout *other) {
  return dnnl_memory_desc_equal(
      LEAK_DESCRIPTOR(one->descriptor), LEAK_DESCRIPTOR(other->descriptor));
}

bool leak_layout_is_padded(const leak_layout *layout) {
  return leak_layout_bytes(layout) != (size_t)layout->elements * sizeof(float);
}
