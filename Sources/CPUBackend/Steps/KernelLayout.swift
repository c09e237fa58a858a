internal import COneDNN
internal import TensorIR

/// How a convolution kernel lies in memory, as oneDNN describes it.
@safe final class KernelLayout: Equatable {
  private let handle: OpaquePointer

  /// Takes the handle over.
  init(owning handle: OpaquePointer) { unsafe self.handle = handle }

  /// The order of the graph: `[K…, C / groups, O]`.
  static func plain(_ shape: leak_convolution_shape) throws(BackendError) -> KernelLayout {
    var handle: OpaquePointer?
    var shape = shape
    // Safe: the call writes the handle or fails.
    try unsafe check(leak_layout_plain(&shape, &handle))
    return try unsafe KernelLayout(received: handle)
  }

  /// - Throws: If there is no handle.
  convenience init(received handle: OpaquePointer?) throws(BackendError) {
    guard let handle = unsafe handle else { throw BackendError("oneDNN gave no layout") }
    unsafe self.init(owning: handle)
  }

  deinit {
    // Safe: this is the handle's only owner.
    unsafe leak_layout_free(handle)
  }

  /// Bytes of a kernel, padding included.
  var bytes: Int {
    // Safe: the handle lives as long as this object.
    unsafe leak_layout_bytes(handle)
  }

  /// Whether there are elements that belong to no weight.
  var isPadded: Bool {
    // Safe: the handle lives as long as this object.
    unsafe leak_layout_is_padded(handle)
  }

  static func == (lhs: KernelLayout, rhs: KernelLayout) -> Bool {
    // Safe: both handles live as long as their objects.
    unsafe leak_layout_equal(lhs.handle, rhs.handle)
  }

  /// Calls `body` with the handle.
  func withHandle<Result>(_ body: (OpaquePointer) throws(BackendError) -> Result)
    throws(BackendError) -> Result
  {
    // Safe: the handle outlives the call.
    try unsafe body(handle)
  }
}

/// - Throws: What oneDNN reported, if it was not success.
func check(_ status: leak_status) throws(BackendError) {
  guard unsafe status.code != 0 else { return }
  // Safe: both texts are constants of the library.
  let text = unsafe String(cString: leak_status_text(status))
  let place = unsafe String(cString: status.place)
  throw BackendError("oneDNN: \(text) (\(place))")
}
