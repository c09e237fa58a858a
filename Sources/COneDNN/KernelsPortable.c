#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "Kernels.h"

#pragma STDC FP_CONTRACT ON
#define VARIANT portable
#include "Kernels/All.h"
