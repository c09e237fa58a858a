internal import Networks
internal import TensorIR

/// What a client trains and on which loss.
struct FederatedSetting {
  private let network: Network
  private let weights: ParameterTable
  private let loss: Loss

  init(_ network: Network, _ weights: ParameterTable, loss: Loss) {
    self.network = network
    self.weights = weights
    self.loss = loss
  }

  /// The loss of a batch with its gradient, with stored statistics.
  ///
  /// - Throws: ``NotInvertible`` if there is none, or its inputs cannot be moved.
  func graph(samples: Int) throws(NotInvertible) -> GradientGraph {
    guard network.inputShapes.count == 1 else {
      throw NotInvertible("the model has \(network.inputShapes.count) inputs; one is searched for")
    }
    let graph: GradientGraph
    do throws(UnsupportedLayer) {
      graph = try network.gradientGraph(samples: samples, loss: loss)
    } catch {
      throw NotInvertible(error.description)
    }
    guard graph.inputs[0].type.element == .real else {
      throw NotInvertible("the input consists of tokens; only real numbers can be searched for")
    }
    let output = graph.output.type.shape
    let needed: Loss.Comparison =
      output.last == 1 ? .binaryCrossEntropy : .softmaxCrossEntropy
    guard output.count == 2, loss.comparison == needed else {
      throw NotInvertible(
        "the loss of outputs \((Array(output.dropFirst()) as [Int?]).text) is \(loss.comparison); a "
          + "softmax cross-entropy over classes, or a binary one of a single output, is needed")
    }
    return graph
  }

  /// The elements of parameters in the graph's order.
  func elements(
    of parameters: [GraphParameter], in table: ParameterTable
  ) throws(NotInvertible) -> [[Double]] {
    do throws(ParameterMismatch) {
      return try network.elements(of: parameters, from: table)
    } catch {
      throw NotInvertible(error.description)
    }
  }

  /// The observed change of those parameters that are compared, `nil` for the rest.
  func observed(
    _ table: ParameterTable, _ keys: Set<ParameterTable.Key>, _ parameters: [GraphParameter]
  ) throws(NotInvertible) -> [[Double]?] {
    let known = Set(parameters.map(\.key))
    guard !keys.isEmpty else { throw NotInvertible("no parameter is compared") }
    let unknown = keys.subtracting(known).min { ($0.node, $0.role) < ($1.node, $1.role) }
    if let unknown {
      throw NotInvertible(
        "\(unknown.role) of layer '\(network.nodes[unknown.node].name)' is not trained")
    }
    var observed: [[Double]?] = []
    for parameter in parameters {
      observed.append(
        keys.contains(parameter.key) ? try elements(of: [parameter], in: table)[0] : nil)
    }
    return observed
  }

  /// What the loss compares the outputs for each sample with.
  func targets(_ labels: [Int], outputs: Int) throws(NotInvertible) -> [[Double]] {
    let classes = max(outputs, 2)
    if let label = labels.first(where: { !(0..<classes).contains($0) }) {
      throw NotInvertible("a label is \(label); whole numbers below \(classes) are needed")
    }
    return labels.map { Loss.target($0, outputs: outputs) }
  }

  /// The programs of a step, by number of samples.
  func steps(
    _ plan: FederatedPlan, on backend: any Backend, in precision: Precision
  ) throws(NotInvertible) -> [Int: FederatedStep] {
    var steps: [Int: FederatedStep] = [:]
    for samples in Set(plan.batches.map(\.count)).sorted() {
      let graph = try graph(samples: samples)
      let constants = try elements(of: graph.constants, in: weights)
      do throws(BackendError) {
        steps[samples] = try FederatedStep(graph, constants: constants, on: backend, in: precision)
      } catch {
        throw NotInvertible(error.description)
      }
    }
    return steps
  }
}
