// Vectors of one cache line. Included once per instruction set and type, with REAL (float or
// double), WHOLE (the integer as wide), LANES and NAMED(name) defined.

typedef REAL NAMED(vector) __attribute__((vector_size(64)));
typedef WHOLE NAMED(mask) __attribute__((vector_size(64)));
typedef REAL NAMED(stored) __attribute__((vector_size(64), aligned(sizeof(REAL)), may_alias));

#define V NAMED(vector)
#define M NAMED(mask)
#define INLINE static inline __attribute__((always_inline, unused))

INLINE V NAMED(load)(const REAL *from) { return *(const NAMED(stored) *)from; }
INLINE void NAMED(store)(REAL *to, V value) { *(NAMED(stored) *)to = value; }
// Subtracting keeps the sign of a zero, which adding would lose.
INLINE V NAMED(splat)(REAL value) { return value - (V){}; }
INLINE M NAMED(sign_bit)(void) { return (M){} + (WHOLE)((uint64_t)1 << (sizeof(REAL) * 8 - 1)); }
// Fewer than LANES elements, in pieces of fixed sizes: copies of variable size are calls.
INLINE void NAMED(copy_part)(REAL *to, const REAL *from, int64_t count) {
  for (int64_t piece = LANES / 2; piece > 0; piece /= 2) {
    if (!(count & piece)) continue;
    __builtin_memcpy(to, from, (size_t)piece * sizeof(REAL));
    to += piece, from += piece;
  }
}
INLINE V NAMED(load_part)(const REAL *from, int64_t count) {
  V value = {};
  NAMED(copy_part)((REAL *)&value, from, count);
  return value;
}
INLINE void NAMED(store_part)(REAL *to, V value, int64_t count) {
  NAMED(copy_part)(to, (const REAL *)&value, count);
}
INLINE V NAMED(pick)(M where, V yes, V no) { return (V)((where & (M)yes) | (~where & (M)no)); }
INLINE V NAMED(truth)(M where) { return (V)(where & (M)NAMED(splat)(1)); }
INLINE V NAMED(magnitude)(V x) {
  return (V)((M)x & ~NAMED(sign_bit)());
}
INLINE V NAMED(with_sign_of)(V x, V sign) {
  M bit = NAMED(sign_bit)();
  return (V)(((M)x & ~bit) | ((M)sign & bit));
}
INLINE V NAMED(root)(V x) { return __builtin_elementwise_sqrt(x); }
// A not-a-number on either side is passed on.
INLINE V NAMED(larger)(V x, V y) { return NAMED(pick)((x > y) | (x != x), x, y); }
INLINE V NAMED(smaller)(V x, V y) { return NAMED(pick)((x < y) | (x != x), x, y); }
INLINE V NAMED(signum)(V x) {
  V sign = NAMED(with_sign_of)(NAMED(splat)(1), x);
  return NAMED(pick)((x > 0) | (x < 0), sign, x);
}

// Lanes are added as a tree, so that the order does not depend on the instruction set.
INLINE REAL NAMED(lanes_sum)(V x) {
#if LANES == 16
  x += __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3);
  x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1);
#else
  x += __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3);
  x += __builtin_shufflevector(x, x, 2, 3, 0, 1, 2, 3, 0, 1);
#endif
  return x[0] + x[1];
}

static REAL NAMED(sum)(const REAL *x, int64_t count) {
  V a = {}, b = {}, c = {}, d = {};
  int64_t i = 0;
  for (; i + 4 * LANES <= count; i += 4 * LANES) {
    a += NAMED(load)(x + i);
    b += NAMED(load)(x + i + LANES);
    c += NAMED(load)(x + i + 2 * LANES);
    d += NAMED(load)(x + i + 3 * LANES);
  }
  for (; i + LANES <= count; i += LANES) a += NAMED(load)(x + i);
  if (i < count) b += NAMED(load_part)(x + i, count - i);
  return NAMED(lanes_sum)((a + b) + (c + d));
}

static REAL NAMED(extreme)(const REAL *x, int64_t count, int maximum) {
  REAL best = x[0];
  for (int64_t i = 1; i < count; i++) {
    int better = maximum ? x[i] > best : x[i] < best;
    if (better || x[i] != x[i]) best = x[i];
    if (best != best) break;
  }
  return best;
}
