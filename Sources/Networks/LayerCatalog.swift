/// Every layer kind, sorted by kind.
///
/// A test fails if a file in `Layers/` is missing here.
public enum LayerCatalog {
  public static let all: [any Layer.Type] = [
    Activation.self,
    Attention.self,
    BatchNormalization.self,
    ClassToken.self,
    Convolution.self,
    CustomLayer.self,
    Dense.self,
    Dropout.self,
    Embedding.self,
    Flatten.self,
    Merge.self,
    Normalization.self,
    Pooling.self,
    PositionEmbedding.self,
    Recurrent.self,
    Resampling.self,
    Rescaling.self,
    Reshape.self,
    Selection.self,
  ]
}
