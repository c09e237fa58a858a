internal import CLibcrypto

/// SHA-256 in lower-case hexadecimal.
package enum Digest {
  package static func sha256(_ text: String) -> String {
    let bytes = Array(text.utf8)
    // Safe: the array outlives the call.
    return unsafe bytes.withUnsafeBytes { unsafe sha256($0) }
  }

  static func sha256(_ bytes: UnsafeRawBufferPointer) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 32
    // Safe: the digest has room for SHA-256, and the bytes outlive the call.
    let status = unsafe EVP_Digest(
      bytes.baseAddress, bytes.count, &digest, &length, EVP_sha256(), nil)
    precondition(status == 1 && length == 32, "SHA-256 is part of every libcrypto")
    return digest.map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }
}
