#pragma once
#include <stdint.h>

/// Bytes in use on the heap, by which tests show what a run keeps; 0 where the C library does not
/// say.
int64_t leak_heap_bytes(void);
