#pragma once
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Anonymous shared memory as a descriptor, or -1.
///
/// glibc hides `memfd_create` behind a feature macro that Swift's importer does not set. Unlike
/// `shm_open` it does not depend on the size of `/dev/shm`, which containers keep small.
static inline int csystem_memory_file(const char *name) {
  return (int)syscall(SYS_memfd_create, name, 1U /* MFD_CLOEXEC */);
}

/// A pipe whose ends no child inherits by accident; `ends` receives the reading end first.
static inline int csystem_pipe(int ends[2]) {
  return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}
