internal import Networks
internal import Reports

/// The text of `leakaudit schema`: this project's HDF5 layout, and the schema of the JSON report.
package enum LayoutDocument {
  package static var reportSchema: String { JSONReportSchema.text }

  package static var layout: String {
    """
    leakaudit layout 1: one HDF5 file with architecture, parameters and gradients

    Attributes of the root group
      leakaudit_layout   integer 1 (required)
      convention         "channels_last":  dense [inputs, outputs], convolution [..., in/groups, out]
                         "channels_first": dense [outputs, inputs], convolution [out, in/groups, ...]
                         (required)
      architecture       JSON text, see below (recommended)
      framework          text
      batch_size         integer: samples behind the gradient
      reduction          "mean" or "sum" over the batch
      local_steps        integer: optimiser steps behind an update
      learning_rate      number: of those steps
      loss               "softmax-cross-entropy", "binary-cross-entropy" or "mean-squared-error"
      label_smoothing    number in [0, 1)
      training_mode      integer 0 or 1: mode of batch normalisation and dropout

    Groups
      /parameters/LAYER/ROLE   the parameters at which the gradient was taken
      /gradients/LAYER/ROLE    the gradient, or instead of it
      /update/LAYER/ROLE       parameters after minus parameters before
      /truth/inputs            samples, first axis counts them (optional, for evaluation only)
      /truth/labels            class numbers (optional, for evaluation only)
      ROLE is weight, bias, scale, shift, running_mean, running_variance or embeddings; another name
      is kept as it is. LAYER may contain slashes. Any float type, contiguous or chunked, with gzip,
      shuffle and fletcher32.

    Architecture
      {"name": "mlp",
       "inputs": [{"name": "image", "shape": [28, 28, 1]}],
       "layers": [{"name": "flat", "kind": "flatten", "inputs": ["image"]},
                  {"name": "fc1", "kind": "dense", "inputs": ["flat"], "outputs": 64, "bias": true}]}
      Shapes have no batch axis; null is an extent that varies. A layer comes after what it reads.

    Kinds and their fields
      dense                outputs, bias
      activation           function; slope (leaky_relu), alpha (elu), approximate (gelu)
      flatten
      reshape              target
      dropout              rate
      rescaling            scale, offset
      batch-normalization  axis (without the batch axis)
      normalization        class_name
      convolution          variant (plain, depthwise, separable, transposed), filters, kernel,
                           stride, dilation, padding ("valid", "same", "causal" or amounts per axis),
                           groups, bias
      pooling              statistic (maximum, average), window ([] is global), stride, padding
      embedding            tokens, width
      recurrent            cell, units, returns_sequences
      attention            class_name
      merge                operation (Add, Multiply, Concatenate, ...)
      resampling           class_name
      custom               class_name

    """
  }
}
