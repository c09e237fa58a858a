// The operations of a tile: one function per operation and kind of operands.

typedef void (*NAMED(function))(
    REAL *result, const REAL *a, const REAL *b, const REAL *c, int64_t count);

#define UNARY(name, expression)                                                            \
  static void NAMED(step_##name)(                                                          \
      REAL *result, const REAL *a, const REAL *b, const REAL *c, int64_t count) {          \
    (void)b, (void)c;                                                                      \
    int64_t i = 0;                                                                         \
    for (; i + LANES <= count; i += LANES) {                                               \
      V x = NAMED(load)(a + i);                                                            \
      NAMED(store)(result + i, (expression));                                              \
    }                                                                                      \
    if (i < count) {                                                                       \
      V x = NAMED(load_part)(a + i, count - i);                                            \
      NAMED(store_part)(result + i, (expression), count - i);                              \
    }                                                                                      \
  }

// `sa`, `sb`, `sc` are constants: whether an operand is one value for the whole tile.
#define LOOP(expression)                                                                   \
  V x = NAMED(splat)(*a), y = NAMED(splat)(*b), z = NAMED(splat)(*c);                      \
  int64_t i = 0;                                                                           \
  for (; i + LANES <= count; i += LANES) {                                                 \
    if (!sa) x = NAMED(load)(a + i);                                                       \
    if (!sb) y = NAMED(load)(b + i);                                                       \
    if (!sc) z = NAMED(load)(c + i);                                                       \
    NAMED(store)(result + i, (expression));                                                \
  }                                                                                        \
  if (i < count) {                                                                         \
    if (!sa) x = NAMED(load_part)(a + i, count - i);                                       \
    if (!sb) y = NAMED(load_part)(b + i, count - i);                                       \
    if (!sc) z = NAMED(load_part)(c + i, count - i);                                       \
    NAMED(store_part)(result + i, (expression), count - i);                                \
  }                                                                                        \
  (void)x, (void)y, (void)z;

#define FORM(name, suffix, va, vb, vc, third, expression)                                  \
  static void NAMED(step_##name##suffix)(                                                  \
      REAL *result, const REAL *a, const REAL *b, const REAL *c, int64_t count) {          \
    enum { sa = va, sb = vb, sc = vc };                                                    \
    if (!third) c = a;                                                                     \
    LOOP(expression)                                                                       \
  }

#define BINARY(name, expression)                  \
  FORM(name, 0, 0, 0, 1, 0, expression)           \
  FORM(name, 1, 1, 0, 1, 0, expression)           \
  FORM(name, 2, 0, 1, 1, 0, expression)           \
  FORM(name, 3, 1, 1, 1, 0, expression)

#define TERNARY(name, expression)                 \
  FORM(name, 0, 0, 0, 0, 1, expression)           \
  FORM(name, 1, 1, 0, 0, 1, expression)           \
  FORM(name, 2, 0, 1, 0, 1, expression)           \
  FORM(name, 3, 1, 1, 0, 1, expression)           \
  FORM(name, 4, 0, 0, 1, 1, expression)           \
  FORM(name, 5, 1, 0, 1, 1, expression)           \
  FORM(name, 6, 0, 1, 1, 1, expression)           \
  FORM(name, 7, 1, 1, 1, 1, expression)

UNARY(copy, x)
UNARY(negate, -x)
UNARY(abs, NAMED(magnitude)(x))
UNARY(sign, NAMED(signum)(x))
UNARY(exp, NAMED(exp)(x))
UNARY(expm1, NAMED(expm1)(x))
UNARY(log, NAMED(log)(x))
UNARY(log1p, NAMED(log1p)(x))
UNARY(logistic, NAMED(logistic)(x))
UNARY(tanh, NAMED(tanh)(x))
UNARY(sqrt, NAMED(root)(x))
UNARY(rsqrt, 1 / NAMED(root)(x))
UNARY(erf, NAMED(erf)(x))
BINARY(add, x + y)
BINARY(subtract, x - y)
BINARY(multiply, x *y)
BINARY(divide, x / y)
BINARY(maximum, NAMED(larger)(x, y))
BINARY(minimum, NAMED(smaller)(x, y))
BINARY(equal, NAMED(truth)(x == y))
BINARY(unequal, NAMED(truth)(x != y))
BINARY(less, NAMED(truth)(x < y))
BINARY(less_equal, NAMED(truth)(x <= y))
BINARY(greater, NAMED(truth)(x > y))
BINARY(greater_equal, NAMED(truth)(x >= y))
TERNARY(select, NAMED(pick)(x != 0, y, z))
TERNARY(multiply_add, x *y + z)

#define ONE(name) [leak_##name] = {NAMED(step_##name)}
#define TWO(name)                                                                          \
  [leak_##name] = {                                                                        \
      NAMED(step_##name##0), NAMED(step_##name##1), NAMED(step_##name##2),                 \
      NAMED(step_##name##3)}
#define THREE(name)                                                                        \
  [leak_##name] = {                                                                        \
      NAMED(step_##name##0), NAMED(step_##name##1), NAMED(step_##name##2),                 \
      NAMED(step_##name##3), NAMED(step_##name##4), NAMED(step_##name##5),                 \
      NAMED(step_##name##6), NAMED(step_##name##7)}

static const NAMED(function) NAMED(functions)[leak_operation_count][8] = {
    ONE(copy), ONE(negate), ONE(abs), ONE(sign), ONE(exp), ONE(expm1), ONE(log), ONE(log1p),
    ONE(logistic), ONE(tanh), ONE(sqrt), ONE(rsqrt), ONE(erf),
    TWO(add), TWO(subtract), TWO(multiply), TWO(divide), TWO(maximum), TWO(minimum),
    TWO(equal), TWO(unequal), TWO(less), TWO(less_equal), TWO(greater),
    TWO(greater_equal),
    THREE(select), THREE(multiply_add),
};

#undef UNARY
#undef LOOP
#undef FORM
#undef BINARY
#undef TERNARY
#undef ONE
#undef TWO
#undef THREE
