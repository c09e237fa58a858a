#include <stdlib.h>
#include <string.h>

#include "CLAPACK.h"
#include "Declarations.h"

// OpenBLAS chooses its kernels by the model number of the processor. One that is newer than the
// library (0.3.21 on a Xeon of 2024) gets those of a Pentium 4, at a seventh of the speed. Where
// that happened, what the processor can do decides instead, before `main` and so before any
// thread: the choice cannot change under a running product. OPENBLAS_CORETYPE still has the last
// word. The two entry points exist where OpenBLAS was built for several processors.

#if defined(__x86_64__)
extern char *openblas_get_corename(void);
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

static const char variable[] = "OPENBLAS_CORETYPE";

__attribute__((constructor)) static void choose_kernels(void) {
  if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || getenv(variable)) return;
  if (strcmp(openblas_get_corename(), "Prescott")) return;
  __builtin_cpu_init();
  const char *kernels = NULL;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
    kernels = "SkylakeX";
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    kernels = "Haswell";
  }
  if (!kernels || setenv(variable, kernels, 1)) return;
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv(variable);
}
#endif
