#pragma once
#include <stdint.h>

/// The windows of a convolution over one sample as rows of a matrix; three axes, unused ones
/// first and of extent 1.
///
/// A row has kernel[0] · kernel[1] · kernel[2] · channels elements; `pitch` is the distance of
/// neighbours along the last axis (more than `channels` where a group is read).
typedef struct {
  int64_t input[3], output[3], kernel[3];
  int64_t stride[3], dilation[3], low[3];
  int64_t channels, pitch;
} leak_patches;

/// Pooling windows over [batch, input…, channels]; three axes, unused ones first with extent 1.
typedef struct {
  int64_t batch, channels;
  int64_t input[3], output[3], window[3], stride[3], low[3];
  int32_t is_double;
} leak_windows;

typedef enum {
  /// to[output] = Σ from[input] over the window
  leak_window_sum,
  /// to[input] = Σ from[output] over the windows that hold it
  leak_window_spread,
  /// to[output] = place of the first largest from[input] in the flattened plane
  leak_window_argmax,
} leak_window_kind;

/// Threads share samples and channels, so no sum crosses a thread.
void leak_windows_run(
    const leak_windows *windows, leak_window_kind kind, const void *from, void *to, int threads);

/// picked[n, i, c] = plane[n, place[n, i, c], c] for `count` picks of a plane of `places`.
void leak_places_gather(
    const void *plane, const void *place, void *picked, int64_t batch, int64_t places,
    int64_t count, int64_t channels, int is_double, int threads);

/// plane = 0, then plane[n, place[n, i, c], c] += picked[n, i, c] in the order of i.
void leak_places_scatter(
    const void *picked, const void *place, void *plane, int64_t batch, int64_t places,
    int64_t count, int64_t channels, int is_double, int threads);
