#include "Convolution.h"

#include <stdlib.h>

#include "Primitive.h"

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
  LEAK_TRY(leak_primitive_attributes(&attribute));
  if (computes_input(kind) || computes_kernel(kind)) {
    LEAK_TRY(direction(shape, leak_forward, algorithm, hinted, attribute, NULL, &hint));
  }
  LEAK_TRY(direction(shape, kind, algorithm, with, attribute, hint, &description));
  LEAK_TRY(wanted(kind, description, &inside));
  layout->elements = shape->inputs / shape->groups * shape->outputs;
  for (int axis = 0; axis < shape->axes; axis++) layout->elements *= shape->kernel[axis];
  LEAK_TRY(leak_descriptor_copy(&layout->descriptor, inside.kernel));
  LEAK_TRY(leak_primitive_memory(&made->memory[0], inside.input));
  LEAK_TRY(leak_primitive_memory(&made->memory[1], inside.kernel));
  LEAK_TRY(leak_primitive_memory(&made->memory[2], inside.output));
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
  leak_primitive_argument(made, computes_input(kind) ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, made->memory[0]);
  leak_primitive_argument(
      made, computes_kernel(kind) ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, made->memory[1]);
  leak_primitive_argument(made, made->writes_output ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, made->memory[2]);
  LEAK_TRY(leak_primitive_finish(made, description));
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
