#include "Primitive.h"

#include <stdlib.h>

dnnl_status_t leak_primitive_attributes(dnnl_primitive_attr_t *attributes) {
  const dnnl_status_t code = dnnl_primitive_attr_create(attributes);
  return code ? code
              : dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
}

dnnl_status_t leak_primitive_memory(dnnl_memory_t *made, leak_descriptor descriptor) {
  return dnnl_memory_create(made, LEAK_DESCRIPTOR(descriptor), leak_engine(), DNNL_MEMORY_NONE);
}

void leak_primitive_argument(leak_primitive *primitive, int name, dnnl_memory_t memory) {
  primitive->arguments[primitive->count].arg = name;
  primitive->arguments[primitive->count++].memory = memory;
}

dnnl_status_t leak_primitive_finish(leak_primitive *made, const_dnnl_primitive_desc_t description) {
  leak_descriptor scratch;
  dnnl_status_t code = dnnl_primitive_create(&made->primitive, description);
  if (!code) code = dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &made->name);
  if (!code) code = leak_descriptor_query(&scratch, description, dnnl_query_scratchpad_md);
  if (code) return code;
  made->scratch_bytes = dnnl_memory_desc_get_size(LEAK_DESCRIPTOR(scratch));
  code = leak_primitive_memory(&made->scratch, scratch);
  leak_descriptor_free(scratch);
  if (!code) leak_primitive_argument(made, DNNL_ARG_SCRATCHPAD, made->scratch);
  return code;
}

leak_status leak_reorder_plan(
    const leak_layout *from, const leak_layout *to, leak_primitive **primitive) {
  leak_status status = leak_make_status(dnnl_success, "");
  dnnl_primitive_attr_t attribute = NULL;
  dnnl_primitive_desc_t description = NULL;
  leak_primitive *made = calloc(1, sizeof *made);
  if (!made) return leak_make_status(dnnl_out_of_memory, "calloc");
  LEAK_TRY(leak_primitive_attributes(&attribute));
  LEAK_TRY(dnnl_reorder_primitive_desc_create(
      &description, LEAK_DESCRIPTOR(from->descriptor), leak_engine(),
      LEAK_DESCRIPTOR(to->descriptor), leak_engine(), attribute));
  LEAK_TRY(leak_primitive_memory(&made->memory[0], from->descriptor));
  LEAK_TRY(leak_primitive_memory(&made->memory[1], to->descriptor));
  leak_primitive_argument(made, DNNL_ARG_SRC, made->memory[0]);
  leak_primitive_argument(made, DNNL_ARG_DST, made->memory[1]);
  LEAK_TRY(leak_primitive_finish(made, description));
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
