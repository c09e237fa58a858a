// Elementary functions of vectors of Double: libm's, lane by lane.

#define LANEWISE(name, expression)              \
  INLINE V NAMED(name)(V v) {                   \
    for (int i = 0; i < LANES; i++) {           \
      double x = v[i];                          \
      v[i] = (expression);                      \
    }                                           \
    return v;                                   \
  }
LANEWISE(exp, exp(x))
LANEWISE(expm1, expm1(x))
LANEWISE(log, log(x))
LANEWISE(log1p, log1p(x))
LANEWISE(logistic, x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)))
LANEWISE(tanh, tanh(x))
LANEWISE(erf, erf(x))
#undef LANEWISE
