// Convolutions without a matrix of windows: rows of a window lie side by side in the padded image, so
// products read them where they are.

// Vectors that stay in registers: with two registers for operands, eight hide the latency of the sums.
enum { NAMED(direct_rows) = 8 * TILE_BYTES / 64 };

// Rows of a [rows, columns] matrix from which a whole vector may be read at `column`.
INLINE int64_t NAMED(readable)(int64_t rows, int64_t columns, int64_t column) {
  const int64_t last = rows * columns - LANES - column;
  return last < 0 ? 0 : NAMED(clamp)(last / columns + 1, 0, rows);
}

// How many of the rows [*row, rows) come next: a block, half of one, or one.
//
// A rest begins earlier rather than be a short block: its first rows are computed again, and alike.
INLINE int NAMED(next_rows)(int64_t *row, int64_t rows) {
  enum { block = NAMED(direct_rows) };
  const int64_t rest = rows - *row, size = rest > block / 2 ? block : block / 2;
  if (rest >= block) return block;
  if (rows < size) return 1;
  *row = rows - size;
  return (int)size;
}

// `body` for each block of rows and each vector of columns, with `count` known when it is compiled.
#define EACH_BLOCK(rows, columns, body)                                                    \
  for (int64_t done = 0; done < rows;) {                                                   \
    int64_t row = done;                                                                    \
    const int found = NAMED(next_rows)(&row, rows);                                        \
    for (int64_t column = 0; column < columns; column += LANES) {                          \
      switch (found) {                                                                     \
        case NAMED(direct_rows): { const int count = NAMED(direct_rows); body; break; }     \
        case NAMED(direct_rows) / 2: { const int count = NAMED(direct_rows) / 2; body; break; } \
        default: { const int count = 1; body; }                                             \
      }                                                                                    \
    }                                                                                      \
    done = row + found;                                                                    \
  }

INLINE void NAMED(correlate_block)(
    const leak_correlation *c, const REAL *source, const int64_t *starts, const REAL *kernel,
    int64_t column, int count, REAL *result) {
  const REAL *from[NAMED(direct_rows)];
  V total[NAMED(direct_rows)] = {};
  const int64_t whole = NAMED(readable)(c->tap_rows * c->run, c->columns, column);
  const int64_t lanes = c->columns - column < LANES ? c->columns - column : LANES;
  for (int64_t line = 0; line < c->tap_rows; line++) {
    // Found anew for each line: carried along, it would cost clang 21 the registers of `from`.
    const REAL *with = kernel + line * c->run * c->columns + column;
    for (int r = 0; r < count; r++) from[r] = source + starts[r] + line * c->line;
    const int64_t many = NAMED(clamp)(whole - line * c->run, 0, c->run);
    int64_t tap = 0;
    for (; tap < many; tap++, with += c->columns) {
      const V factor = NAMED(load)(with);
      for (int r = 0; r < count; r++) total[r] += factor * from[r][tap];
    }
    for (; tap < c->run; tap++, with += c->columns) {
      const V factor = NAMED(load_part)(with, lanes);
      for (int r = 0; r < count; r++) total[r] += factor * from[r][tap];
    }
  }
  for (int r = 0; r < count; r++) {
    REAL *to = result + r * c->columns + column;
    if (lanes == LANES) NAMED(store)(to, total[r]);
    else NAMED(store_part)(to, total[r], lanes);
  }
}

static void NAMED(correlate)(
    const leak_correlation *c, const void *source, const int64_t *starts, int64_t rows,
    const void *kernel, void *result) {
  EACH_BLOCK(rows, c->columns, {
    NAMED(correlate_block)(
        c, source, starts + row, kernel, column, count, (REAL *)result + row * c->columns);
  })
}

// Rows before `first` are left as they are.
INLINE void NAMED(outer_block)(
    const leak_correlation *c, const REAL *source, const int64_t *starts, int64_t pixels,
    const REAL *cotangent, int64_t column, int count, int64_t first, int adds, REAL *result) {
  V total[NAMED(direct_rows)] = {};
  const int64_t whole = NAMED(readable)(pixels, c->columns, column);
  const int64_t lanes = c->columns - column < LANES ? c->columns - column : LANES;
  const REAL *with = cotangent + column;
  int64_t pixel = 0;
  for (; pixel < whole; pixel++, with += c->columns) {
    const REAL *from = source + starts[pixel];
    const V factor = NAMED(load)(with);
    for (int r = 0; r < count; r++) total[r] += factor * from[r];
  }
  for (; pixel < pixels; pixel++, with += c->columns) {
    const REAL *from = source + starts[pixel];
    const V factor = NAMED(load_part)(with, lanes);
    for (int r = 0; r < count; r++) total[r] += factor * from[r];
  }
  for (int r = 0; r < count; r++) {
    if (r < first) continue;
    REAL *to = result + r * c->columns + column;
    if (adds) total[r] += lanes == LANES ? NAMED(load)(to) : NAMED(load_part)(to, lanes);
    if (lanes == LANES) NAMED(store)(to, total[r]);
    else NAMED(store_part)(to, total[r], lanes);
  }
}

static void NAMED(outer)(
    const leak_correlation *c, const void *source, const int64_t *starts, int64_t pixels,
    const void *cotangent, int64_t rows, int adds, void *result) {
  EACH_BLOCK(rows, c->columns, {
    NAMED(outer_block)(
        c, (const REAL *)source + row, starts, pixels, cotangent, column, count, done - row, adds,
        (REAL *)result + row * c->columns);
  })
}
#undef EACH_BLOCK

typedef REAL NAMED(quad) __attribute__((vector_size(4 * sizeof(REAL))));
typedef REAL NAMED(stored_quad)
    __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

// to[column, row] = from[row, column]
INLINE void NAMED(transpose)(
    const REAL *from, int64_t rows, int64_t columns, REAL *to, int64_t pitch) {
  typedef NAMED(quad) Q;
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4, from += 4 * columns) {
    int64_t column = 0;
    for (; column + 4 <= columns; column += 4) {
      Q in[4];
      for (int k = 0; k < 4; k++) {
        in[k] = *(const NAMED(stored_quad) *)(from + k * columns + column);
      }
      const Q a = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5);
      const Q b = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5);
      const Q c = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
      const Q d = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
      const Q out[4] = {
          __builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
          __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
      for (int k = 0; k < 4; k++) {
        *(NAMED(stored_quad) *)(to + (column + k) * pitch + row) = out[k];
      }
    }
    for (; column < columns; column++) {
      for (int k = 0; k < 4; k++) to[column * pitch + row + k] = from[k * columns + column];
    }
  }
  for (; row < rows; row++, from += columns) {
    for (int64_t column = 0; column < columns; column++) to[column * pitch + row] = from[column];
  }
}

static void NAMED(turn)(const leak_turn *t, const void *vkernel, void *vturned) {
  const REAL *kernel = vkernel;
  REAL *turned = vturned;
  const int64_t pixels = t->stride[0] * t->stride[1], columns = pixels * t->inputs;
  const int64_t taps = t->taps[0] * t->taps[1];
  // Where the stride does not divide the kernel, the last taps of some pixels do not exist.
  if (taps * pixels > t->kernel[0] * t->kernel[1]) {
    NAMED(fill)(turned, 0, taps * t->outputs * columns);
  }
  for (int64_t a = 0; a < t->kernel[0]; a++) {
    for (int64_t b = 0; b < t->kernel[1]; b++, kernel += t->inputs * t->outputs) {
      const int64_t row = t->taps[0] - 1 - a / t->stride[0], tap = t->taps[1] - 1 - b / t->stride[1];
      const int64_t pixel = a % t->stride[0] * t->stride[1] + b % t->stride[1];
      REAL *to = turned + (row * t->taps[1] + tap) * t->outputs * columns + pixel * t->inputs;
      NAMED(transpose)(kernel, t->inputs, t->outputs, to, columns);
    }
  }
}

static void NAMED(spread)(const leak_turn *t, const void *vrows, int64_t y, void *vimage) {
  const REAL *rows = vrows;
  const int64_t run = t->stride[1] * t->inputs, line = t->image[1] * t->inputs;
  const int64_t margin = t->margin[1] * t->inputs;
  for (int64_t a = 0; a < t->stride[0]; a++) {
    const int64_t row = y * t->stride[0] + a - t->margin[0];
    if (row < 0 || row >= t->image[0]) continue;
    REAL *to = (REAL *)vimage + row * line;
    for (int64_t x = 0; x < t->windows; x++) {
      const int64_t at = x * run - margin, low = at < 0 ? -at : 0;
      const int64_t high = at + run > line ? line - at : run;
      if (low >= high) continue;
      NAMED(copy_run)(to + at + low, rows + (x * t->stride[0] + a) * run + low, high - low);
    }
  }
}
