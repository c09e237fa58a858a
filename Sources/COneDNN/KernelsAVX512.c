#if defined(__x86_64__)
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "Kernels.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#pragma STDC FP_CONTRACT ON
#define VARIANT avx512
#define TILE_BYTES 64
#include "Kernels/All.h"
#pragma clang attribute pop
#endif
