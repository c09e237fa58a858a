internal import CHDF5

/// Brings numbers that are not stored plainly into shared memory.
extension HDF5Walk {
  /// Decodes every pending dataset into `shared`.
  ///
  /// - Precondition: `shared` has room for `catalogue.sharedCount` bytes.
  mutating func decode(_ file: hid_t, into shared: UnsafeMutableRawBufferPointer) {
    for item in pending {
      guard let start = shared.baseAddress, !item.shape.contains(0) else { continue }
      // Safe: the plan gave every dataset its own range inside the shared memory.
      let status = unsafe Self.decode(item, file, into: start + item.offset)
      if status < 0, case .numbers(var numbers) = catalogue.datasets[item.path] {
        numbers.failure = "its values cannot be decoded; the file is damaged there"
        catalogue.datasets[item.path] = .numbers(numbers)
      }
    }
  }

  // Safe: `target` has room for the whole dataset in its decoded form.
  private static func decode(
    _ item: Pending, _ file: hid_t, into target: UnsafeMutableRawPointer
  ) -> herr_t {
    let opened = H5Oopen_by_addr(file, item.address)
    guard let dataset = HDF5Handle(opened, closedBy: H5Oclose),
      let stored = HDF5Handle(H5Dget_type(dataset.identifier), closedBy: H5Tclose),
      let memory = HDF5Handle(H5Tcopy(stored.identifier), closedBy: H5Tclose)
    else { return -1 }
    let type: hid_t
    switch item.decoding {
    case .float:
      guard H5Tset_order(memory.identifier, H5T_ORDER_LE) >= 0 else { return -1 }
      type = memory.identifier
    case .brainFloatBits:
      let isOpaque = H5Tget_class(stored.identifier) == H5T_OPAQUE
      type = isOpaque ? stored.identifier : chdf5_native_ushort()
    case .wideFloat, .integer: type = chdf5_native_double()
    case .refused: return -1
    }
    return unsafe H5Dread(
      dataset.identifier, type, chdf5_whole_space(), chdf5_whole_space(), chdf5_default(), target)
  }
}

extension [Int] {
  /// The product of the extents and `factor`, or `nil` if it overflows.
  func checkedProduct(times factor: Int) -> Int? {
    var product = factor
    for extent in self {
      let (next, overflows) = product.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflows else { return nil }
      product = next
    }
    return product
  }
}
