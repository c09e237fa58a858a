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
      batch-normalization  axis, epsilon, has_scale, has_shift
      normalization        class_name, epsilon, has_scale, has_shift; axes (layer, RMS..., Unit...),
                           or axis and groups, or axis, mean and variance
      convolution          variant (plain, depthwise, separable, transposed), filters, kernel,
                           stride, dilation, padding ("valid", "same", "causal", an amount or a pair
                           per axis), groups, bias; multiplier (separable), output_padding and
                           swapped_kernel (transposed: the weight as its framework holds it)
      pooling              statistic (maximum, average), window ([] is global), stride, padding,
                           dilation, ceil_mode, counts_padding, keeps_axes, output_extents,
                           channels_last
      embedding            tokens, width, padding_token
      recurrent            cell (LSTM, GRU, RNN, SimpleRNN), units, returns_sequences, bias,
                           activation, recurrent_activation, resets_after, reversed
      attention            class_name, heads, key_width, value_width, outputs, bias, causal
      merge                operation (Add, Subtract, Multiply, Average, Maximum, Minimum,
                           Concatenate with axis, Dot with axes)
      resampling           class_name, operation: pad or crop (amounts), upsample (factors,
                           interpolation, align_corners), permute (order), repeat (count)
      select               axis, index
      class-token
      position-embedding
      custom               class_name

    """
  }
}
