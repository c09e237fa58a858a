internal import LinearAlgebra

extension MapSolve {
  /// What remains, from the forward equations and the gradient's rows for the open directions.
  func solveOpen(
    _ buckets: [Bucket], _ open: Int, _ solution: inout MapSolution
  ) throws(CascadeStop) {
    var system = OpenSystem(columns: open)
    for equations in forwards {
      let site = equations.site
      let rows = system.addRows(errors(of: equations, given: solution.map))
      let known = site.response(solution.map.values, equations.weight)
      system.setRight(rows, zip(equations.output.values, known).map { $0 - $1 })
      for bucket in buckets {
        for direction in 0..<bucket.open.columns {
          let column = bucket.open.column(direction)
          for group in 0..<site.groups {
            let own = bucket.channels.enumerated().filter {
              $0.element / site.groupInputs == group
            }
            if own.isEmpty { continue }
            let response = site.responses(column, equations.weight, group: group)
            for (place, channel) in own {
              let inner = (channel - group * site.groupInputs) * site.groupOutputs
              let target = bucket.start + direction * bucket.channels.count + place
              for output in 0..<site.outputPlaces {
                let base = output * site.outputs + group * site.groupOutputs
                for filter in 0..<site.groupOutputs where rows[base + filter] >= 0 {
                  system.set(
                    rows[base + filter], target, response[inner + filter, output])
                }
              }
            }
          }
        }
      }
    }
    if let direct {
      let rows = system.addRows(direct.errors)
      system.setRight(rows, zip(direct.values, solution.map.values).map { $0 - $1 })
      for bucket in buckets {
        for direction in 0..<bucket.open.columns {
          for (place, channel) in bucket.channels.enumerated() {
            let target = bucket.start + direction * bucket.channels.count + place
            for row in 0..<places where rows[row * channels + channel] >= 0 {
              system.set(rows[row * channels + channel], target, bucket.open[row, direction])
            }
          }
        }
      }
    }
    for bucket in buckets {
      for row in 0..<bucket.softRows.rows {
        for place in bucket.channels.indices {
          let index = system.addRow(right: bucket.softRight[row, place])
          for direction in 0..<bucket.open.columns where bucket.softRows[row, direction] != 0 {
            system.set(
              index, bucket.start + direction * bucket.channels.count + place,
              bucket.softRows[row, direction], isWeighted: true)
          }
        }
      }
    }
    let answer = try system.solve()
    let closed = solution.unknowns - open
    solution.rank = closed + answer.rank
    solution.isDetermined = answer.rank == open
    guard solution.isDetermined else { return }
    for bucket in buckets {
      for direction in 0..<bucket.open.columns {
        for (place, channel) in bucket.channels.enumerated() {
          let unknown = bucket.start + direction * bucket.channels.count + place
          for row in 0..<places {
            let share = bucket.open[row, direction]
            let index = row * channels + channel
            solution.map.values[index] += share * answer.values[unknown]
            let error = share * answer.errors[unknown]
            let old = solution.map.errors[index]
            solution.map.errors[index] =
              ((old.isFinite ? old * old : 0) + error * error).squareRoot()
          }
        }
      }
    }
  }

  /// Standard errors of forward equations once the strong directions are given with theirs.
  private func errors(of equations: ForwardEquations, given map: KnownMap) -> [Double] {
    let site = equations.site
    let inherited = map.errors.filter(\.isFinite).rootMeanSquareOrZero
    var norms = Array(repeating: 0.0, count: site.outputs)
    for index in equations.weight.indices {
      norms[index % site.outputs] += equations.weight[index] * equations.weight[index]
    }
    return equations.output.errors.enumerated().map { index, error in
      (error * error + norms[index % site.outputs] * inherited * inherited).squareRoot()
    }
  }
}
