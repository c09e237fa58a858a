#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

internal import COneDNN
internal import TensorIR

/// Zeros with blocks of other tensors over them: padding and concatenation.
final class AssemblyStep: Step {
  let reads: [Int]
  let writes: [Int]
  let scratch = 0
  private let blocks: [(operand: Int, from: Int, to: Int, block: leak_block)]
  /// Bytes to clear first; none if the blocks cover everything.
  private let cleared: Int
  private let size: Int
  private let threads: Int
  private var addresses: Addresses?

  init(
    _ placements: [Placement], operands: [Int], result: Int, count: Int, isDouble: Bool,
    threads: Int
  ) {
    reads = operands
    writes = [result]
    size = isDouble ? 8 : 4
    let isCovered = placements.reduce(0) { $0 + $1.from.count } == count
    cleared = isCovered ? 0 : count * size
    self.threads = count > 65536 ? threads : 1
    blocks = placements.map { placement in
      var block = leak_block()
      block.is_double = isDouble ? 1 : 0
      let shared = Access.collapse(placement.from, placement.to)
      block.rank = Int32(shared.extents.count)
      // Safe: at most LEAK_RANK numbers are copied; see `isSupported`.
      unsafe withUnsafeMutableBytes(of: &block.extents) { unsafe $0.store(shared.extents) }
      unsafe withUnsafeMutableBytes(of: &block.from_strides) { unsafe $0.store(shared.from) }
      unsafe withUnsafeMutableBytes(of: &block.to_strides) { unsafe $0.store(shared.to) }
      return (placement.operand, placement.from.offset, placement.to.offset, block)
    }
  }

  func bind(_ memory: Addresses) { addresses = memory }

  func run() {
    guard let addresses else { return }
    let target = unsafe addresses[writes[0]]
    // Safe: the result has so many bytes.
    if cleared > 0 { unsafe memset(target, 0, cleared) }
    for index in blocks.indices {
      var block = blocks[index].block
      // Safe: the accesses were derived from the shapes of both tensors.
      unsafe leak_block_copy(
        &block, addresses[reads[blocks[index].operand]] + blocks[index].from * size,
        target + blocks[index].to * size, Int32(threads))
    }
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Writes the numbers from the start; what does not fit is a mistake in the plan.
  func store(_ numbers: [Int]) {
    precondition(numbers.count * MemoryLayout<Int64>.stride <= count, "too many axes")
    for (index, number) in numbers.enumerated() {
      // Safe: checked above.
      unsafe storeBytes(
        of: Int64(number), toByteOffset: index * MemoryLayout<Int64>.stride, as: Int64.self)
    }
  }
}

extension Access {
  /// Two accesses of one shape with the axes merged that both allow; at least one axis.
  static func collapse(_ from: Access, _ to: Access) -> (extents: [Int], from: [Int], to: [Int]) {
    var (extents, first, second) = ([Int](), [Int](), [Int]())
    for axis in from.extents.indices where from.extents[axis] != 1 {
      let extent = from.extents[axis]
      let last = extents.count - 1
      if last >= 0, first[last] == from.strides[axis] * extent,
        second[last] == to.strides[axis] * extent
      {
        extents[last] *= extent
        first[last] = from.strides[axis]
        second[last] = to.strides[axis]
      } else {
        extents.append(extent)
        first.append(from.strides[axis])
        second.append(to.strides[axis])
      }
    }
    return extents.isEmpty ? ([1], [1], [1]) : (extents, first, second)
  }
}

/// Pooling, and picking and adding by index.
final class IndexStep: Step {
  let reads: [Int]
  let writes: [Int]
  let scratch = 0
  private let opaque: Opaque
  private let counts: (operand: Int, result: Int)
  private let isDouble: Int32
  private let threads: Int32
  private var addresses: Addresses?

  /// `counts` are the elements of the last operand and of the result.
  init(
    _ opaque: Opaque, operands: [Int], result: Int, counts: (operand: Int, result: Int),
    isDouble: Bool, threads: Int
  ) {
    self.opaque = opaque
    reads = operands
    writes = [result]
    self.counts = counts
    self.isDouble = isDouble ? 1 : 0
    self.threads = counts.operand + counts.result > 16384 ? Int32(threads) : 1
  }

  func bind(_ memory: Addresses) { addresses = memory }

  func run() {
    guard let addresses else { return }
    let (first, result) = unsafe (addresses[reads[0]], addresses[writes[0]])
    // Safe, here and below: the arena holds each storage, whose sizes follow from the form.
    switch opaque {
    case .gatherRows(let rows, let width):
      unsafe leak_rows_gather(
        first, addresses[reads[1]], result, Int64(counts.operand), Int64(rows), Int64(width),
        isDouble)
    case .scatterRows(let rows, let width):
      unsafe leak_rows_scatter(
        first, addresses[reads[1]], result, Int64(counts.operand), Int64(rows), Int64(width),
        isDouble)
    case .window(let kind, let form):
      var windows = leak_windows(form, isDouble: isDouble)
      unsafe leak_windows_run(&windows, kind, first, result, threads)
    case .gatherPlaces(let form):
      unsafe leak_places_gather(
        first, addresses[reads[1]], result, Int64(form.batch), Int64(form.places),
        Int64(form.count), Int64(form.channels), isDouble, threads)
    case .scatterPlaces(let form):
      unsafe leak_places_scatter(
        first, addresses[reads[1]], result, Int64(form.batch), Int64(form.places),
        Int64(form.count), Int64(form.channels), isDouble, threads)
    case .convolution, .product, .assembly: preconditionFailure("has a step of its own kind")
    }
  }
}

extension leak_windows {
  fileprivate init(_ form: WindowForm, isDouble: Int32) {
    self.init(
      batch: Int64(form.batch), channels: Int64(form.channels),
      input: rightAligned(form.input), output: rightAligned(form.output),
      window: rightAligned(form.window), stride: rightAligned(form.stride),
      low: rightAligned(form.low, filler: 0), is_double: isDouble)
  }
}
