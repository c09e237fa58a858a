internal import COneDNN
internal import TensorIR

extension leak_operation {
  /// What computes an element-wise primitive; `nil` for other primitives.
  init?(elementwise primitive: any Primitive) {
    switch primitive {
    case is Abs: self = leak_abs
    case is Add: self = leak_add
    case let compare as Compare: self = compare.direction.operation
    case is Divide: self = leak_divide
    case is Erf: self = leak_erf
    case is Exponential: self = leak_exp
    case is ExponentialMinusOne: self = leak_expm1
    case is Log: self = leak_log
    case is LogPlusOne: self = leak_log1p
    case is Logistic: self = leak_logistic
    case is Maximum: self = leak_maximum
    case is Minimum: self = leak_minimum
    case is Multiply: self = leak_multiply
    case is Negate: self = leak_negate
    case is Rsqrt: self = leak_rsqrt
    case is Select: self = leak_select
    case is Sign: self = leak_sign
    case is Sqrt: self = leak_sqrt
    case is Subtract: self = leak_subtract
    case is Tanh: self = leak_tanh
    default: return nil
    }
  }

  /// Whether the operation has one operand, which may then not be a scalar.
  var isUnary: Bool { rawValue < leak_add.rawValue }
}

extension Compare.Direction {
  fileprivate var operation: leak_operation {
    switch self {
    case .equal: leak_equal
    case .notEqual: leak_unequal
    case .greater: leak_greater
    case .greaterOrEqual: leak_greater_equal
    case .less: leak_less
    case .lessOrEqual: leak_less_equal
    }
  }
}
