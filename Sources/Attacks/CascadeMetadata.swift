internal import AuditModel

extension AttackMetadata {
  /// The walk from the output down through convolutions, which starts where the attacks of
  /// ``AttackCatalog`` end.
  package static let cascade = AttackMetadata(
    identifier: "cascade",
    title: "Convolution stacks disclose their input layer by layer",
    claim: "What enters each layer, down to the model's own input where the equations suffice, "
      + "solves linear equations that start at the recovered input of the output layer.",
    formula: "W̄[o,c,k] = Σₚ z̄[o,p] · x[c,p+k]  and  W x + b = z",
    conditions: [
      "One sample, one step, and the weights at which the gradient was taken.",
      "Every layer on the way is linear given what is known: its output is known where its "
        + "activation can be inverted, and its weight gradient is known everywhere.",
      "A layer has as many independent equations as its input has entries; the table of the chain "
        + "counts both.",
    ],
    sources: [.recursiveAttack, .invertingGradients],
    remedy: """
      Do not let gradients of single samples leave the client: aggregate them securely over many \
      clients, or clip and noise each sample's gradient. Convolutions in place of dense layers do \
      not protect the input.
      """,
    remedyEffect: """
      Noise grows on its way down by the amplification that the table of the chain states for each \
      layer, so a level that leaves the features readable can still hide the input. Fewer filters, \
      larger strides and pooling leave fewer equations per entry.
      """)
}
