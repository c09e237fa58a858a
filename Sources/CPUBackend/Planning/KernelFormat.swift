/// A blocked layout of a convolution kernel and the plain layout of the same kernel.
struct KernelFormat: Equatable {
  var blocked: KernelLayout
  var plain: KernelLayout

  static func == (lhs: Self, rhs: Self) -> Bool { lhs.blocked == rhs.blocked }
}
