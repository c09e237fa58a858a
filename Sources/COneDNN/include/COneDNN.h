#pragma once
// What the CPU backend needs in C: oneDNN's convolutions, matrix products, tiles and threads.
// No function aborts; those that can fail return a `leak_status`.

#include "Convolution.h"
#include "Direct.h"
#include "Heap.h"
#include "Movement.h"
#include "Products.h"
#include "Threads.h"
#include "Tiles.h"
#include "Windows.h"
