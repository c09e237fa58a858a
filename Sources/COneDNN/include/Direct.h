#pragma once
#include <stdint.h>

/// Products of a padded image with a matrix, where a window is `tap_rows` runs of `run` elements, one
/// line of the image apart.
typedef struct {
  int64_t tap_rows, run, line;
  /// Of the matrix and of the result.
  int64_t columns;
} leak_correlation;

/// The gradient in the input of a convolution over two axes, as windows over the output's cotangent.
///
/// `taps` of the output along each axis come near the stride[0] · stride[1] pixels of the image that a
/// window yields. The first window begins `margin` pixels before the image; a line has `windows`.
typedef struct {
  int64_t kernel[2], stride[2], taps[2];
  int64_t image[2], margin[2], windows;
  int64_t inputs, outputs;
} leak_turn;
