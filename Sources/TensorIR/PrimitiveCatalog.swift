/// Every primitive, sorted by type name.
///
/// A test fails if a file in `Primitives/` is missing here.
public enum PrimitiveCatalog {
  public static let all: [any Primitive.Type] = [
    Abs.self, Add.self, BroadcastInDim.self, Compare.self, Concatenate.self, Convert.self,
    Convolution.self, ConvolutionInputTranspose.self, ConvolutionKernelTranspose.self,
    Divide.self, DotGeneral.self, Erf.self, Exponential.self, ExponentialMinusOne.self,
    Gather.self, Iota.self, Log.self, LogPlusOne.self, Logistic.self, Maximum.self,
    Minimum.self, Multiply.self, Negate.self, OffsetRows.self, Pad.self, Reduce.self,
    ReduceWindow.self, ReduceWindowTranspose.self, Reshape.self, Rsqrt.self, Scatter.self,
    Select.self, Sign.self, Slice.self, Sqrt.self, StopGradient.self, Subtract.self, Tanh.self,
    Transpose.self, WindowArgmax.self, WindowGather.self, WindowScatter.self,
  ]
}
