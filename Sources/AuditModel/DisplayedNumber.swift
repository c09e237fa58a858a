/// Numbers as a person reads them, the same on every machine and in every locale.
package enum DisplayedNumber {
  /// Returns `value` with `digits` significant digits: `0.0123`, `98.2`, `3.1e-16`.
  ///
  /// Rounds half away from zero on the shortest decimal form of `value`.
  package static func significant(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return value.isNaN ? "not a number" : value > 0 ? "∞" : "−∞" }
    guard value != 0 else { return "0" }
    var (kept, exponent) = decimal(value.magnitude)
    if kept.count > digits {
      let roundsUp = kept[digits] >= 5
      kept.removeSubrange(digits...)
      if roundsUp {
        var index = digits - 1
        while index >= 0, kept[index] == 9 {
          kept[index] = 0
          index -= 1
        }
        if index >= 0 {
          kept[index] += 1
        } else {
          kept = [1]
          exponent += 1
        }
      }
    }
    while kept.count > 1, kept.last == 0 { kept.removeLast() }
    return (value < 0 ? "−" : "") + layout(kept, exponent: exponent)
  }

  /// Returns `value` with a comma after each group of three digits, as in `1,234,567`.
  package static func grouped(_ value: Int) -> String {
    var result = ""
    for (index, digit) in String(value.magnitude).reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3) { result.append(",") }
      result.append(digit)
    }
    return (value < 0 ? "−" : "") + String(result.reversed())
  }

  /// Returns "1 layer" or "2 layers".
  package static func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
    "\(grouped(count)) \(count == 1 ? noun : plural ?? noun + "s")"
  }

  /// The digits of a positive `value` without leading zeros, and the power of ten of the first.
  private static func decimal(_ value: Double) -> (digits: [Int], exponent: Int) {
    let parts = value.description.split(separator: "e")
    var digits: [Int] = []
    var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    var pointSeen = false
    for character in parts[0] {
      if character == "." { pointSeen = true }
      guard let digit = character.wholeNumberValue else { continue }
      if digits.isEmpty, digit == 0 {
        if pointSeen { exponent -= 1 }
        continue
      }
      digits.append(digit)
      if !pointSeen, digits.count > 1 { exponent += 1 }
    }
    // A leading "0." shifts the first digit behind the point by one place.
    if value.description.hasPrefix("0.") { exponent -= 1 }
    return (digits, exponent)
  }

  private static func layout(_ digits: [Int], exponent: Int) -> String {
    let text = digits.map(String.init).joined()
    switch exponent {
    case 0..<6 where digits.count <= exponent + 1:
      return text + String(repeating: "0", count: exponent + 1 - digits.count)
    case 0..<6:
      return text.prefix(exponent + 1) + "." + text.dropFirst(exponent + 1)
    case -3..<0:
      return "0." + String(repeating: "0", count: -exponent - 1) + text
    default:
      return text.prefix(1) + (digits.count > 1 ? "." + text.dropFirst() : "") + "e\(exponent)"
    }
  }
}

extension Double {
  /// The number with three significant digits, as every report shows it.
  package var displayed: String { DisplayedNumber.significant(self) }
}
