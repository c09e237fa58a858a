// Both types of one instruction set. `VARIANT` names it.

// Vectors pass through functions that are always inlined, so no calling convention is involved.
#pragma clang diagnostic ignored "-Wpsabi"
#define LEAK_SLOTS 256
#define JOIN_(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN_(a, b, c)

#define TABLE(winograd)                                                                    \
  {                                                                                        \
    NAMED(run), NAMED(finish), NAMED(memory), NAMED(vector_matrix), NAMED(matrix_vector),  \
    NAMED(fold), NAMED(patches), NAMED(unpatches), NAMED(correlate),\
    NAMED(outer), NAMED(turn), NAMED(spread), winograd,                               \
  }

#define REAL float
#define WHOLE int32_t
#define LANES 16
#define NAMED(name) JOIN(name, VARIANT, float)
#include "Vector.h"
#include "MathFloat.h"
#include "Steps.h"
#include "Run.h"
#include "Dense.h"
#include "Patches.h"
#include "Direct.h"
#include "Winograd.h"
const leak_kernels JOIN(leak_kernels, VARIANT, float) = TABLE(&NAMED(winograd));
#undef REAL
#undef WHOLE
#undef LANES
#undef NAMED
#undef V
#undef M
#undef INLINE

#define REAL double
#define WHOLE int64_t
#define LANES 8
#define NAMED(name) JOIN(name, VARIANT, double)
#include "Vector.h"
#include "MathDouble.h"
#include "Steps.h"
#include "Run.h"
#include "Dense.h"
#include "Patches.h"
#include "Direct.h"
const leak_kernels JOIN(leak_kernels, VARIANT, double) = TABLE(NULL);
