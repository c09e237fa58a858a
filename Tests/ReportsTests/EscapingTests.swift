import Reports
import Testing

@Suite("Escaping")
struct EscapingTests {
  @Test(
    "an ordinary name stays as it is in a code span",
    arguments: ["fc1/kernel", "dense_1", "block[0].conv", "a*b", "é", "x = W̄ᵀb̄ / ‖b̄‖²"])
  func ordinaryNames(name: String) {
    #expect(Escaped.markdownCode(name) == "`\(name)`")
    #expect(Escaped.markdownCode(name, inTable: true) == "`\(name)`")
    #expect(Escaped.terminal(name) == name)
  }

  @Test(
    "ordinary prose stays as it is",
    arguments: [
      "The gradient of dense_1 gives 784 values (error 3.1e-16).", "A high-dimensional input: 0…1.",
      "3.1e-16 (0.5 of its norm).", "It's through-and-through linear; a/b = 2 - 1.",
    ])
  func ordinaryProse(text: String) {
    #expect(Escaped.markdownText(text) == text)
  }

  @Test(
    "Markdown prose shows punctuation instead of obeying it",
    arguments: [
      ("a|b", "a\\|b"), ("*b*", "\\*b\\*"), ("_b_", "\\_b\\_"), ("`c`", "\\`c\\`"),
      ("[x](y)", "\\[x\\](y)"), ("![x](y)", "\\!\\[x\\](y)"), ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
      ("# title", "\\# title"), ("~~s~~", "\\~\\~s\\~\\~"), ("- item", "\\- item"),
      ("1. item", "1\\. item"), ("::error::x", "\\::error::x"), ("a\\|b", "a\\\\\\|b"),
      ("    code", "code"), ("=== x", "\\=== x"), ("", "(empty)"), (" ", "(empty)"),
      ("a\nb", "a\\\\u{0A}b"), ("##[error]", "\\#\\#\\[error\\]"),
    ])
  func markdownProse(text: String, expected: String) {
    #expect(Escaped.markdownText(text) == expected)
  }

  @Test(
    "a word that GitHub would link becomes a code span",
    arguments: [
      ("see http://a.b.", "see `http://a.b`."), ("(www.a.b)", "(`www.a.b`)"),
      ("@user", "`@user`"), ("a@b.c", "`a@b.c`"), ("fixes #12,", "fixes `#12`,"),
      ("o/r#1", "`o/r#1`"), ("GH-7", "`GH-7`"), ("$x$", "`$x$`"), ("HTTPS://A", "`HTTPS://A`"),
      ("[x](http://a|b)", "`[x](http://a|b)`"), ("`@u`", "`` `@u` ``"),
    ])
  func liveWords(text: String, expected: String) {
    #expect(Escaped.markdownText(text) == expected)
  }

  @Test(
    "a code span outnumbers the backticks inside it",
    arguments: [
      ("a`b", "``a`b``"), ("`a`", "`` `a` ``"), ("a```b", "````a```b````"), ("", "(empty)"),
      ("##[group]x", "`#\\u{23}[group]x`"),
    ])
  func codeSpans(text: String, expected: String) {
    #expect(Escaped.markdownCode(text) == expected)
  }

  @Test("a pipe in a code span is escaped in a table only")
  func pipes() {
    #expect(Escaped.markdownCode("a|b") == "`a|b`")
    #expect(Escaped.markdownCode("a|b", inTable: true) == "`a\\|b`")
    #expect(Escaped.markdownCode("a\\|b", inTable: true) == "`a\\\\u{7C}b`")
  }

  @Test(
    "a character that hides, reorders or commands is shown by number in every context",
    arguments: [
      "\u{0}", "\u{7}", "\u{1B}", "\r", "\n", "\t", "\u{7F}", "\u{85}", "\u{9B}", "\u{AD}",
      "\u{61C}", "\u{115F}", "\u{180E}", "\u{200B}", "\u{200D}", "\u{200E}", "\u{2028}",
      "\u{202E}", "\u{2060}", "\u{2066}", "\u{2069}", "\u{2800}", "\u{3164}", "\u{E000}",
      "\u{FE0F}", "\u{FEFF}", "\u{FFFF}", "\u{E0001}", "\u{E0041}",
    ] as [Unicode.Scalar])
  func hiddenCharacters(scalar: Unicode.Scalar) {
    let text = "a\(scalar)b"
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let shown = "a\\u{\(digits.count < 2 ? "0" : "")\(digits)}b"
    #expect(Escaped.terminal(text) == shown)
    #expect(Escaped.html(text) == shown)
    #expect(Escaped.markdownCode(text) == "`\(shown)`")
    #expect(Escaped.workflowMessage(text) == shown)
  }

  @Test(
    "a line of a build log cannot carry a command",
    arguments: [
      ("::error::x", "\\u{3A}:error::x"), ("  ::warning::", "  \\u{3A}:warning::"),
      ("a ##[error]", "a #\\u{23}[error]"), ("##vso[task]", "#\\u{23}vso[task]"),
      ("a::b", "a::b"), ("\u{1B}[31mred", "\\u{1B}[31mred"),
    ])
  func terminal(text: String, expected: String) {
    #expect(Escaped.terminal(text) == expected)
  }

  @Test("a workflow command's parts cannot end early")
  func workflow() {
    #expect(Escaped.workflowMessage("50%\r\n::error::") == "50%25\\u{0D}\\u{0A}::error::")
    #expect(Escaped.workflowProperty("a,b:c%") == "a%2Cb%3Ac%25")
  }

  @Test("HTML text cannot open a tag or leave an attribute")
  func html() {
    #expect(Escaped.html("<a b='c' d=\"e\">&") == "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;")
  }

  @Test("a long name is cut, even if it is one letter with many marks")
  func length() {
    #expect(Escaped.markdownCode(String(repeating: "a", count: 200)).count == 202)
    #expect(
      Escaped.markdownCode(String(repeating: "a", count: 5_000))
        == "`" + String(repeating: "a", count: 200) + "…`")
    let stacked = Escaped.terminal("e" + String(repeating: "\u{301}", count: 9))
    #expect(stacked.unicodeScalars.count { $0 == "\u{301}" } == 4)
  }
}
