#include "Convolution.h"

#include <stdlib.h>

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

// Keeps what lies behind a buffer on a cache line of its own.
static size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Descriptors of a convolution's three tensors.
typedef struct {
  leak_descriptor input, kernel, output, scratch;
} descriptors;

// Extents in oneDNN's order (batch, channels, spatial…) with the strides of channels-last.
static dnnl_status_t activation(
    leak_descriptor *descriptor, const leak_convolution_shape *shape, int64_t channels,
    const int64_t *spatial) {
  int64_t extents[5] = {shape->batch, channels}, strides[5] = {0, 1}, stride = channels;
  for (int axis = shape->axes - 1; axis >= 0; axis--) {
    extents[2 + axis] = spatial[axis];
    strides[2 + axis] = stride;
    stride *= spatial[axis];
  }
  strides[0] = stride;
  return leak_descriptor_make(descriptor, 2 + shape->axes, extents, strides);
}

// The extents of an activation, with a layout of oneDNN's choice.
static dnnl_status_t free_activation(
    leak_descriptor *descriptor, const leak_convolution_shape *shape, int64_t channels,
    const int64_t *spatial) {
  int64_t extents[5] = {shape->batch, channels};
  for (int axis = 0; axis < shape->axes; axis++) extents[2 + axis] = spatial[axis];
  return leak_descriptor_make(descriptor, 2 + shape->axes, extents, NULL);
}

static dnnl_status_t free_kernel(
    leak_descriptor *descriptor, const leak_convolution_shape *shape) {
  int64_t extents[6];
  int rank = 0;
  if (shape->groups > 1) extents[rank++] = shape->groups;
  extents[rank++] = shape->outputs / shape->groups;
  extents[rank++] = shape->inputs / shape->groups;
  for (int axis = 0; axis < shape->axes; axis++) extents[rank++] = shape->kernel[axis];
  return leak_descriptor_make(descriptor, rank, extents, NULL);
}

static dnnl_status_t describe(
    const leak_convolution_shape *shape, const leak_layout *kernel, descriptors *made) {
  dnnl_status_t code = activation(&made->input, shape, shape->inputs, shape->input);
  if (!code) code = activation(&made->output, shape, shape->outputs, shape->output);
  if (code) return code;
  return kernel ? leak_descriptor_copy(&made->kernel, kernel->descriptor)
                : free_kernel(&made->kernel, shape);
}

static dnnl_status_t attributes(bool adds, dnnl_primitive_attr_t *attributes) {
  dnnl_post_ops_t operations = NULL;
  dnnl_status_t code = dnnl_primitive_attr_create(attributes);
  if (!code) {
    code = dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
  }
  if (code || !adds) return code;
  code = dnnl_post_ops_create(&operations);
#if DNNL_VERSION_MAJOR >= 3
  if (!code) code = dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
#else
  if (!code) code = dnnl_post_ops_append_sum(operations, 1);
#endif
  if (!code) code = dnnl_primitive_attr_set_post_ops(*attributes, operations);
  if (operations) dnnl_post_ops_destroy(operations);
  return code;
}

// The primitive descriptor of one direction. The backward ones need a forward one as a hint.
static dnnl_status_t direction(
    const leak_convolution_shape *shape, leak_convolution_kind kind, dnnl_alg_kind_t algorithm,
    const descriptors *with, const_dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *made) {
  dnnl_dims_t spread = {0};
  for (int axis = 0; axis < shape->axes; axis++) spread[axis] = shape->dilation[axis] - 1;
#if DNNL_VERSION_MAJOR >= 3
  switch (kind) {
    case leak_input_gradient:
      return dnnl_convolution_backward_data_primitive_desc_create(
          made, leak_engine(), algorithm, with->input, with->kernel, with->output, shape->stride,
          spread, shape->low, shape->high, hint, attributes);
    case leak_kernel_gradient:
      return dnnl_convolution_backward_weights_primitive_desc_create(
          made, leak_engine(), algorithm, with->input, with->kernel, NULL, with->output,
          shape->stride, spread, shape->low, shape->high, hint, attributes);
    default:
      return dnnl_convolution_forward_primitive_desc_create(
          made, leak_engine(), dnnl_forward_training, algorithm, with->input, with->kernel, NULL,
          with->output, shape->stride, spread, shape->low, shape->high, attributes);
  }
#else
  dnnl_convolution_desc_t description;
  dnnl_status_t code;
  switch (kind) {
    case leak_input_gradient:
      code = dnnl_dilated_convolution_backward_data_desc_init(
          &description, algorithm, &with->input, &with->kernel, &with->output, shape->stride,
          spread, shape->low, shape->high);
      break;
    case leak_kernel_gradient:
      code = dnnl_dilated_convolution_backward_weights_desc_init(
          &description, algorithm, &with->input, &with->kernel, NULL, &with->output, shape->stride,
          spread, shape->low, shape->high);
      break;
    default:
      code = dnnl_dilated_convolution_forward_desc_init(
          &description, dnnl_forward_training, algorithm, &with->input, &with->kernel, NULL,
          &with->output, shape->stride, spread, shape->low, shape->high);
  }
  if (code) return code;
  return dnnl_primitive_desc_create(made, &description, attributes, leak_engine(), hint);
#endif
}

static dnnl_status_t memory(dnnl_memory_t *made, leak_descriptor descriptor) {
  return dnnl_memory_create(made, LEAK_DESCRIPTOR(descriptor), leak_engine(), DNNL_MEMORY_NONE);
}

static void argument(leak_primitive *primitive, int name, dnnl_memory_t memory) {
  primitive->arguments[primitive->count].arg = name;
  primitive->arguments[primitive->count++].memory = memory;
}

// Creates the primitive, its working memory and the name of its implementation.
static dnnl_status_t finish(leak_primitive *made, const_dnnl_primitive_desc_t description) {
  leak_descriptor scratch;
  dnnl_status_t code = dnnl_primitive_create(&made->primitive, description);
  if (!code) code = dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &made->name);
  if (!code) code = leak_descriptor_query(&scratch, description, dnnl_query_scratchpad_md);
  if (code) return code;
  made->scratch_bytes = dnnl_memory_desc_get_size(LEAK_DESCRIPTOR(scratch));
  code = memory(&made->scratch, scratch);
  leak_descriptor_free(scratch);
  if (!code) argument(made, DNNL_ARG_SCRATCHPAD, made->scratch);
  return code;
}

// Whether the input of a convolution is what the primitive computes, and so on.
static bool computes_input(leak_convolution_kind kind) { return kind == leak_input_gradient; }
static bool computes_kernel(leak_convolution_kind kind) { return kind == leak_kernel_gradient; }

// The layouts that a planned convolution wants its tensors in.
static dnnl_status_t wanted(
    leak_convolution_kind kind, const_dnnl_primitive_desc_t description, descriptors *made) {
  dnnl_status_t code = leak_descriptor_query(
      &made->input, description,
      computes_input(kind) ? dnnl_query_diff_src_md : dnnl_query_src_md);
  if (!code) {
    code = leak_descriptor_query(
        &made->kernel, description,
        computes_kernel(kind) ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
  }
  if (!code) {
    code = leak_descriptor_query(
        &made->output, description,
        computes_input(kind) || computes_kernel(kind) ? dnnl_query_diff_dst_md : dnnl_query_dst_md);
  }
  return code;
}

static void free_descriptors(descriptors *all) {
  leak_descriptor_free(all->input);
  leak_descriptor_free(all->kernel);
  leak_descriptor_free(all->output);
}

static dnnl_status_t change(
    leak_descriptor from, leak_descriptor to, leak_primitive **primitive) {
  const leak_layout source = {from, 0}, target = {to, 0};
  return (dnnl_status_t)leak_reorder_plan(&source, &target, primitive).code;
}

// Plans what `with` describes; where the primitive wants activations in a layout other than
// `outside`, plans the changes too.
static leak_status plan(
    const leak_convolution_shape *shape, leak_convolution_kind kind, dnnl_alg_kind_t algorithm,
    const descriptors *with, const descriptors *hinted, const descriptors *outside,
    leak_primitive **primitive) {
  leak_status status = leak_make_status(dnnl_success, "");
  dnnl_primitive_attr_t attribute = NULL;
  dnnl_primitive_desc_t hint = NULL, description = NULL;
  descriptors inside = {0};
  leak_primitive *made = calloc(1, sizeof *made);
  leak_layout *layout = calloc(1, sizeof *layout);
  if (!made || !layout) {
    free(layout);
    status = leak_make_status(dnnl_out_of_memory, "calloc");
    goto done;
  }
  made->kernel = layout;
  made->writes_input = computes_input(kind);
  made->writes_output = !computes_input(kind) && !computes_kernel(kind);
  LEAK_TRY(attributes(kind == leak_forward_add, &attribute));
  if (computes_input(kind) || computes_kernel(kind)) {
    LEAK_TRY(direction(shape, leak_forward, algorithm, hinted, attribute, NULL, &hint));
  }
  LEAK_TRY(direction(shape, kind, algorithm, with, attribute, hint, &description));
  LEAK_TRY(wanted(kind, description, &inside));
  layout->elements = shape->inputs / shape->groups * shape->outputs;
  for (int axis = 0; axis < shape->axes; axis++) layout->elements *= shape->kernel[axis];
  LEAK_TRY(leak_descriptor_copy(&layout->descriptor, inside.kernel));
  LEAK_TRY(memory(&made->memory[0], inside.input));
  LEAK_TRY(memory(&made->memory[1], inside.kernel));
  LEAK_TRY(memory(&made->memory[2], inside.output));
  if (!leak_descriptor_equal(inside.input, outside->input)) {
    LEAK_TRY(
        made->writes_input ? change(inside.input, outside->input, &made->input_change)
                           : change(outside->input, inside.input, &made->input_change));
    made->input_bytes = rounded(dnnl_memory_desc_get_size(LEAK_DESCRIPTOR(inside.input)));
  }
  if (!leak_descriptor_equal(inside.output, outside->output)) {
    LEAK_TRY(
        made->writes_output ? change(inside.output, outside->output, &made->output_change)
                            : change(outside->output, inside.output, &made->output_change));
    made->output_bytes = rounded(dnnl_memory_desc_get_size(LEAK_DESCRIPTOR(inside.output)));
  }
  argument(made, computes_input(kind) ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, made->memory[0]);
  argument(
      made, computes_kernel(kind) ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, made->memory[1]);
  argument(made, made->writes_output ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, made->memory[2]);
  LEAK_TRY(finish(made, description));
  *primitive = made;
  made = NULL;
done:
  free_descriptors(&inside);
  if (attribute) dnnl_primitive_attr_destroy(attribute);
  if (hint) dnnl_primitive_desc_destroy(hint);
  if (description) dnnl_primitive_desc_destroy(description);
  if (made) leak_primitive_free(made);
  return status;
}

leak_status leak_convolution_plan(
    const leak_convolution_shape *shape, leak_convolution_kind kind, const leak_layout *kernel,
    leak_primitive **primitive) {
  leak_status status = leak_make_status(dnnl_success, "");
  descriptors with = {0}, hinted = {0};
  LEAK_TRY(describe(shape, kernel, &with));
  LEAK_TRY(describe(shape, NULL, &hinted));
  status = plan(shape, kind, dnnl_convolution_direct, &with, &hinted, &with, primitive);
done:
  free_descriptors(&with);
  free_descriptors(&hinted);
  return status;
}

leak_status leak_winograd_plan(
    const leak_convolution_shape *shape, leak_convolution_kind kind,
    leak_primitive **primitive) {
  leak_status status = leak_make_status(dnnl_success, "");
  descriptors outside = {0}, free = {0};
  LEAK_TRY(describe(shape, NULL, &outside));
  LEAK_TRY(free_activation(&free.input, shape, shape->inputs, shape->input));
  LEAK_TRY(free_activation(&free.output, shape, shape->outputs, shape->output));
  LEAK_TRY(free_kernel(&free.kernel, shape));
  status = plan(shape, kind, dnnl_convolution_winograd, &free, &free, &outside, primitive);
done:
  free_descriptors(&outside);
  free_descriptors(&free);
  return status;
}

leak_status leak_reorder_plan(
    const leak_layout *from, const leak_layout *to, leak_primitive **primitive) {
  leak_status status = leak_make_status(dnnl_success, "");
  dnnl_primitive_attr_t attribute = NULL;
  dnnl_primitive_desc_t description = NULL;
  leak_primitive *made = calloc(1, sizeof *made);
  if (!made) return leak_make_status(dnnl_out_of_memory, "calloc");
  LEAK_TRY(attributes(false, &attribute));
  LEAK_TRY(dnnl_reorder_primitive_desc_create(
      &description, LEAK_DESCRIPTOR(from->descriptor), leak_engine(),
      LEAK_DESCRIPTOR(to->descriptor), leak_engine(), attribute));
  LEAK_TRY(memory(&made->memory[0], from->descriptor));
  LEAK_TRY(memory(&made->memory[1], to->descriptor));
  argument(made, DNNL_ARG_SRC, made->memory[0]);
  argument(made, DNNL_ARG_DST, made->memory[1]);
  LEAK_TRY(finish(made, description));
  *primitive = made;
  made = NULL;
done:
  if (attribute) dnnl_primitive_attr_destroy(attribute);
  if (description) dnnl_primitive_desc_destroy(description);
  if (made) leak_primitive_free(made);
  return status;
}

void leak_primitive_free(leak_primitive *primitive) {
  if (!primitive) return;
  leak_primitive_free(primitive->input_change);
  leak_primitive_free(primitive->output_change);
  for (int index = 0; index < 3; index++) {
    if (primitive->memory[index]) dnnl_memory_destroy(primitive->memory[index]);
  }
  if (primitive->scratch) dnnl_memory_destroy(primitive->scratch);
  if (primitive->primitive) dnnl_primitive_destroy(primitive->primitive);
  leak_layout_free(primitive->kernel);
  free(primitive);
}

leak_status leak_primitive_kernel(const leak_primitive *primitive, leak_layout **layout) {
  if (!primitive->kernel) return leak_make_status(dnnl_invalid_arguments, "leak_primitive_kernel");
  return leak_layout_copy(primitive->kernel, layout);
}

size_t leak_primitive_scratch(const leak_primitive *primitive) {
  size_t changes = 0;
  const leak_primitive *around[] = {primitive->input_change, primitive->output_change};
  for (int index = 0; index < 2; index++) {
    const size_t bytes = around[index] ? around[index]->scratch_bytes : 0;
    changes = bytes > changes ? bytes : changes;
  }
  const size_t own = primitive->scratch_bytes > changes ? primitive->scratch_bytes : changes;
  return primitive->input_bytes + primitive->output_bytes + own;
}

const char *leak_primitive_name(const leak_primitive *primitive) { return primitive->name; }

// Binds a change of layout and returns where the primitive finds the tensor.
static void *bind_change(
    leak_primitive *change, bool is_result, void *outside, char **free, size_t bytes,
    void *scratch, leak_status *status) {
  if (!change) return outside;
  void *inside = *free;
  *free += bytes;
  *status = is_result ? leak_primitive_bind(change, inside, outside, NULL, scratch)
                      : leak_primitive_bind(change, outside, inside, NULL, scratch);
  return inside;
}

leak_status leak_primitive_bind(
    leak_primitive *primitive, void *first, void *second, void *third, void *scratch) {
  leak_status status = leak_make_status(dnnl_success, "");
  char *free = scratch;
  void *rest = free + primitive->input_bytes + primitive->output_bytes;
  first = bind_change(
      primitive->input_change, primitive->writes_input, first, &free, primitive->input_bytes,
      rest, &status);
  if (status.code) return status;
  third = bind_change(
      primitive->output_change, primitive->writes_output, third, &free, primitive->output_bytes,
      rest, &status);
  if (status.code) return status;
  LEAK_TRY(dnnl_memory_set_data_handle(primitive->memory[0], first));
  LEAK_TRY(dnnl_memory_set_data_handle(primitive->memory[1], second));
  if (primitive->memory[2]) {
    LEAK_TRY(dnnl_memory_set_data_handle(primitive->memory[2], third));
  }
  LEAK_TRY(dnnl_memory_set_data_handle(primitive->scratch, rest));
done:
  return status;
}

static leak_status execute(const leak_primitive *primitive) {
  // A stream of the CPU engine finishes its work before it returns; there is nothing to wait for.
  return leak_make_status(
      dnnl_primitive_execute(
          primitive->primitive, leak_stream(), primitive->count, primitive->arguments),
      "dnnl_primitive_execute");
}

leak_status leak_primitive_run(leak_primitive *primitive) {
  const leak_primitive *input = primitive->input_change, *output = primitive->output_change;
  leak_status status = leak_make_status(dnnl_success, "");
  if (input && !primitive->writes_input) status = execute(input);
  if (!status.code && output && !primitive->writes_output) status = execute(output);
  if (!status.code) status = execute(primitive);
  if (!status.code && input && primitive->writes_input) status = execute(input);
  if (!status.code && output && primitive->writes_output) status = execute(output);
  return status;
}
