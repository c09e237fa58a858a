extension Graph {
  /// Keeps products of few rows as their factors instead of writing them out.
  ///
  /// The weight gradient of a dense layer over `B` samples is `aᵀ b` with `B` rows, a matrix of rank
  /// `B` that may be far larger than its factors. Inner products and matrix products with it, or
  /// with a linear combination that contains it, are taken through the factors:
  ///
  ///     ⟨aᵀ b, M⟩ = ⟨a M, b⟩        y (α M + β aᵀ b) = α y M + β (y aᵀ) b
  ///
  /// - Returns: A program whose outputs equal this one's up to rounding.
  public func factoringLowRankProducts() -> Graph {
    var combinations: [Int: LinearCombination] = [:]
    let factored = rebuilt { primitive, operands, _, graph in
      let rewriting = LowRankRewriting(combinations: combinations)
      if let value = rewriting.consumption(primitive, operands, &graph) { return value }
      let value = graph.apply(primitive, operands)
      if combinations[value.index] == nil,
        let combination = rewriting.combination(primitive, operands, &graph)
      {
        combinations[value.index] = combination
      }
      return value
    }
    return factored.simplified()
  }
}

/// A matrix as a sum of scaled matrices, some of which are products of few rows.
private struct LinearCombination {
  enum Matrix {
    case dense(Value)
    /// `aᵀ b` with `a: [rows, m]` and `b: [rows, n]`.
    case product(a: Value, b: Value)
  }

  struct Term {
    /// A scalar; `nil` is 1.
    var factor: Value?
    var matrix: Matrix
  }

  var terms: [Term]

  func scaled(by factor: Value, in graph: inout Graph) -> LinearCombination {
    LinearCombination(
      terms: terms.map { term in
        let product = term.factor.map { graph.apply(Multiply(), $0, factor) }
        return Term(factor: product ?? factor, matrix: term.matrix)
      })
  }
}

private struct LowRankRewriting {
  let combinations: [Int: LinearCombination]

  /// What `primitive` makes, if that is a matrix that is partly a product of few rows.
  func combination(
    _ primitive: any Primitive, _ operands: [Value], _ graph: inout Graph
  ) -> LinearCombination? {
    switch primitive {
    case let product as DotGeneral:
      return outerProduct(product, operands, &graph)
    case is Add, is Subtract:
      guard operands.contains(where: { combinations[$0.index] != nil }) else { return nil }
      let left = expansion(operands[0], &graph)
      var right = expansion(operands[1], &graph)
      if primitive is Subtract { right = right.scaled(by: graph.constant(-1), in: &graph) }
      return LinearCombination(terms: left.terms + right.terms)
    case is Negate:
      return combinations[operands[0].index]?.scaled(by: graph.constant(-1), in: &graph)
    case is Multiply:
      for (scale, matrix) in [(operands[0], operands[1]), (operands[1], operands[0])] {
        guard let known = combinations[matrix.index],
          let factor = scalar(repeatedIn: scale, &graph)
        else { continue }
        return known.scaled(by: factor, in: &graph)
      }
      return nil
    default: return nil
    }
  }

  /// What `primitive` makes of a combination, taken through the factors.
  func consumption(
    _ primitive: any Primitive, _ operands: [Value], _ graph: inout Graph
  ) -> Value? {
    switch primitive {
    case let sum as Reduce:
      guard sum.operation == .sum, sum.axes.count == operands[0].type.rank,
        let product = graph.application(operands[0], of: Multiply.self),
        product.operands.contains(where: { combinations[$0.index] != nil })
      else { return nil }
      return innerProduct(
        expansion(product.operands[0], &graph), expansion(product.operands[1], &graph), &graph)
    case let product as DotGeneral:
      guard let known = combinations[operands[1].index], product.leftBatch.isEmpty,
        product.leftContracting == [operands[0].type.rank - 1],
        product.rightContracting.count == 1
      else { return nil }
      return matrixProduct(
        operands[0], known, contracting: product.rightContracting[0], &graph)
    default: return nil
    }
  }

  private func expansion(_ value: Value, _ graph: inout Graph) -> LinearCombination {
    if let known = combinations[value.index] { return known }
    if let product = graph.application(value, of: Multiply.self) {
      for (scale, matrix) in [(0, 1), (1, 0)] {
        guard let factor = scalar(repeatedIn: product.operands[scale], &graph) else { continue }
        return LinearCombination(
          terms: [.init(factor: factor, matrix: .dense(product.operands[matrix]))])
      }
    }
    return LinearCombination(terms: [.init(factor: nil, matrix: .dense(value))])
  }

  /// `aᵀ b` where the contracted rows are few against the matrix.
  private func outerProduct(
    _ product: DotGeneral, _ operands: [Value], _ graph: inout Graph
  ) -> LinearCombination? {
    let rank = operands[0].type.rank
    guard rank >= 2, operands[1].type.rank == rank else { return nil }
    let leading = Array(0..<rank - 1)
    guard product.leftBatch.isEmpty,
      product.leftContracting == leading, product.rightContracting == leading
    else { return nil }
    let factors = operands.map { operand in
      let width = operand.type.shape[rank - 1]
      return graph.apply(Reshape(to: [operand.type.elementCount / width, width]), operand)
    }
    let rows = factors[0].type.shape[0]
    let (m, n) = (factors[0].type.shape[1], factors[1].type.shape[1])
    guard 2 * rows * (m + n) < m * n else { return nil }
    return LinearCombination(
      terms: [.init(factor: nil, matrix: .product(a: factors[0], b: factors[1]))])
  }

  private func scalar(repeatedIn value: Value, _ graph: inout Graph) -> Value? {
    if let uniform = graph.uniform(value) { return graph.constant(uniform) }
    guard let copies = graph.application(value, of: BroadcastInDim.self),
      copies.operands[0].type.rank == 0
    else { return nil }
    return copies.operands[0]
  }

  private func innerProduct(
    _ left: LinearCombination, _ right: LinearCombination, _ graph: inout Graph
  ) -> Value? {
    var total: Value?
    for first in left.terms {
      for second in right.terms {
        let elements: Value
        switch (first.matrix, second.matrix) {
        case (.dense(let m), .dense(let n)):
          elements = graph.apply(Multiply(), m, n)
        case (.product(let a, let b), .dense(let m)), (.dense(let m), .product(let a, let b)):
          elements = graph.apply(
            Multiply(), graph.apply(DotGeneral.matrix(leftRank: 2), a, m), b)
        case (.product(let a, let b), .product(let c, let d)):
          elements = graph.apply(
            Multiply(), graph.apply(DotGeneral.byRows, a, c), graph.apply(DotGeneral.byRows, b, d))
        }
        let axes = Array(elements.type.shape.indices)
        let sum = graph.apply(Reduce(.sum, axes: axes), elements)
        let factors = [first.factor, second.factor].compactMap { $0 }
        total = graph.sum(total, factors.reduce(sum) { graph.apply(Multiply(), $0, $1) })
      }
    }
    return total
  }

  /// `y · M`, or `y · Mᵀ` where the second axis of the matrix is contracted.
  private func matrixProduct(
    _ y: Value, _ matrix: LinearCombination, contracting axis: Int, _ graph: inout Graph
  ) -> Value? {
    let last = y.type.rank - 1
    var total: Value?
    for term in matrix.terms {
      let part: Value
      switch term.matrix {
      case .dense(let m):
        part = graph.apply(
          DotGeneral(leftContracting: [last], rightContracting: [axis]), y, m)
      case .product(let a, let b):
        let (near, far) = axis == 0 ? (a, b) : (b, a)
        let weights = graph.apply(
          DotGeneral(leftContracting: [last], rightContracting: [1]), y, near)
        part = graph.apply(DotGeneral.matrix(leftRank: y.type.rank), weights, far)
      }
      let scaled = term.factor.map { factor in
        graph.apply(
          Multiply(), graph.apply(BroadcastInDim(shape: part.type.shape, axes: []), factor), part)
      }
      total = graph.sum(total, scaled ?? part)
    }
    return total
  }
}

extension DotGeneral {
  /// `x yᵀ`: the inner products of the rows of two matrices.
  fileprivate static let byRows = DotGeneral(leftContracting: [1], rightContracting: [1])
}
