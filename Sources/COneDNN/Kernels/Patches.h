// Convolution windows as rows of a matrix, and back.

INLINE int64_t NAMED(clamp)(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

#define EACH_WINDOW_ROW(body)                                                              \
  const leak_patches p = *patches;                                                         \
  const int64_t taps = p.kernel[2] * p.channels;                                           \
  for (int64_t window = first; window < last; window++) {                                  \
    int64_t at[3] = {                                                                      \
        window / (p.output[1] * p.output[2]), window / p.output[2] % p.output[1],          \
        window % p.output[2]};                                                             \
    for (int axis = 0; axis < 3; axis++) at[axis] = at[axis] * p.stride[axis] - p.low[axis]; \
    for (int64_t a = 0; a < p.kernel[0]; a++) {                                            \
      for (int64_t b = 0; b < p.kernel[1]; b++, matrix += taps) {                          \
        const int64_t plane = at[0] + a * p.dilation[0], line = at[1] + b * p.dilation[1]; \
        const int64_t inside = plane >= 0 && plane < p.input[0] && line >= 0 &&            \
            line < p.input[1];                                                             \
        const int64_t line_number = plane * p.input[1] + line;                             \
        body                                                                               \
      }                                                                                    \
    }                                                                                      \
  }

static void NAMED(patches)(
    const leak_patches *patches, const void *from, int64_t first, int64_t last, void *to) {
  REAL *matrix = to;
  EACH_WINDOW_ROW({
    if (!inside) {
      for (int64_t i = 0; i < taps; i++) matrix[i] = 0;
      continue;
    }
    const REAL *image = (const REAL *)from + line_number * p.input[2] * p.pitch;
    if (p.dilation[2] == 1 && p.pitch == p.channels) {
      const int64_t low = NAMED(clamp)(-at[2], 0, p.kernel[2]) * p.channels;
      const int64_t high = NAMED(clamp)(p.input[2] - at[2], 0, p.kernel[2]) * p.channels;
      const REAL *run = image + at[2] * p.channels;
      for (int64_t i = 0; i < low && i < taps; i++) matrix[i] = 0;
      for (int64_t i = low; i < high; i++) matrix[i] = run[i];
      for (int64_t i = high > low ? high : low; i < taps; i++) matrix[i] = 0;
      continue;
    }
    for (int64_t c = 0; c < p.kernel[2]; c++) {
      const int64_t x = at[2] + c * p.dilation[2];
      REAL *cell = matrix + c * p.channels;
      if (x < 0 || x >= p.input[2]) {
        for (int64_t i = 0; i < p.channels; i++) cell[i] = 0;
      } else {
        for (int64_t i = 0; i < p.channels; i++) cell[i] = image[x * p.pitch + i];
      }
    }
  })
}

// Adds windows to the lines [line0, line0 + lines) of the image and drops the rest.
static void NAMED(unpatches)(
    const leak_patches *patches, const void *from, int64_t first, int64_t last, int64_t line0,
    int64_t lines, void *to) {
  const REAL *matrix = from;
  EACH_WINDOW_ROW({
    if (!inside || line_number < line0 || line_number >= line0 + lines) continue;
    REAL *image = (REAL *)to + line_number * p.input[2] * p.pitch;
    if (p.dilation[2] == 1 && p.pitch == p.channels) {
      const int64_t low = NAMED(clamp)(-at[2], 0, p.kernel[2]) * p.channels;
      const int64_t high = NAMED(clamp)(p.input[2] - at[2], 0, p.kernel[2]) * p.channels;
      REAL *run = image + at[2] * p.channels;
      for (int64_t i = low; i < high; i++) run[i] += matrix[i];
      continue;
    }
    for (int64_t c = 0; c < p.kernel[2]; c++) {
      const int64_t x = at[2] + c * p.dilation[2];
      if (x < 0 || x >= p.input[2]) continue;
      const REAL *cell = matrix + c * p.channels;
      for (int64_t i = 0; i < p.channels; i++) image[x * p.pitch + i] += cell[i];
    }
  })
}
#undef EACH_WINDOW_ROW
