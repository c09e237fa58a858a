import TensorIR

/// A small program around one primitive.
struct PrimitiveCase: Sendable, CustomStringConvertible {
  var description: String
  /// The primitive that it is about.
  var mnemonic: String
  var graph: Graph
  /// Ranges or exact elements of the inputs.
  var inputs: [String: [Double]]

  /// `body` makes the result from the inputs.
  init<Kind: Primitive>(
    _ kind: Kind.Type, _ note: String = "", _ shapes: [[Int]],
    in range: ClosedRange<Double> = -1...1,
    indices: [Int: ([Double], [Int])] = [:], _ body: (inout Graph, [Value]) -> Value
  ) {
    mnemonic = Kind.mnemonic
    description = Kind.mnemonic + (note.isEmpty ? "" : " " + note)
    var graph = Graph()
    var inputs: [String: [Double]] = [:]
    var numbers = Numbers(UInt64(description.utf8.reduce(7) { $0 &* 31 &+ Int($1) } & 0xFFFF))
    var values: [Value] = []
    for (number, shape) in shapes.enumerated() {
      let type = TensorType(shape)
      values.append(graph.input("x\(number)", type, number % 2 == 0 ? .argument : .parameter))
      inputs["x\(number)"] = numbers.uniform(type.elementCount, in: range)
    }
    for (number, (elements, shape)) in indices.sorted(by: { $0.key < $1.key }) {
      values.append(graph.input("i\(number)", TensorType(shape, .index)))
      inputs["i\(number)"] = elements
    }
    graph.output("y", body(&graph, values))
    self.graph = graph
    self.inputs = inputs
  }
}

/// One operand, one shape whose size is no multiple of a vector and one that takes several tiles.
private func unary<Kind: Primitive>(
  _ primitive: Kind, in range: ClosedRange<Double> = -3...3
) -> [PrimitiveCase] {
  [[7, 3], [5, 2111]].map { shape in
    PrimitiveCase(Kind.self, "\(shape)", [shape], in: range) { $0.apply(primitive, $1[0]) }
  }
}

private func binary<Kind: Primitive>(
  _ primitive: Kind, in range: ClosedRange<Double> = 0.5...3
) -> [PrimitiveCase] {
  let whole = [[7, 3], [5, 2111]].map { shape in
    PrimitiveCase(Kind.self, "\(shape)", [shape, shape], in: range) { $0.apply(primitive, $1) }
  }
  let scalar = PrimitiveCase(Kind.self, "with a scalar", [[40, 9], []], in: range) { graph, x in
    let wide = graph.apply(BroadcastInDim(shape: [40, 9], axes: []), x[1])
    return graph.apply(
      Add(), graph.apply(primitive, x[0], wide), graph.apply(primitive, wide, x[0]))
  }
  return whole + [scalar]
}

enum PrimitiveCases {
  static let elementwise: [PrimitiveCase] =
    unary(Abs()) + unary(Negate()) + unary(Sign()) + unary(Exponential())
    + unary(ExponentialMinusOne()) + unary(Log(), in: 0.01...9) + unary(LogPlusOne(), in: -0.9...9)
    + unary(Logistic(), in: -9...9) + unary(Tanh()) + unary(Erf()) + unary(Sqrt(), in: 0...9)
    + unary(Rsqrt(), in: 0.01...9) + unary(StopGradient())
    + binary(Subtract()) + binary(Divide())
    + binary(Maximum(), in: -1...1) + binary(Minimum(), in: -1...1)
    + [
      PrimitiveCase(Add.self, "", [[33, 65], [33, 65]]) { $0.apply(Add(), $1) },
      PrimitiveCase(Multiply.self, "", [[33, 65], [33, 65]]) { $0.apply(Multiply(), $1) },
    ]
    + Compare.Direction.allCases.map { direction in
      PrimitiveCase(Compare.self, direction.rawValue, [[9, 5], [9, 5]]) { graph, x in
        let sameOnce = graph.apply(Maximum(), x[0], graph.constant(0.5, x[0].type))
        return graph.apply(
          Convert(to: .real),
          graph.apply(Compare(direction), sameOnce, graph.constant(0.5, x[0].type)))
      }
    }
    + [
      PrimitiveCase(Convert.self, "of coordinates", [[4, 6]]) { graph, x in
        let place = graph.apply(Convert(to: .real), graph.apply(Iota(shape: [4, 6], axis: 1)))
        return graph.apply(Add(), x[0], place)
      },
      PrimitiveCase(Iota.self, "", [[3, 4, 5]]) { graph, x in
        let place = graph.apply(Convert(to: .real), graph.apply(Iota(shape: [3, 4, 5], axis: 1)))
        return graph.apply(Multiply(), x[0], place)
      },
      PrimitiveCase(Select.self, "", [[9, 31], [9, 31]]) { graph, x in
        let isMore = graph.apply(Compare(.greater), x[0], x[1])
        let zero = graph.zero(x[0].type)
        return graph.apply(
          Add(), graph.apply(Select(), isMore, x[0], zero),
          graph.apply(Select(), isMore, zero, x[1]))
      },
    ]

  static let movement: [PrimitiveCase] = [
    PrimitiveCase(BroadcastInDim.self, "of channels", [[13], [50, 13]]) { graph, x in
      graph.apply(Add(), x[1], graph.apply(BroadcastInDim(shape: [50, 13], axes: [1]), x[0]))
    },
    PrimitiveCase(BroadcastInDim.self, "of rows", [[50], [50, 13]]) { graph, x in
      graph.apply(Add(), x[1], graph.apply(BroadcastInDim(shape: [50, 13], axes: [0]), x[0]))
    },
    PrimitiveCase(BroadcastInDim.self, "alone", [[3, 4]]) { graph, x in
      graph.apply(BroadcastInDim(shape: [2, 3, 5, 4], axes: [1, 3]), x[0])
    },
    PrimitiveCase(Reshape.self, "of a transpose", [[3, 4, 5]]) { graph, x in
      graph.apply(Reshape(to: [20, 3]), graph.apply(Transpose([2, 1, 0]), x[0]))
    },
    PrimitiveCase(Transpose.self, "", [[3, 4, 5]]) { $0.apply(Transpose([2, 0, 1]), $1[0]) },
    PrimitiveCase(Transpose.self, "of a computed value", [[30, 41], [41, 30]]) { graph, x in
      let square = graph.apply(Tanh(), x[0])
      return graph.apply(Subtract(), graph.apply(Transpose([1, 0]), square), x[1])
    },
    PrimitiveCase(Slice.self, "", [[9, 8, 7]]) {
      $0.apply(Slice(starts: [1, 0, 2], limits: [8, 8, 7], strides: [2, 1, 3]), $1[0])
    },
    PrimitiveCase(Pad.self, "", [[3, 4]]) {
      $0.apply(Pad(low: [1, 2], high: [3, 0], interior: [1, 2]), $1[0])
    },
    PrimitiveCase(Concatenate.self, "", [[2, 3, 4], [2, 5, 4], [2, 1, 4]]) {
      $0.apply(Concatenate(axis: 1), $1)
    },
    PrimitiveCase(Concatenate.self, "of a transpose", [[3, 2], [2, 3]]) { graph, x in
      graph.apply(Concatenate(axis: 0), graph.apply(Transpose([1, 0]), x[0]), x[1])
    },
    PrimitiveCase(Gather.self, "", [[6, 5]], indices: [0: ([3, 0, 5, 3], [2, 2])]) {
      $0.apply(Gather(), $1)
    },
    PrimitiveCase(Scatter.self, "", [[2, 2, 5]], indices: [0: ([3, 0, 5, 3], [2, 2])]) {
      $0.apply(Scatter(rows: 6), $1)
    },
    PrimitiveCase(OffsetRows.self, "", [[12, 2]], indices: [0: ([1, 2, 3, 0], [2, 2])]) {
      graph, x in
      graph.apply(Gather(), x[0], graph.apply(OffsetRows(rows: 6), x[1]))
    },
  ]

  static let reductions: [PrimitiveCase] = [Reduce.Operation.sum, .maximum].flatMap { operation in
    let table: [([Int], [Int])] = [
      ([7, 5, 3], [0, 1, 2]), ([9, 3001], [0, 1]), ([7, 5, 3], [2]), ([3, 5003], [1]),
      ([60, 50], [0]), ([3, 5003], [0]), ([4, 30, 17], [1]), ([4, 5, 6, 7], [1, 3]),
      ([4, 5, 6, 7], [0, 2]), ([1, 32, 32, 12], [0, 1, 2]), ([2, 3, 3000], [1]),
    ]
    return table.map { shape, axes in
      PrimitiveCase(Reduce.self, "\(operation) \(shape) \(axes)", [shape]) { graph, x in
        graph.apply(Reduce(operation, axes: axes), graph.apply(Tanh(), x[0]))
      }
    }
  }

  static let all = elementwise + movement + reductions + ContractionCases.all
}
