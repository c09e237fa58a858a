// Winograd's F(4 × 4, 3 × 3) over the points 0, ±a, ±b and ∞ with a = 3/4 and b = 3/2. Input and
// output transforms are exact in binary; these points round half as coarsely as ±1 and ±2 do.
//
// Lavin & Gray 2016, Fast Algorithms for Convolutional Neural Networks, section 4. The matrices
// follow from the points: with M(x) = x (x² − a²) (x² − b²), a row of Bᵀ holds the coefficients of
// M(x) / (x − p), a row of G is (1, p, p²) / M′(p), a column of A is (1, p, p², p³).

// Narrower vectors than elsewhere: a transform keeps up to a dozen in registers.
#define TILE NAMED(tile)
enum { NAMED(tile_lanes) = TILE_BYTES / sizeof(REAL) };
typedef REAL TILE __attribute__((vector_size(TILE_BYTES)));
typedef REAL NAMED(tile_stored)
    __attribute__((vector_size(TILE_BYTES), aligned(sizeof(REAL)), may_alias));
INLINE TILE NAMED(tile_load)(const REAL *from) { return *(const NAMED(tile_stored) *)from; }
INLINE void NAMED(tile_store)(REAL *to, TILE value) { *(NAMED(tile_stored) *)to = value; }

#define A 0.75f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)
#define A3 (A2 * A)
#define B3 (B2 * B)
// 1 / M′(p) at 0, ±a and ±b.
#define NONE (1 / (A2 * B2))
#define NEAR (1 / (2 * A2 * (A2 - B2)))
#define FAR (1 / (2 * B2 * (B2 - A2)))

// y = Bᵀ x
INLINE void NAMED(times_b)(const TILE *x, TILE *y) {
  const TILE near = x[4] - B2 * x[2], far = x[4] - A2 * x[2];
  const TILE near_odd = A * (x[3] - B2 * x[1]), far_odd = B * (x[3] - A2 * x[1]);
  y[0] = A2 * B2 * x[0] + (x[4] - (A2 + B2) * x[2]);
  y[1] = near + near_odd, y[2] = near - near_odd;
  y[3] = far + far_odd, y[4] = far - far_odd;
  y[5] = A2 * B2 * x[1] + (x[5] - (A2 + B2) * x[3]);
}

// y = Aᵀ x
INLINE void NAMED(times_a)(const TILE *x, TILE *y) {
  const TILE near = x[1] + x[2], near_odd = x[1] - x[2], far = x[3] + x[4], far_odd = x[3] - x[4];
  y[0] = x[0] + near + far;
  y[1] = A * near_odd + B * far_odd;
  y[2] = A2 * near + B2 * far;
  y[3] = A3 * near_odd + (B3 * far_odd + x[5]);
}

// y = A x
INLINE void NAMED(from_a)(const TILE *x, TILE *y) {
  const TILE near = x[0] + A2 * x[2], near_odd = A * x[1] + A3 * x[3];
  const TILE far = x[0] + B2 * x[2], far_odd = B * x[1] + B3 * x[3];
  y[0] = x[0];
  y[1] = near + near_odd, y[2] = near - near_odd;
  y[3] = far + far_odd, y[4] = far - far_odd;
  y[5] = x[3];
}

// y = G x
INLINE void NAMED(from_g)(const TILE *x, TILE *y) {
  const TILE near = NEAR * x[0] + NEAR * A2 * x[2], near_odd = NEAR * A * x[1];
  const TILE far = FAR * x[0] + FAR * B2 * x[2], far_odd = FAR * B * x[1];
  y[0] = NONE * x[0];
  y[1] = near + near_odd, y[2] = near - near_odd;
  y[3] = far + far_odd, y[4] = far - far_odd;
  y[5] = x[2];
}

// y = Gᵀ x
INLINE void NAMED(times_g)(const TILE *x, TILE *y) {
  const TILE near = x[1] + x[2], near_odd = x[1] - x[2], far = x[3] + x[4], far_odd = x[3] - x[4];
  y[0] = NONE * x[0] + (NEAR * near + FAR * far);
  y[1] = NEAR * A * near_odd + FAR * B * far_odd;
  y[2] = NEAR * A2 * near + (FAR * B2 * far + x[5]);
}

// Runs along `count` channels or weights; the last vector overlaps the one in front of it rather
// than be cut.
#define EACH_VECTOR(first, last)                                                           \
  for (int64_t step = (first), end = (last), at = step; step < end;                        \
       step += NAMED(tile_lanes), at = step + NAMED(tile_lanes) <= end ? step : end - NAMED(tile_lanes))

// Applies `transform` from height × width to high × wide to both axes: LOAD(i, j) is an element,
// STORE(i, j, value) takes one.
#define BOTH_AXES(transform, height, width, high, wide)                                    \
  TILE between[high][width];                                                               \
  _Pragma("clang loop unroll(full)") for (int j = 0; j < (width); j++) {                   \
    TILE x[height], y[high];                                                               \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < (height); i++) x[i] = LOAD(i, j); \
    transform(x, y);                                                                       \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < (high); i++) between[i][j] = y[i]; \
  }                                                                                        \
  _Pragma("clang loop unroll(full)") for (int i = 0; i < (high); i++) {                    \
    TILE y[wide];                                                                          \
    transform(between[i], y);                                                              \
    _Pragma("clang loop unroll(full)") for (int j = 0; j < (wide); j++) STORE(i, j, y[j]); \
  }

// Offsets of a tile's elements in its map, −1 outside.
INLINE void NAMED(tile_offsets)(const leak_winograd_tile *tile, int extent, int64_t *offsets) {
  for (int i = 0; i < extent; i++) {
    const int64_t row = tile->row + i;
    for (int j = 0; j < extent; j++) {
      const int64_t column = tile->column + j;
      const int inside = row >= 0 && row < tile->rows && column >= 0 && column < tile->columns;
      offsets[i * extent + j] = inside ? (row * tile->columns + column) * tile->channels : -1;
    }
  }
}

#define FROM_MAP(extent, i, j)                                                             \
  (offsets[(i) * (extent) + (j)] < 0                                                       \
       ? (TILE){}                                                                          \
       : NAMED(tile_load)(map + offsets[(i) * (extent) + (j)] + at))
#define PLANE(i, j) (planes + ((i) * 6 + (j)) * pitch + at)

// From an extent × extent tile of a map to the 6 × 6 planes of points.
#define MAP_TRANSFORM(name, extent, transform)                                             \
  static void NAMED(name)(const leak_winograd_tile *tile, const float *map, float *planes) { \
    const int64_t pitch = tile->pitch;                                                     \
    int64_t offsets[(extent) * (extent)];                                                  \
    NAMED(tile_offsets)(tile, extent, offsets);                                            \
    EACH_VECTOR(0, tile->channels) { BOTH_AXES(transform, extent, extent, 6, 6) }          \
  }

#define STORE(i, j, value) NAMED(tile_store)(PLANE(i, j), value)
#define LOAD(i, j) FROM_MAP(6, i, j)
MAP_TRANSFORM(winograd_input, 6, NAMED(times_b))
#undef LOAD
#define LOAD(i, j) FROM_MAP(4, i, j)
MAP_TRANSFORM(winograd_cotangent, 4, NAMED(from_a))
#undef LOAD
#undef STORE

static void NAMED(winograd_output)(
    const leak_winograd_tile *tile, const float *planes, float *map) {
  const int64_t pitch = tile->pitch;
  int64_t offsets[16];
  NAMED(tile_offsets)(tile, 4, offsets);
#define LOAD(i, j) NAMED(tile_load)(PLANE(i, j))
#define STORE(i, j, value)                                                                 \
  if (offsets[(i) * 4 + (j)] >= 0) NAMED(tile_store)(map + offsets[(i) * 4 + (j)] + at, value)
  EACH_VECTOR(0, tile->channels) { BOTH_AXES(NAMED(times_a), 6, 6, 4, 4) }
#undef LOAD
#undef STORE
}

static void NAMED(winograd_kernel)(
    const float *kernel, int64_t count, int64_t first, int64_t last, int flipped, float *planes,
    int64_t pitch) {
  const float *from = flipped ? kernel + 8 * count : kernel;
  const int64_t stride = flipped ? -count : count;
#define LOAD(i, j) NAMED(tile_load)(from + ((i) * 3 + (j)) * stride + at)
#define STORE(i, j, value) NAMED(tile_store)(PLANE(i, j), value)
  EACH_VECTOR(first, last) { BOTH_AXES(NAMED(from_g), 3, 3, 6, 6) }
#undef LOAD
#undef STORE
}

static void NAMED(winograd_kernel_gradient)(
    const float *planes, int64_t pitch, int64_t count, int64_t first, int64_t last,
    float *kernel) {
#define LOAD(i, j) NAMED(tile_load)(PLANE(i, j))
#define STORE(i, j, value) NAMED(tile_store)(kernel + ((i) * 3 + (j)) * count + at, value)
  EACH_VECTOR(first, last) { BOTH_AXES(NAMED(times_g), 6, 6, 3, 3) }
#undef LOAD
#undef STORE
}

static const leak_winograd_transforms NAMED(winograd) = {
    NAMED(winograd_input), NAMED(winograd_output), NAMED(winograd_cotangent),
    NAMED(winograd_kernel), NAMED(winograd_kernel_gradient),
};

#undef TILE
#undef A
#undef B
#undef A2
#undef B2
#undef A3
#undef B3
#undef NONE
#undef NEAR
#undef FAR
#undef EACH_VECTOR
#undef BOTH_AXES
#undef FROM_MAP
#undef MAP_TRANSFORM
#undef PLANE
