#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The result of a call: `code` is 0 for success, else oneDNN's status; `place` names the call.
typedef struct {
  int code;
  const char *place;
} leak_status;

/// What `status.code` means, in English.
const char *leak_status_text(leak_status status);

/// The version of oneDNN that runs, as 10000 · major + 100 · minor + patch.
int leak_onednn_version(void);

/// A convolution over `axes` (1 to 3) spatial axes, activations channels-last.
///
/// `inputs` and `outputs` count all channels; kernels are [K…, inputs / groups, outputs].
/// `dilation` is 1 for a dense kernel.
typedef struct {
  int axes;
  int64_t batch, inputs, outputs, groups;
  int64_t input[3], output[3], kernel[3];
  int64_t stride[3], dilation[3], low[3], high[3];
} leak_convolution_shape;

/// How a kernel lies in memory: plain, or one of oneDNN's blocked formats.
typedef struct leak_layout leak_layout;

/// The layout [K…, inputs / groups, outputs], row-major.
leak_status leak_layout_plain(const leak_convolution_shape *shape, leak_layout **layout);
leak_status leak_layout_copy(const leak_layout *layout, leak_layout **copy);
void leak_layout_free(leak_layout *layout);
size_t leak_layout_bytes(const leak_layout *layout);
bool leak_layout_equal(const leak_layout *one, const leak_layout *other);
/// Whether the layout has elements that belong to no weight; oneDNN keeps them zero.
bool leak_layout_is_padded(const leak_layout *layout);

typedef enum {
  /// output = input ∗ kernel
  leak_forward,
  /// input cotangent from output cotangent and kernel
  leak_input_gradient,
  /// kernel cotangent from input and output cotangent
  leak_kernel_gradient,
} leak_convolution_kind;

/// One planned oneDNN primitive with the memory that it is bound to.
typedef struct leak_primitive leak_primitive;

/// Plans a convolution in Float for the calling thread's number of threads.
///
/// `kernel` fixes the kernel's layout; NULL lets oneDNN choose. Fails where oneDNN has no
/// implementation, for instance for a padding that does not fit the extents.
leak_status leak_convolution_plan(
    const leak_convolution_shape *shape, leak_convolution_kind kind, const leak_layout *kernel,
    leak_primitive **primitive);

/// Plans a convolution by Winograd's F(4 × 4, 3 × 3) (Lavin & Gray 2016): fewer multiplications, and
/// a result that is rounded more coarsely. Activations are brought into its own layout and back.
///
/// Fails where oneDNN has no implementation: only 3 × 3 kernels of stride 1 qualify.
leak_status leak_winograd_plan(
    const leak_convolution_shape *shape, leak_convolution_kind kind,
    leak_primitive **primitive);

/// Plans a copy of a kernel from one layout into another.
leak_status leak_reorder_plan(
    const leak_layout *from, const leak_layout *to, leak_primitive **primitive);

void leak_primitive_free(leak_primitive *primitive);
/// A new handle of the layout that the primitive wants its kernel in.
leak_status leak_primitive_kernel(const leak_primitive *primitive, leak_layout **layout);
/// Bytes of working memory, which `leak_primitive_bind` is handed.
size_t leak_primitive_scratch(const leak_primitive *primitive);
/// The name of the implementation that oneDNN chose.
const char *leak_primitive_name(const leak_primitive *primitive);

/// Fixes the memory of all later runs: input side, kernel, output side, working memory.
///
/// For a reorder, `first` is the source, `second` the destination and `third` unused. oneDNN
/// writes the padding of padded kernels here, so what they held before is lost.
leak_status leak_primitive_bind(
    leak_primitive *primitive, void *first, void *second, void *third, void *scratch);

/// Runs on the bound memory, with the number of threads that the plan was made for.
leak_status leak_primitive_run(leak_primitive *primitive);
