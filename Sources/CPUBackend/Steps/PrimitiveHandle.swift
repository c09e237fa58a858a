internal import COneDNN
internal import TensorIR

/// One planned oneDNN primitive: a convolution or a change of a kernel's layout.
@safe final class PrimitiveHandle {
  private let handle: OpaquePointer

  /// Takes the handle over.
  ///
  /// - Throws: If there is none.
  private init(received handle: OpaquePointer?) throws(BackendError) {
    guard let handle = unsafe handle else { throw BackendError("oneDNN gave no primitive") }
    unsafe self.handle = handle
  }

  /// Plans a convolution; `kernel` fixes the kernel's layout, else oneDNN chooses.
  convenience init(_ form: ConvolutionForm, kernel: KernelLayout? = nil) throws(BackendError) {
    var handle: OpaquePointer?
    var shape = form.shape
    if let kernel {
      try unsafe kernel.withHandle { (layout) throws(BackendError) in
        // Safe: the call writes the handle or fails.
        try unsafe check(leak_convolution_plan(&shape, form.kind, layout, &handle))
      }
    } else {
      // Safe: the call writes the handle or fails.
      try unsafe check(leak_convolution_plan(&shape, form.kind, nil, &handle))
    }
    try unsafe self.init(received: handle)
  }

  /// Plans a convolution by Winograd's transforms.
  convenience init(winograd form: ConvolutionForm) throws(BackendError) {
    var handle: OpaquePointer?
    var shape = form.shape
    // Safe: the call writes the handle or fails.
    try unsafe check(leak_winograd_plan(&shape, form.kind, &handle))
    try unsafe self.init(received: handle)
  }

  /// Plans a copy of a kernel into another layout.
  convenience init(from: KernelLayout, to: KernelLayout) throws(BackendError) {
    var handle: OpaquePointer?
    try unsafe from.withHandle { (from) throws(BackendError) in
      try unsafe to.withHandle { (to) throws(BackendError) in
        // Safe: the call writes the handle or fails.
        try unsafe check(leak_reorder_plan(from, to, &handle))
      }
    }
    try unsafe self.init(received: handle)
  }

  deinit {
    // Safe: this is the handle's only owner.
    unsafe leak_primitive_free(handle)
  }

  /// The layout that the convolution has its kernel in.
  func kernelLayout() throws(BackendError) -> KernelLayout {
    var layout: OpaquePointer?
    // Safe: the call writes the handle or fails.
    try unsafe check(leak_primitive_kernel(handle, &layout))
    return try unsafe KernelLayout(received: layout)
  }

  /// Bytes of working memory.
  var scratch: Int {
    // Safe: the handle lives as long as this object.
    unsafe leak_primitive_scratch(handle)
  }

  /// The name of the implementation that oneDNN chose.
  var name: String {
    // Safe: the text lives as long as the handle.
    unsafe String(cString: leak_primitive_name(handle))
  }

  /// Fixes the memory of all runs; see `leak_primitive_bind`.
  func bind(
    _ first: UnsafeMutableRawPointer, _ second: UnsafeMutableRawPointer,
    _ third: UnsafeMutableRawPointer?, scratch: UnsafeMutableRawPointer
  ) throws(BackendError) {
    // Safe: the plan keeps the memory for as long as the primitive.
    try unsafe check(leak_primitive_bind(handle, first, second, third, scratch))
  }

  func run() throws(BackendError) {
    // Safe: the memory was bound when the plan was made.
    try unsafe check(leak_primitive_run(handle))
  }
}
