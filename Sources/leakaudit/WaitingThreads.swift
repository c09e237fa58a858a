internal import Glibc

/// How long the threads of libgomp spin before they sleep.
///
/// By default they spin so long that, on a machine that is busy otherwise, a program of many short
/// passes becomes tens of times slower. libgomp reads its environment before `main`, so the tool starts
/// itself once more with a short spin, unless the user has chosen.
enum WaitingThreads {
  private static let (spins, policy) = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")

  static func calm() {
    // Safe: constant strings, and no other thread runs yet.
    guard unsafe getenv(spins) == nil, unsafe getenv(policy) == nil else { return }
    unsafe setenv(spins, "20000", 1)
    // Safe: the arguments are those that this process was started with; on failure it goes on.
    unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
    unsafe unsetenv(spins)
  }
}
