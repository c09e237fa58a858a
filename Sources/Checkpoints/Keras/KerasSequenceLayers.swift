internal import Networks

/// Embeddings, attention and recurrent layers.
extension KerasLayers {
  static func sequence(_ className: String, _ layer: JSONValue) -> (any Layer)? {
    let config = layer["config"] ?? .null
    switch className {
    case "Embedding":
      guard let tokens = config["input_dim"]?.extent, let width = config["output_dim"]?.extent
      else { return nil }
      return Embedding(
        tokens: tokens, width: width, masksZero: config["mask_zero"]?.bool ?? false)
    case "LSTM", "GRU", "SimpleRNN": return recurrent(className, config)
    case "MultiHeadAttention":
      return Attention(multiHead(config, call: layer["inbound_nodes"]) ?? .unstated(className))
    case "Attention", "AdditiveAttention", "GroupQueryAttention":
      return Attention(.unstated(className))
    default: return nil
    }
  }

  private static func recurrent(_ className: String, _ config: JSONValue) -> Recurrent? {
    guard let units = (config["units"] ?? config["output_dim"])?.extent else { return nil }
    // Keras before 2.1 could not reset after the product, and did not say so.
    let resetsAfter = config["reset_after"]?.bool ?? false
    var cell: Recurrent.Cell =
      className == "LSTM" ? .lstm : className == "GRU" ? .gru(resetsAfter: resetsAfter) : .simple
    let activation = config["activation"].map(activation) ?? .tanh
    let gates = config["recurrent_activation"].map(Self.activation) ?? .sigmoid
    let keepsState = ["return_state", "stateful"].contains { config[$0]?.bool == true }
    if keepsState || [activation, gates].contains(where: { $0 == .softmax || $0 == .logSoftmax }) {
      cell = .unstated(className)
    }
    let bias: Recurrent.Bias = cell == .gru(resetsAfter: true) ? .rows : .joint
    return Recurrent(
      cell, units: units, returnsSequences: config["return_sequences"]?.bool ?? false,
      bias: config["use_bias"]?.bool ?? true ? bias : .none, activation: activation,
      gateActivation: gates, isReversed: config["go_backwards"]?.bool ?? false)
  }

  private static func multiHead(_ config: JSONValue, call: JSONValue?) -> Attention.Form? {
    guard let heads = config["num_heads"]?.extent, let width = config["key_dim"]?.extent,
      config["attention_axes"]?.integers ?? [1] == [1]
    else { return nil }
    let stated = config["output_shape"]
    let outputs = stated?.integers?.last
    let isVector = stated == nil || stated?.isNull == true || stated?.integers?.count == 1
    guard isVector else { return nil }
    let keywords = call?.array?.first?["kwargs"]
    let hasMask = keywords?["attention_mask"].map { !$0.isNull } ?? false
    guard !hasMask, outputs.map({ $0 > 0 }) ?? true else { return nil }
    return .multiHead(
      Attention.Arrangement(
        heads: heads, keyWidth: width, valueWidth: config["value_dim"]?.extent, outputs: outputs,
        hasBias: config["use_bias"]?.bool ?? true,
        isCausal: keywords?["use_causal_mask"]?.bool ?? false))
  }

  /// Query, key and value in this order; Keras takes them as query, value and key.
  ///
  /// `call` is the layer's `inbound_nodes`; keywords are listed behind the rest, by name.
  static func attentionSources(
    _ sources: [Network.Source], call: JSONValue?
  ) -> [Network.Source] {
    let keywords = call?.array?.first?["kwargs"]
    guard sources.count == 3, keywords?["key"]?.object == nil || keywords?["value"]?.object == nil
    else { return sources }
    return [sources[0], sources[2], sources[1]]
  }
}
