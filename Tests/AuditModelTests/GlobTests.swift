import AuditModel
import Testing

@Suite("Glob")
struct GlobTests {
  @Test(
    "a pattern finds what it describes",
    arguments: [
      ("model.h5", "model.h5"), ("*", "model.h5"), ("*.h5", "a.h5"), ("m?del.h5", "model.h5"),
      ("models/*.h5", "models/a.h5"), ("models/**", "models/a/b.h5"), ("**", "a/b/c"),
      ("**/a.h5", "a.h5"), ("**/a.h5", "x/y/a.h5"), ("a/**/b", "a/b"), ("a/**/b", "a/x/y/b"),
      ("fc*", "fc1"), ("**kernel", "fc1/kernel"), ("", ""), ("a[0]", "a[0]"), ("*é*", "caféx"),
      ("a**b", "a/x/b"),
    ])
  func found(pattern: String, text: String) { #expect(Glob(pattern).matches(text)) }

  @Test(
    "a pattern passes over everything else",
    arguments: [
      ("model.h5", "models.h5"), ("*.h5", "a/b.h5"), ("m?del", "mdel"), ("?", "/"),
      ("models/*", "models/a/b"), ("**/a.h5", "ba.h5"), ("fc*", "xfc1"), ("", "a"), ("a", ""),
      ("a.h5", "axh5"), ("a/**/b", "axb"), ("*.h5", "a.h5x"), ("A", "a"),
    ])
  func passedOver(pattern: String, text: String) { #expect(!Glob(pattern).matches(text)) }

  @Test("many stars cost no more than the product of the lengths")
  func manyStars() {
    // Backtracking would take 2^40 steps and more.
    let pattern = String(repeating: "*a", count: 40) + "b"
    #expect(!Glob(pattern).matches(String(repeating: "a", count: 2_000)))
  }
}
