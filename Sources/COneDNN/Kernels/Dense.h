// Products of a vector and a matrix, bound by the reading of the matrix.

// y += Σₖ x[k] · w[k, :] for eight rows at a time, so that y is seldom touched.
static void NAMED(vector_matrix)(
    const void *vx, const void *vw, int64_t first, int64_t last, int64_t rows, int64_t columns,
    void *vy) {
  const REAL *x = vx, *w = vw;
  REAL *y = vy;
  if (columns <= LANES) {
    // A narrow row fits into one vector; what is read past its end is dropped at the end.
    V total = {}, other = {};
    int64_t row = first, safe = last;
    while (safe > first && (safe - 1) * columns + LANES > rows * columns) safe--;
    for (; row + 1 < safe; row += 2) {
      total += NAMED(load)(w + row * columns) * x[row];
      other += NAMED(load)(w + (row + 1) * columns) * x[row + 1];
    }
    for (; row < safe; row++) total += NAMED(load)(w + row * columns) * x[row];
    for (; row < last; row++) total += NAMED(load_part)(w + row * columns, columns) * x[row];
    NAMED(store_part)(y, total + other, columns);
    return;
  }
  NAMED(fill)(y, 0, columns);
  int64_t row = first;
  for (; row + 8 <= last; row += 8) {
    const REAL *from = w + row * columns;
    V s[8];
    for (int k = 0; k < 8; k++) s[k] = NAMED(splat)(x[row + k]);
    int64_t i = 0;
    for (; i + LANES <= columns; i += LANES) {
      V even = s[0] * NAMED(load)(from + i), odd = s[1] * NAMED(load)(from + columns + i);
      for (int k = 2; k < 8; k += 2) {
        even += s[k] * NAMED(load)(from + k * columns + i);
        odd += s[k + 1] * NAMED(load)(from + (k + 1) * columns + i);
      }
      NAMED(store)(y + i, NAMED(load)(y + i) + (even + odd));
    }
    for (; i < columns; i++) {
      REAL total = 0;
      for (int k = 0; k < 8; k++) total += x[row + k] * from[k * columns + i];
      y[i] += total;
    }
  }
  for (; row < last; row++) {
    NAMED(functions)[leak_multiply_add][1](y, x + row, w + row * columns, y, columns);
  }
}

static void NAMED(matrix_vector)(
    const void *vw, const void *vz, int64_t first, int64_t last, int64_t columns, void *vy) {
  const REAL *w = vw, *z = vz;
  REAL *y = vy;
  int64_t row = first;
  if (columns < LANES) {
    // What is read past a narrow row belongs to the next ones and is masked away.
    V with = NAMED(load_part)(z, columns);
    M kept = {};
    for (int64_t i = 0; i < columns; i++) kept[i] = -1;
    int64_t safe = last;
    while (safe > first && (safe - 1) * columns + LANES > last * columns) safe--;
    for (; row < safe; row++) {
      V part = (V)((M)NAMED(load)(w + row * columns) & kept);
      y[row] = NAMED(lanes_sum)(part * with);
    }
  }
  for (; row + 4 <= last; row += 4) {
    const REAL *from = w + row * columns;
    V total[4] = {};
    int64_t i = 0;
    for (; i + LANES <= columns; i += LANES) {
      V with = NAMED(load)(z + i);
      for (int k = 0; k < 4; k++) total[k] += NAMED(load)(from + k * columns + i) * with;
    }
    if (i < columns) {
      V with = NAMED(load_part)(z + i, columns - i);
      for (int k = 0; k < 4; k++) {
        total[k] += NAMED(load_part)(from + k * columns + i, columns - i) * with;
      }
    }
    for (int k = 0; k < 4; k++) y[row + k] = NAMED(lanes_sum)(total[k]);
  }
  for (; row < last; row++) {
    const REAL *from = w + row * columns;
    V total = {};
    int64_t i = 0;
    for (; i + LANES <= columns; i += LANES) total += NAMED(load)(from + i) * NAMED(load)(z + i);
    if (i < columns) {
      total += NAMED(load_part)(from + i, columns - i) * NAMED(load_part)(z + i, columns - i);
    }
    y[row] = NAMED(lanes_sum)(total);
  }
}

static void NAMED(fold)(
    const void *parts, int64_t count, int64_t columns, int64_t stride, void *vy) {
  REAL *y = vy;
  const REAL *part = parts;
  for (int64_t i = 0; i < columns; i++) y[i] = part[i];
  for (int64_t k = 1; k < count; k++) {
    NAMED(functions)[leak_add][0](y, y, part + k * stride, y, columns);
  }
}
