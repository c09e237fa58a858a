extension Graph {
  /// The same program for several members at once.
  ///
  /// The chosen inputs gain a leading axis of `extent`, one place per member, and so does everything
  /// that depends on them. What does not depend on them is computed once, and an output that does
  /// not keeps its type: it is the same for every member.
  ///
  /// A carried output and the input that it is carried into stay of one type: if the output gains
  /// the axis, its input does too, and if the input has it, the output is repeated where it does not
  /// depend on any member.
  ///
  /// - Parameters:
  ///   - names: The inputs that differ between members.
  ///   - extent: The number of members.
  /// - Returns: A graph with the same inputs and outputs by name.
  /// - Precondition: The graph has those inputs, and `extent` is positive.
  public func batched(inputs names: Set<String>, extent: Int) -> Graph {
    precondition(extent > 0, "a batch has members")
    let isBatched = dependents(ofInputs: names)
    let copy = rebuilt(
      input: { name, type, kind, index, copy in
        copy.input(
          name, isBatched[index] ? type.reshaped([extent] + type.shape) : type, kind)
      },
      application: { primitive, operands, originals, copy in
        let flags = originals.map { isBatched[$0.index] }
        return flags.contains(true)
          ? primitive.batched(operands, isBatched: flags, in: &copy)
          : copy.apply(primitive, operands)
      },
      output: { value, output, copy in
        guard let input = output.carriedInto, isBatched[input.index],
          !isBatched[output.value.index]
        else { return value }
        return copy.repeated(value, extent)
      })
    copy.assertSound()
    return copy
  }

  /// Which nodes depend on those inputs or on inputs that a result of theirs is carried into.
  private func dependents(ofInputs names: Set<String>) -> [Bool] {
    var roots = names.sorted().map { name in
      guard let input = input(named: name) else {
        preconditionFailure("no input is called '\(name)'")
      }
      return input
    }
    while true {
      let depends = descendants(of: roots)
      let reached = outputs.compactMap { output in
        output.carriedInto.flatMap { depends[output.value.index] && !depends[$0.index] ? $0 : nil }
      }
      if reached.isEmpty { return depends }
      roots += reached
    }
  }
}
