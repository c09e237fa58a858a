import Checkpoints
import Networks
import Tensors
import Testing

@Suite("Names inside files")
struct NamesTests {
  @Test("numbers inside names are ordered as numbers")
  func naturalOrder() {
    let sorted = [
      "", "a", "a0", "a00", "a1", "a01", "a2", "a9", "a10", "a10/b", "b1c2", "b1c10", "b2c1",
      "vars/9", "vars/10", "vars/99999999999999999999", "vars/100000000000000000000", "ä",
    ]
    for (index, left) in sorted.enumerated() {
      #expect(!NaturalOrder.precedes(left, left))
      for right in sorted[(index + 1)...] {
        let isTie = Set([left, right]) == ["a0", "a00"] || Set([left, right]) == ["a1", "a01"]
        #expect(NaturalOrder.precedes(left, right), "\(left) before \(right)")
        #expect(!NaturalOrder.precedes(right, left) || isTie, "\(right) before \(left)")
      }
    }
  }

  @Test(
    "groups say what lies below them",
    arguments: [
      ("gradients/fc/kernel", .gradient, "", "fc/kernel"),
      ("grads/fc.weight", .gradient, "", "fc.weight"),
      ("update/fc/w", .update, "", "fc/w"), ("delta/w", .update, "", "w"),
      ("state_dict/fc/weight", .parameters, "", "fc/weight"),
      ("params/Dense_0/kernel", .parameters, "", "Dense_0/kernel"),
      ("params/params/fc/kernel", .parameters, "", "fc/kernel"),
      ("gradients/params/fc/kernel", .gradient, "", "fc/kernel"),
      ("optimizer_state_dict/state/0/exp_avg", .optimizer, "", "state/0/exp_avg"),
      ("opt_state/0/mu/Dense_0/kernel", .optimizer, "", "0/mu/Dense_0/kernel"),
      ("step_000003/gradients/fc/kernel", .gradient, "step_000003", "fc/kernel"),
      ("round_1/client_7/arr_0", .parameters, "round_1/client_7", "arr_0"),
      ("round_2/server/arr_1", .parameters, "round_2/server", "arr_1"),
      ("truth/inputs", .truth, "", "inputs"), ("metrics/acc", .ignored, "", "acc"),
    ] as [(String, GradientRecords.Section, String, String)])
  func sections(
    path: String, section: GradientRecords.Section, label: String, name: String
  ) throws {
    let place = try #require(SectionedPath(path))
    #expect(place.section == section && place.label == label && place.name == name)
    #expect(place.path == path)
  }

  @Test(
    "a name without meaning has no section",
    arguments: ["fc/kernel", "gradients", "", "step/w", "stepper_1/w"])
  func unsectioned(path: String) { #expect(SectionedPath(path) == nil) }

  @Test(
    "layer and role are read off a name",
    arguments: [
      ("mlp/fc1/kernel:0", "mlp/fc1 weight 2"), ("body.0.weight", "body/0 weight 2"),
      ("fc.bias", "fc bias 2"), ("bn/gamma:0", "bn scale 2"), ("bn/beta", "bn shift 2"),
      ("bn.running_mean", "bn running_mean 2"), ("bn/moving_variance:0", "bn running_variance 2"),
      ("emb/embeddings", "emb embeddings 2"), ("LSTM/recurrent_kernel", "LSTM recurrent_kernel 2"),
      ("w", " weight 2"), ("fc.weight_hh_l0", "fc weight_hh_l0 2"),
    ])
  func roles(name: String, expected: String) { #expect(named(name, tensor(2)).text == expected) }

  @Test("positions pair a weight with the vector behind it, if it can be its bias")
  func nameless() {
    let arrays: [(path: String, tensor: Tensor)] = [
      ("r/arr_0", tensor(4, 3)), ("r/arr_1", tensor(3)), ("r/arr_2", tensor(3)),
      ("r/arr_3", tensor(2, 4)), ("r/arr_4", tensor(7)), ("r/arr_5", tensor(5, 5, 1, 2)),
      ("r/arr_6", tensor(2)),
    ]
    #expect(
      NamelessTensors.pair(arrays).map(\.text) == [
        "r_arr_0 weight 4×3", "r_arr_0 bias 3", "r_arr_2 arr_2 3", "r_arr_3 weight 2×4",
        "r_arr_4 arr_4 7", "r_arr_5 weight 5×5×1×2", "r_arr_5 bias 2",
      ])
  }

  @Test("only a number makes a name a position")
  func positional() {
    for name in ["0", "arr_3", "ARR_3", "param12", "tensor-1", "p_0"] {
      #expect(NamelessTensors.isPositional(name), "\(name)")
    }
    for name in ["", "arr_", "fc1", "weight", "arr_x", "1.weight"] {
      #expect(!NamelessTensors.isPositional(name), "\(name)")
    }
  }

  @Test("bytes that are no text become visible")
  func untrustedText() {
    #expect(String(untrusted: [0x61, 0xff, 0x62]) == #"a\xffb"#)
    #expect(String(untrusted: [0xc3, 0xa4, 0xc3]) == #"ä\xc3"#)
    #expect(String(untrusted: [0xf0, 0x9f, 0x98, 0x80, 0x80]) == #"😀\x80"#)
    #expect(String(untrusted: [UInt8]()) == "")
  }
}
