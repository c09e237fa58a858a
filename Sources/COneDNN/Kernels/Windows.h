// Pooling and index operations over [first, last) channels of one sample. Channels are the last
// axis, so the inner loops run along them.

#define EACH_TAP(body)                                                                     \
  const leak_windows w = *windows;                                                         \
  const int64_t channels = w.channels;                                                     \
  int64_t output = 0;                                                                      \
  for (int64_t a = 0; a < w.output[0]; a++) {                                              \
    for (int64_t b = 0; b < w.output[1]; b++) {                                            \
      for (int64_t c = 0; c < w.output[2]; c++, output++) {                                \
        int taken = 0;                                                                     \
        for (int64_t i = 0; i < w.window[0]; i++) {                                        \
          const int64_t x = a * w.stride[0] + i - w.low[0];                                \
          if (x < 0 || x >= w.input[0]) continue;                                          \
          for (int64_t j = 0; j < w.window[1]; j++) {                                      \
            const int64_t y = b * w.stride[1] + j - w.low[1];                              \
            if (y < 0 || y >= w.input[1]) continue;                                        \
            for (int64_t k = 0; k < w.window[2]; k++) {                                    \
              const int64_t z = c * w.stride[2] + k - w.low[2];                            \
              if (z < 0 || z >= w.input[2]) continue;                                      \
              const int64_t place = (x * w.input[1] + y) * w.input[2] + z;                 \
              body                                                                         \
              taken = 1;                                                                   \
              (void)taken;                                                                 \
            }                                                                              \
          }                                                                                \
        }                                                                                  \
      }                                                                                    \
    }                                                                                      \
  }


static void FUNCTION(window_sum)(
    const leak_windows *windows, const REAL *from, REAL *to, int64_t first, int64_t last) {
  EACH_TAP({
    const REAL *x = from + place * channels;
    REAL *y = to + output * channels;
    if (taken) for (int64_t n = first; n < last; n++) y[n] += x[n];
    else for (int64_t n = first; n < last; n++) y[n] = x[n];
  })
}

static void FUNCTION(window_spread)(
    const leak_windows *windows, const REAL *from, REAL *to, int64_t first, int64_t last) {
  const int64_t plane = windows->input[0] * windows->input[1] * windows->input[2];
  for (int64_t place = 0; place < plane; place++) {
    REAL *x = to + place * windows->channels;
    for (int64_t n = first; n < last; n++) x[n] = 0;
  }
  EACH_TAP({
    REAL *x = to + place * channels;
    const REAL *y = from + output * channels;
    for (int64_t n = first; n < last; n++) x[n] += y[n];
  })
}

// Strip by strip of channels, so that the largest elements so far stay in registers or the cache.
static void FUNCTION(window_argmax)(
    const leak_windows *windows, const REAL *from, REAL *to, int64_t first, int64_t last) {
  enum { strip = 64 };
  REAL best[strip];
  for (int64_t start = first; start < last; start += strip) {
    const int64_t width = last - start < strip ? last - start : strip;
    EACH_TAP({
      const REAL *x = from + place * channels + start;
      REAL *y = to + output * channels + start;
      const REAL here = (REAL)place;
      if (!taken) {
        for (int64_t n = 0; n < width; n++) best[n] = x[n];
        for (int64_t n = 0; n < width; n++) y[n] = here;
        taken = 1;
        continue;
      }
      for (int64_t n = 0; n < width; n++) {
        const int larger = x[n] > best[n];
        best[n] = larger ? x[n] : best[n];
        y[n] = larger ? here : y[n];
      }
    })
  }
}
#undef EACH_TAP

// An index outside the plane is an error in the graph; it is skipped, never followed.
static void FUNCTION(places_gather)(
    const REAL *plane, const REAL *place, REAL *picked, int64_t places, int64_t count,
    int64_t channels, int64_t first, int64_t last) {
  for (int64_t i = 0; i < count; i++) {
    for (int64_t n = first; n < last; n++) {
      const int64_t at = (int64_t)place[i * channels + n];
      picked[i * channels + n] = at >= 0 && at < places ? plane[at * channels + n] : 0;
    }
  }
}

static void FUNCTION(places_scatter)(
    const REAL *picked, const REAL *place, REAL *plane, int64_t places, int64_t count,
    int64_t channels, int64_t first, int64_t last) {
  for (int64_t at = 0; at < places; at++) {
    for (int64_t n = first; n < last; n++) plane[at * channels + n] = 0;
  }
  for (int64_t i = 0; i < count; i++) {
    for (int64_t n = first; n < last; n++) {
      const int64_t at = (int64_t)place[i * channels + n];
      if (at >= 0 && at < places) plane[at * channels + n] += picked[i * channels + n];
    }
  }
}

static void FUNCTION(rows_gather)(
    const REAL *table, const REAL *row, REAL *result, int64_t count, int64_t rows,
    int64_t width) {
  for (int64_t i = 0; i < count; i++) {
    const int64_t at = (int64_t)row[i];
    REAL *to = result + i * width;
    if (at >= 0 && at < rows) memcpy(to, table + at * width, (size_t)width * sizeof(REAL));
    else memset(to, 0, (size_t)width * sizeof(REAL));
  }
}

static void FUNCTION(rows_scatter)(
    const REAL *source, const REAL *row, REAL *result, int64_t count, int64_t rows,
    int64_t width) {
  memset(result, 0, (size_t)(rows * width) * sizeof(REAL));
  for (int64_t i = 0; i < count; i++) {
    const int64_t at = (int64_t)row[i];
    if (at < 0 || at >= rows) continue;
    for (int64_t k = 0; k < width; k++) result[at * width + k] += source[i * width + k];
  }
}

static void FUNCTION(copy_line)(
    const REAL *from, REAL *to, int64_t count, int64_t from_stride, int64_t to_stride) {
  if (from_stride == 1 && to_stride == 1) memcpy(to, from, (size_t)count * sizeof(REAL));
  else for (int64_t i = 0; i < count; i++) to[i * to_stride] = from[i * from_stride];
}
