#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "Kernels.h"

#pragma STDC FP_CONTRACT ON
#define VARIANT portable
#define TILE_BYTES 32
#include "Kernels/All.h"
