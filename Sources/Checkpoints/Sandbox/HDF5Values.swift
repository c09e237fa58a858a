internal import CHDF5
internal import Glibc
internal import Tensors

/// How the numbers of a stored type reach the process.
enum NumberDecoding {
  /// Read as this kind of float; the bytes on disk are already in that form if `isNative`.
  case float(ElementKind, isNative: Bool)
  /// A float format of its own, widened by HDF5.
  case wideFloat
  case integer
  /// Two opaque or integer bytes that are a bfloat16.
  case brainFloatBits
  case refused(String)

  /// Reads a stored type.
  ///
  /// `declaredType` is the attribute `dtype` of the dataset, which Keras writes where HDF5 has no type
  /// for the elements.
  init(of type: hid_t, declaredType: String?) {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_FLOAT: self = Self.float(type, size: size)
    case H5T_INTEGER, H5T_ENUM:
      if size == 2, declaredType?.contains("bfloat16") == true {
        self = .brainFloatBits
      } else {
        self = size <= 8 ? .integer : .refused("integers of \(size) bytes")
      }
    case H5T_OPAQUE:
      let isUnnamed = declaredType == nil || declaredType?.contains("bfloat16") == true
      self =
        size == 2 && isUnnamed ? .brainFloatBits : .refused("opaque elements of \(size) bytes")
    case H5T_COMPOUND: self = .refused("compound elements")
    case H5T_REFERENCE: self = .refused("references")
    case H5T_BITFIELD: self = .refused("bit fields")
    case H5T_VLEN: self = .refused("variable-length elements")
    case H5T_ARRAY: self = .refused("array elements")
    default: self = .refused("elements of an unknown class")
    }
  }

  private static func float(_ type: hid_t, size: Int) -> NumberDecoding {
    var (sign, exponent, exponentBits, mantissa, mantissaBits) = (0, 0, 0, 0, 0)
    // Safe: the five results outlive the call.
    let status = unsafe H5Tget_fields(
      type, &sign, &exponent, &exponentBits, &mantissa, &mantissaBits)
    guard status >= 0, size <= 16 else { return .refused("floats of \(size) bytes") }
    let isLittle = H5Tget_order(type) == H5T_ORDER_LE
    let bias = H5Tget_ebias(type)
    let usual = H5Tget_norm(type) == H5T_NORM_IMPLIED && mantissa == 0
    return switch (size, exponentBits, mantissaBits, bias, usual) {
    case (2, 5, 10, 15, true): .float(.float16, isNative: isLittle)
    case (2, 8, 7, 127, true): .float(.bfloat16, isNative: isLittle)
    case (4, 8, 23, 127, true): .float(.float32, isNative: isLittle)
    case (8, 11, 52, 1023, true): .float(.float64, isNative: isLittle)
    default: .wideFloat
    }
  }

  /// The kind of the numbers once they are decoded.
  var kind: ElementKind? {
    switch self {
    case .float(let kind, _): kind
    case .wideFloat, .integer: .float64
    case .brainFloatBits: .bfloat16
    case .refused: nil
    }
  }
}

extension Container.Attribute {
  /// Reads an attribute, up to `limit` bytes.
  init(reading attribute: hid_t, limit: Int) {
    guard let type = HDF5Handle(H5Aget_type(attribute), closedBy: H5Tclose),
      let space = HDF5Handle(H5Aget_space(attribute), closedBy: H5Sclose)
    else {
      self = .unsupported("unreadable")
      return
    }
    let isScalar = H5Sget_simple_extent_ndims(space.identifier) == 0
    let count = Int(H5Sget_simple_extent_npoints(space.identifier))
    let size = H5Tget_size(type.identifier)
    guard count >= 0, size > 0, count <= limit / max(size, 8) else {
      self = .unsupported("larger than \(limit.byteText)")
      return
    }
    switch H5Tget_class(type.identifier) {
    case H5T_STRING:
      let texts = unsafe Texts.read(
        count: count, type: type.identifier, space: space.identifier
      ) {
        // Safe: the buffer holds `count` elements of the attribute's own type.
        unsafe H5Aread(attribute, $0, $1)
      }
      self = texts.map { .text($0, isScalar: isScalar) } ?? .unsupported("unreadable text")
    case H5T_INTEGER, H5T_FLOAT, H5T_ENUM:
      var numbers = [Double](repeating: 0, count: count)
      // Safe: the array holds `count` doubles.
      let status = unsafe H5Aread(attribute, chdf5_native_double(), &numbers)
      if status >= 0 {
        self = .numbers(numbers, isScalar: isScalar)
      } else if H5Tget_class(type.identifier) == H5T_ENUM {
        var integers = [Int8](repeating: 0, count: count * size)
        // Safe: the array holds `count` elements of the stored size.
        let status = unsafe H5Aread(attribute, type.identifier, &integers)
        self =
          status >= 0 && size == 1
          ? .numbers(integers.map(Double.init), isScalar: isScalar)
          : .unsupported("enumeration")
      } else {
        self = .unsupported("unreadable numbers")
      }
    default: self = .unsupported("type class \(H5Tget_class(type.identifier).rawValue)")
    }
  }
}

/// Strings of fixed or variable length.
enum Texts {
  /// Reads `count` strings by `read(memoryType, buffer)`.
  ///
  /// - Returns: `nil` if the library could not read them.
  static func read(
    count: Int, type: hid_t, space: hid_t,
    _ read: (hid_t, UnsafeMutableRawPointer) -> herr_t
  ) -> [String]? {
    // Safe: the closure is handed on as it came.
    H5Tis_variable_str(type) > 0
      ? unsafe variable(count: count, type: type, space: space, read)
      : unsafe fixed(count: count, size: H5Tget_size(type), type: type, read)
  }

  private static func fixed(
    count: Int, size: Int, type: hid_t, _ read: (hid_t, UnsafeMutableRawPointer) -> herr_t
  ) -> [String]? {
    var bytes = [UInt8](repeating: 0, count: max(count * size, 1))
    // Safe: the buffer holds `count` strings of `size` bytes.
    let status = unsafe bytes.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return herr_t(-1) }
      return unsafe read(type, start)
    }
    guard status >= 0 else { return nil }
    let padsWithSpaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD
    return (0..<count).map { index in
      var text = bytes[index * size..<(index + 1) * size].prefix { $0 != 0 }
      if padsWithSpaces { while text.last == 0x20 { text.removeLast() } }
      return String(untrusted: text)
    }
  }

  private static func variable(
    count: Int, type: hid_t, space: hid_t,
    _ read: (hid_t, UnsafeMutableRawPointer) -> herr_t
  ) -> [String]? {
    var pointers = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: max(count, 1))
    // Safe: the library stores `count` pointers to terminated strings and frees them on request.
    return unsafe pointers.withUnsafeMutableBytes { buffer -> [String]? in
      guard let start = buffer.baseAddress, unsafe read(type, start) >= 0 else { return nil }
      let strings = unsafe buffer.bindMemory(to: UnsafeMutablePointer<CChar>?.self)
      let texts = (0..<count).map { index -> String in
        guard let text = unsafe strings[index] else { return "" }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: strlen(text))
        return unsafe String(untrusted: bytes)
      }
      unsafe H5Dvlen_reclaim(type, space, chdf5_default(), start)
      return texts
    }
  }
}
