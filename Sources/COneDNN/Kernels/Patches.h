// Convolution windows as rows of a matrix, and back.

INLINE int64_t NAMED(clamp)(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

// Rows of windows are short and of lengths known only here: a compiled loop would spend itself on
// what its vectors leave over.
INLINE void NAMED(copy_run)(REAL *to, const REAL *from, int64_t count) {
  for (; count >= LANES; count -= LANES, to += LANES, from += LANES) {
    NAMED(store)(to, NAMED(load)(from));
  }
  NAMED(copy_part)(to, from, count);
}
INLINE void NAMED(add_run)(REAL *to, const REAL *from, int64_t count) {
  for (; count >= LANES; count -= LANES, to += LANES, from += LANES) {
    NAMED(store)(to, NAMED(load)(to) + NAMED(load)(from));
  }
  // Not by way of the stack, which a wide load behind narrow stores waits for.
#define PIECE(lanes)                                                                       \
  if (lanes < LANES && (count & lanes)) {                                                  \
    typedef REAL piece                                                                     \
        __attribute__((vector_size(lanes * sizeof(REAL)), aligned(sizeof(REAL)), may_alias)); \
    *(piece *)to += *(const piece *)from;                                                  \
    to += lanes, from += lanes;                                                            \
  }
  PIECE(8)
  PIECE(4)
  PIECE(2)
  PIECE(1)
#undef PIECE
}

// For each window in order and each of its rows: `matrix` begins the row, `line_number` is its line
// of the image or negative, `x` is where it begins in the line. Of a row whose taps lie side by side
// the elements [low, high) are inside the image.
#define EACH_WINDOW_ROW(body)                                                              \
  const leak_patches p = *patches;                                                         \
  const int64_t taps = p.kernel[2] * p.channels;                                           \
  const int beside = p.dilation[2] == 1 && p.pitch == p.channels;                          \
  int64_t at[3] = {                                                                        \
      first / (p.output[1] * p.output[2]), first / p.output[2] % p.output[1],              \
      first % p.output[2]};                                                                \
  for (int64_t window = first; window < last; window++) {                                  \
    const int64_t x = at[2] * p.stride[2] - p.low[2];                                      \
    const int64_t low = NAMED(clamp)(-x * p.channels, 0, taps);                            \
    const int64_t high = NAMED(clamp)((p.input[2] - x) * p.channels, low, taps);           \
    for (int64_t a = 0; a < p.kernel[0]; a++) {                                            \
      const int64_t plane = at[0] * p.stride[0] - p.low[0] + a * p.dilation[0];            \
      const int64_t is_plane = plane >= 0 && plane < p.input[0];                           \
      for (int64_t b = 0; b < p.kernel[1]; b++, matrix += taps) {                          \
        const int64_t line = at[1] * p.stride[1] - p.low[1] + b * p.dilation[1];           \
        const int64_t is_line = is_plane && line >= 0 && line < p.input[1];                \
        const int64_t line_number = is_line ? plane * p.input[1] + line : -1;              \
        body                                                                               \
      }                                                                                    \
    }                                                                                      \
    if (++at[2] < p.output[2]) continue;                                                   \
    at[2] = 0;                                                                             \
    if (++at[1] < p.output[1]) continue;                                                   \
    at[1] = 0, at[0]++;                                                                    \
  }

static void NAMED(patches)(
    const leak_patches *patches, const void *from, int64_t first, int64_t last, void *to) {
  REAL *matrix = to;
  EACH_WINDOW_ROW({
    if (line_number < 0) {
      NAMED(fill)(matrix, 0, taps);
      continue;
    }
    const REAL *image = (const REAL *)from + line_number * p.input[2] * p.pitch;
    if (beside) {
      NAMED(fill)(matrix, 0, low);
      NAMED(copy_run)(matrix + low, image + x * p.channels + low, high - low);
      NAMED(fill)(matrix + high, 0, taps - high);
      continue;
    }
    for (int64_t c = 0; c < p.kernel[2]; c++) {
      const int64_t column = x + c * p.dilation[2];
      REAL *cell = matrix + c * p.channels;
      if (column < 0 || column >= p.input[2]) NAMED(fill)(cell, 0, p.channels);
      else NAMED(copy_run)(cell, image + column * p.pitch, p.channels);
    }
  })
}

// Adds windows to the lines [line0, line0 + lines) of the image and drops the rest.
static void NAMED(unpatches)(
    const leak_patches *patches, const void *from, int64_t first, int64_t last, int64_t line0,
    int64_t lines, void *to) {
  const REAL *matrix = from;
  EACH_WINDOW_ROW({
    if (line_number < line0 || line_number >= line0 + lines) continue;
    REAL *image = (REAL *)to + line_number * p.input[2] * p.pitch;
    if (beside) {
      NAMED(add_run)(image + x * p.channels + low, matrix + low, high - low);
      continue;
    }
    for (int64_t c = 0; c < p.kernel[2]; c++) {
      const int64_t column = x + c * p.dilation[2];
      if (column < 0 || column >= p.input[2]) continue;
      NAMED(add_run)(image + column * p.pitch, matrix + c * p.channels, p.channels);
    }
  })
}
#undef EACH_WINDOW_ROW
