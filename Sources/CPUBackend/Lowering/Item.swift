internal import COneDNN

/// One value that a plan computes: what a node of the graph becomes once views are gone.
struct Item {
  var form: Form
  /// How many elements it has.
  var count: Int
  /// The extents of the graph's value, which a kernel's layout needs.
  var shape: [Int]
  /// Whether it depends on parameters and constants only, so that it is computed once per binding.
  var isConstant: Bool

  enum Form {
    case input(name: String, isParameter: Bool)
    case constant(Double)
    case table([Double])
    /// One value per element of the operands, which have as many elements.
    case element(leak_operation, [Operand])
    case fold(Fold, Operand)
    /// A step of its own over items in row-major order.
    case opaque(Opaque, [Int])
  }
}

/// What an element-wise item reads.
enum Operand: Hashable {
  /// The item's element at the same place.
  case flat(Int)
  /// The item's only element.
  case scalar(Int)
  /// The item's elements through strides.
  case load(Int, Access)
  /// The offset that an access computes, as a number.
  case coordinates(Access)

  /// The item that is read.
  var item: Int? {
    switch self {
    case .flat(let item), .scalar(let item), .load(let item, _): item
    case .coordinates: nil
    }
  }
}

/// A reduction over groups × rows × columns elements.
struct Fold: Hashable {
  enum Kind { case all, rows, columns }

  var kind: Kind
  var isMaximum: Bool
  var space: Space
}

/// How an iteration space divides: groups × rows × columns.
struct Space: Hashable {
  var groups: Int
  var rows: Int
  var columns: Int

  var count: Int { groups * rows * columns }
}

/// What runs as a step of its own.
enum Opaque {
  case convolution(ConvolutionForm)
  case product(ProductForm)
  /// Zeros, with blocks of the operands copied over them.
  case assembly([Placement])
  case gatherRows(rows: Int, width: Int)
  case scatterRows(rows: Int, width: Int)
  case window(leak_window_kind, WindowForm)
  case gatherPlaces(PlaneForm)
  case scatterPlaces(PlaneForm)
}

/// The numbers of a matrix product, as in `leak_product`.
struct ProductForm: Hashable {
  var batch: Int
  var rows: Int
  var inner: Int
  var columns: Int
  var isLeftTransposed: Bool
  var isRightTransposed: Bool
}

/// A block of one operand and where it goes in the result.
struct Placement {
  var operand: Int
  var from: Access
  var to: Access
}

struct WindowForm {
  var batch: Int
  var channels: Int
  /// Spatial extents before and behind the windows.
  var input: [Int]
  var output: [Int]
  var window: [Int]
  var stride: [Int]
  var low: [Int]
}

struct PlaneForm {
  var batch: Int
  var places: Int
  var count: Int
  var channels: Int
}
