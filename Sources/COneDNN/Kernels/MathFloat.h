// Elementary functions of vectors of Float, to 2–3 units in the last place. The polynomials are
// fits of this project (least maximal error on the reduced interval).

#define F(name) NAMED(name)

// x = n · log 2 + r with |r| ≤ log 2 / 2; the logarithm in two parts, the first with few bits.
INLINE V F(reduce)(V x, V *n) {
  const float shift = 12582912;  // 1.5 · 2²³: adding it rounds to a whole number
  *n = (x * 1.44269504f + shift) - shift;
  return (x - *n * 0.693359375f) + *n * 2.12194440e-4f;
}

INLINE V F(power_of_two)(M n) { return (V)((n + 127) << 23); }

// eʳ − 1 on the reduced interval
INLINE V F(expm1_reduced)(V r) {
  V p = r * 1.9908904282e-4f + 1.3934544234e-3f;
  p = p * r + 8.3332841058e-3f;
  p = p * r + 4.1666456781e-2f;
  p = p * r + 1.6666666762e-1f;
  p = p * r + 5.0000000143e-1f;
  return p * (r * r) + r;
}

INLINE V F(exp)(V x) {
  V n, bounded = F(pick)(x > 89.5f, F(splat)(89.5f), F(pick)(x < -104.0f, F(splat)(-104), x));
  V r = F(reduce)(bounded, &n);
  M whole = __builtin_convertvector(n, M), half = whole >> 1;
  V y = (F(expm1_reduced)(r) + 1) * F(power_of_two)(half) * F(power_of_two)(whole - half);
  return F(pick)(x != x, x, y);
}

INLINE V F(expm1)(V x) {
  V n, bounded = F(pick)(x > 89.5f, F(splat)(89.5f), F(pick)(x < -20.0f, F(splat)(-20), x));
  V r = F(reduce)(bounded, &n);
  V scale = F(power_of_two)(__builtin_convertvector(n, M) - 1);
  V y = (scale * F(expm1_reduced)(r) + (scale - 0.5f)) * 2;
  return F(pick)(x != x, x, y);
}

INLINE V F(log)(V x) {
  M small = x < 1.17549435e-38f;
  M bits = (M)F(pick)(small, x * 8388608.0f, x);
  M exponent = (bits - 0x3f3504f3) >> 23;  // of the multiple nearest in [√½, √2)
  V f = (V)(bits - (exponent << 23)) - 1;
  V e = __builtin_convertvector(exponent, V) - F(truth)(small) * 23;
  V p = f * 0.0734425044f - 0.1167608869f;
  p = p * f + 0.1163744481f;
  p = p * f - 0.1239464181f;
  p = p * f + 0.1425071256f;
  p = p * f - 0.1666922741f;
  p = p * f + 0.2000070150f;
  p = p * f - 0.2499998043f;
  p = p * f + 0.3333333120f;
  V square = f * f;
  V y = p * f * square - e * 2.12194440e-4f;
  y = (y - 0.5f * square) + f;
  y = y + e * 0.693359375f;
  y = F(pick)(x == 0, F(splat)(-__builtin_inff()), y);
  y = F(pick)(x < 0, F(splat)(__builtin_nanf("")), y);
  return F(pick)((x != x) | (x == __builtin_inff()), x, y);
}

INLINE V F(log1p)(V x) {
  V whole = x + 1;
  V lost = x - (whole - 1);
  V y = F(log)(whole) + F(pick)(whole > 0, lost / whole, F(splat)(0));
  return F(pick)((x == __builtin_inff()) | (x == 0), x, y);
}

INLINE V F(logistic)(V x) {
  V decay = F(exp)(-F(magnitude)(x));
  return F(pick)(x < 0, decay, F(pick)(x != x, x, F(splat)(1))) / (decay + 1);
}

INLINE V F(tanh)(V x) {
  V rest = F(expm1)(F(magnitude)(x) * -2);
  return F(with_sign_of)(rest / (rest + 2), x);
}

INLINE V F(erf)(V x) {
  V size = F(magnitude)(x), t = x * x;
  V p = t * 7.8891195325e-5f - 8.0208412801e-4f;
  p = p * t + 5.1895353394e-3f;
  p = p * t - 2.6854444592e-2f;
  p = p * t + 1.1283600176e-1f;
  p = p * t - 3.7612627136e-1f;
  p = p * t + 1.2837916591e-1f;
  V near = x * p + x;
  V s = F(pick)(size > 4, F(splat)(4), size);
  V q = s * 2.5132649100e-7f - 2.5314806675e-5f;
  q = q * s + 4.6378800826e-4f;
  q = q * s - 4.2823825864e-3f;
  q = q * s + 2.5373555662e-2f;
  q = q * s - 1.0863899764e-1f;
  q = q * s - 6.3303961271e-1f;
  q = q * s - 1.1296611570f;
  q = q * s + 2.0435987451e-4f;
  V far = F(with_sign_of)(1 - F(exp)(q), x);
  return F(pick)(x != x, x, F(pick)(size < 1, near, far));
}

#undef F
