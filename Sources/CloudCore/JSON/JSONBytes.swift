/// The bytes of JSON's strings.
enum JSONBytes {
    /// Returns the number of bytes at the beginning of a text that stand for themselves in a JSON string: neither
    /// quotes nor backslashes nor control characters. It looks at eight bytes at a time, because documents consist
    /// mostly of texts.
    static func plain(_ text: UnsafeRawBufferPointer) -> Int {
        let (quote, slash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        let (ones, highs) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
        // Returns a word whose lowest bit that is set is the high bit of the first byte below `least`. Bytes above 0x7f
        // never count.
        func below(_ least: UInt64, _ word: UInt64) -> UInt64 { (word &- ones &* least) & ~word & highs }
        var at = 0
        while at + 8 <= text.count {
            let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            let quotes = word ^ (ones &* UInt64(quote)), slashes = word ^ (ones &* UInt64(slash))
            let found = below(0x20, word) | below(1, quotes) | below(1, slashes)
            if found != 0 { return at + found.trailingZeroBitCount / 8 }
            at += 8
        }
        while at < text.count, text[at] >= 0x20, text[at] != quote, text[at] != slash { at += 1 }
        return at
    }
}
